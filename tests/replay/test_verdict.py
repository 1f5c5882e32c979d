"""What a kernel told of one packet becomes an account: rules by their places, and what stopped it."""

import json
import struct
from typing import Any

import pytest

from analyzer.model import HostState
from analyzer.model.replay import Account, End, Met
from analyzer.replay.box import Answer
from analyzer.replay.plan import OWN
from analyzer.replay.verdict import Reader, answers, flow_text
from analyzer.state.rules.iptables import parse_tables
from analyzer.state.rules.nft import parse_native
from tests.build import GATEWAY, UPLINK, arp, ether, ipv4, ipv6, tcp, udp
from tests.explain.scene import icmp

SAVED = """*filter
:FORWARD DROP [0:0]
-A FORWARD --modprobe=/x -j DROP
-A FORWARD -i docker0 -j ACCEPT
-A FORWARD -p tcp -j REJECT --reject-with tcp-reset
-A FORWARD -p udp -j DROP
COMMIT
"""
NATIVE = {"nftables": [
    {"table": {"family": "inet", "name": "own", "handle": 1}},
    {"chain": {"family": "inet", "table": "own", "name": "fwd", "hook": "forward", "type": "filter", "prio": 0,
               "policy": "accept", "handle": 2}},
    {"rule": {"family": "inet", "table": "own", "chain": "fwd", "handle": 3, "expr": [{"drop": None}]}},
]}  # fmt: skip
HANDLES = {("ip", "filter", "FORWARD"): [11, 12, 13], ("inet", "own", "fwd"): [3]}
SENT = ipv4("172.17.0.2", "8.8.8.8", 6, tcp(40_000, 80, 7, 0, 2), ident=9)
LEFT = ipv4("192.168.1.100", "8.8.8.8", 6, tcp(40_000, 80, 7, 0, 2), ident=9, ttl=63)


@pytest.fixture
def reader() -> Reader:
    """Reads what a host with rules of iptables, one of which was not loaded, and of nftables' own tells."""
    tables = (*parse_tables(SAVED.splitlines(), 4), *parse_native(json.dumps(NATIVE)))
    return Reader(HostState(tables=tables), HANDLES)


def _event(handle: int | None = None, verdict: int | None = None, **fields: Any) -> dict[str, Any]:
    event = {
        "id": 1, "family": 2, "table": "filter", "chain": "FORWARD", "handle": handle, "type": 3, "verdict": verdict,
        "jump": "", "policy": None, "iif": 2, "oif": None, "network": SENT[:20].hex(),
    }  # fmt: skip
    return event | fields


def _told(reader: Reader, *, own: bool = False, packet: bytes = SENT, **answer: Any) -> Account:
    return reader.account(packet, Answer(**answer), own=own)


def _out(packet: bytes, interface: str = "wlan0", kind: int = 0x0800) -> tuple[str, bytes]:
    return interface, ether(UPLINK, GATEWAY, packet, kind)


def test_what_left_the_host_was_forwarded(reader: Reader) -> None:
    """By its interface, with the addresses that it left with, whatever other packets left before it."""
    other = _out(ipv4("192.168.1.100", "8.8.8.8", 6, tcp(1, 2, 3, 0, 2), ident=1), "docker0")
    account = _told(reader, events=[_event(11, 1)], out=[other, _out(LEFT)], counters={"IpOutNoRoutes": 1})

    assert (account.end, account.out, account.by) == (End.FORWARDED, "wlan0", "")
    assert account.flow == "192.168.1.100:40000 → 8.8.8.8:80"


@pytest.mark.parametrize(
    ("events", "end", "by"),
    [
        ([_event(13, 0)], End.DROPPED, "rule “-A FORWARD -p udp -j DROP”"),
        ([_event(12, 0)], End.REJECTED, "rule “-A FORWARD -p tcp -j REJECT --reject-with tcp-reset”"),
        ([_event(type=1, policy=0)], End.DROPPED, "policy DROP of ip filter FORWARD"),
        ([_event(3, 0, table="own", chain="fwd")], End.DROPPED, "rule “inet own fwd: drop”"),
        ([_event(13, 0), _event(11, 1, chain="INPUT")], End.UNKNOWN, ""),
    ],
)
def test_the_last_rule_or_policy_that_drops_stopped_it(
    reader: Reader, events: list[dict[str, Any]], end: End, by: str
) -> None:
    """A REJECT drops as well, and answers; where another rule was asked behind it, it was not the end."""
    account = _told(reader, events=events)

    assert (account.end, account.by) == (end, by)


@pytest.mark.parametrize(
    ("counters", "end", "by"),
    [
        ({"IpInDelivers": 1}, End.DELIVERED, ""),
        ({"Ip6InDelivers": 1, "IpInHdrErrors": 1}, End.DELIVERED, ""),
        ({"TcpExtIPReversePathFilter": 1, "IpInAddrErrors": 1}, End.DROPPED, "reverse path filter"),
        ({"IpInAddrErrors": 1}, End.DROPPED, "forwarding is off"),
        ({"IpExtInNoRoutes": 1}, End.DROPPED, "no route"),
        ({"Ip6InHdrErrors": 1}, End.DROPPED, "its TTL ends here"),
        ({"IpFragFails": 1}, End.DROPPED, "longer than the way out takes"),
        ({"IpInReceives": 1, "IpFragFails": 0}, End.UNKNOWN, ""),
    ],
)
def test_what_met_no_rule_is_told_by_counters(reader: Reader, counters: dict[str, int], end: End, by: str) -> None:
    """Delivered comes first; of the others the first that moved, and one that did not move says nothing."""
    account = _told(reader, events=[_event(11, 1)], counters=counters)

    assert (account.end, account.by) == (end, by)


