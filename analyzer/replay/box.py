"""Namespaces that nothing leaves: starts what runs inside, hands it a plan and packets, and takes its answers.

Without root by a user namespace (``unshare --user --map-root-user``); as root without one where they are forbidden.
Whatever a bundle says, this process waits no longer than a limit, and all of it dies with this process.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from analyzer.errors import ToolError
from analyzer.replay.plan import Plan

INSIDE = Path(__file__).with_name("inside.py")
SPACES = ("--net", "--mount", "--ipc", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc")
FORBIDDEN = (
    "user namespaces are forbidden here: run it as root, or allow them (sysctl kernel.unprivileged_userns_clone=1)"
)
BUILD_S, PACKET_S = 30, 5
LONGEST_ANSWER = 4 << 20
NEEDED = ("unshare", "ip", "nft", "iptables-restore")


@dataclass(slots=True)
class Answer:
    """What the kernel did with one packet."""

    events: list[dict[str, Any]] = field(default_factory=list)
    """Rules and policies that were met, as nfnetlink_trace tells them."""
    out: list[tuple[str, bytes]] = field(default_factory=list)
    """Frames that left the host, by the interface they left by."""
    counters: dict[str, int] = field(default_factory=dict)
    """The kernel's counters that moved."""
    problem: str = ""


class Box:
    """One built host; a context manager that takes it down."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._names = {peer: name for name, peer in plan.peers.items()}
        self.failed: list[str] = []
        """What could not be built."""
        self.handles: dict[tuple[str, str, str], list[int]] = {}
        """Handles of the rules of each chain, in order, by family, table and chain."""
        self.interfaces: dict[int, str] = {}

    def __enter__(self) -> "Box":
        """
        Build the host.

        Raises:
            ToolError: a program is missing, or namespaces are forbidden.
        """
        user = () if os.geteuid() == 0 and not _has_user_namespaces() else ("--user", "--map-root-user")
        words = ["unshare", *user, *SPACES, "--", _interpreter(), "-I", str(INSIDE)]
        try:
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment(),
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise ToolError(f"{words[0]} is missing: apt-get install util-linux") from error
        try:
            plan = self._plan
            commands = [asdict(command) for command in plan.commands]
            told = self._ask({"commands": commands, "settings": plan.settings, "peers": plan.peers}, BUILD_S)
        except ToolError:
            self._end()
            raise
        self.failed = [str(line) for line in told["failed"]]
        self.interfaces = {int(index): name for index, name in told["interfaces"].items()}
        self.handles = {tuple(key): handles for key, handles in told["handles"]}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take all down."""
        self._end()

    def send(self, frame: bytes, interface: str | None) -> Answer:
        """Let a frame come in by an *interface*, or let the host send the packet itself, from its IP header on."""
        peer = self._plan.peers.get(interface or "")
        if interface is not None and peer is None:
            return Answer(problem=f"{interface} was not built")
        told = self._ask({"frame": frame.hex(), "peer": peer, "own": interface is None}, PACKET_S)
        return Answer(
            events=told.get("traces", []),
            out=[(self._names.get(peer, peer), bytes.fromhex(data)) for peer, data in told.get("out", [])],
            counters=told.get("counters", {}),
            problem=told.get("problem", ""),
        )

    def _ask(self, question: dict[str, Any], limit_s: float) -> dict[str, Any]:
        process = self._process
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
        except OSError as error:
            raise ToolError(self._why()) from error
        line = self._line(time.monotonic() + limit_s)
        try:
            told: dict[str, Any] = json.loads(line)
        except ValueError as error:
            raise ToolError(self._why()) from error
        if "problem" in told and "failed" not in told and "traces" not in told and question.get("commands") is not None:
            raise ToolError(f"the host cannot be built here: {told['problem']}")
        return told

    def _line(self, deadline: float) -> bytes:
        """Read a line, for no longer than there is time, and no more than anybody needs."""
        assert self._process.stdout is not None
        file, line = self._process.stdout.fileno(), bytearray()
        while not line.endswith(b"\n") and len(line) < LONGEST_ANSWER:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([file], [], [], left)[0]:
                raise ToolError("the built host does not answer")
            data = os.read(file, 1 << 16)
            if not data:
                break
            line += data
        return bytes(line)

    def _why(self) -> str:
        """Say why nothing runs inside."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(2)
        assert self._process.stderr is not None
        said = self._process.stderr.read(4096).decode("utf-8", "replace").strip().splitlines()
        first = said[0] if said else "it ended without a word"
        return (
            FORBIDDEN
            if "Operation not permitted" in first or "EPERM" in first
            else f"the host cannot be built: {first}"
        )

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def _interpreter() -> str:
    """Return the interpreter, where it is: an environment's own may lie in a folder that namespaces do not see."""
    return os.path.realpath(sys.executable)


def _has_user_namespaces() -> bool:
    try:
        return int(Path("/proc/sys/user/max_user_namespaces").read_text()) > 0
    except (OSError, ValueError):
        return False


def _environment() -> dict[str, str]:
    """Give programs inside nothing of what this process was given, but where programs are."""
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


def missing_programs(path: str = "/usr/sbin:/usr/bin:/sbin:/bin") -> Iterator[str]:
    """Name what is not there."""
    folders: Sequence[str] = path.split(":")
    return (name for name in NEEDED if not any(os.access(f"{folder}/{name}", os.X_OK) for folder in folders))
