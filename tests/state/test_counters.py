"""What the kernel has counted, as its programs print it, and what each counter means."""

import pytest

from analyzer.state.counters import (
    parse_conntrack_stats,
    parse_link_stats,
    parse_nstat,
    parse_qdiscs,
    parse_softnet,
)  # fmt: skip
from analyzer.state.snmp import ON_THE_WAY, Where, counter_of, counters


def test_nstat() -> None:
    """Each line is a counter, also one that is 0; the heading and what is no counter are passed over."""
    lines = [
        "#kernel",
        "IpInReceives                    15                 0.0",
        "  IpForwDatagrams 0 12.5  ",
        "TcpExtSomething 7",
        "Ip6In x 0.0",
        "two words 7 0.0",
    ]

    assert parse_nstat(lines) == {"IpInReceives": 15, "IpForwDatagrams": 0}


def test_conntrack_stats() -> None:
    """Those of all processors together, by names of their own."""
    lines = ["cpu=0   \tfound=1 insert_failed=2 drop=0 ", "cpu=1   \tfound=3 insert_failed=40 drop=0 ", ""]

    assert parse_conntrack_stats(lines) == {
        "conntrack.found": 4, "conntrack.insert_failed": 42, "conntrack.drop": 0
    }  # fmt: skip


def test_interfaces_and_their_queues() -> None:
    """Each by its interface; all queues of one together."""
    links = '[{"ifname": "eth0.100", "stats64": {"rx": {"dropped": 1}, "tx": {"dropped": 2}}}, {"ifname": "x"}]'
    queues = '[{"dev": "eth0", "drops": 3}, {"dev": "eth0", "drops": 4}, {"dev": "lo"}]'

    assert parse_link_stats(links) == {"link.eth0.100.rx.dropped": 1, "link.eth0.100.tx.dropped": 2}
    assert parse_qdiscs(queues) == {"qdisc.eth0.drops": 7, "qdisc.lo.drops": 0}


def test_softnet() -> None:
    """Hexadecimal, a line a processor; older kernels have fewer columns."""
    assert parse_softnet(["0000ffff 00000010 00000001", "00000001 00000001 00000000"]) == {
        "softnet.dropped": 17, "softnet.time_squeeze": 1,
    }  # fmt: skip
    assert parse_softnet(["1 2 3 0 0 0 0 0 0 0 b"])["softnet.flow_limit"] == 11


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("IpInDiscards", ("IpInDiscards", "")),
        ("conntrack.drop", ("conntrack.drop", "")),
        ("link.wlan0.tx.dropped", ("link.tx.dropped", "wlan0")),
        ("link.eth0.100.rx.missed_errors", ("link.rx.missed_errors", "eth0.100")),
        ("qdisc.br-x.drops", ("qdisc.drops", "br-x")),
        ("link.lo.rx.bytes", None),
        ("link.dropped", None),
        ("IpInReceives", None),
        ("nonsense.x.y", None),
    ],
)
def test_what_a_counter_is(name: str, known: tuple[str, str] | None) -> None:
    """With its interface, whose name may have dots; none that counts no loss."""
    found = counter_of(name)

    assert (None if found is None else (found[0].name, found[1])) == known


def test_the_table() -> None:
    """More than a hundred, each with its meaning, the kernel's file, and its place on the way."""
    known = counters()

    assert len(known) > 100
    assert all(one.meaning and one.file for one in known.values())
    assert {one.where for one in known.values()} == set(Where)
    assert set(Where) - set(ON_THE_WAY) == {Where.HOST}
