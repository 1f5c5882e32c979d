"""Decodes batches in two processes: this one, which also reads the files, and a forked helper.

Both write to columns in shared memory, so only small side tables travel between them; threads would wait for each
other in Python. Results come in the order of batches, whoever made them, so they are the same with and without help.
"""

import mmap
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from analyzer.decode.vector import SIDE_TABLES, Decoded, decode
from analyzer.read.records import FileInfo, Interface, Records
from analyzer.read.source import WINDOW, Buffers
from analyzer.schema import Array, Columns, Table

WORTH_FORKING = 500_000
"""Frames from which on a second process saves more time than it costs."""
QUEUE = 3
"""Batches that wait for the helper or are in its hands."""
MOST_MEMORY, SMALL_WINDOW = 128 << 20, 1 << 20
"""Bytes of all windows together, unless many files are open: then of each one."""
MOST_RECORDS = WINDOW // 32
MOST_INTERFACES = 64
"""More would be much to send with every batch."""

PATIENCE_S, SHORT_S = 0.5, 0.002
"""How long the helper is waited for until somebody looks whether it is still there."""

MADV_POPULATE_READ = 22
"""Of asm-generic/mman-common.h; Python names it from 3.13 on, on some systems."""

Derive = Callable[[Columns, Columns, Columns, int, Columns], None]
"""Fills rows of KEYS from FRAMES, QUOTES, NEIGHBOURS of a batch and the number of bytes that every point kept."""


def _shared(count: int, dtype: np.dtype[Any] | type) -> mmap.mmap:
    return mmap.mmap(-1, max(count * np.dtype(dtype).itemsize, 1))


def shared_zeros(count: int, dtype: np.dtype[Any] | type) -> Array:
    """Return *count* zeros that a forked process shares; pages that nobody touched take no memory."""
    return np.frombuffer(_shared(count, dtype), dtype, count)


class Store:
    """A table while it is read: columns with room to spare, whose unused pages take no memory."""

    def __init__(self, table: Table, capacity: int, *, shared: bool) -> None:
        """Make room for *capacity* rows."""
        self._maps = {name: _shared(capacity, dtype) for name, dtype in table.dtypes.items()} if shared else {}
        self._columns = {
            name: np.frombuffer(self._maps[name], dtype, capacity) if shared else np.zeros(capacity, dtype)
            for name, dtype in table.dtypes.items()
        }
        self._capacity = capacity
        self.rows = 0

    def has_room(self, count: int) -> bool:
        """Tell whether *count* more rows can be had without moving all others."""
        return self.rows + count <= self._capacity

    def block(self, count: int) -> Columns:
        """Return zeroed columns for the next *count* rows."""
        if not self.has_room(count):
            self._capacity = max(self._capacity * 2, self.rows + count)
            for name, column in self._columns.items():
                grown = np.zeros(self._capacity, column.dtype)
                grown[: self.rows] = column[: self.rows]
                self._columns[name] = grown
            self._maps = {}
        self.rows += count
        return self.at(self.rows - count, count)

    def at(self, first: int, count: int) -> Columns:
        """Return *count* rows from *first* on."""
        return {name: column[first : first + count] for name, column in self._columns.items()}

    def settle(self) -> None:
        """Take over at once the pages that the helper wrote, instead of one page fault for each of them."""
        for name, shared in self._maps.items():
            size = self.rows * self._columns[name].itemsize // mmap.PAGESIZE * mmap.PAGESIZE
            with suppress(OSError):  # Linux before 5.14 cannot
                shared.madvise(MADV_POPULATE_READ, 0, size)

    def truncate(self, rows: int) -> None:
        """Forget all rows from *rows* on."""
        for column in self.at(rows, self.rows - rows).values():
            column[:] = 0
        self.rows = rows


@dataclass(slots=True)
class Batch:
    """One batch on its way."""

    file: int
    first_row: int
    count: int
    records: Records
    """Readable until the batch is decoded; its ``interface`` always."""
    interfaces: list[Interface]
    declared: tuple[int, int] = (0, 0)
    """Interfaces and comments that its file had told before it was read on."""
    decoded: Decoded | None = None
    """When it is done; ``row`` columns count from its first frame."""

    def trim(self, count: int) -> None:
        """Keep the first *count* frames of a batch that is decoded."""
        self.count, self.records = count, self.records.first(count)
        if (done := self.decoded) is not None:
            done.frames = {name: column[:count] for name, column in done.frames.items()}
            done.device = done.device[:count] if done.device.ndim else done.device
            for name in SIDE_TABLES:
                side: Columns = getattr(done, name)
                setattr(done, name, {column: values[side["row"] < count] for column, values in side.items()})


