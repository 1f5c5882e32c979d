"""Figures of an analysis."""

import builtins
from pathlib import Path

import numpy as np
import pytest

from analyzer import analyze
from analyzer.errors import InputError
from analyzer.run import Trace
from tests.build import write_pcap

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def seed() -> Trace:
    """Pings and a TCP connection, at three points."""
    return analyze(ROOT / "sample_pcaps" / "seed")


def test_throughput_is_a_line_a_point_of_all_bytes(seed: Trace) -> None:
    """The area below each is what was on the wire there."""
    (axes,) = seed.plot.throughput().axes

    assert [line.get_label() for line in axes.lines] == [point.name for point in seed.points]
    for point, line in zip(seed.points, axes.lines, strict=True):
        x, y = (np.asarray(data, np.float64) for data in line.get_data())
        bits = y.sum() * 1e6 * (x[1] - x[0])
        assert bits == pytest.approx(8 * seed.frames.loc[seed.frames["point"] == point.id, "orig_len"].sum())


def test_latency_is_a_line_a_leg(seed: Trace) -> None:
    """Of a ping, 103 µs lie between docker0 and the uplink."""
    (axes,) = seed.plot.latency().axes

    legs = {line.get_label(): np.asarray(line.get_xdata(), np.float64) for line in axes.lines}
    assert any(abs(took - 102.93) < 0.1 for took in legs["docker0 → wlan0"])
    assert all(np.asarray(line.get_ydata())[-1] == 1 for line in axes.lines)


def test_losses_are_told_by_how_they_ended() -> None:
    """A rule drops three packets, the others get through."""
    trace = analyze(ROOT / "tests" / "faults" / "docker-user.bridge.tar.zst")
    (axes,) = trace.plot.losses().axes

    assert [label.get_text() for label in axes.get_yticklabels()] == ["dropped"]
    assert [len(one.get_positions()) for one in axes.collections] == [3]
    assert [
        len(one.get_positions()) for one in trace.filter("verdict == delivered").plot.losses().axes[0].collections
    ] == []


def test_what_was_narrowed_is_drawn_alone(seed: Trace, tmp_path: Path) -> None:
    """And written as what matplotlib writes."""
    part = seed.filter("icmp")
    figure = part.plot.throughput()
    figure.savefig(tmp_path / "x.svg")

    assert (tmp_path / "x.svg").read_text().startswith("<?xml")
    whole, narrowed = (one.plot.latency().axes[0].lines for one in (seed, part))
    assert sum(len(line.get_xdata()) for line in narrowed) < sum(len(line.get_xdata()) for line in whole)


def test_nothing_to_draw(tmp_path: Path) -> None:
    """An empty capture gives empty figures."""
    trace = analyze(write_pcap(tmp_path / "a.pcap", []))

    assert [len(getattr(trace.plot, name)().axes) for name in ("throughput", "latency", "losses")] == [1, 1, 1]


def test_without_matplotlib(seed: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said what is missing."""
    real = builtins.__import__

    def without(name: str, *more: object) -> object:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match="hoptrace\\[plot\\]"):
        seed.plot.losses()
