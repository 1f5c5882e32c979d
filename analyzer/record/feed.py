"""A program that tells of events while captures run, as ``conntrack -E`` does: its lines, to a file."""

import os
import threading
from pathlib import Path

from analyzer.errors import ToolError
from analyzer.record.machine import KILL_AFTER_S, Machine, open_new
from analyzer.record.program import PATIENCE_S, Program

CHUNK = 1 << 16


class Feed:
    """One running program and its file. It is no capture: if it fails, the recording goes on without."""

    def __init__(self, machine: Machine, path: Path, *command: str) -> None:
        """Start it; ``problem`` tells if that is not possible."""
        self.problem: str | None = None
        self._path = path
        self._program: Program | None = None
        try:
            machine.need(command[0])
            # Lines at once, not when a buffer is full: whoever is killed has told them.
            self._program = Program(machine, "stdbuf", "-oL", *command, heard=self._hear)
        except ToolError as error:
            self.problem = str(error)
            return
        self._writer = threading.Thread(target=self._write, args=(self._program,), daemon=True)
        self._writer.start()

    def end(self) -> None:
        """Tell it to end."""
        if self._program is None:
            return
        early = self._program.code
        self._program.end()
        if early:
            self.problem = self.problem or f"{self._path.name}: ended early, exit {early}"

    def wait(self) -> None:
        """Wait until it has ended, and its file is complete."""
        if self._program is None:
            return
        self._program.wait()
        self._writer.join(KILL_AFTER_S + PATIENCE_S)
        if not self._writer.is_alive():
            self._program.close()

    def _hear(self, line: str) -> None:
        if any(word in line.lower() for word in ("error", "denied", "fail")):
            self.problem = f"{self._path.name}: {line.strip()}"

    def _write(self, program: Program) -> None:
        """Bring what it gives into the file; where that is not possible, read on, so that it does not stand still."""
        out = -1
        try:
            out = open_new(self._path)
            while data := os.read(program.stdout, CHUNK):
                view = memoryview(data)
                while view:
                    view = view[os.write(out, view) :]
        except OSError as error:
            self.problem = f"{self._path.name}: {error.strerror}"
            while os.read(program.stdout, CHUNK):
                pass
        finally:
            if out >= 0:
                os.close(out)
