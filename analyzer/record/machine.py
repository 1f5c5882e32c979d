"""The machine whose packets are captured: this one, or one behind ssh. Runs programs there, and tells what failed."""

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.errors import ToolError

TIMEOUT_S = 30
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


def announcing(*command: str) -> list[str]:
    """Return what runs *command* and says ``pid N`` on stderr first, so that it can be interrupted from anywhere."""
    return ["sh", "-c", 'echo "pid $$" >&2; exec "$@"', "sh", *command]


def announced(line: str) -> int | None:
    """Return the process number that a line of stderr announces."""
    word, _, number = line.strip().partition(" ")
    return int(number) if word == "pid" and number.isdigit() else None


def open_new(path: Path) -> int:
    """Open a file that is not there yet for writing: neither a symlink nor a file that is there is followed or used."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)


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

    def run(self, *command: str, timeout: float = TIMEOUT_S) -> Done:
        """Run a program to its end; that it is missing or hangs is a failure like others."""
        try:
            done = subprocess.run(
                self.wrap(command),
                capture_output=True,
                timeout=timeout,
                check=False,
                stdin=subprocess.DEVNULL,
                env=_with_sbin(),
            )
        except FileNotFoundError:
            return Done(127, "", f"{command[0]}: not found")
        except OSError as error:
            return Done(126, "", f"{command[0]}: {error.strerror}")
        except subprocess.TimeoutExpired:
            return Done(124, "", f"{command[0]}: no answer in {timeout:.0f} s")
        out, err = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
        return Done(done.returncode, out, err)

    def start(self, *command: str, stderr: int = subprocess.PIPE) -> "subprocess.Popen[bytes]":
        """
        Start a program that ends with this one, its stdout in a pipe.

        Raises:
            ToolError: it cannot be started.
        """
        # The kernel interrupts the child when this process dies, however that happens (prctl(2), PR_SET_PDEATHSIG).
        guard = ["setpriv", "--pdeathsig", "INT", "--"] if shutil.which("setpriv") else []
        try:
            return subprocess.Popen(
                [*guard, *self.wrap(command)],
                stdout=subprocess.PIPE,
                stderr=stderr,
                stdin=subprocess.DEVNULL,
                env=_with_sbin(),
                process_group=0,  # Ctrl-C in the terminal is for hoptrace, which then stops captures in good order
            )
        except OSError as error:
            raise ToolError(f"{command[0]}: {error.strerror}") from None

    def interrupt(self, process: "subprocess.Popen[bytes]", pid: int) -> None:
        """Send SIGINT to a started program, whose process number there is *pid*."""
        if process.poll() is None:
            os.kill(pid, signal.SIGINT)

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

    def interrupt(self, process: "subprocess.Popen[bytes]", pid: int) -> None:
        """Send SIGINT on the other side."""
        if process.poll() is None:
            self.run("sh", "-c", f"kill -INT {pid}")  # the shell's own: minimal hosts have no program of that name
