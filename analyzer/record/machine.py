"""The machine whose packets are captured: this one, or one behind ssh. Runs programs there, and tells what failed."""

import logging
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from analyzer.errors import ToolError
from analyzer.process import open_here

LOG = logging.getLogger(__name__)
TIMEOUT_S = 10
POLL_S = 0.1
LATE = "not asked, or not waited for: time was up"
KILL_AFTER_S = 3
"""What a started program has for its end in good order."""
LEASH = """
after=$1
shift
exec 3<&0 4>&2 </dev/null 2>/dev/null
"$@" 2>&4 3<&- 4>&- &
program=$!
{ read -r _ <&3; kill -TERM $program; sleep $after; kill -KILL $program; } >/dev/null 4>&- &
leash=$!
exec 3<&- 4>&-
wait $program
code=$?
kill -KILL $leash
exit $code
"""
"""Runs a program until its own stdin ends: because whoever started it says so, died, or cannot be reached any more."""
PACKAGES = {
    "tcpdump": "tcpdump",
    "ip": "iproute2",
    "bridge": "iproute2",
    "nstat": "iproute2",
    "docker": "docker-cli",
    "conntrack": "conntrack",
    "iptables-save": "iptables",
    "nft": "nftables",
    "nsenter": "util-linux",
    "ssh": "openssh-client",
}
"""Debian's package of each program."""


def _with_sbin() -> dict[str, str]:
    """Return the environment, where root's programs are found, too: Debian's users do not have them in PATH."""
    return {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}


def _guarded(command: list[str]) -> list[str]:
    """Let the kernel kill a program when this process dies, however that happens (prctl(2), PR_SET_PDEATHSIG)."""
    path = _with_sbin()["PATH"]
    there = shutil.which(command[0], path=path) and shutil.which("setpriv", path=path)
    return ["setpriv", "--pdeathsig", "KILL", "--", *command] if there else command


def open_new(path: Path) -> int:
    """Open a file that is not there yet for writing: neither a symlink nor a file that is there is followed or used."""
    return open_here(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)


class Deadline:
    """A time limit that several programs share; *hurry* ends it early."""

    def __init__(self, seconds: float, hurry: Callable[[], bool] = lambda: False) -> None:
        self._end, self._hurry = time.monotonic() + seconds, hurry

    @property
    def left_s(self) -> float:
        """Seconds that are left, 0 if none."""
        return 0 if self._hurry() else max(self._end - time.monotonic(), 0)


@dataclass(frozen=True, slots=True)
class Done:
    """A program that ended."""

    code: int
    out: str
    err: str

    @property
    def reason(self) -> str:
        """Why it failed, in one line."""
        lines = (self.err or self.out).strip().splitlines()
        return lines[-1] if lines else f"exit {self.code}"


class Machine:
    """Runs programs on this machine."""

    name = "this host"

    def wrap(self, command: Sequence[str]) -> list[str]:
        """Return the command that runs *command* on the machine."""
        return list(command)

    def has(self, program: str) -> bool:
        """Tell whether a program is there; root's paths count."""
        return shutil.which(program, path=_with_sbin()["PATH"]) is not None

    def run(self, *command: str, timeout: float = TIMEOUT_S, deadline: Deadline | None = None) -> Done:
        """Run a program to its end; that it is missing, hangs, or that time is up, is a failure like others."""
        if deadline is not None and not deadline.left_s:
            return Done(124, "", f"{command[0]}: {LATE}")
        LOG.debug("runs %s", shlex.join(command))
        try:
            process = subprocess.Popen(
                _guarded(self.wrap(command)),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
                env=_with_sbin(),
                process_group=0,  # Ctrl-C in the terminal is for hoptrace; and whatever it starts ends with it
            )
        except FileNotFoundError:
            return Done(127, "", f"{command[0]}: not found")
        except OSError as error:
            return Done(126, "", f"{command[0]}: {error.strerror}")
        out, err = _outcome(process, Deadline(timeout), deadline)
        if out is None or err is None:
            in_time = deadline is None or deadline.left_s
            return Done(124, "", f"{command[0]}: no answer in {timeout:.0f} s" if in_time else f"{command[0]}: {LATE}")
        return Done(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        """
        Start a program that ends when its stdin is closed, which this process' death does, too; all three are pipes.

        Raises:
            ToolError: it cannot be started.
        """
        LOG.debug("starts %s", shlex.join(command))
        leash = ("/bin/sh", "-c", LEASH, "sh", str(KILL_AFTER_S), *command)
        try:
            return subprocess.Popen(
                self.wrap(leash),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                stdin=subprocess.PIPE,
                env=_with_sbin(),
                process_group=0,  # Ctrl-C in the terminal is for hoptrace, which then stops captures in good order
            )
        except OSError as error:
            raise ToolError(f"{command[0]}: {error.strerror}") from None

    def need(self, *programs: str) -> None:
        """
        Make sure that programs are there.

        Raises:
            ToolError: one is missing; with the package that has it.
        """
        for program in programs:
            if not self.has(program):
                package = PACKAGES.get(program, program)
                raise ToolError(f"{program} is missing on {self.name}: apt-get install {package}")


def _outcome(
    process: "subprocess.Popen[bytes]", own: Deadline, shared: Deadline | None
) -> tuple[bytes | None, bytes | None]:
    """Wait for what a program says; None if time is up, and then it is gone, with all that it started."""
    try:
        while own.left_s and (shared is None or shared.left_s):
            with suppress(subprocess.TimeoutExpired):
                return process.communicate(timeout=POLL_S)
        return None, None
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
            process.wait()


class Remote(Machine):
    """
    Runs programs behind ssh, which asks nothing: keys and known hosts must be there.

    ``HOPTRACE_SSH`` may name another program, or options, as ``GIT_SSH_COMMAND`` does for git.
    """

    def __init__(self, target: str) -> None:
        """*target* is what ``ssh`` takes: ``user@host`` or ``ssh://user@host:port``."""
        if target.startswith("-"):
            raise ToolError(f"--ssh {target}: not a host")
        self.name = target
        program = shlex.split(os.environ.get("HOPTRACE_SSH", "ssh"))
        self._ssh = [*program, "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", target, "--"]

    def wrap(self, command: Sequence[str]) -> list[str]:
        """Quote the command for the other side's shell."""
        return [*self._ssh, f"PATH=$PATH:/usr/sbin:/sbin exec {shlex.join(command)}"]

    def has(self, program: str) -> bool:
        """Ask the other side's shell."""
        return self.run("sh", "-c", f"command -v {shlex.quote(program)}").code == 0
