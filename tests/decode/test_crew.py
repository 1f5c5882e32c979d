"""With help from a second process, the tables are the same as without."""

import os
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from analyzer.correlate.keys import make_keys
from analyzer.decode import crew, frames
from analyzer.decode.frames import FrameTables, read_frames
from analyzer.read.file import CaptureFile
from analyzer.read.source import Buffers
from tests.bench.generate import write_captures
from tests.build import T0, enhanced, interface, section

pytestmark = pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
"""hoptrace does not fork where there are threads; the program that runs these tests may have some."""
SAMPLES = Path(__file__).parents[2] / "sample_pcaps"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Captures of several windows each."""
    return [str(path) for path in write_captures(tmp_path_factory.mktemp("large"), 60_000)]


def _read(paths: list[str]) -> FrameTables:
    return read_frames([partial(CaptureFile, path, path) for path in paths], make_keys)


def _assert_equal(one: FrameTables, two: FrameTables) -> None:
    assert one.sources == two.sources
    assert one.files == two.files
    for name in ("frames", "keys", "quotes", "neighbours"):
        mine, other = getattr(one, name), getattr(two, name)
        assert list(mine) == list(other)
        assert [column for column in mine if not np.array_equal(mine[column], other[column])] == []


def _helped(monkeypatch: pytest.MonkeyPatch, *, likely: int = 0) -> list[bool]:
    """Fork for captures of any size; return a list that gets an entry for each batch the helper is given."""
    monkeypatch.setattr(frames, "WORTH_FORKING", 0)
    monkeypatch.setattr(frames, "can_help", lambda: True)
    if likely:
        monkeypatch.setattr(CaptureFile, "likely_frames", lambda _: likely)
    sent: list[bool] = []
    original = crew.Crew._send

    def send(self: crew.Crew, batch: crew.Batch) -> bool:
        sent.append(original(self, batch))
        return sent[-1]

    monkeypatch.setattr(crew.Crew, "_send", send)
    return sent


def test_same_tables(large: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The helper gets most batches, and nobody can tell which."""
    alone = _read(large)
    sent = _helped(monkeypatch)

    _assert_equal(_read(large), alone)
    assert sum(sent) > len(sent) / 2


@pytest.mark.parametrize("folder", sorted(p.name for p in SAMPLES.iterdir() if p.is_dir()))
def test_same_tables_of_samples(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Side tables and many points in one file come through the pipe."""
    paths = sorted(str(p) for p in (SAMPLES / folder).rglob("*.pcap"))
    alone = _read(paths)
    sent = _helped(monkeypatch)

    _assert_equal(_read(paths), alone)
    assert any(sent)


def test_several_batches_of_one_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sections of a pcapng are batches of their own; memory that the helper reads is not handed out again."""
    one = section() + interface() + b"".join(enhanced(0, T0 // 1000 + i, bytes(60 + i)) for i in range(5))
    (path := tmp_path / "sections.pcapng").write_bytes(one * 300)
    alone = _read([str(path)])
    sent = _helped(monkeypatch)

    _assert_equal(_read([str(path)]), alone)
    assert any(sent)


def test_room_runs_out(large: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns that prove too small move to private memory, and this process goes on alone."""
    alone = _read(large)
    sent = _helped(monkeypatch, likely=30_000)

    _assert_equal(_read(large), alone)
    assert any(sent)
    assert not sent[-1]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_helper_killed(large: list[str], monkeypatch: pytest.MonkeyPatch, number: signal.Signals) -> None:
    """Or stopped: what it had in its hands is decoded here, and nobody waits for it."""
    monkeypatch.setattr(crew, "PATIENCE_S", 0.01)
    alone = _read(large)
    sent = _helped(monkeypatch)
    original = crew.Crew.take

    def take(self: crew.Crew, *arguments: object) -> None:
        original(self, *arguments)  # type: ignore[arg-type]
        if len(sent) == 5:
            os.kill(self._pid, number)

    monkeypatch.setattr(crew.Crew, "take", take)

    _assert_equal(_read(large), alone)
    assert not sent[-1]


@pytest.mark.parametrize("room", [0, 1, 2, 4, 5, 9])
def test_as_many_points_as_there_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """What was recorded before the first frame of one point too many is there, also in the middle of a batch."""
    order = (0, 0, 1, 0, 2, 1, 2, 3, 4, 0)
    packets = b"".join(enhanced(number, T0 // 1000 + i, bytes(60)) for i, number in enumerate(order))
    (path := tmp_path / "x.pcapng").write_bytes(section() + interface() * 5 + packets)
    monkeypatch.setattr(frames, "MOST_POINTS", room)
    tables = _read([str(path)])
    kept = next((place for place, number in enumerate(order) if number > room), len(order))

    assert tables.frames["frame"].tolist() == list(range(1, kept + 1))
    assert tables.frames["point"].tolist() == list(order[:kept])
    assert tables.files[0].frames == kept
    assert (tables.files[0].damage is not None) == (kept < len(order))


def test_too_many_points(large: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that cannot be taken in goes, with those after it; other files stay."""
    monkeypatch.setattr(frames, "MOST_POINTS", 1)
    alone = _read(large)
    _helped(monkeypatch)

    tables = _read(large)

    _assert_equal(tables, alone)
    assert [info.damage is not None for info in tables.files] == [False, False, True]
    assert len(tables.frames["frame"]) == 120_000
    assert set(tables.frames["point"].tolist()) == {0, 1}


def test_buffers() -> None:
    """A buffer that somebody reads is not written to."""
    buffers = Buffers(2, np.zeros, 10)
    first = buffers.free(None)
    buffers.lend(buffers.number(first) or 0)

    second = buffers.free(first)

    assert second is not first
    buffers.give_back(0)
    assert buffers.free(second) is second
