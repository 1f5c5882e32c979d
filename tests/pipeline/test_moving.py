"""Slice by slice, an analysis says the same as in memory."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analyzer.decode import crew, moving
from analyzer.decode.moving import ShorterFramesError
from analyzer.errors import SelectionError
from analyzer.pipeline import analyze_whole, prepare
from analyzer.pipeline import moving as pipeline_moving
from analyzer.pipeline.moving import MovingTrace
from analyzer.report.stream import open_sinks
from analyzer.schema import CONNECTIONS
from tests.bench.generate import write_captures
from tests.build import (
    BRIDGE,
    C1,
    T0,
    Record,
    arp,
    block,
    enhanced,
    ether,
    interface,
    ipv4,
    option,
    pcap,
    section,
    udp,
    write_pcap,
)
from tests.lab.faults.cases import CASES, Case

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
FAULTS = Path(__file__).parents[1] / "faults"
COMPARED = ("counted-down.bridge", "counted-down.user.mixed", "detour.bridge")
"""Recordings in which why nobody answers is told by what others are answered: of the whole alone."""
ONE_HOST = sorted(path.name for path in SAMPLES.iterdir() if path.is_dir() and path.name != "overlay")


def _datagram(number: int) -> bytes:
    payload = f"datagram {number}".encode().ljust(200, b".")
    return ether(C1, BRIDGE, ipv4("172.17.0.4", "8.8.8.8", 17, udp(4000, 53, payload), ident=number + 1))


def _moving(paths: list[Path], out: Path, size: int) -> tuple[MovingTrace, int]:
    """Analyse slice by slice into *out*; return how many slices there were."""
    keep = None
    with prepare(paths) as prepared:
        while True:
            try:
                with open_sinks([out]) as sinks:
                    trace = MovingTrace(prepared, size, keep)
                    slices = 0
                    for slices, part in enumerate(trace.parts(), 1):  # noqa: B007
                        sinks.add(part)
                    sinks.close(trace.content, trace.table)
                return trace, slices
            except ShorterFramesError as error:
                keep = error.keep


def _whole(paths: list[Path], out: Path) -> None:
    with prepare(paths) as prepared:
        trace = analyze_whole(prepared)
    with open_sinks([out]) as sinks:
        sinks.add(trace.part())
        sinks.close(trace.content, trace.correlated.connections)


def _same(folder: Path, *, only: str = "") -> bool:
    """Tell whether both say the same, byte for byte, but for what slices do not tell; *only* of one type of items."""
    sliced, whole = ((folder / name).read_text().splitlines() for name in ("moving.ndjson", "whole.ndjson"))
    wanted = [line for line in whole if _slices_tell(json.loads(line))]
    if only:
        sliced, wanted = ([line for line in lines if json.loads(line)["type"] == only] for lines in (sliced, wanted))
    return sliced == wanted


READ_AGAIN = (
    "bad-checksum", "vxlan-checksum", "container-name-unknown", "dns-conntrack-race", "dns-failed", "dns-unanswered",
    "embedded-dns-failed", "no-ipv6-for-name",
)  # fmt: skip
"""Checks that read frames once more: DNS messages, and checksums."""


def _slices_tell(item: dict[str, Any]) -> bool:
    return item.get("check") not in READ_AGAIN and item["type"] != "loss"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of a fraction of a second: batches of 2 KiB, and what belongs together within 0.3 s."""
    _cut_small(monkeypatch, 300_000_000)


def _cut_small(monkeypatch: pytest.MonkeyPatch, reach_ns: int) -> None:
    monkeypatch.setattr(crew, "WINDOW", 2048)
    monkeypatch.setattr(moving, "REACH_NS", reach_ns)
    monkeypatch.setattr(pipeline_moving, "REACH_NS", reach_ns)
    monkeypatch.setattr(pipeline_moving, "LEAD_NS", 2 * reach_ns)


@pytest.mark.parametrize("name", ONE_HOST)
@pytest.mark.usefixtures("small")
def test_samples(name: str, tmp_path: Path) -> None:
    """Every line of NDJSON but findings is the same, byte for byte."""
    _moving([SAMPLES / name], tmp_path / "moving.ndjson", 10)
    _whole([SAMPLES / name], tmp_path / "whole.ndjson")

    assert _same(tmp_path)


