"""How much memory an analysis may take, and what a part of one takes: measured, rather too much than too little."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzer.decode.tables import FrameTables
from analyzer.errors import LimitError
from analyzer.link.dealing import SIDES, Most

PROGRAM = 110 << 20
"""Bytes that the program takes before it reads anything."""
FRAME, TUPLE, ASIDE = 540, 1600, 1500
"""Bytes of a frame, of a tuple that no other frame has, and of an ARP or NDP message or what an ICMP error quotes."""
WORKED = 420
"""Bytes of a frame in a part while it is worked."""
IN_A_STRETCH, IN_A_PART = 700, 1300
"""Bytes of a frame in the stretch that is looked at, and in the part: parts are not all alike."""
ON_DISK = 700
"""Bytes of a frame in the work directory."""
FEW_ROWS, MOST_PARTS = 1_000, 400
"""Of a stretch; and how many parts there are at the most, since as many files are open."""
LEAST, SMALL, MORE = 512 << 20, 64 << 20, 10
"""Inputs of up to SMALL bytes may take LEAST; each further byte may take so many."""
EACH = 4
"""Stretches and parts that each worker has at the least: they are not all alike."""
SHARE = 3
"""So much of the memory is for what all parts tell together."""


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
    def stretch(self) -> int:
        """How many frames are looked at together where not all are held."""
        return max((self.size - PROGRAM) // SHARE // IN_A_STRETCH, FEW_ROWS)

    def parts(self, frames: int, workers: int = 1) -> int:
        """Tell into how many parts so many frames are cut where not all are held, and *workers* have one each."""
        held = max((self.size - PROGRAM) // SHARE // IN_A_PART // workers, FEW_ROWS)
        return min(max(-(-frames // held), EACH * workers if workers > 1 else 2), MOST_PARTS)

    def fits(self, tables: FrameTables) -> Most:
        """
        Tell what fits of what was read: frames of one connection are in one part, unless all are held.

        Raises:
            LimitError: it has too many flows, messages of neighbours, or ICMP errors.
        """
        if tables.rows <= self.any_frames:
            return Most(tables.rows, tables.rows)
        flows = np.zeros(0, np.int64)
        for one in tables.stretches:
            flows = np.union1d(flows, one.table.open("flow")["flow"] >> 1)
        self.check(tables, len(flows) // SIDES)
        held = tables.work.folder is None
        return Most(tables.rows if held else (self.size - PROGRAM) // WORKED, self._left(tables) // TUPLE)

    def check(self, tables: FrameTables, connections: int) -> None:
        """
        Make sure that what was read can be told, by what is in it.

        Raises:
            LimitError: it would take too much.
        """
        if tables.rows > self.any_frames and connections * TUPLE > self._left(tables):
            raise LimitError(f"{tables.rows:,} frames with {connections:,} connections do not fit into {self}")

    def _left(self, tables: FrameTables) -> int:
        """Return how many bytes frames leave for connections, if they are held, and what lies aside of them."""
        frames = tables.rows if tables.work.folder is None else 0
        aside = sum(one.sides[name].rows for one in tables.stretches for name in ("quotes", "neighbours"))
        return self.size - PROGRAM - frames * FRAME - aside * ASIDE

    def __str__(self) -> str:
        return f"{self.size >> 20:,} MiB of memory"


def chosen(size: int | None, stored: int) -> Budget:
    """Return what somebody says, else what is usual for *stored* bytes: less if less than double that is free."""
    if size is not None:
        return Budget(size)
    return Budget(min(LEAST + MORE * max(stored - SMALL, 0), max(free_memory() // 2, LEAST)))


def free_memory() -> int:
    """Return the bytes of free memory, by /proc/meminfo, the control groups, and the limit of address space."""
    found = [1 << 40]
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        found.append(next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")))
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            if not controllers:  # version 2: "max" is no limit
                found += _spare(Path("/sys/fs/cgroup"), group, "memory.max", "memory.current")
            elif "memory" in controllers.split(","):
                root = Path("/sys/fs/cgroup/memory")
                found += _spare(root, group, "memory.limit_in_bytes", "memory.usage_in_bytes")
    with suppress(ImportError):  # Windows
        import resource  # noqa: PLC0415

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        found += [limit] if limit != resource.RLIM_INFINITY else []
    return min(found)


def _spare(root: Path, group: str, limit: str, used: str) -> list[int]:
    """Return what a control group's limit leaves, and that of the group that a container sees as the first."""
    found = []
    for place in (root / group.lstrip("/"), root):
        with suppress(OSError, ValueError):
            found.append(int((place / limit).read_text()) - int((place / used).read_text()))
    return found
