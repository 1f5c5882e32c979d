"""Selections: any hop may match, and both sides of a translation find the packet."""

import json
import shutil
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.errors import SelectionError
from analyzer.journey.build import Tracer
from analyzer.journey.select import select
from analyzer.model import Role
from analyzer.run import Trace
from analyzer.schema import Layer
from tests.packet.tables import ARP, ERROR, ETHERNET, GATEWAY, TCP, UDP, UPLINK, at, connection, context, packet, seen

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


@pytest.fixture(scope="module")
def trace() -> Trace:
    return analyze([SEED])


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("ip.src == 172.17.0.4 && icmp", "ip.src == 192.168.1.100 && icmp"),
        ("icmp", "connection == 0"),
        ("tcp", "tcp.port == 80"),
        ("tcp and not tcp.srcport == 80", "tcp.dstport == 80"),
        ("arp || ipv6", "!(icmp || tcp)"),
        ("ip.addr == 8.8.0.0/16", "icmp or tcp"),
        ("eth.addr == 02:42:ac:11:00:04 && tcp", "tcp && container == c3"),
        ('point == "wlan0" && tcp', "tcp && verdict != rejected"),
        ("verdict == left-host && tcp", "tcp.dstport == 80"),
        ("tcp.flags.syn == 1", "tcp.flags.syn"),
        ("tcp.flags.syn == 0 && tcp", "tcp && !tcp.flags.syn"),
        ("tcp.len >= 1", "tcp.len > 0"),
        ("tcp.len lt 1 && tcp", "tcp.len == 0"),
        ("tcp.port < 81", "tcp"),
        ("tcp.srcport > 80", "tcp.dstport == 80"),
        ("frame.number <= 1", "frame.number == 1"),
        ("tcp.analysis.retransmission == false && tcp", "tcp"),
    ],
)
def test_selections_that_mean_the_same(trace: Trace, text: str, same_as: str) -> None:
    """Two ways to say it pick the same journeys, some but not all."""
    found = trace.select(text)

    assert found == trace.select(same_as)
    assert 0 < len(found) < trace.packets


@pytest.mark.parametrize(
    "text", ["", "ip.addr ==", "ip.addr == nonsense", "(tcp", "tcp)", "tcp udp", "frame.number == x", "colour == red",
             "verdict == good", "eth.addr == 1", "&&", "= tcp", "ip.addr < 1.1.1.1", "tcp.flags.syn == 2",
             "tcp.flags.nonsense", "container > c1"]
)  # fmt: skip
def test_senseless_selections(trace: Trace, text: str) -> None:
    """One line that says what is wrong."""
    with pytest.raises(SelectionError, match="-Y"):
        trace.select(text)


POINTS = (
    at(0, "veth-c1", Role.VETH, container="c1"),
    at(1, "docker0", Role.BRIDGE),
    at(2, "wlan0", Role.UPLINK, container="C2"),
)
V6 = UDP & ~Layer.IPV4 | Layer.IPV6


