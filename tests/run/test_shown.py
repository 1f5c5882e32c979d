"""An analysis in short: at a prompt, and in a notebook."""

from pathlib import Path

import dpkt

from analyzer import analyze
from tests.explain.hosts import trace_of

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


def test_a_line_for_a_prompt() -> None:
    """It says what was captured, and looks into nothing."""
    trace = analyze(SEED)

    assert repr(trace) == "<Trace of seed: 3 points, 61 frames, 23 journeys, 2 connections>"
    assert repr(trace.filter("icmp")) == "<Trace of seed: 3 points, 61 frames, 6 journeys, 1 connection>"
    assert "telling" not in vars(analyze(SEED))


def test_a_cell_of_a_notebook() -> None:
    """The sentence, and the first connection's first packet with its answer."""
    cell = analyze(SEED)._repr_html_()

    assert "all 23 packets went their way" in cell
    assert "J3 ICMP echo" in cell
    assert "J6 ICMP echo" in cell


def test_what_is_wrong_stands_in_a_cell() -> None:
    """With what helps, and the journey that shows it."""
    trace = trace_of("home.published-on-former-address")
    cell = " ".join(trace._repr_html_().split())

    assert "web publishes it as 192.168.1.10:80-&gt;80/tcp, at that address alone" in cell
    assert "publish it at the address that is asked, too" in cell
    assert f"J{trace.findings[0].evidence[0].journey} " in cell


def test_of_an_empty_capture(tmp_path: Path) -> None:
    """There is nothing to draw; and it is an analysis all the same."""
    path = tmp_path / "docker0.pcap"
    with path.open("wb") as file:
        dpkt.pcap.Writer(file)
    trace = analyze(path)

    assert "0 packets" in trace._repr_html_()
    assert (len(trace), bool(trace)) == (0, True)
