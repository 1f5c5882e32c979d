"""Lines of conntrack: listings, events, and what of several events of one connection is kept."""

from ipaddress import ip_address

import pytest

from analyzer.model import ConntrackEntry, FlowTuple
from analyzer.state.conntrack import parse_conntrack

TUPLES = "src=172.17.0.2 dst=8.8.8.8 sport=40000 dport=53 {}src=8.8.8.8 dst=192.168.1.100 sport=53 dport=40001 {}"


def _entry(line: str) -> ConntrackEntry:
    (entry,), unreadable = parse_conntrack([line])
    assert unreadable == 0
    return entry


def _udp(before: str, flag: str = "", after: str = "id=7") -> str:
    return before + " " + TUPLES.format(flag, after)


def _tuples(protocol: str) -> tuple[FlowTuple, FlowTuple]:
    container, server, host = map(ip_address, ("172.17.0.2", "8.8.8.8", "192.168.1.100"))
    return FlowTuple(protocol, container, server, 40_000, 53), FlowTuple(protocol, server, host, 53, 40_001)


@pytest.mark.parametrize(
    ("line", "protocol", "state", "timeout", "flags", "number"),
    [
        (_udp("ipv4     2 udp      17 29"), "udp", None, 29, (), 7),
        (_udp("ipv4     2 udp      17 29", "[UNREPLIED] "), "udp", None, 29, ("UNREPLIED",), 7),
        (_udp("ipv4 2 tcp 6 431999 ESTABLISHED", after="[ASSURED] mark=0 use=1 id=9"), "tcp", "ESTABLISHED", 431_999,
         ("ASSURED",), 9),
        (_udp("ipv4 2 tcp 6 ESTABLISHED", after="[ASSURED] [OFFLOAD]"), "tcp", "ESTABLISHED", None,
         ("ASSURED", "OFFLOAD"), None),
        (_udp("ipv4 2 tcp 6 60 SYN_SENT2"), "tcp", "SYN_SENT2", 60, (), 7),
        (_udp("udp      17 29"), "udp", None, 29, (), 7),
        (_udp("    tcp 6 60 SYN_SENT"), "tcp", "SYN_SENT", 60, (), 7),
        (_udp("[DESTROY] tcp 6"), "tcp", None, None, (), 7),
        (_udp("    [NEW] udp 17 30"), "udp", None, 30, (), 7),
        (_udp("ipv4 2 UDP 17 29"), "udp", None, 29, (), 7),
        (_udp("ipv4 2 unknown 47 29"), "unknown", None, 29, (), 7),
    ],
)  # fmt: skip
def test_lines(
    line: str, protocol: str, state: str | None, timeout: int | None, flags: tuple[str, ...], number: int | None
) -> None:
    """With and without the family before it, with what each protocol has; events of a kind are no flags."""
    assert _entry(line) == ConntrackEntry(
        *_tuples(protocol), number, state=state, timeout_s=timeout, flags=flags
    )  # fmt: skip


@pytest.mark.parametrize(
    ("time", "time_ns"),
    [
        ("1795465712.781582", 1_795_465_712_781_582_000), ("1.5", 1_500_000_000), ("1.000000001", 1_000_000_001),
        ("0.000001", 1_000),
    ],
)  # fmt: skip
def test_times_of_events(time: str, time_ns: int) -> None:
    """Seconds and a fraction of up to nine digits, exactly."""
    entry = _entry(_udp(f"[{time}]\t    [NEW] ipv4     2 udp      17 30", "[UNREPLIED] "))

    assert (entry.first_ns, entry.last_ns) == (time_ns, time_ns)
    assert entry.flags == ("UNREPLIED",)


def test_icmp() -> None:
    """The echo id stands in the tuples, the entry's own id last; without one, the entry has none."""
    line = (
        "ipv4 2 icmp 1 29 src=172.17.0.2 dst=8.8.8.8 type=8 code=0 id=13 src=8.8.8.8 dst=10.0.0.1 type=0 code=0 id=14"
    )
    container, server, host = map(ip_address, ("172.17.0.2", "8.8.8.8", "10.0.0.1"))
    tuples = (
        FlowTuple("icmp", container, server, icmp_type=8, icmp_code=0, icmp_id=13),
        FlowTuple("icmp", server, host, icmp_type=0, icmp_code=0, icmp_id=14),
    )

    assert _entry(line) == ConntrackEntry(*tuples, None, timeout_s=29)
    assert _entry(f"{line} mark=0 use=1 id=511156774") == ConntrackEntry(*tuples, 511_156_774, timeout_s=29)


