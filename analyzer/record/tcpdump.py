"""One tcpdump per point, each through a writer of our own: tcpdump notices neither a full disk nor a symlink.

A capture never takes the others with it: whatever ends one, is told, and the rest goes on.
"""

import os
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.errors import ToolError
from analyzer.record.machine import Machine, announced, announcing, open_new

READY_TIMEOUT_S = 15
STOP_TIMEOUT_S = 10
CHUNK = 1 << 18
RESERVE = 512 << 20
"""Bytes of disk that captures leave free."""
BUFFER_KIB = 32_768
"""tcpdump -B: what the kernel holds while tcpdump is busy."""
_COUNTS = re.compile(r"^(\d+) packets? (captured|received by filter|dropped by kernel)", re.MULTILINE)


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
        """Why it ended before it was told to."""
        self.ended_ns: int | None = None
        self.said = ""
        """What tcpdump said on stderr."""
        self._machine, self._options = machine, options
        self._ready, self._stopping = threading.Event(), threading.Event()
        self._pid, self._file = 0, -1
        self._process = machine.start(*self._command())
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        self._threads[0].start()

    def write_to(self, path: Path) -> None:
        """
        Write to a new file from now on.

        Raises:
            ToolError: it cannot be made.
        """
        try:
            self._file = open_new(path)
        except OSError as error:
            raise ToolError(f"{path}: {error.strerror}") from None
        self._threads.append(threading.Thread(target=self._write, daemon=True))
        self._threads[-1].start()

    def _command(self) -> Sequence[str]:
        options = self._options
        # Promiscuous, a bridge would take what it forwards for itself, too, and with br_netfilter route it once more.
        tcpdump = ["tcpdump", "-Z", "root", "-n", "-p", "-i", self.target.interface, "-B", str(BUFFER_KIB)]
        # Without --immediate-mode, the last packets of a container that dies stay in the kernel's buffer.
        tcpdump += ["--immediate-mode", "--time-stamp-precision=nano", "-s", str(options.snap_len), "-U", "-w", "-"]
        if options.packets is not None:
            tcpdump += ["-c", str(options.packets)]
        return announcing(*self.target.prefix, *tcpdump, *([options.filter] if options.filter else []))

    def wait_ready(self) -> None:
        """
        Wait until it captures.

        Raises:
            ToolError: it does not.
        """
        if not self._ready.wait(READY_TIMEOUT_S) or "listening on" not in self.said:
            self.stop()
            reason = (self.said.strip().splitlines() or ["no answer"])[-1]
            if "permi" in reason.lower():
                reason += "; it needs CAP_NET_RAW: run it as root, or with sudo"
            raise ToolError(f"cannot capture on {self.target.interface}: {reason}")

    def stop(self) -> None:
        """Let it end in good order: what the kernel has captured is written."""
        self._stopping.set()
        if self._pid:
            self._machine.interrupt(self._process, self._pid)
        else:
            self._process.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0.1))
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    @property
    def counts(self) -> dict[str, int]:
        """What tcpdump counted: ``captured``, ``received by filter``, ``dropped by kernel``."""
        return {name: int(count) for count, name in _COUNTS.findall(self.said)}

    def _listen(self) -> None:
        """Read what tcpdump says."""
        if self._process.stderr is None:
            return
        for raw in self._process.stderr:
            line = raw.decode(errors="replace")
            if not self._pid and (pid := announced(line)) is not None:
                self._pid = pid
                continue
            self.said += line
            if "listening on" in line:
                self._ready.set()
        self._ready.set()

    def _write(self) -> None:
        """Bring what tcpdump gives into the file, as long as there is room."""
        source = self._process.stdout
        failed: str | None = None
        while source is not None and (data := os.read(source.fileno(), CHUNK)):
            if failed is None:
                failed = self._put(data)
                if failed is not None and self._pid:
                    self._machine.interrupt(self._process, self._pid)  # what it still gives is read, and lost
        os.close(self._file)
        code = self._process.wait()
        self._threads[0].join()  # all that it said is needed to tell why
        if failed is not None or not self._stopping.is_set():
            self.ended, self.ended_ns = failed or self._why(code), time.time_ns()

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
        if "interface disappeared" in self.said or "went down" in self.said:
            return "vanished"
        if code < 0:
            return f"killed by signal {-code}"
        if code == 0:
            return "complete"
        reason = self.said.strip().splitlines()
        return f"failed: {reason[-1]}" if reason else f"failed: exit {code}"