def test_a_host_that_asks_for_a_neighbour_got_no_answer(reader: Reader) -> None:
    """ARP for the next hop; where it asks for the sender itself, that is about an answer to it."""
    asks = {
        ip: ("wlan0", ether(UPLINK, GATEWAY, arp(1, UPLINK, "192.168.1.100", GATEWAY, ip), 0x0806))
        for ip in ("8.8.8.8", "172.17.0.2")
    }

    assert _told(reader, out=[asks["8.8.8.8"]]).by == "the next hop does not answer"
    assert _told(reader, out=[asks["172.17.0.2"]]).end is End.UNKNOWN


def test_a_host_that_asks_for_a_neighbour_in_ipv6(reader: Reader) -> None:
    """Likewise: a solicitation names the address that is asked for."""
    sent = ipv6("fd00::2", "2001:db8::1", 17, udp(1, 2, b"x"))
    found = []
    for target in ("2001:db8::1", "fd00::2"):
        asked = ipv6("fe80::1", "ff02::1", 58, struct.pack("!BBHI", 135, 0, 0, 0) + ipv6(target, target, 0, b"")[8:24])
        found.append(_told(reader, packet=sent, out=[_out(asked, kind=0x86DD)]).end)

    assert found == [End.DROPPED, End.UNKNOWN]


def test_an_error_of_the_host_means_that_it_knows_no_way(reader: Reader) -> None:
    """Unreachable; that a packet's time ended is told by a counter, and alone by nothing."""
    errors = {kind: ipv4("172.17.0.1", "172.17.0.2", 1, icmp(kind, 1, SENT)) for kind in (3, 11)}

    assert _told(reader, out=[_out(errors[3], "docker0")]) == Account(End.DROPPED, "no route", "", "")
    assert _told(reader, out=[_out(errors[11], "docker0")]).end is End.UNKNOWN


def test_errors_and_resets_are_named_with_their_interface() -> None:
    """The packet itself is no answer to it, nor is a packet that resets nothing."""
    back = ("8.8.8.8", "172.17.0.2")
    out = [
        _out(LEFT), _out(ipv4(*back, 6, tcp(80, 40_000, 0, 8, 0x14)), "docker0"),
        _out(ipv4(*back, 6, tcp(80, 40_000, 0, 8, 0x10)), "docker0"),
        _out(ipv4(*back, 1, icmp(11, 0, SENT)), "docker0"),
        _out(ipv6("fd00::1", "fd00::2", 58, icmp(2, 0, b"")), "docker0", 0x86DD),
    ]  # fmt: skip

    reset = ipv4(*back, 6, tcp(80, 40_000, 0, 8, 4))
    assert answers(reset, Answer(out=[_out(reset)])) == []
    assert answers(SENT, Answer(out=out)) == [
        "TCP RST by docker0", "ICMP time exceeded by docker0", "ICMP packet too big by docker0",
    ]  # fmt: skip


def test_rules_are_told_as_the_dump_has_them(reader: Reader) -> None:
    """Those that were loaded keep their order; one that was not loaded has no handle, and its number stays free."""
    steps = _told(reader, events=[
        _event(11, -3, jump="DOCKER"), _event(13, 9), _event(99, -1), _event(5, 1, table=OWN),
        _event(type=1, policy=1, table="own", chain="fwd"), _event(type=2),
    ]).steps  # fmt: skip

    assert steps == (
        Met("ip filter", "FORWARD", "-A FORWARD -i docker0 -j ACCEPT", 2, "jump DOCKER"),
        Met("ip filter", "FORWARD", "-A FORWARD -p udp -j DROP", 4, "?"),
        Met("ip filter", "FORWARD", "handle 99", None, "continue"),
        Met("inet own", "fwd", "", None, "policy accept"),
    )


def test_where_rules_were_not_all_loaded_none_is_named(reader: Reader) -> None:
    """A handle would stand for another rule."""
    some = Reader(reader.host, {("ip", "filter", "FORWARD"): [11, 12]})

    assert _told(some, events=[_event(12, 0)]).by == "rule “handle 12”"


def test_traces_of_other_packets_are_left_out(reader: Reader) -> None:
    """Another identification, or without a way in, as what the host sends besides; its own packet has none either."""
    other = SENT[:4] + b"\0\7" + SENT[6:20]
    events = [_event(13, 0, network=other.hex()), _event(13, 0, id=2, iif=None), _event(11, 1, id=3)]

    assert [step.number for step in _told(reader, events=events).steps] == [2]
    assert [step.number for step in _told(reader, events=events, own=True).steps] == [4, 2]


def test_addresses_and_ports_of_what_left() -> None:
    """Ports where the protocol has them."""
    assert flow_text(ipv6("fd00::2", "2001:db8::1", 17, udp(5, 53, b""))) == "[fd00::2]:5 → [2001:db8::1]:53"
    assert flow_text(ipv4("172.17.0.2", "8.8.8.8", 1, icmp(8, 0, b""))) == "172.17.0.2 → 8.8.8.8"
