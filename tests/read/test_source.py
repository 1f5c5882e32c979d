"""Compressed captures, whole and cut, and windows smaller than a record."""

import bz2
import gzip
import io
import lzma
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest

from analyzer.errors import InputError
from analyzer.read import source as module
from analyzer.read.file import CaptureFile
from analyzer.read.packed import Packed
from analyzer.read.source import Window, buffer, needs_spool, open_source, spool
from analyzer.read.zstandard import zstd
from tests.build import T0, pcap

RECORDS = [(T0 + i, bytes([i % 256]) * (i * 7 % 1500)) for i in range(300)]
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd.compress,
}


@pytest.mark.parametrize("name", COMPRESSORS)
def test_compression_is_told_by_the_bytes(tmp_path: Path, name: str) -> None:
    """The file's name does not matter."""
    path = tmp_path / "capture"
    path.write_bytes(COMPRESSORS[name](pcap(RECORDS)))
    capture = CaptureFile(str(path))

    assert sum(len(batch) for batch in capture.batches()) == len(RECORDS)
    assert capture.info.damage is None


@pytest.mark.parametrize("name", COMPRESSORS)
def test_a_cut_compressed_file_keeps_what_can_be_read(tmp_path: Path, name: str) -> None:
    """It ends with damage, not with an exception."""
    path = tmp_path / "capture"
    random = Random(7)
    records = [(T0 + number, random.randbytes(1000)) for number in range(3000)]
    whole = COMPRESSORS[name](pcap(records))
    path.write_bytes(whole[: len(whole) * 2 // 3])
    capture = CaptureFile(str(path))
    count = sum(len(batch) for batch in capture.batches())

    assert len(records) * 0.3 < count < len(records) * 0.67
    assert capture.info.damage is not None


def test_a_small_window_gives_the_same(tmp_path: Path) -> None:
    """Records that straddle windows, and records larger than one, are read whole."""
    path = tmp_path / "capture"
    path.write_bytes(pcap(RECORDS))
    capture = CaptureFile(str(path), memory=buffer(4096))
    sizes = [int(size) for batch in capture.batches() for size in batch.cap_len]

    assert sizes == [len(packet) for _, packet in RECORDS]


def test_what_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    """A missing file and a folder."""
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(InputError):
            CaptureFile(str(path))


def test_what_expands_without_end_is_stopped(tmp_path: Path) -> None:
    """Every 16 zero bytes are an empty record; a few hundred compressed bytes hold millions."""
    path = tmp_path / "capture"
    path.write_bytes(zstd.compress(pcap([]) + bytes(64 << 20)))
    capture = CaptureFile(str(path), memory=buffer(1 << 20))
    count = sum(len(batch) for batch in capture.batches())

    assert count < 1 << 18
    assert capture.info.damage is not None
    assert "1000-fold" in capture.info.damage.problem


def test_what_is_neither_a_file_nor_a_pipe() -> None:
    """A device, for one."""
    with pytest.raises(InputError, match=r"^/dev/null: neither a file nor a pipe$"):
        open_source("/dev/null")


def test_why_something_cannot_be_opened(tmp_path: Path) -> None:
    """It is told with the path."""
    for path, reason in ((tmp_path / "missing", "No such file or directory"), (tmp_path, "a folder, not a capture")):
        with pytest.raises(InputError) as error:
            open_source(str(path))

        assert str(error.value) == f"{path}: {reason}"


@pytest.mark.parametrize("name", [None, *COMPRESSORS])
def test_streams_and_the_files_behind_them(tmp_path: Path, name: str | None) -> None:
    """A compressed capture has a file behind it; what is appended to it is read, too."""
    path = tmp_path / "capture"
    path.write_bytes(b"one, two" if name is None else COMPRESSORS[name](b"one, ") + COMPRESSORS[name](b"two"))
    stream, size = open_source(str(path))
    assert size == path.stat().st_size
    data = stream.read(5) + stream.read(100)
    stored = stream.consumed if isinstance(stream, Packed) else None
    stream.close()

    assert data == b"one, two"
    assert stored == (None if name is None else path.stat().st_size)


def test_what_can_be_read_only_once(tmp_path: Path) -> None:
    """Stdin and pipes are copied first."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"")
    paths = ["-", str(tmp_path / "pipe"), str(tmp_path / "file"), str(tmp_path / "missing"), "x" * 5000]

    assert [needs_spool(path) for path in paths] == [True, True, False, False, False]


def test_a_pipe_is_copied(tmp_path: Path) -> None:
    """Its copy can be read as often as needed, and is gone afterwards."""
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(b"abc" * 50_000,))
    writer.start()
    with spool(str(tmp_path / "pipe")) as name:
        twice = [Path(name).read_bytes() for _ in range(2)]
    writer.join()

    assert twice == [b"abc" * 50_000] * 2
    assert Path(name).parent.name.startswith("hoptrace-")
    assert not Path(name).exists()


def test_stdin_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bytes, not its text."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfeabc")))
    with spool("-") as name:
        assert Path(name).read_bytes() == b"\xff\xfeabc"


def test_stdin_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to read."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match=r"^stdin is closed$"), spool("-"):
        pass


def test_what_cannot_be_copied(tmp_path: Path) -> None:
    """It is told with its path, and why."""
    with pytest.raises(InputError, match=r"missing: No such file or directory$"), spool(str(tmp_path / "missing")):
        pass


class _Slow(io.BytesIO):
    """A stream that gives seven bytes at a time."""

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return super().readinto(buffer[:7])


def _window(data: bytes, size: int = 20) -> Window:
    return Window(_Slow(data), buffer(size))


def test_a_window_moves_over_a_stream() -> None:
    """What was not taken stays; offsets are those of the file."""
    window = _window(bytes(range(50)))
    seen = []
    for take in (5, 0, 20, 25, 0):
        seen.append((window.fill(), window.bytes(3), window.offset, window.position, window.eof))
        window.take(take)

    assert seen == [
        (20, b"\x00\x01\x02", 0, 20, False),
        (20, b"\x05\x06\x07", 5, 25, False),
        (20, b"\x05\x06\x07", 5, 25, False),
        (20, b"\x19\x1a\x1b", 25, 45, False),
        (0, b"", 50, 50, True),
    ]


@pytest.mark.parametrize(
    ("count", "skip", "expected"),
    [(4, 0, b"\x02\x03\x04\x05"), (2, 3, b"\x05\x06"), (99, 0, bytes(range(2, 10))), (99, 6, b"\x08\x09"), (0, 0, b"")],
)
def test_bytes_of_a_window(count: int, skip: int, expected: bytes) -> None:
    """As many as there are, and they stay there."""
    window = _window(bytes(range(10)))
    window.fill()
    window.take(2)

    assert window.bytes(count, skip) == window.bytes(count, skip=skip) == expected
    assert window.offset == 2


def test_a_window_grows_for_one_record() -> None:
    """It keeps what it has; the memory that it was given is as it was."""
    memory = buffer(20)
    window = Window(_Slow(bytes(range(100))), memory)
    window.fill()
    window.take(15)
    before = window.fill(20)
    kept = window.buffer is memory
    grown = window.fill(50)

    assert (before, kept, grown) == (20, True, 50)
    assert window.bytes(99) == bytes(range(15, 65))
    assert (window.begin, window.end, len(window.buffer)) == (64, 114, 64 + 50 + 512)
    assert len(memory) == 64 + 20 + 512


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (OSError(5, "Input/output error"), "cannot read on: [Errno 5] Input/output error"),
        (OSError(), "cannot read on: OSError"),
    ],
)
def test_a_stream_that_breaks(error: Exception, problem: str) -> None:
    """What was read before is there, and it is told why there is no more."""

    class _Breaks(_Slow):
        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            if self.tell() >= 14:
                raise error
            return super().readinto(buffer)

    window = Window(_Breaks(bytes(50)), buffer(40))

    assert window.fill() == 14
    assert (window.eof, window.problem) == (True, problem)


class _Expands(Packed):
    """Gives many bytes and has taken few."""

    def __init__(self, bytes_given: int, taken: int) -> None:
        self._stream, self._taken = io.BytesIO(bytes(bytes_given)), taken

    def read(self, size: int) -> bytes:
        return self._stream.read(size)

    @property
    def consumed(self) -> int:
        return self._taken


@pytest.mark.parametrize(("extra", "eof"), [(0, False), (1, True)])
def test_how_far_a_capture_may_expand(monkeypatch: pytest.MonkeyPatch, extra: int, eof: bool) -> None:
    """A thousandfold, and no less than what is harmless; what was expanded until then is there."""
    monkeypatch.setattr(module, "HARMLESS", 30)
    window = Window(_Expands(5000, 1), buffer(1000 + extra))
    size = window.fill()

    assert (size, window.eof) == (1000 + extra, eof)
    assert window.problem == ("cannot read on: it expands more than 1000-fold" if eof else None)


@pytest.mark.parametrize(("harmless", "eof"), [(100, False), (99, True)])
def test_how_much_is_harmless(monkeypatch: pytest.MonkeyPatch, harmless: int, eof: bool) -> None:
    """So much may come of nothing, in all windows together; what is not compressed is never stopped."""
    monkeypatch.setattr(module, "HARMLESS", harmless)
    window = Window(_Expands(5000, 0), buffer(50))
    plain = Window(io.BytesIO(bytes(5000)), buffer(50))
    for one in (window, plain):
        one.fill()
        one.take(50)
        one.fill()

    assert (window.eof, plain.eof) == (eof, False)


def test_a_window_closes_what_it_reads() -> None:
    """So that nobody else has to."""
    stream = io.BytesIO(b"abc")
    Window(stream, buffer(10)).close()

    assert stream.closed


def _threads() -> set[threading.Thread]:
    """Return those that run; some may be another test's, and end meanwhile."""
    return set(threading.enumerate())


def _taken(window: Window, left: int) -> tuple[bytes, int]:
    """Take all of a window, but for some bytes that are *left* each time; tell how many threads it had."""
    data, threads, needed, before = b"", 0, 0, _threads()
    while size := window.fill(needed):
        threads = max(threads, len(_threads() - before))
        count = size if window.eof else max(size - left, 0)
        data += window.bytes(count)
        window.take(count)
        assert window.offset == len(data)
        needed = 0 if count else 2 * size
    window.close()
    return data, threads


@pytest.mark.parametrize("size", [1000, 1 << 19, (1 << 19) + 1000, 1 << 20])
@pytest.mark.parametrize("left", [0, 1, 900, 100_000, 600_000])
def test_what_comes_next_is_read_meanwhile(size: int, left: int) -> None:
    """Whatever is left of what was there before; nobody reads on when all is read, or the window is closed."""
    data = np.random.default_rng(1).bytes(3 << 20)
    before = _threads()
    found, threads = _taken(Window(io.BytesIO(data), buffer(size)), left)

    assert found == data
    assert threads == (max(size, left) > 1 << 19)
    assert _threads() <= before


def test_what_lies_in_the_buffer_stays_until_it_is_filled_again() -> None:
    """Though the next bytes come in at the same time."""
    data = bytes(range(256)) * 30_000
    window = Window(io.BytesIO(data), buffer(2 << 20))
    at = 0
    while size := window.fill():
        memory, begin = window.buffer, window.begin
        window.take(size)
        time.sleep(0.01)
        assert memory[begin : begin + size].tobytes() == data[at : at + size]
        at += size

    assert at == len(data)


def test_a_stream_that_breaks_ahead() -> None:
    """What was read before is there first."""

    class _Breaks(io.BytesIO):
        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            if self.tell() >= 3 << 20:
                raise OSError(5, "Input/output error")
            return super().readinto(buffer[: 1 << 16])

    window = Window(_Breaks(bytes(5 << 20)), buffer(2 << 20))
    found, _ = _taken(window, 0)

    assert len(found) == 3 << 20
    assert (window.eof, window.problem) == (True, "cannot read on: [Errno 5] Input/output error")


def test_a_small_file_needs_no_help() -> None:
    """It is all there at once."""
    window = Window(io.BytesIO(bytes(1 << 20)), buffer(2 << 20))
    before = _threads()

    assert (window.fill(), window.eof) == (1 << 20, True)
    assert _threads() <= before
