"""What checks of a host ask of it: its ways out, its networks, and packets that nobody sent."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from analyzer.diagnose.host.subject import Words, bridges, inside, outgoing, uplinks
from analyzer.model import Basis, HostState, Network, Severity
from analyzer.model.rules import Verdict
from tests.diagnose.host.state import HOST, link, network, route, rules

LINKS = (link("wlan0"), link("eth1"), link("docker0", kind="bridge"))


@pytest.mark.parametrize(
    ("routes", "version", "names"),
    [
        ([("0.0.0.0/0", "wlan0", 600), ("0.0.0.0/0", "eth1", 100)], 4, ["eth1", "wlan0"]),
        ([("0.0.0.0/0", "wlan0", 100), ("0.0.0.0/0", "eth1", 100)], 4, ["wlan0", "eth1"]),
        ([("0.0.0.0/0", "wlan0", 0), ("0.0.0.0/0", "wlan0", 9)], 4, ["wlan0"]),
        ([("10.0.0.0/8", "wlan0", 0), ("0.0.0.0/0", "eth1", 9)], 4, ["eth1"]),
        ([("::/0", "wlan0", 0), ("0.0.0.0/0", "eth1", 9)], 4, ["eth1"]),
        ([("::/0", "wlan0", 0), ("0.0.0.0/0", "eth1", 9)], 6, ["wlan0"]),
        ([("0.0.0.0/0", "gone", 0), ("0.0.0.0/0", None, 1), ("0.0.0.0/0", "eth1", 9)], 4, ["eth1"]),
    ],
    ids=["metric", "equal", "twice", "no-default", "other-family", "ipv6", "no-such-link"],
)
def test_uplinks(routes: list[tuple[str, str | None, int]], version: int, names: list[str]) -> None:
    """The interfaces of default routes of one family, each once, the lowest metric first."""
    made = tuple(route(dst, dev, metric=metric) for dst, dev, metric in routes)

    assert [one.name for one in uplinks(HostState(links=LINKS, routes=made), version)] == names


def test_a_route_that_leads_nowhere_is_no_uplink() -> None:
    """Only unicast routes lead out; IPv4 is meant where nobody says."""
    routes = (route("0.0.0.0/0", "wlan0", kind="unreachable"), route("0.0.0.0/0", "eth1", metric=5))

    assert [one.name for one in uplinks(HostState(links=LINKS, routes=routes))] == ["eth1"]


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (network("a", "172.17.0.0/16"), ["docker0"]),
        (network("a", "172.17.0.0/16", internal=True), []),
        (network("a", "172.17.0.0/16", driver="macvlan"), []),
        (network("a", "172.17.0.0/16", bridge=None), []),
        (network("a", "172.17.0.0/16", bridge="br-gone"), []),
    ],
    ids=["bridge", "internal", "macvlan", "unnamed", "gone"],
)
def test_bridges(made: Network, found: list[str]) -> None:
    """Bridge networks with a way out, whose bridge is there."""
    assert [one.name for _, one in bridges(HostState(links=LINKS, networks=(made,)))] == found


def test_bridges_go_on_after_one_that_is_none() -> None:
    """All networks are looked at."""
    networks = (network("a", internal=True), network("b"), network("c", driver="ipvlan"), network("d"))

    assert [one.name for one, _ in bridges(HostState(links=LINKS, networks=networks))] == ["b", "d"]


@pytest.mark.parametrize(
    ("subnets", "gateways", "version", "found"),
    [
        (("10.0.0.0/24",), (), 4, "10.0.0.1"),
        (("10.0.0.0/24",), ("10.0.0.1",), 4, "10.0.0.2"),
        (("10.0.0.0/30",), ("10.0.0.1",), 4, "10.0.0.2"),
        (("10.0.0.0/30",), ("10.0.0.1", "10.0.0.2"), 4, None),
        (("10.0.0.0/31",), (), 4, None),
        (("10.0.0.0/31", "10.1.0.0/24"), (), 4, "10.1.0.1"),
        (("fd00::/64", "10.0.0.0/24"), (), 4, "10.0.0.1"),
        (("10.0.0.0/24", "fd00::/64"), ("fd00::1",), 6, "fd00::2"),
        (("10.0.0.0/24",), (), 6, None),
        (("10.0.0.0/24",), tuple(f"10.0.0.{n}" for n in range(1, 8)), 4, "10.0.0.8"),
        (("10.0.0.0/24",), tuple(f"10.0.0.{n}" for n in range(1, 9)), 4, None),
    ],
)
def test_an_address_inside(subnets: tuple[str, ...], gateways: tuple[str, ...], version: int, found: str) -> None:
    """The first of eight that is no gateway, of the first subnet of that family that has room."""
    address = inside(network("a", *subnets, gateways=gateways), version)

    assert address == (ip_address(found) if found else None)


@pytest.mark.parametrize(
    "lacking",
    [
        {"tables": ()},
        {"routes": (route("172.17.0.0/16", "docker0"),)},
        {"networks": (network("bridge", "172.17.0.0/31"),)},
    ],
    ids=["rules", "uplink", "address"],
)
def test_outgoing_cannot_be_told(lacking: dict[str, object]) -> None:
    """Without rules, a way out, or an address, nothing is run."""
    host = replace(HOST, **lacking)  # type: ignore[arg-type]

    assert outgoing(host, host.networks[0], host.links[1]) is None


@pytest.mark.parametrize(
    ("match", "verdict"),
    [
        ("-i docker0 -o wlan0 -s 172.17.0.2/32 -d 192.0.2.7/32", Verdict.DROP),
        ("-p tcp -m tcp --sport 40000 --dport 443 --tcp-flags FIN,SYN,RST,ACK SYN", Verdict.DROP),
        ("-m length --length 60", Verdict.DROP),
        ("-m length --length 61:65535", Verdict.ACCEPT),
        ("-m ttl --ttl-eq 63", Verdict.DROP),
        ("-p udp", Verdict.ACCEPT),
    ],
)
def test_outgoing_packet(match: str, verdict: Verdict) -> None:
    """A SYN from a container of the network to a web server outside, as it comes in by the bridge."""
    text = f"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD {match} -j DROP\nCOMMIT\n"
    host = replace(HOST, tables=rules(text))
    result = outgoing(host, host.networks[0], host.links[1])

    assert result is not None
    assert result.verdict is verdict


def test_outgoing_packet_of_ipv6() -> None:
    """To a documentation address of IPv6, by IPv6's rules and routes."""
    text = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -s fd00:17::2/128 -d 2001:db8::7/128 -j DROP\nCOMMIT\n"
    host = replace(
        HOST,
        tables=(*rules(), *rules(text, 6)),
        routes=(*HOST.routes, route("::/0", "wlan0", "fe80::1")),
        networks=(network("bridge", "172.17.0.0/16", "fd00:17::/64", gateways=("fd00:17::1",)),),
    )
    result = outgoing(host, host.networks[0], host.links[1], 6)

    assert result is not None
    assert result.verdict is Verdict.DROP


def test_words_make_a_finding() -> None:
    """What a dump states, with its lines; lists get the same words."""
    words = Words("some-check", Severity.WARNING, "Because.", "Do it.")
    finding = words.finding("it is so", "a.txt: a", "b.txt: b")
    explained = words.explained

    assert (finding.check, finding.severity, finding.title) == ("some-check", Severity.WARNING, "it is so")
    assert (finding.explanation, finding.remedy, finding.basis) == ("Because.", "Do it.", Basis.STATED)
    assert (finding.proof, finding.evidence, finding.tried) == (("a.txt: a", "b.txt: b"), (), None)
    assert (explained.name, explained.severity, explained.needs) == ("some-check", Severity.WARNING,
                                                                      "dumps (hoptrace doctor)")  # fmt: skip
    assert (explained.about, explained.remedy) == ("Because.", "Do it.")
