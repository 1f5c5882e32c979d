"""How much memory an analysis may take, and what a part of one takes: measured, rather too much than too little."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzer.decode.frames import FrameTables
from analyzer.errors import LimitError

PROGRAM = 110 << 20
"""Bytes that the program takes before it reads anything."""
FRAME, TUPLE, ASIDE = 540, 1600, 1500
"""Bytes of a frame, of a tuple that no other frame has, and of an ARP or NDP message or what an ICMP error quotes."""
SLICED = 2200
"""Bytes of a frame where captures are worked slice by slice."""
LEAST, SMALL, MORE = 512 << 20, 64 << 20, 10
"""Inputs of up to SMALL bytes may take LEAST; each further byte may take so many."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Bytes of memory."""

    size: int

    @property
    def frames(self) -> int:
        """How many frames may be held if they have their tuples in common."""
        return max(self.size - PROGRAM, 0) // FRAME

    @property
    def any_frames(self) -> int:
        """How many may be held whatever they are."""
        return max(self.size - PROGRAM, 0) // (FRAME + TUPLE + ASIDE)

    @property
    def frames_in_slices(self) -> int:
        """How many may be held where captures are worked slice by slice; a slice is planned to have half of it."""
        return max(self.size - PROGRAM, 0) // SLICED

    def check(self, tables: FrameTables, each: int = FRAME) -> None:
        """
        Make sure that frames can be analysed, by what is in them; *each* takes so many bytes.

        Raises:
            LimitError: they would take too much.
        """
        flow = tables.keys["flow"]
        if len(flow) > self.any_frames:
            aside = len(tables.neighbours["row"]) + len(tables.quotes["row"])
            self._hold(len(flow) * each + aside * ASIDE, len(flow), len(np.unique(flow)), "tuples")

    def check_connections(self, frames: int, connections: int) -> None:
        """
        Make sure that frames can be told: where times jump, one tuple is many connections.

        Raises:
            LimitError: they would take too much.
        """
        if frames > self.any_frames:
            self._hold(frames * FRAME, frames, connections, "connections")

    def _hold(self, size: int, frames: int, count: int, what: str) -> None:
        if size + count * TUPLE > self.size - PROGRAM:
            raise LimitError(f"{frames:,} frames with {count:,} {what} do not fit into {self}")

    def __str__(self) -> str:
        return f"{self.size >> 20:,} MiB of memory"


def chosen(mebibytes: int | None, stored: int) -> Budget:
    """Return what somebody says, else what is usual for *stored* bytes: less if less than double that is free."""
    if mebibytes is not None:
        return Budget(mebibytes << 20)
    return Budget(min(LEAST + MORE * max(stored - SMALL, 0), max(_free() // 2, LEAST)))


def _free() -> int:
    """Return the bytes of free memory, by /proc/meminfo and the control group."""
    free = [1 << 40]
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        free.append(next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")))
    with suppress(OSError, ValueError):  # "max" is no limit
        group = Path("/sys/fs/cgroup")
        free.append(int((group / "memory.max").read_text()) - int((group / "memory.current").read_text()))
    return min(free)