def _found(text: str) -> list[int]:
    """Select among packets of all kinds; those after the first are seen at one point each."""
    packets = [
        packet(
            seen(0, 10), seen(2, 12, src="192.168.1.100", sport=4001, eth_src=UPLINK, eth_dst=GATEWAY), connection=1
        ),
        packet(seen(0, 20, layers=TCP, dport=80), connection=0),
        packet(seen(1, 30, layers=V6, src="fd00:1::2", dst="fd00:2::3", sport=5)),
        packet(seen(0, 40, layers=ARP, src="172.17.0.2", dst="172.17.0.1", eth_dst=0xFFFF_FFFF_FFFF)),
        packet(seen(1, 50, layers=ETHERNET, eth_type=0x88CC)),
        packet(seen(1, 60, layers=UDP | Layer.VLAN, src="10.0.0.1", dst="10.0.0.9", vlan=7)),
        packet(seen(1, 70, layers=ERROR, src="172.17.0.1", dst="172.17.0.2", proto=1)),
    ]
    ends = ("172.17.0.2", 4000, "8.8.8.8", 53)
    rows = [connection(original=ends, reply=(*ends[2:], *ends[:2])) for _ in range(2)]
    here = context(POINTS, packets, connections=rows)
    return select(here, Tracer(here), text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("udp", [0, 2, 5]),
        ("UDP", [0, 2, 5]),
        ("icmp", [6]),
        ("gre", []),
        ("ip", [0, 1, 5, 6]),
        ("ipv6", [2]),
        ("arp", [3]),
        ("vlan", [5]),
        ("!udp", [1, 3, 4, 6]),
        ("! ! udp", [0, 2, 5]),
        ("not(udp or arp)", [1, 4, 6]),
        ("udp && vlan", [5]),
        ("arp || udp && vlan", [3, 5]),
        ("vlan && udp || arp", [3, 5]),
        ("(arp || udp) && ip", [0, 5]),
        ("vlan or arp or icmp", [3, 5, 6]),
        ("ip and udp and not vlan", [0]),
        ("ip.src eq 10.0.0.1", [5]),
        ("ip.src ne 10.0.0.1", [0, 1, 2, 3, 4, 6]),
        ("ip.src==10.0.0.1", [5]),
        ('ip.src == "10.0.0.1"', [5]),
        ("IP.SRC == 10.0.0.1  ", [5]),
        ("ip.dst == 10.0.0.9", [5]),
        ("ip.src == 10.0.0.9", []),
        ("ip.addr == 10.0.0.9", [5]),
        ("ip.src == 192.168.1.100", [0]),
        ("ip.addr == 172.17.0.1", [3, 6]),
        ("ip.addr == 172.17.0.0/30", [0, 1, 3, 6]),
        ("ip.addr == 172.17.0.3/30", [0, 1, 3, 6]),
        ("ip.addr == 0.0.0.0/0", [0, 1, 3, 5, 6]),
        ("ipv6.addr == ::/0", [2]),
        ("ipv6.src == fd00:1::2", [2]),
        ("ipv6.src == fd00:1::/64", [2]),
        ("ipv6.src == fd00::/16", [2]),
        ("ipv6.src == fd00:2::/32", []),
        ("ipv6.dst == fd00:2::3/128", [2]),
        ("ipv6.dst == fd00:2::2", []),
        ("tcp.port == 80", [1]),
        ("tcp.port == 53", []),
        ("tcp.dstport == 80", [1]),
        ("tcp.srcport == 80", []),
        ("udp.port == 53", [0, 2, 5]),
        ("udp.srcport == 4001", [0]),
        ("udp.srcport == 5", [2]),
        ("udp.dstport == 5", []),
        ("tcp.port != 80", [0, 2, 3, 4, 5, 6]),
        ("eth.src == 3c:22:fb:10:20:30", [0]),
        ("eth.dst == 00:1d:aa:01:02:03", [0]),
        ("eth.dst == 3c:22:fb:10:20:30", []),
        ("eth.addr == ff:ff:ff:ff:ff:ff", [3]),
        ("frame.number == 1", [0, 2]),
        ("frame.number == 4", [6]),
        ("point == wlan0", [0]),
        ("point == docker0", [2, 4, 5, 6]),
        ("point == c1", []),
        ("container == c1", [0, 1, 3]),
        ("container == C2", [0]),
        ("container == veth-c1", []),
        ("connection == 1", [0]),
        ("connection == C0", [1]),
        ("connection == c0", [1]),
        ("connection == 7", []),
        ("verdict == delivered", [3]),
        ("verdict == lost", []),
    ],
)
def test_what_a_selection_finds(text: str, found: list[int]) -> None:
    """Each field and each protocol, by any hop; not before and, and before or."""
    assert _found(text) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "-Y : ends too early"),
        ("udp &&", "-Y udp &&: ends too early"),
        ("ip.src ==", "-Y ip.src ==: ends too early"),
        ("(udp", "-Y (udp: ends too early"),
        ("(udp udp", "-Y (udp udp: a ) is missing"),
        ("udp tcp", "-Y udp tcp: unexpected 'tcp'"),
        ("udp & tcp", "-Y udp & tcp: not understood from '& tcp' on"),
        ("= udp ", "-Y = udp : not understood from '= udp' on"),
        ("tsl", "-Y tsl: unknown protocol or field 'tsl'; did you mean tls? hoptrace fields lists"),
        ("colour == red", "-Y colour == red: unknown field 'colour'; hoptrace fields lists what there is"),
        ("ip.adr == ::", "-Y ip.adr == ::: unknown field 'ip.adr'; did you mean ip.addr?"),
        ("point", "-Y point: point needs a value, as in point == docker0"),
        ("tcp.port in 80", "-Y tcp.port in 80: in needs values in braces, as in {80, 443}"),
        ("tcp.port in {80", "-Y tcp.port in {80: ends too early"),
        ("tcp.port in {http}", "-Y tcp.port in {http}: tcp.port cannot be 'http'; 80 would be one"),
        ("tcp.port contains 8", "-Y tcp.port contains 8: tcp.port is no text"),
        ("ip.port == 1", "-Y ip.port == 1: unknown field 'ip.port'"),
        ("sctp.port == 1", "-Y sctp.port == 1: unknown field 'sctp.port'"),
        ("tcp.addr == 1", "-Y tcp.addr == 1: unknown field 'tcp.addr'"),
        ("eth.port == 1", "-Y eth.port == 1: unknown field 'eth.port'"),
        ("tcp.port == http", "-Y tcp.port == http: tcp.port cannot be 'http'"),
        ("eth.src == 1.2", "-Y eth.src == 1.2: eth.src cannot be '1.2'"),
        ("ip.src == 1.2", "-Y ip.src == 1.2: ip.src cannot be '1.2'"),
        ("connection == d1", "-Y connection == d1: connection cannot be 'd1'"),
        ("verdict == Lost", "-Y verdict == Lost: verdict cannot be 'Lost'"),
        ("(" * 5000 + "udp", "-Y: nested too deeply"),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_wrong_with_a_selection(text: str, message: str) -> None:
    """The selection, and the part that is not understood."""
    with pytest.raises(SelectionError) as raised:
        _found(text)

    assert str(raised.value).startswith(message)