LONGER = {
    "silent-path.user.mixed", "silent-path.ipv6.mixed", "forgotten-at-rest.user.mixed", "no-fragments.user.mixed",
}  # fmt: skip
"""Recordings of what is decided over more than a second and a half: who sends again doubles its patience each time."""
RECORDED = [case for case in CASES if "overlay" not in case.name and case.name not in LONGER]


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case.name)
def test_recorded_faults(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what the host says, and with all findings: each cause is told once, with what all slices count."""
    _cut_small(monkeypatch, 1_500_000_000)
    _moving([case.path], tmp_path / "moving.ndjson", 10)
    _whole([case.path], tmp_path / "whole.ndjson")

    if case.name in COMPARED:
        assert _checks(tmp_path / "moving.ndjson") == _checks(tmp_path / "whole.ndjson") != []
    else:
        assert _same(tmp_path, only="finding")


def _checks(path: Path) -> list[tuple[str, str]]:
    """Return check and severity of all findings."""
    items = map(json.loads, path.read_text().splitlines())
    return [(one["check"], one["severity"]) for one in items if one["type"] == "finding" and _slices_tell(one)]


def test_drops_of_a_later_section(tmp_path: Path) -> None:
    """Statistics number the interfaces of their own section: 4 are wlan0's, 9 docker0's."""
    data = b""
    for number, (name, dropped) in enumerate((("wlan0", 4), ("docker0", 9))):
        end = option(7, struct.pack("<Q", dropped)) + option(0, b"")
        data += section() + interface(options=option(2, name.encode()) + option(9, b"\x09") + option(0, b""))
        data += b"".join(
            enhanced(0, T0 + 20_000_000 * (150 * number + i), _datagram(150 * number + i)) for i in range(150)
        )
        data += block(5, struct.pack("<III", 0, 0, 0) + end)
    (tmp_path / "both.pcapng").write_bytes(data)
    _moving([tmp_path / "both.pcapng"], tmp_path / "moving.ndjson", 10)
    _whole([tmp_path / "both.pcapng"], tmp_path / "whole.ndjson")

    assert _same(tmp_path)
    told = [json.loads(line) for line in (tmp_path / "moving.ndjson").read_text().splitlines()]
    assert {item["name"]: item["dropped"] for item in told if item["type"] == "point"} == {"wlan0": 4, "docker0": 9}


@pytest.mark.usefixtures("small")
def test_a_long_sample_takes_several_slices(tmp_path: Path) -> None:
    """Else the comparison above would compare nothing."""
    _, slices = _moving([SAMPLES / "lossy"], tmp_path / "moving.ndjson", 10)

    assert slices > 2


@pytest.mark.process
def test_generated_traffic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of 120,000 frames has the same packet, hop and connection; each connection the same tuples and counts."""
    monkeypatch.setattr(moving, "REACH_NS", 200_000_000)
    monkeypatch.setattr(pipeline_moving, "REACH_NS", 200_000_000)
    monkeypatch.setattr(crew, "WINDOW", 1 << 18)
    paths: list[str | Path] = list(write_captures(tmp_path, 40_000))

    with prepare(paths) as prepared:
        whole = analyze_whole(prepared)
        trace = MovingTrace(prepared, 10_000)
        parts = [part.sightings() for part in trace.parts()]

    assert len(parts) > 3
    expected = whole.part().sightings()
    for name, column in expected.items():
        assert np.array_equal(np.concatenate([part[name] for part in parts]), column), name
    CONNECTIONS.check(trace.table)
    for name, column in whole.correlated.connections.items():
        assert np.array_equal(trace.table[name], column), name


@pytest.mark.usefixtures("small")
def test_pieces_of_a_rotated_capture(tmp_path: Path) -> None:
    """Frames are numbered on from piece to piece; the point is one."""
    frames = [(T0 + 50_000_000 * n, _datagram(n)) for n in range(60)]
    write_pcap(tmp_path / "veth-c1.pcap0", frames[:20])
    write_pcap(tmp_path / "veth-c1.pcap1", frames[20:45])
    write_pcap(tmp_path / "veth-c1.pcap2", frames[45:])

    trace, slices = _moving([tmp_path], tmp_path / "moving.ndjson", 10)
    _whole([tmp_path], tmp_path / "whole.ndjson")

    assert slices > 2
    assert [point.frames for point in trace.points] == [60]
    assert _same(tmp_path)


@pytest.mark.usefixtures("small")
def test_frames_turn_out_shorter_than_declared(tmp_path: Path) -> None:
    """The first slices had more bytes than the last: all is done again with what every frame has."""
    records = [(T0 + 100_000_000 * n, _datagram(n)) for n in range(40)]
    (tmp_path / "veth-c1.pcap").write_bytes(pcap(records[:30]) + pcap(records[30:], snap=60)[24:])
    write_pcap(tmp_path / "docker0.pcap", records)

    _moving([tmp_path], tmp_path / "moving.ndjson", 5)
    _whole([tmp_path], tmp_path / "whole.ndjson")

    assert _same(tmp_path)


def _told_frames(out: Path) -> list[tuple[str, int]]:
    journeys = [json.loads(line) for line in out.read_text().splitlines() if '"type": "journey"' in line]
    return sorted((hop["point"], frame) for journey in journeys for hop in journey["hops"] for frame in hop["frames"])


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("ahead_s", [2, 3600, -3600])
def test_no_frame_is_left_out(tmp_path: Path, ahead_s: int) -> None:
    """A clock that jumps for one frame costs that frame its packet, but it is told, once."""
    times = [T0 + 50_000_000 * n for n in range(100)]
    wrong = [t + ahead_s * 10**9 if n == 50 else t for n, t in enumerate(times)]
    write_pcap(tmp_path / "veth-c1.pcap", [(t, _datagram(n)) for n, t in enumerate(times)])
    write_pcap(tmp_path / "docker0.pcap", [(t, _datagram(n)) for n, t in enumerate(wrong)])

    _, slices = _moving([tmp_path], tmp_path / "moving.ndjson", 10)

    assert slices > 5
    assert _told_frames(tmp_path / "moving.ndjson") == sorted(
        (point, n) for point in ("veth-c1", "docker0") for n in range(1, 101)
    )


def _answer(number: int) -> bytes:
    payload = f"answer {number}".encode().ljust(200, b".")
    return ether(BRIDGE, C1, ipv4("8.8.8.8", "172.17.0.4", 17, udp(53, 4000, payload), ident=number + 1))


@pytest.mark.usefixtures("small")
def test_questions_asked_before_the_last_is_answered(tmp_path: Path) -> None:
    """Datagrams have no numbers: what was answered in one slice, is not asked again in the next."""
    asked = [(T0 + 20_000_000 * n, _datagram(n)) for n in range(200)]
    answered = [(T0 + 20_000_000 * n + 50_000_000, _answer(n)) for n in range(200) if n % 17]
    write_pcap(tmp_path / "veth-c1.pcap", sorted([*asked, *answered]))

    _, slices = _moving([tmp_path], tmp_path / "moving.ndjson", 10)
    _whole([tmp_path], tmp_path / "whole.ndjson")

    assert slices > 5
    assert _same(tmp_path)


@pytest.mark.usefixtures("small")
def test_drops_that_a_file_tells_at_its_end(tmp_path: Path) -> None:
    """Whoever dropped frames proves no loss, and that must be known from the beginning."""
    drops = struct.pack("<IIIHHQHH", 0, 0, 0, 5, 8, 7, 0, 0)
    blocks = [section(), interface(options=option(2, b"wlan0") + option(9, b"\x09"))]
    blocks += [enhanced(0, T0 + 20_000_000 * n, _answer(n)) for n in range(150) if n % 10]
    (tmp_path / "wlan0.pcapng").write_bytes(b"".join([*blocks, block(5, drops)]))
    write_pcap(tmp_path / "docker0.pcap", [(T0 + 20_000_000 * n + 1000, _answer(n)) for n in range(150)])

    _, slices = _moving([tmp_path], tmp_path / "moving.ndjson", 10)
    _whole([tmp_path], tmp_path / "whole.ndjson")

    assert slices > 3
    assert '"dropped": 7' in (tmp_path / "whole.ndjson").read_text()
    assert _same(tmp_path)


def test_several_hosts_are_refused() -> None:
    """Their clocks may be any time apart, so there is no common slice of time."""
    with prepare([SAMPLES / "overlay"]) as prepared, pytest.raises(SelectionError, match="several hosts"):
        MovingTrace(prepared, 10)


def test_a_selection_picks_from_every_slice(tmp_path: Path) -> None:
    """-Y by a connection's number means the number in the whole capture."""
    paths: list[str | Path] = list(write_captures(tmp_path, 3_000))

    found = []
    with prepare(paths) as prepared:
        for part in MovingTrace(prepared, 1_000).parts():
            part.select("connection == 7")
            found.append(part.sightings())
        other = analyze_whole(prepared).part("connection == 7").sightings()
    one = {name: np.concatenate([table[name] for table in found]) for name in found[0]}

    assert set(one["connection"].tolist()) == {7}
    assert np.array_equal(one["packet"], other["packet"])


NOBODY, EVERYBODY = "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"


def _asks(time_ns: int, number: int) -> Record:
    asks = arp(1, BRIDGE, "172.17.0.1", NOBODY, f"172.17.0.{number}")
    return time_ns, ether(BRIDGE, EVERYBODY, asks, 0x0806)


def _tells(time_ns: int, number: int) -> Record:
    return time_ns, ether(C1, BRIDGE, arp(2, C1, f"172.17.0.{number}", BRIDGE, "172.17.0.1"), 0x0806)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("late_ns", [10_000_000, 299_000_000, 301_000_000, 450_000_000, 599_000_000])
def test_arp_answers_that_come_a_slice_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late_ns: int) -> None:
    """An exchange is told when it was answered, or when nobody will ask again; once, and with its answer."""
    monkeypatch.setattr(pipeline_moving, "RETRY_NS", 300_000_000)
    records = [(T0 + 20_000_000 * n, _datagram(n)) for n in range(200)]
    expected: list[tuple[str, int | None]] = []
    for number in range(20, 36):
        asked_ns = T0 + 200_000_000 * (number - 20) + 1_000
        answered = number % 5 > 0
        records += [_asks(asked_ns, number), *([_tells(asked_ns + late_ns, number)] if answered else [])]
        expected.append((f"172.17.0.{number}", late_ns if answered else None))
    write_pcap(tmp_path / "veth-c1.pcap", sorted(records))

    trace, slices = _moving([tmp_path], tmp_path / "moving.ndjson", 10)
    _whole([tmp_path], tmp_path / "whole.ndjson")

    assert slices > 5
    assert sorted((str(one.asked_ip), one.latency_ns) for one in trace.content().arp) == expected
    assert _same(tmp_path)
