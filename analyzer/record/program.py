"""A program that runs while something is recorded: what it says is kept, and it ends when it is told to, or killed."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress

from analyzer.record.machine import KILL_AFTER_S, Machine

MOST_SAID = 1 << 16
"""Characters of stderr that are kept."""
PATIENCE_S = 2
"""Beyond what the machine itself gives a program for its end: then its way there is taken for broken."""
SIGNALLED = 128
"""A shell's exit code of a program that a signal ended, less the signal's number."""


class Program:
    """A running program, which reads nothing."""

    def __init__(self, machine: Machine, *command: str, heard: Callable[[str], None] = lambda _: None) -> None:
        """
        Start it; *heard* is called, in another thread, with each line on its stderr.

        Raises:
            ToolError: it cannot be started.
        """
        self.said = ""
        """What it said on stderr."""
        self.told_to_end = False
        self._heard = heard
        self._process = machine.start(*command)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def stdout(self) -> int:
        """File descriptor of what it gives."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    @property
    def code(self) -> int | None:
        """Exit code; negative where a signal ended it, None while it runs."""
        code = self._process.poll()
        return SIGNALLED - code if code is not None and code > SIGNALLED else code

    def end(self) -> None:
        """Tell it to end; it may take :meth:`wait` until it has."""
        self.told_to_end = True
        with suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()

    def wait(self) -> int:
        """Wait until it has ended and all that it said is known; kill what does not end. Return the exit code."""
        patience = KILL_AFTER_S + PATIENCE_S if self.told_to_end else None
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._listener.join(PATIENCE_S)
        return self.code or 0

    def close(self) -> None:
        """Give its pipes back, once nobody reads them."""
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def count(self, what: str) -> int | None:
        """Return the number that it said before *what*, e.g. ``packets captured``; None if it did not."""
        found = re.search(rf"^(\d+) {what}", self.said, re.MULTILINE)
        return int(found[1]) if found else None

    def _listen(self) -> None:
        for raw in self._process.stderr or ():
            line = raw.decode(errors="replace")
            self.said = (self.said + line)[-MOST_SAID:]
            self._heard(line)
