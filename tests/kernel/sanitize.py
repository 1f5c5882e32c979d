"""Frames changed at random, to what is compiled with sanitizers: ``python -m tests.kernel.sanitize [FRAMES]``.

AddressSanitizer and UndefinedBehaviorSanitizer end the program where it reads or writes what it should not; and what
is found, decoded and brought together is what is without anything compiled.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np

from analyzer.decode import batch
from analyzer.kernel.build import MODULE, compile_into
from analyzer.link import sorting
from analyzer.read import walk
from analyzer.read.records import BACK, FRONT, Interface, Records
from tests.decode.agree import differences
from tests.decode.test_batch import MADE

ROOT = Path(__file__).parents[2]
FLAGS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")
RUNTIMES = ("libasan.so", "libubsan.so")
AT_A_TIME = 2_000
LINK_TYPES = (1, 1, 1, 0, 9, 101, 108, 113, 228, 229, 276, 147)
"""The last one is not decoded."""


def main(frames: int) -> int:
    """Compile, and decode so many frames in a process of its own; return its exit code."""
    with TemporaryDirectory() as folder:
        library = compile_into(Path(folder), *FLAGS)
        runtimes = [runtime(name) for name in RUNTIMES]
        env = {**os.environ, "LD_PRELOAD": " ".join(runtimes), "ASAN_OPTIONS": "detect_leaks=0"}
        command = [sys.executable, "-m", "tests.kernel.sanitize", str(frames), str(library)]
        return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


def runtime(name: str) -> str:
    """Return where a library of gcc is; only its name, if it has none."""
    asked = [os.environ.get("CC", "cc"), f"-print-file-name={name}"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def attack(frames: int, library: str) -> None:
    """Decode frames with a library, and look whether it says what the reference says."""
    spec = importlib.util.spec_from_file_location(MODULE, library)
    assert spec is not None
    assert spec.loader is not None
    batch.compiled = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(batch.compiled)
    walk.compiled = sorting.compiled = batch.compiled
    made = [data for _, data in MADE]
    random = np.random.default_rng(int(os.environ.get("SEED", "1")))
    for begin in range(0, frames, AT_A_TIME):
        link_type = LINK_TYPES[begin // AT_A_TIME % len(LINK_TYPES)]
        some = [_changed(made[int(place)], random) for place in random.integers(0, len(made), AT_A_TIME)]
        keep = (1 << 30, 128, 40)[begin // AT_A_TIME % 3]
        wrong = differences(_laid(some), [Interface(link_type, 0, fcs_len=4 * (begin % 2))], keep)
        if wrong:
            raise SystemExit("\n".join(wrong[:5]))
        if not _same_records(random) or not _same_groups(random):
            raise SystemExit("records or groups are others without what is compiled")
    print(f"{frames:,} frames: no bytes but their own, and what the reference says")


SHAPE = walk.Shape(header=8, length_at=4, base=8, minimum=8, maximum=72, multiple=4, signature_at=0)


def _same_records(random: np.random.Generator) -> bool:
    """Find records of random lengths, some of which cannot be, with words of each."""
    count, order = int(random.integers(0, 60)), "<>"[int(random.integers(0, 2))]
    lengths = random.choice([0, 4, 12, 64, 3, 68, 0xFFFF_FFF0], count, p=[0.3, 0.3, 0.2, 0.14, 0.02, 0.02, 0.02])
    width = "little" if order == "<" else "big"
    chain = b"".join(bytes(4) + int(one).to_bytes(4, width) + bytes(min(int(one), 64)) for one in lengths)
    data = np.frombuffer(bytes(FRONT) + chain + bytes(int(random.integers(0, 80))), np.uint8).copy()
    end = len(data) - int(random.integers(0, 9))
    given = data, FRONT, max(end, FRONT), SHAPE, order, (0, 4, -4)
    found = walk.walk(*given)
    with patch.object(walk, "compiled", None):
        expected = walk.walk(*given)
    return all(
        np.array_equal(getattr(found, name), getattr(expected, name)) for name in ("start", "stop", "broken", "words")
    )


def _same_groups(random: np.random.Generator) -> bool:
    """Number keys, few different ones or many; sort small ones."""
    keys = random.integers(-(1 << 62), 1 << 62, AT_A_TIME) >> random.integers(0, 62)
    small = random.integers(0, int(random.integers(1, AT_A_TIME)), AT_A_TIME)
    found = [*sorting.number_groups(keys), sorting.stable_order(small)]
    with patch.object(sorting, "compiled", None):
        expected = [*sorting.number_groups(keys), sorting.stable_order(small)]
    return all(map(np.array_equal, found, expected))


def _changed(frame: bytes, random: np.random.Generator) -> tuple[bytes, int]:
    """Change some bytes, and cut it somewhere."""
    data = bytearray(frame)
    for place in random.integers(0, len(data), int(random.integers(0, 6))):
        data[place] = int(random.integers(0, 256))
    kept = int(random.integers(0, len(data) + 1)) if random.integers(0, 3) == 0 else len(data)
    return bytes(data[:kept]), len(data) + int(random.integers(0, 3))


def _laid(frames: list[tuple[bytes, int]]) -> Records:
    """Lay frames side by side, and what is always readable behind the last one."""
    length = np.array([len(data) for data, _ in frames], np.int64)
    return Records(
        buffer=np.frombuffer(b"".join([*(data for data, _ in frames), BACK * b"\xa5"]), np.uint8).copy(),
        start=np.cumsum(length) - length,
        cap_len=length,
        orig_len=np.array([wire for _, wire in frames], np.int64),
        time_ns=np.arange(len(frames), dtype=np.int64),
        interface=np.zeros(len(frames), np.int32),
        first_frame=1,
    )


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    if len(sys.argv) > 2:
        attack(count, sys.argv[2])
    else:
        sys.exit(main(count))
