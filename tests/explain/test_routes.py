"""Routes by which somebody looks for whoever does not answer: gateways, wide netmasks, and neighbours that are none."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from analyzer.explain.absent.asked import Asked, Why
from analyzer.explain.absent.routes import gateway, on_link, way_out, wide
from analyzer.explain.case import Case
from analyzer.model import ArpExchange, HostState, Mac, Route
from tests.build import C1, T0, UPLINK, arp, ether, mac
from tests.explain.scene import HOST, INSIDE, Scene
from tests.explain.state import dumps

Ask = Callable[[Asked], Iterator[Why]]
WITHIN = "nsenter -t \"$(docker inspect -f '{{.State.Pid}}' c2)\" -n "


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Record a question of c2, on network bridge, whose gateway is 172.17.0.1."""
    files = dumps()
    files["containers/c2/ip-addr.json"] = [{"ifindex": 2, "ifname": "eth0", "address": C1, "operstate": "UP"}]
    scene = Scene(tmp_path_factory.mktemp("routes"), dumps=files)
    scene.see("veth-c2", 10, ether(C1, "ff:ff:ff:ff:ff:ff", arp(1, C1, INSIDE, C1, "172.17.0.1"), 0x0806))
    return scene.case()


def _way(
    dst: str, via: str | None = None, dev: str = "wlan0", src: str | None = None, kind: str = "unicast",
    table: str = "main",
) -> Route:  # fmt: skip
    by, own = (ip_address(ip) if ip is not None else None for ip in (via, src))
    return Route(ip_network(dst), dev, by, 0, table, f"{dst} by {via or dev}", kind, own)


def _why(case: Case, ask: Ask, ip: str, *ways: Route, inside: bool = False) -> list[dict[str, Any]]:
    """Ask about the host's routes, or about those of c2, which asks then."""
    host = case.hosts[None]
    of_c2 = replace(host.inside["c2"], routes=ways)
    state = replace(host, inside={"c2": of_c2}) if inside else replace(host, routes=ways)
    asker, src = (C1, INSIDE) if inside else (UPLINK, HOST)
    return _facts(case, ask, state, asker, src, ip)


def _facts(case: Case, ask: Ask, state: HostState, asker: str, src: str, ip: str) -> list[dict[str, Any]]:
    question = ArpExchange("arp", ip_address(ip), Mac(int.from_bytes(mac(asker))), ip_address(src), "wlan0", 1, T0)
    return [one.facts for one in ask(Asked(case, state, question))]


DEFAULT, SEGMENT = _way("0.0.0.0/0", "192.168.1.1"), _way("192.168.0.0/16", src=HOST)


@pytest.mark.parametrize(
    ("asked", "ways", "told"),
    [
        ("192.168.5.10", (DEFAULT, SEGMENT), True),
        ("192.168.1.77", (DEFAULT, SEGMENT), False),
        ("192.168.5.10", (DEFAULT, _way("192.168.5.0/24", src=HOST)), False),
        ("192.168.5.10", (DEFAULT, _way("192.168.4.0/23", src=HOST)), True),
        ("192.168.5.10", (_way("0.0.0.0/0", "192.168.9.1"), SEGMENT), False),
        ("192.168.5.10", (DEFAULT, _way("192.168.0.0/16")), False),
        ("192.168.5.10", (DEFAULT, _way("192.168.0.0/16", "192.168.1.2", src=HOST)), False),
        ("8.8.8.8", (_way("0.0.0.0/0", src=HOST), DEFAULT), False),
    ],
    ids=["far", "near", "usual-netmask", "a-bit-too-short", "gateway-far", "no-address", "by-a-router", "default"],
)
def test_a_netmask_is_too_short_only_for_what_is_far(
    case: Case, asked: str, ways: tuple[Route, ...], told: bool
) -> None:
    """And only if the router, which is near, would lead there."""
    found = _why(case, wide, asked, *ways)

    assert [(one["router"], one["commands"]) for one in found] == [
        ("192.168.1.1", ["ip route add 192.168.5.0/24 via 192.168.1.1"])
    ] * told


