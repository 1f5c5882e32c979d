"""Tables for people."""

from pathlib import Path

import pandas as pd
import pytest

from analyzer import analyze
from analyzer.run import Trace
from tests.explain.hosts import trace_of

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


@pytest.fixture(scope="module")
def seed() -> Trace:
    """ARP, pings, and a TCP connection."""
    return analyze(SEED)


def test_frames(seed: Trace) -> None:
    """A row each, by the whole's index."""
    table = seed.frames_readable()
    question = table[(table["journey"] == "J3") & (table["point"] == "wlan0")].iloc[0]

    assert table.index.equals(seed.frames.index)
    assert str(table["time"].dtype) == "datetime64[ns, UTC]"
    assert table["time"].iloc[0].value == seed.frames["time_ns"].iloc[0]
    assert (question["src"], question["dst"]) == ("192.168.1.100", "8.8.8.8")
    assert (question["protocol"], question["connection"], question["ttl"]) == ("ICMP", "C0", 63)
    assert question["sport"] is pd.NA


def test_what_has_no_address_has_none(seed: Trace) -> None:
    """ARP has, by its own fields."""
    table = seed.frames_readable()
    arp = table[table["protocol"] == "ARP"]

    assert set(arp["src"][arp["point"] == "docker0"]) == {"172.17.0.4", "172.17.0.1"}
    assert arp["ttl"].isna().all()
    assert arp["connection"].isna().all()


def test_connections(seed: Trace) -> None:
    """Both tuples, as text."""
    table = seed.connections_readable()
    tcp = table[table["connection"] == "C1"].iloc[0]

    assert (tcp["src"], tcp["sport"], tcp["dst"], tcp["dport"]) == ("172.17.0.4", 57230, "8.8.8.8", 80)
    assert (tcp["reply_src"], tcp["reply_dst"], tcp["answered"]) == ("8.8.8.8", "192.168.1.100", True)
    assert tcp["first"] <= tcp["last"]


def test_ipv6() -> None:
    """Addresses are written as RFC 5952 has it."""
    trace = trace_of("home.app-listens-ipv6-only")
    frames, connections = trace.frames_readable(), trace.connections_readable()

    assert "fd00:beef:24::2" in set(frames["src"].dropna())
    assert "fd00:beef:24::2" in set(connections["reply_src"])
