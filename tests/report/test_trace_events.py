"""The Trace Event Format, for Perfetto."""

import json
from collections import defaultdict
from pathlib import Path

from analyzer import analyze
from analyzer.run.outputs import pieces
from tests.build import write_pcap

ROOT = Path(__file__).parents[2]


def test_every_event_ends_and_legs_nest() -> None:
    """As the viewer demands: a begin and an end of one id, the inner ones inside."""
    trace = analyze(ROOT / "sample_pcaps" / "published-port")
    told = json.loads("".join(pieces(trace, "trace")))

    names = {one["pid"]: one["args"]["name"] for one in told["traceEvents"] if one["ph"] == "M"}
    open_: dict[str, list[str]] = defaultdict(list)
    seen: dict[str, list[float]] = defaultdict(list)
    for event in (one for one in told["traceEvents"] if one["ph"] != "M"):
        seen[event["id"]].append(event["ts"])
        assert event["pid"] in names
        if event["ph"] == "b":
            open_[event["id"]].append(event["name"])
        else:
            open_[event["id"]].remove(event["name"])
    assert not any(open_.values())
    assert min(times[0] for times in seen.values()) >= 0
    assert len(seen) == len(trace)
    assert names[1].startswith("C0 TCP 100.64.0.2:36424")
    assert int(told["otherData"]["start_ns"]) == min(trace.frames["time_ns"])


def test_a_selection_and_nothing_at_all(tmp_path: Path) -> None:
    """Are documents, too."""
    trace = analyze(ROOT / "sample_pcaps" / "seed")
    some = json.loads("".join(pieces(trace, "trace", "icmp")))
    none = json.loads("".join(pieces(analyze(write_pcap(tmp_path / "a.pcap", [])), "trace")))

    assert len({one["id"] for one in some["traceEvents"] if "id" in one}) == 6
    assert [one["ph"] for one in none["traceEvents"]] == ["M"]
