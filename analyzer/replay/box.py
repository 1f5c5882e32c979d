"""Namespaces that nothing leaves: starts what runs inside, hands it a plan and packets, and takes its answers.

Without root by a user namespace (``unshare --user --map-root-user``); as root without one where they are forbidden.
Whatever a bundle says, this process waits no longer than a limit, and all of it dies with this process.
"""

import json
import os
import select
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from pathlib import Path
from types import TracebackType
from typing import Any

from analyzer.errors import ToolError
from analyzer.replay.plan import Plan

INSIDE = Path(__file__).with_name("inside.py")
SPACES = ("--net", "--mount", "--ipc", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc")
FEWER = ("--net", "--mount")
"""Where processes may have no namespace of their own, as inside containers."""
FORBIDDEN = (
    "user namespaces are forbidden here: run it as root, or allow them (sysctl kernel.unprivileged_userns_clone=1)"
)
BUILD_S, PACKET_S, END_S = 30, 5, 1
LONGEST_ANSWER = 4 << 20
NEEDED = ("unshare", "ip", "nft", "iptables-restore")
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


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
        question, theirs = os.pipe()
        ours, answer = os.pipe()
        words = [*unshared(), "--", interpreter(), "-I", str(INSIDE), str(question), str(answer)]
        try:
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                env=environment(), start_new_session=True, pass_fds=(question, answer),
            )  # fmt: skip
        finally:
            os.close(question)
            os.close(answer)
        self._asked, self._told = os.fdopen(theirs, "wb", 0), os.fdopen(ours, "rb", 0)
        try:
            told = self._ask(self._plan.as_told(), BUILD_S)
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
        try:
            self._write(json.dumps(question).encode() + b"\n", time.monotonic() + limit_s)
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

    def _write(self, data: bytes, deadline: float) -> None:
        """Write all, for no longer than there is time: what runs inside may have stopped reading."""
        view = memoryview(data)
        while view:
            if not select.select([], [self._asked], [], max(deadline - time.monotonic(), 0))[1]:
                raise ToolError("the built host does not answer")
            view = view[os.write(self._asked.fileno(), view[:4096]) :]

    def _line(self, deadline: float) -> bytes:
        """Read a line, for no longer than there is time, and no more than anybody needs."""
        file, line = self._told.fileno(), bytearray()
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
        self._process.kill()  # else what it may still say would be waited for
        assert self._process.stderr is not None
        said = self._process.stderr.read(4096).decode("utf-8", "replace").strip().splitlines()
        first = said[0] if said else "it ended without a word"
        return (
            FORBIDDEN
            if "Operation not permitted" in first or "EPERM" in first
            else f"the host cannot be built: {first}"
        )

    def _end(self) -> None:
        for stream in (self._asked, self._told):  # at the end of its questions it ends, and all with it
            with suppress(OSError):
                stream.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)
        self._process.kill()
        self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()


def interpreter() -> str:
    """Return the interpreter, where it is: an environment's own may lie in a folder that namespaces do not see."""
    return os.path.realpath(sys.executable)


@lru_cache(maxsize=1)
def unshared() -> tuple[str, ...]:
    """
    Return the command that makes namespaces here: a user's, else root's own.

    Raises:
        ToolError: neither is possible.
    """
    lacking = [name for name in NEEDED if shutil.which(name, path=PATH) is None]
    if lacking:
        raise ToolError(f"{lacking[0]} is missing: apt-get install util-linux iproute2 iptables nftables")
    as_user = ("--user", "--map-root-user")
    for user, spaces in product((as_user, ()) if os.geteuid() == 0 else (as_user,), (SPACES, FEWER)):
        words = ("unshare", *user, *spaces)
        done = subprocess.run(
            (*words, "--", "true"), capture_output=True, check=False, env=environment(), timeout=BUILD_S
        )
        if done.returncode == 0:
            return words
    raise ToolError(FORBIDDEN)


def environment() -> dict[str, str]:
    """Give programs inside nothing of what this process was given, but where programs are."""
    return {"PATH": PATH, "LC_ALL": "C"}