def test_ipv6() -> None:
    """Both tuples are of it."""
    entry = _entry(
        "ipv6 10 tcp 6 9 TIME_WAIT src=fd00::2 dst=fd00::3 sport=1 dport=2 src=fd00::3 dst=fd00::2 sport=2 dport=1"
    )

    assert (str(entry.original.src), str(entry.reply.src), entry.original.protocol) == ("fd00::2", "fd00::3", "tcp")


@pytest.mark.parametrize(("port", "read"), [(0, 0), (65_535, 65_535), (65_536, None)])
def test_the_largest_port(port: int, read: int | None) -> None:
    """Ports have 16 bits."""
    entries, unreadable = parse_conntrack([_udp("ipv4 2 udp 17 29").replace("sport=40000", f"sport={port}")])

    assert [entry.original.sport for entry in entries] == ([] if read is None else [read])
    assert unreadable == (read is None)


@pytest.mark.parametrize("line", ["", "  \n", "conntrack v1.4.7 (conntrack-tools): 3 flow entries", "# a comment"])
def test_lines_that_are_no_entries(line: str) -> None:
    """They are passed over."""
    (entry, *more), unreadable = parse_conntrack([line, _udp("ipv4 2 udp 17 29")])

    assert (entry.id, more, unreadable) == (7, [], 0)


@pytest.mark.parametrize(
    "line",
    ["what is this", "ipv4 2 udp 17 29 src=1.1.1.1 dst=2.2.2.2 sport=1 dport=2 id=7", _udp("no protocol"),
     _udp("ipv4 2 udp 17 29").replace("8.8.8.8", "8.8.8"), _udp("ipv4 2 udp 17 29", after="id=x"),
     "ipv4 2 udp 17 29 src=1.1.1.1 sport=1 dport=2 src=2.2.2.2 dst=1.1.1.1 sport=2 dport=1"],
)  # fmt: skip
def test_lines_that_cannot_be_read(line: str) -> None:
    """They are counted, and the others are read."""
    entries, unreadable = parse_conntrack([line, _udp("ipv4 2 udp 17 29"), line])

    assert ([entry.id for entry in entries], unreadable) == ([7], 2)


def _event(second: int, kind: str, before: str, flag: str = "", after: str = "id=7") -> str:
    return _udp(f"[{second}.0]\t [{kind}] ipv4 2 {before}", flag, after)


def test_events_of_one_connection() -> None:
    """The first time and the last, the last state that is told, and each flag once, in order."""
    events = [
        _event(1, "NEW", "tcp 6 120 SYN_SENT", "[UNREPLIED] "),
        _event(2, "UPDATE", "tcp 6 432000 ESTABLISHED", after="[ASSURED] id=7"),
        _event(3, "UPDATE", "tcp 6 120 FIN_WAIT", after="[ASSURED] id=7"),
        _event(4, "DESTROY", "tcp 6", after="[ASSURED] id=7"),
    ]
    entries, unreadable = parse_conntrack(events)

    assert unreadable == 0
    assert entries == [
        ConntrackEntry(
            *_tuples("tcp"), 7, 1_000_000_000, 4_000_000_000, "FIN_WAIT", 120, ("UNREPLIED", "ASSURED")
        )
    ]  # fmt: skip


def test_an_event_that_tells_seconds_only() -> None:
    """They are the last, and the state goes with them: what is told later counts."""
    entry = parse_conntrack([_event(1, "NEW", "tcp 6 120 SYN_SENT"), _event(2, "UPDATE", "tcp 6 60")])[0][0]

    assert (entry.state, entry.timeout_s) == (None, 60)


def test_an_event_that_tells_a_state_only() -> None:
    """Likewise."""
    entry = parse_conntrack([_event(1, "NEW", "tcp 6 120 SYN_SENT"), _event(2, "UPDATE", "tcp 6 CLOSE")])[0][0]

    assert (entry.state, entry.timeout_s) == ("CLOSE", None)


@pytest.mark.parametrize(
    "other",
    [_event(2, "NEW", "udp 17 30", after="id=8"), _event(2, "NEW", "tcp 6 30"),
     _event(2, "NEW", "udp 17 30").replace("sport=40000", "sport=40002"),
     _event(2, "NEW", "udp 17 30").replace("dport=40001", "dport=40002")],
    ids=["id", "protocol", "original", "reply"],
)  # fmt: skip
def test_events_of_two_connections(other: str) -> None:
    """Another id or another tuple is another connection."""
    entries, _ = parse_conntrack([_event(1, "NEW", "udp 17 30"), other])

    assert [(entry.first_ns, entry.last_ns) for entry in entries] == [(10**9, 10**9), (2 * 10**9, 2 * 10**9)]
