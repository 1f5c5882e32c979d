"""Compressed files: whatever stands before the damage is there, as each format's own tool gives it and more."""

import bz2
import gzip
import io
import lzma
import subprocess
from collections.abc import Callable
from random import Random

import pytest

from analyzer.read import packed as module
from analyzer.read.packed import CODECS, DamagedError, Packed
from analyzer.read.zstandard import zstd

Compress = Callable[[bytes], bytes]
KINDS: dict[str, tuple[bytes, Compress, list[str]]] = {
    "gz": (b"\x1f\x8b", gzip.compress, ["gzip", "-dc"]),
    "bz2": (b"BZh", lambda data: bz2.compress(data, 1), ["bzip2", "-dc"]),
    "xz": (b"\xfd7zXZ\0", lzma.compress, ["xz", "-dc"]),
    "zst": (b"\x28\xb5\x2f\xfd", lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}),
            ["zstd", "-dc"]),
}  # fmt: skip
EACH = pytest.mark.parametrize("kind", KINDS)
RANDOM = Random(3)
SMALL = b"".join(RANDOM.choice((b"packet ", b"frame ", RANDOM.randbytes(3))) for _ in range(60))
LARGE = b"".join(RANDOM.randbytes(RANDOM.randrange(200)) + bytes(RANDOM.randrange(400)) for _ in range(12_000))
"""Some 3.6 MB: several blocks of every format."""


def _unpacked(kind: str, data: bytes, size: int = 1 << 16) -> tuple[bytes, str | None]:
    """Return what comes out, and what is wrong behind it."""
    packed, found = Packed(io.BytesIO(data), CODECS[KINDS[kind][0]]), b""
    try:
        while more := packed.read(size):
            found += more
    except DamagedError as error:
        return found, str(error)
    return found, None


@pytest.fixture
def tool(kind: str) -> Callable[[bytes], bytes]:
    """What the format's own tool makes of a file."""
    return lambda data: subprocess.run(KINDS[kind][2], input=data, capture_output=True, check=False).stdout


@EACH
def test_a_whole_file(kind: str) -> None:
    """However it is read; several streams are one after the other, and zeros behind them are padding."""
    compress = KINDS[kind][1]
    whole = compress(LARGE)

    assert _unpacked(kind, whole) == (LARGE, None)
    assert _unpacked(kind, compress(SMALL), size=1) == (SMALL, None)
    assert _unpacked(kind, compress(SMALL) + compress(b"") + compress(b"more")) == (SMALL + b"more", None)
    assert _unpacked(kind, compress(SMALL) + bytes(100_000)) == (SMALL, None)


def test_a_frame_of_zstd_that_is_to_be_skipped() -> None:
    """Wherever it is, also at the beginning."""
    skipped = b"\x5a\x2a\x4d\x18\x03\0\0\0abc"
    data = skipped + zstd.compress(SMALL) + skipped + zstd.compress(b"more")
    codec = next(codec for start, codec in CODECS.items() if data.startswith(start))

    assert Packed(io.BytesIO(data), codec).read(1 << 16) == SMALL


class _Shrinks(io.BytesIO):
    """A file of which somebody else leaves nothing while it is read."""

    def seek(self, place: int, whence: int = 0) -> int:
        if self.tell():
            self.truncate(0)
        return super().seek(place, whence)


@EACH
def test_a_file_that_shrinks_while_it_is_read(kind: str) -> None:
    """What was read is there; looking for the rest once more ends."""
    whole = KINDS[kind][1](LARGE)
    packed = Packed(_Shrinks(whole[: len(whole) * 2 // 3]), CODECS[KINDS[kind][0]])
    found = packed.read(1)
    with pytest.raises(DamagedError, match=module.CUT):
        while more := packed.read(1 << 16):
            found += more

    assert LARGE.startswith(found)
    assert len(found) > 1


@EACH
def test_what_is_behind_it(kind: str) -> None:
    """Bytes that are no other stream are damage; what stood before is there."""
    found, damage = _unpacked(kind, KINDS[kind][1](SMALL) + b"rubbish, and more of it")

    assert found == SMALL
    assert damage


@EACH
def test_every_cut_of_a_small_file(kind: str) -> None:
    """All that the format's own tool gives, and no byte that was not in it; the cut is told."""
    whole = KINDS[kind][1](SMALL)
    for end in range(8, len(whole)):
        found, damage = _unpacked(kind, whole[:end])

        assert SMALL.startswith(found), end
        assert damage == module.CUT, end


@EACH
def test_cuts_of_a_large_file(kind: str) -> None:
    """A hundred of them, the last bytes among them: hardly a block is lost."""
    whole = KINDS[kind][1](LARGE)
    random = Random(kind)
    ends = [len(whole) - 5, len(whole) // 2, *(random.randrange(100, len(whole)) for _ in range(98))]
    for end in ends:
        found, damage = _unpacked(kind, whole[:end])

        assert LARGE.startswith(found)
        assert damage == module.CUT
        assert len(found) > len(LARGE) * end / len(whole) - (1 << 20)


@pytest.mark.tools
@EACH
def test_cut_files_are_read_as_far_as_the_formats_own_tool_reads_them(
    kind: str, tool: Callable[[bytes], bytes]
) -> None:
    """Or further: a small one at every tenth byte, a large one at ten places."""
    small, large = KINDS[kind][1](SMALL), KINDS[kind][1](LARGE)
    random = Random(kind)
    cuts = [small[:end] for end in range(8, len(small), 10)]
    cuts += [large[: random.randrange(100, len(large))] for _ in range(10)]
    for cut in cuts:
        assert len(_unpacked(kind, cut)[0]) >= len(tool(cut))


def _right(found: bytes) -> int:
    """Count the bytes before the first wrong one."""
    return next((n for n, (a, b) in enumerate(zip(found, LARGE, strict=False)) if a != b), len(found))


@pytest.mark.tools
@EACH
def test_bytes_that_were_changed(kind: str, tool: Callable[[bytes], bytes]) -> None:
    """All before the change is there, as each tool has it; what a checksum finds late is told as well."""
    whole = KINDS[kind][1](LARGE)
    random = Random(kind)
    for number in range(20):
        place = random.randrange(20, len(whole) - 8)
        changed = whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :]
        found, damage = _unpacked(kind, changed)

        assert damage is not None
        assert _right(found) > len(LARGE) * place / len(whole) - (1 << 20)
        assert number >= 5 or _right(found) >= min(_right(tool(changed)), len(found))


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        ("xz", lzma.compress(SMALL, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}]), "emory usage limit"),
        ("zst", b"\x28\xb5\x2f\xfd\x00\xa8" + bytes(20), "memory"),
    ],
)
def test_how_much_memory_a_header_may_ask_for(kind: str, data: bytes, reason: str) -> None:
    """A dictionary of a gigabyte is refused."""
    found, damage = _unpacked(kind, data)

    assert found == b""
    assert reason in (damage or "")


@EACH
def test_steps_are_small_however_far_it_expands(kind: str) -> None:
    """A gigabyte of zeros comes in pieces; nobody has to take all of it."""
    packed = Packed(io.BytesIO(KINDS[kind][1](bytes(1 << 26))), CODECS[KINDS[kind][0]])

    assert len(packed.read(1 << 30)) <= 1 << 26
    assert packed.consumed <= 1 << 17
    packed.close()