def test_a_container_has_its_netmask_from_docker(case: Case) -> None:
    """It is not told to be wide there."""
    own = _way("172.17.0.0/16", dev="eth0", src=INSIDE)

    assert _why(case, wide, "172.17.5.1", _way("0.0.0.0/0", "172.17.0.1", "eth0"), own, inside=True) == []


@pytest.mark.parametrize(
    ("via", "told"), [("172.17.0.254", True), ("172.17.0.1", False)], ids=["another", "its-network's"]
)
def test_a_containers_gateway_is_its_networks(case: Case, via: str, told: bool) -> None:
    """Another one is replaced by that, in the container."""
    found = _why(case, gateway, via, _way("0.0.0.0/0", via, "eth0"), inside=True)

    assert [(one["why"], one["right"], one["commands"]) for one in found] == [
        ("wrong-gateway", "172.17.0.1", [f"{WITHIN}ip route replace default via 172.17.0.1 dev eth0"])
    ] * told


SILENT = "192.168.1.77"
LEFT_OVER = _way("203.0.113.0/24", SILENT)


@pytest.mark.parametrize(
    ("ways", "prefix", "commands"),
    [
        ((_way("0.0.0.0/0", SILENT),), "", None),
        ((LEFT_OVER, DEFAULT), "203.0.113.0/24", [f"ip route del 203.0.113.0/24 via {SILENT}"]),
        ((_way("203.0.113.0/24", SILENT, table="vpn"), DEFAULT), "203.0.113.0/24",
         [f"ip route del 203.0.113.0/24 via {SILENT} table vpn"]),
        ((LEFT_OVER,), "203.0.113.0/24", None),
        ((LEFT_OVER, _way("0.0.0.0/0", SILENT), DEFAULT), "203.0.113.0/24", None),
    ],
    ids=["default", "left-over", "in-its-table", "the-only-way", "default-as-well"],
)  # fmt: skip
def test_a_route_of_the_host_may_go_where_another_way_is(
    case: Case, ways: tuple[Route, ...], prefix: str, commands: list[str] | None
) -> None:
    """A default route by somebody else takes over; nothing is deleted that leaves no way."""
    (facts,) = _why(case, gateway, SILENT, *ways)

    assert (facts["why"], facts["prefix"], facts.get("commands")) == ("gateway-silent", prefix, commands)


def test_who_is_no_gateway_is_not_called_one(case: Case) -> None:
    """No route leads over that address."""
    assert _why(case, gateway, "192.168.1.78", DEFAULT, LEFT_OVER) == []


@pytest.mark.parametrize(
    ("driver", "host_way", "told"),
    [("macvlan", "172.17.0.7", ["172.17.0.7"]), ("ipvlan", "192.168.1.1", [""]), ("bridge", "172.17.0.7", [])],
)
def test_the_gateway_of_a_macvlan_is_a_router_of_the_segment(
    case: Case, driver: str, host_way: str, told: list[str]
) -> None:
    """Docker has only its address: the host's own router there is named, if it is in the subnet."""
    host = case.hosts[None]
    ways = (_way("0.0.0.0/0", "172.17.0.1", "eth0"),)
    state = replace(
        host, routes=(_way("0.0.0.0/0", host_way),), inside={"c2": replace(host.inside["c2"], routes=ways)},
        networks=tuple(replace(one, driver=driver) for one in host.networks),
    )  # fmt: skip
    found = _facts(case, gateway, state, C1, INSIDE, "172.17.0.1")

    assert [one["router"] for one in found if one["why"] == "network-gateway"] == told


