"""What the kernel has counted, as ``nstat -az`` and ``conntrack -S`` print it."""

from analyzer.state.counters import parse_conntrack_stats, parse_nstat


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
