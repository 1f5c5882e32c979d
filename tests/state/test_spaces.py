"""Namespaces that no engine knows are containers, too."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

from analyzer.model import Container, HostState, Link, Mac, Route
from analyzer.model.engine import NO_ENGINE, Sidecar
from analyzer.state.spaces import containers_in

ETH0 = Link(2, "eth0", Mac(0x0216_3E00_0001), "veth", None, (ip_address("10.0.3.25"), ip_address("fe80::1")), peer=7)
LO = Link(1, "lo", None, None, None, (ip_address("127.0.0.1"),), loopback=True)
DEFAULT = Route(ip_network("0.0.0.0/0"), "eth0", ip_address("10.0.3.1"), 0, "main", "default via 10.0.3.1 dev eth0")
INSIDE = HostState(links=(LO, ETH0), routes=(DEFAULT,))
HOST = HostState(links=(Link(7, "vethXk2Qa1", None, "veth", "lxcbr0"), Link(3, "lxcbr0", None, "bridge", None)))


def test_what_is_in_a_namespace() -> None:
    """An interface's MAC and addresses, its bridge for a network, and the gateway of its default route."""
    (found,) = containers_in(HOST, {"c1": INSIDE})

    assert found == Container(
        "c1", "lxcbr0", ETH0.mac, (ip_address("10.0.3.25"),), gateways=(ip_address("10.0.3.1"),), engine=NO_ENGINE
    )


def test_what_an_engine_knows_stays_its_own() -> None:
    """Its containers, and those that share another one's namespace."""
    known = replace(HOST, containers=(Container("c1", "bridge", None, ()),), sidecars=(Sidecar("c2", "c1"),))

    assert [one.name for one in containers_in(known, {"c1": INSIDE, "c2": INSIDE, "c3": INSIDE})] == ["c3"]


def test_what_has_no_addresses_is_nobody() -> None:
    """Nor loopback; an interface on no bridge is a network of its own."""
    bare = replace(ETH0, addresses=(ip_address("fe80::1"),))
    alone = replace(ETH0, peer=9)

    assert list(containers_in(HOST, {"c1": HostState(links=(LO, bare))})) == []
    assert [one.network for one in containers_in(HOST, {"c1": HostState(links=(alone,))})] == ["eth0"]
