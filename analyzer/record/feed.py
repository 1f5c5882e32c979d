"""A program that tells of events while captures run, as ``conntrack -E`` does: its lines, to a file."""

import os
import subprocess
import threading
from pathlib import Path

from analyzer.errors import ToolError
from analyzer.record.machine import Machine, announced, announcing, open_new

STOP_TIMEOUT_S = 5


class Feed:
    """One running program and its file. It is no capture: if it fails, the recording goes on without."""

    def __init__(self, machine: Machine, path: Path, *command: str) -> None:
        """Start it; ``problem`` tells if that is not possible."""
        self.problem: str | None = None
        self._machine, self._path, self._pid = machine, path, 0
        self._process: subprocess.Popen[bytes] | None = None
        self._threads: list[threading.Thread] = []
        try:
            machine.need(command[0])
            # Lines at once, not when a buffer is full: whoever is killed has told them.
            self._process = machine.start(*announcing("stdbuf", "-oL", *command))
        except ToolError as error:
            self.problem = str(error)
            return
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._listen, self._write)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End it."""
        if self._process is None:
            return
        early = self._process.poll()
        if early is None and self._pid:
            self._machine.interrupt(self._process, self._pid)
        for thread in self._threads:
            thread.join(STOP_TIMEOUT_S)
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if early:
            self.problem = self.problem or f"{self._path.name}: ended early, exit {early}"

    def _listen(self) -> None:
        for raw in (self._process and self._process.stderr) or ():
            line = raw.decode(errors="replace").strip()
            if not self._pid and (pid := announced(line)) is not None:
                self._pid = pid
            elif "error" in line.lower() or "denied" in line.lower() or "fail" in line.lower():
                self.problem = f"{self._path.name}: {line}"

    def _write(self) -> None:
        if self._process is None or self._process.stdout is None:
            return
        source = self._process.stdout.fileno()
        try:
            with os.fdopen(open_new(self._path), "wb", buffering=0) as out:
                while data := os.read(source, 1 << 16):
                    out.write(data)
        except OSError as error:
            self.problem = f"{self._path.name}: {error.strerror}"
