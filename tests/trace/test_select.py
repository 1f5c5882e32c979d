"""Selections: any hop may match, and both sides of a translation find the packet."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.errors import SelectionError
from analyzer.pipeline import Trace

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
    ],
)
def test_selections_that_mean_the_same(trace: Trace, text: str, same_as: str) -> None:
    """Two ways to say it pick the same journeys, some but not all."""
    found = trace.select(text)

    assert found == trace.select(same_as)
    assert 0 < len(found) < trace.packets


@pytest.mark.parametrize(
    "text", ["", "ip.addr ==", "ip.addr == nonsense", "(tcp", "tcp)", "tcp udp", "frame.number == x", "colour == red",
             "verdict == good", "eth.addr == 1", "&&", "= tcp"]
)  # fmt: skip
def test_senseless_selections(trace: Trace, text: str) -> None:
    """One line that says what is wrong."""
    with pytest.raises(SelectionError, match="-Y"):
        trace.select(text)