FAULTS = Path(__file__).parents[1] / "faults"


@pytest.fixture(scope="module")
def asked() -> Trace:
    return analyze([FAULTS / "no-dnat-and-failing-resolver.bridge.tar.zst"])


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("dns", "udp.port == 53"),
        ("DNS && ip.dst == 172.17.0.2", "dns && udp.srcport == 53"),
        ("dns.qry.name == refused.example", 'dns.qry.name contains "refused."'),
        ("dns.qry.name contains EXAMPLE", "dns"),
        ("dns.flags.rcode in {SERVFAIL, REFUSED}", "dns"),
        ("dns.qry.type in {A AAAA}", "dns"),
        ("dns.qry.type == A", "dns && !(dns.qry.type == AAAA)"),
        ("dns.qry.type != A", "!(dns.qry.type == A)"),
        ("point contains LAN", "point == wlan0"),
    ],
)
def test_questions_to_name_servers(asked: Trace, text: str, same_as: str) -> None:
    """They and their answers are found by what was asked."""
    found = asked.select(text)

    assert found == asked.select(same_as)
    assert 0 < len(found) < asked.packets


def test_containers_are_found_by_name_address_and_service(tmp_path: Path) -> None:
    """At any point; the service is what compose calls them."""
    shutil.copytree(SEED.parent / "user-network", tmp_path / "b")
    dump = tmp_path / "b" / "host" / "docker-inspect.json"
    inspected = json.loads(dump.read_text())
    for one in inspected:
        one["Config"]["Labels"] = {"com.docker.compose.service": f"{one['Name'][1:]}-service"}
    dump.write_text(json.dumps(inspected))
    trace = analyze([tmp_path / "b"])
    app = next(one for one in trace.hosts.everywhere.containers if one.name == "app")
    by_address = " || ".join(f"ip.addr == {ip}" for ip in app.addresses if ip.version == 4)

    assert 0 < len(trace.select("container == app && ip")) < trace.packets
    assert trace.select("container == app && ip") == trace.select(f"({by_address}) && ip")
    assert trace.select("container in {app, nobody}") == trace.select("container == app")
    assert trace.select("service == app-service") == trace.select("container == app")
    assert trace.select("service == nothing") == []


def test_nothing_is_found_in_nothing() -> None:
    """Captures without frames have no journeys."""
    here = context(POINTS, [])

    assert [select(here, Tracer(here), text) for text in ("udp", "!udp", "ip.addr == ::/0")] == [[], [], []]