@pytest.mark.parametrize(
    ("asked", "way", "told", "repaired"),
    [
        ("9.9.9.9", _way("0.0.0.0/0", dev="eth0"), True, True),
        ("10.1.2.3", _way("10.0.0.0/8", dev="eth0"), True, False),
        ("172.17.0.99", _way("172.17.0.0/16", dev="eth0"), False, False),
        ("172.17.0.3", _way("0.0.0.0/0", dev="eth0"), False, False),
        ("9.9.9.9", _way("0.0.0.0/0", "172.17.0.1", "eth0"), False, False),
        ("9.9.9.9", _way("0.0.0.0/0", dev="eth0", kind="unreachable"), False, False),
    ],
    ids=["default", "prefix", "its-own-network", "a-container's", "by-a-gateway", "no-way"],
)
def test_a_container_takes_for_a_neighbour_who_is_in_none_of_its_networks(
    case: Case, asked: str, way: Route, told: bool, repaired: bool
) -> None:
    """A default route without a gateway gets its network's; other routes are told only."""
    found = _why(case, on_link, asked, way, inside=True)

    assert [(one["why"], one["subnets"], "commands" in one) for one in found] == [
        ("on-link", ["172.17.0.0/16"], repaired)
    ] * told


@pytest.mark.parametrize(
    ("asked", "way", "told"),
    [
        ("10.1.2.3", _way("0.0.0.0/0"), True),
        ("10.1.2.3", _way("0.0.0.0/0", src=HOST), True),
        ("10.1.2.3", _way("10.0.0.0/8", src=HOST), False),
        ("10.1.2.3", _way("10.0.0.0/8"), True),
        (INSIDE, _way("172.17.0.0/16", dev="docker0"), False),
    ],
    ids=["default", "default-with-an-address", "its-own-segment", "added", "a-container's"],
)
def test_on_a_segment_of_its_own_the_host_asks_rightly(case: Case, asked: str, way: Route, told: bool) -> None:
    """Whoever is missing there is missing; by any other route without a gateway there is no neighbour."""
    assert len(_why(case, on_link, asked, way)) == told


HOPS = replace(DEFAULT, nexthops=(("wlan0", ip_address("192.168.1.1")), ("eth1", ip_address(SILENT))))


@pytest.mark.parametrize(
    ("way", "command"),
    [
        (HOPS, "ip route replace default nexthop via 192.168.1.1 dev wlan0"),
        (replace(HOPS, dst=ip_network("10.0.0.0/8"), table="vpn"),
         "ip route replace 10.0.0.0/8 nexthop via 192.168.1.1 dev wlan0 table vpn"),
    ],
    ids=["default", "in-its-table"],
)  # fmt: skip
def test_one_next_hop_of_several_is_taken_out(case: Case, way: Route, command: str) -> None:
    """The others stay."""
    facts = _why(case, gateway, SILENT, way)[0]

    assert (facts["why"], facts["hops"], facts["commands"]) == ("next-hop", 2, [command])


@pytest.mark.parametrize(
    ("link", "changes", "told"),
    [
        ({"down": True}, 0, "no-carrier"),
        ({"down": True, "kind": "veth"}, 0, "no-carrier"),
        ({"down": True, "kind": "veth", "addresses": ()}, 0, ""),
        ({"down": True, "kind": "bridge"}, 0, ""),
        ({}, 2, "flaps"),
        ({"kind": "bridge"}, 2, ""),
        ({}, 0, ""),
    ],
    ids=["down", "a-veth-with-an-address", "a-containers-veth", "a-bridge", "flapping", "a-bridge-flaps", "well"],
)
def test_the_interface_by_which_the_host_asks(case: Case, link: dict[str, Any], changes: int, told: str) -> None:
    """It has no carrier, or had none for a while; of a container's question that is no reason."""
    host = case.hosts[None]
    links = tuple(replace(one, **link) if one.name == "wlan0" else one for one in host.links)
    counts = {f"link.wlan0.tx.{name}": count for name, count in (("carrier_changes", 4), ("errors", 0))}
    host = replace(host, links=links, routes=(DEFAULT,), counters_before=counts,
                   counters=counts | {"link.wlan0.tx.carrier_changes": 4 + changes})  # fmt: skip

    assert [one["why"] for one in _facts(case, way_out, host, UPLINK, HOST, "192.168.1.1")] == [told] * bool(told)
    assert _facts(case, way_out, host, C1, INSIDE, "192.168.1.1") == []