class Crew:
    """Decodes batches into *frames* and *keys*."""

    def __init__(
        self, frames: Store, keys: Store, derive: Derive, keep: int, *, helped: bool, open_files: int = 1
    ) -> None:
        """Start the helper if *helped*; the stores must be shared then. *open_files* are read side by side."""
        self._frames, self._keys, self._derive, self._keep = frames, keys, derive, keep
        self._open: deque[Batch] = deque()
        self._lent: dict[int, Batch] = {}
        slots = open_files + (QUEUE + 1 if helped else 0)
        size = min(WINDOW, max(MOST_MEMORY // slots, SMALL_WINDOW))
        self.buffers = Buffers(slots, shared_zeros if helped else np.zeros, size)
        self._helper: Connection[Any, Any] | None = None
        self._pid = 0
        if helped:
            self._records = [shared_zeros(5 * MOST_RECORDS, np.int64).reshape(5, -1) for _ in range(slots)]
            self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self._hear(wait=True)
        self._stop()

    def take(self, records: Records, info: FileInfo, file: int) -> None:
        """Decode *records*, now or soon."""
        count = len(records)
        if self._helper is not None and not self._frames.has_room(count):
            self._hear(wait=True)
            self._stop()  # what it shares is too small; columns move to private memory
        declared = len(info.interfaces), len(info.comments)
        batch = Batch(file, self._frames.rows, count, records, info.interfaces, declared)
        self._frames.block(count)
        self._keys.block(count)
        self._open.append(batch)
        if not self._send(batch):
            self._decode(batch)

    def finished(self, *, wait: bool = False) -> Iterator[Batch]:
        """Give the batches that are done, in order; if *wait*, all of them."""
        self._hear(wait=wait)
        while self._open and (decoded := self._open[0].decoded) is not None:
            batch = self._open.popleft()
            decoded.frames = self._frames.at(batch.first_row, batch.count)  # columns may have moved since
            yield batch

    def forget(self, batch: Batch) -> None:
        """Drop all that came after *batch*, which was just given, and what it was trimmed of."""
        for _ in self.finished(wait=True):
            pass
        self._frames.truncate(batch.first_row + batch.count)
        self._keys.truncate(batch.first_row + batch.count)

    def _decode(self, batch: Batch) -> None:
        frames, keys = self._frames.at(batch.first_row, batch.count), self._keys.at(batch.first_row, batch.count)
        decoded = decode(batch.records, batch.interfaces, keep=self._keep, into=frames)
        self._derive(decoded.frames, decoded.quotes, decoded.neighbours, self._keep, keys)
        batch.decoded = decoded

    def _send(self, batch: Batch) -> bool:
        """Hand a batch to the helper, if it is there and has time."""
        self._hear(wait=False)
        records, slot = batch.records, self.buffers.number(batch.records.buffer)
        fits = batch.count <= MOST_RECORDS and len(batch.interfaces) <= MOST_INTERFACES
        if self._helper is None or slot is None or slot in self._lent or len(self._lent) >= QUEUE or not fits:
            return False
        table = self._records[slot][:, : batch.count]
        table[0], table[1], table[2], table[3] = records.start, records.cap_len, records.orig_len, records.time_ns
        table[4] = records.interface  # what is sent is small, so that sending never waits
        task = (slot, batch.file, batch.first_row, batch.count, records.first_frame, batch.interfaces)
        try:
            self._helper.send(task)
        except OSError:  # it was killed: _receive decodes what it had
            return False
        self._lent[slot] = batch
        self.buffers.lend(slot)
        return True

    def _receive(self) -> None:
        """Take a result from the helper, which works in order; if it was killed or stopped, do its work."""
        slot, batch = next(iter(self._lent.items()))
        try:
            if self._helper is None:
                raise EOFError
            while not self._helper.poll(PATIENCE_S):
                if _is_stopped(self._pid):
                    os.kill(self._pid, signal.SIGKILL)
            quotes, neighbours, tunnels, device = self._helper.recv()
            frames = self._frames.at(batch.first_row, batch.count)
            batch.decoded = Decoded(frames, quotes, neighbours, tunnels, device)
        except (EOFError, OSError):
            self._stop()
            for store in (self._frames, self._keys):
                for column in store.at(batch.first_row, batch.count).values():
                    column[:] = 0
            self._decode(batch)
        del self._lent[slot]
        self.buffers.give_back(slot)

    def _hear(self, *, wait: bool) -> None:
        """Take the results that are there; if *wait*, those that are still to come, too."""
        while self._lent and (wait or self._helper is None or self._helper.poll()):
            self._receive()

    def _start(self) -> None:
        mine, its = Pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                mine.close()
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                self._serve(its)
            finally:
                os._exit(0)
        its.close()
        self._helper = mine

    def _stop(self) -> None:
        """End the helper, as soon as it has done what it has in its hands."""
        if self._helper is not None:
            self._helper.close()
            self._helper = None
            while os.waitpid(self._pid, os.WNOHANG) == (0, 0):
                if _is_stopped(self._pid):
                    os.kill(self._pid, signal.SIGKILL)
                time.sleep(SHORT_S)

    def _serve(self, pipe: "Connection[Any, Any]") -> None:
        """Decode what comes, until the other end is closed."""
        # Once it has freed a large block, glibc keeps smaller ones for the next batch (mallopt(3), M_MMAP_THRESHOLD).
        np.empty(WINDOW, np.uint8)
        while True:
            try:
                slot, file, first_row, count, first_frame, interfaces = pipe.recv()
            except (EOFError, OSError):
                return
            start, cap_len, orig_len, time_ns, interface = self._records[slot][:, :count]
            numbers = interface.astype(np.int32)
            records = Records(self.buffers.all[slot], start, cap_len, orig_len, time_ns, numbers, first_frame)
            batch = Batch(file, first_row, count, records, interfaces)
            self._decode(batch)
            if (done := batch.decoded) is not None:
                device = done.device if done.device.any() else np.int64(0)
                pipe.send((done.quotes, done.neighbours, done.tunnels, device))


def _is_stopped(pid: int) -> bool:
    """Tell whether somebody stopped a process, as SIGSTOP does (proc_pid_stat(5), state)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in ("T", "t")
    except (OSError, IndexError):
        return False


def can_help() -> bool:
    """Tell whether forking is safe and useful: no other threads, and a second processor."""
    try:
        threads = len(list(Path("/proc/self/task").iterdir()))
        return threads == 1 and len(os.sched_getaffinity(0)) > 1
    except (OSError, AttributeError):  # not Linux
        return False
