"""Records one scenario: a capture per point, conntrack's events, and the host's state before and after."""

import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType

from tests.lab.commands import LabError, inside, run
from tests.lab.engine import Engine

Where = tuple[tuple[str, ...], str]
"""Prefix of a command that captures there, and the interface."""
READY_TIMEOUT_S = 10
SETTLE_S = 0.3
"""Time for the last packets to be written."""

DUMPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ip-addr.json", ("ip", "-j", "-d", "addr")),
    ("ip-route.json", ("ip", "-j", "route", "show", "table", "all")),
    ("ip-rule.json", ("ip", "-j", "rule")),
    ("ip-neigh.json", ("ip", "-j", "neigh")),
    ("bridge-fdb.json", ("bridge", "-j", "fdb")),
    ("bridge-link.json", ("bridge", "-j", "-d", "link")),
    ("iptables-save.txt", ("iptables-save", "-c")),
    ("ip6tables-save.txt", ("ip6tables-save", "-c")),
    ("conntrack.txt", ("conntrack", "-L", "-o", "extended,id")),
    ("conntrack6.txt", ("conntrack", "-L", "-f", "ipv6", "-o", "extended,id")),
)


class Recording:
    """A context manager: captures run inside it, and the bundle is whole when it ends."""

    def __init__(
        self, engine: Engine, folder: Path, points: dict[str, Where], snap: dict[str, int], *, promiscuous: bool = False
    ) -> None:
        """Capture *points*; *snap* has the snap length of those that are cut, *promiscuous* lets bridges show all."""
        self.engine = engine
        self.folder = folder
        self._points = points
        self._snap = snap
        self._mode = () if promiscuous else ("-p",)
        self._captures: list[subprocess.Popen[bytes]] = []
        self._events: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Recording":
        self.folder.mkdir(parents=True, exist_ok=True)
        self.engine.forget_neighbours()
        for name, (prefix, interface) in self._points.items():
            self._captures.append(self._capture(name, prefix, interface))
        with (self.folder / "conntrack-events.txt").open("wb") as out:
            self._events = subprocess.Popen(
                inside(self.engine.namespace, "stdbuf", "-oL", "conntrack", "-E", "-o", "timestamp,extended,id"),
                stdout=out,
                stderr=subprocess.DEVNULL,
            )
        time.sleep(SETTLE_S)
        return self

    def _capture(self, name: str, prefix: tuple[str, ...], interface: str) -> "subprocess.Popen[bytes]":
        command = ("tcpdump", "-Z", "root", "-i", interface, *self._mode, "-B", "32768", "--time-stamp-precision=nano",
                   "--immediate-mode", "-U", "-s", str(self._snap.get(name, 0)), "-w",
                   str(self.folder / f"{name}.pcap"))  # fmt: skip
        capture = subprocess.Popen([*prefix, *command], stderr=subprocess.PIPE)
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline:
            line = capture.stderr.readline() if capture.stderr else b""
            if b"listening on" in line:
                return capture
            if not line:
                break
        raise LabError(f"tcpdump on {interface} did not start")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        time.sleep(SETTLE_S)
        for process in (*self._captures, self._events):
            if process is not None:
                process.send_signal(signal.SIGINT)
                process.wait(timeout=10)
                if process.stderr:
                    process.stderr.close()
        if kind is None:
            self._dump()

    def _dump(self) -> None:
        host = self.folder / "host"
        host.mkdir(exist_ok=True)
        for file, command in DUMPS:
            (host / file).write_text(run(*inside(self.engine.namespace, *command), check=False))
        for file, *command in (
            ("docker-inspect.json", "inspect", *self.engine.containers()),
            ("docker-network-inspect.json", "network", "inspect", *self.engine.docker("network", "ls", "-q").split()),
        ):
            (host / file).write_text(self.engine.docker(*command))
