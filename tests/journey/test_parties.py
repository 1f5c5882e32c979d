"""Whose each address is: who comes first where several have it, and of what there is no name."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import pytest

from analyzer.journey import parties as module
from analyzer.journey.parties import parties
from analyzer.model import Container, Hosts, HostState, Link, Route
from analyzer.model.overview import NameQuery

INSIDE, OWN, ROUTER, SERVER = "172.17.0.2", "192.168.1.100", "192.168.1.1", "203.0.113.1"


def _host(name: str | None = None, container: str = "web", *addresses: str) -> HostState:
    return HostState(
        name=name,
        containers=(Container(container, "bridge", None, tuple(map(ip_address, addresses or (INSIDE,)))),),
        links=(Link(2, "wlan0", None, None, None, (ip_address(OWN),)),),
        routes=(
            Route(ip_network("0.0.0.0/0"), "wlan0", ip_address(ROUTER), 0, "main", ""),
            Route(ip_network("172.17.0.0/16"), "docker0", None, 0, "main", ""),
        ),
    )


def _query(name: str, *records: str, kind: str = "A") -> NameQuery:
    return NameQuery(name, kind, ip_address(INSIDE), ip_address(ROUTER), 0, 0, records=records)


def _told(hosts: Hosts, names: Sequence[NameQuery] = ()) -> dict[tuple[str, str | None], tuple[str, str]]:
    return {(str(one.address), one.host): (one.name, one.kind) for one in parties(hosts, names)}


def test_what_a_host_tells() -> None:
    """Its containers, its own interfaces, and its gateways; a route without one names nobody."""
    assert _told(Hosts.of(_host())) == {
        (INSIDE, None): ("web", "container"),
        (OWN, None): ("wlan0", "host"),
        (ROUTER, None): ("gateway", "gateway"),
    }


@pytest.mark.parametrize(
    ("address", "told"),
    [(OWN, ("web", "container")), (ROUTER, ("web", "container")), (INSIDE, ("web", "container"))],
    ids=["the-host's-too", "a-gateway-too", "its-own"],
)
def test_a_containers_name_comes_before_all_others(address: str, told: tuple[str, str]) -> None:
    """Of what has several names on one host, the first is told."""
    assert _told(Hosts.of(_host(None, "web", address)), [_query("a.example", address)])[address, None] == told


def test_what_a_name_server_said_is_of_no_host() -> None:
    """The first name of an address; nothing of what is no address."""
    names = [
        _query("a.example", SERVER),
        _query("b.example", SERVER),
        _query("c.example", "2001:db8::1", kind="AAAA"),
        _query("d.example", "not an address", "203.0.113.4"),
        _query("e.example", "203.0.113.5", kind="PTR"),
    ]

    assert _told(Hosts(), names) == {
        (SERVER, None): ("a.example", "name"),
        ("2001:db8::1", None): ("c.example", "name"),
        ("203.0.113.4", None): ("d.example", "name"),
    }


def test_each_host_has_addresses_of_its_own() -> None:
    """Docker gives every host the same ones."""
    found = _told(Hosts.of(_host("one", "web"), _host("two", "db")))

    assert found[INSIDE, "one"] == ("web", "container")
    assert found[INSIDE, "two"] == ("db", "container")


def test_no_more_than_a_report_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ones are told; what has a name already takes no place."""
    monkeypatch.setattr(module, "MOST", 4)
    names = [_query("own.example", OWN), *(_query(f"{n}.example", f"203.0.113.{n}") for n in range(1, 4))]

    assert list(_told(Hosts.of(_host()), names)) == [(INSIDE, None), (OWN, None), (ROUTER, None), (SERVER, None)]
