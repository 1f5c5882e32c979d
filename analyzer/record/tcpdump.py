"""One tcpdump per point, each through a writer of our own: tcpdump notices neither a full disk nor a symlink.

A capture never takes the others with it: whatever ends one, is told, and the rest goes on.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.errors import OutputError, ToolError
from analyzer.record.counted import Counted
from analyzer.record.machine import KILL_AFTER_S, Machine, open_new
from analyzer.record.program import PATIENCE_S, Program

READY_TIMEOUT_S = 15
POLL_S = 0.05
CHUNK = 1 << 18
RESERVE = 512 << 20
"""Bytes of disk that captures leave free."""
BUFFER_KIB = 32_768
"""tcpdump -B: what the kernel holds while tcpdump is busy."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to capture."""

    name: str
    """Of the point, and of its file."""
    interface: str
    prefix: tuple[str, ...] = ()
    """Enters the network namespace that the interface is in."""


@dataclass(frozen=True, slots=True)
class Options:
    """What all captures have in common."""

    snap_len: int = 256
    """Bytes of each frame; 0 for all."""
    filter: str = ""
    packets: int | None = None
    """End after so many."""
    reserve: int = RESERVE


class Capture:
    """One running tcpdump and its file."""

    def __init__(self, machine: Machine, target: Target, options: Options) -> None:
        """
        Start tcpdump; what it captures waits until :meth:`write_to`.

        Raises:
            ToolError: it cannot be started.
        """
        self.target = target
        self.ended: str | None = None
        """Why it ended before it was told to, or why its end tells nothing."""
        self.ended_ns: int | None = None
        self.counted = Counted()
        """Frames that it gave so far."""
        self._options = options
        self._ready = threading.Event()
        self._file = -1
        self._writer: threading.Thread | None = None
        self._program = Program(machine, *self._command(), heard=self._hear)

    @property
    def dropped(self) -> int | None:
        """Frames that the kernel dropped; None where tcpdump did not say."""
        return self._program.count("packets? dropped by kernel")

    def write_to(self, path: Path) -> None:
        """
        Write to a new file from now on.

        Raises:
            OutputError: it cannot be made.
        """
        try:
            self._file = open_new(path)
        except OSError as error:
            raise OutputError(f"{path}: {error.strerror}") from None
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    def _command(self) -> Sequence[str]:
        options = self._options
        # Promiscuous, a bridge would take what it forwards for itself, too, and with br_netfilter route it once more.
        tcpdump = ["tcpdump", "-Z", "root", "-n", "-p", "-i", self.target.interface, "-B", str(BUFFER_KIB)]
        # Without --immediate-mode, the last packets of a container that dies stay in the kernel's buffer.
        tcpdump += ["--immediate-mode", "--time-stamp-precision=nano", "-s", str(options.snap_len), "-U", "-w", "-"]
        if options.packets is not None:
            tcpdump += ["-c", str(options.packets)]
        return (*self.target.prefix, *tcpdump, "--", *([options.filter] if options.filter else []))

    def wait_ready(self, given_up: Callable[[], bool] = lambda: False) -> None:
        """
        Wait until it captures; *given_up* ends the waiting.

        Raises:
            ToolError: it does not.
        """
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not self._ready.wait(POLL_S) and self._program.code is None:
            if given_up() or time.monotonic() > deadline:
                break
        if self._ready.is_set():
            return
        self.end()
        self.wait()
        reason = (self._program.said.strip().splitlines() or ["no answer"])[-1]
        if "permi" in reason.lower():
            reason += "; it needs CAP_NET_RAW: run it as root, or with sudo"
        raise ToolError(f"cannot capture on {self.target.interface}: {reason}")

    def end(self) -> None:
        """Tell it to end in good order: what the kernel has captured is written."""
        self._program.end()

    def wait(self) -> None:
        """Wait until it has ended, and its file is complete."""
        self._program.wait()
        if self._writer is not None:
            self._writer.join(KILL_AFTER_S + PATIENCE_S)
        if self._writer is None or not self._writer.is_alive():
            self._program.close()

    def _hear(self, line: str) -> None:
        if "listening on" in line:
            self._ready.set()

    def _write(self) -> None:
        """Bring what tcpdump gives into the file, as long as there is room."""
        failed: str | None = None
        while data := os.read(self._program.stdout, CHUNK):
            if failed is None:
                self.counted.take(data)
                failed = self._put(data)
                if failed is not None:
                    self.ended, self.ended_ns = failed, time.time_ns()
                    self._program.end()  # what it still gives is read, and lost
        os.close(self._file)
        early = not self._program.told_to_end
        code = self._program.wait()
        if failed is not None:
            return
        if early:
            self.ended_ns = time.time_ns()
            self.ended = self._why(code)
        elif self.dropped is None:
            self.ended = "stood still: it had to be killed" if code < 0 else self._why(code)

    def _put(self, data: bytes) -> str | None:
        """Write; return why that is not possible."""
        try:
            left = os.fstatvfs(self._file)
            if left.f_bavail * left.f_frsize < self._options.reserve + len(data):
                return "disk reserve reached"
            view = memoryview(data)
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as error:
            return f"cannot write: {error.strerror}"
        return None

    def _why(self, code: int) -> str:
        said = self._program.said
        if "interface disappeared" in said or "went down" in said:
            return "vanished"
        if code < 0:
            return f"killed by signal {-code}"
        if code == 0:
            return "complete"
        reason = said.strip().splitlines()
        return f"failed: {reason[-1]}" if reason else f"failed: exit {code}"
