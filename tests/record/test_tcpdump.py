"""A capture that runs: what tcpdump is told, what becomes of what it gives, and why it ended."""

import errno
import os
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from analyzer.errors import OutputError, ToolError
from analyzer.record import machine as machine_module
from analyzer.record import tcpdump as module
from analyzer.record.machine import Machine
from analyzer.record.tcpdump import Capture, Options, Target

LISTENS = "echo 'listening on eth0, link-type EN10MB' >&2"
COUNTS = 'echo "1 packet dropped by kernel" >&2'
WAITS = "while :; do sleep 0.01; done"
ANY_DISK = Options(reserve=0)


class _Instead(Machine):
    """A machine on which a script takes tcpdump's place."""

    def __init__(self, script: str) -> None:
        self.script = script
        self.command: tuple[str, ...] = ()

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        self.command = command
        self.process = super().start("sh", "-c", self.script)
        return self.process


class _Disk:
    """The operating system, on a disk of which the test says how it is."""

    def __init__(self, *, free: int = 1 << 40, most: int = 1 << 40, full: bool = False) -> None:
        self.free, self.most, self.full = free, most, full

    def __getattr__(self, name: str) -> object:
        return getattr(os, name)

    def fstatvfs(self, _: int) -> SimpleNamespace:
        return SimpleNamespace(f_bavail=self.free // 10, f_frsize=10)

    def write(self, file: int, data: memoryview) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(file, data[: self.most])


def _capture(machine: Machine, options: Options = ANY_DISK) -> Capture:
    return Capture(machine, Target("web", "eth0"), options)


def _stop(capture: Capture) -> None:
    capture.end()
    capture.wait()


def _wait_for_end(capture: Capture) -> None:
    """Wait until it is told why it ended."""
    end = time.monotonic() + 30
    while capture.ended_ns is None:
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.mark.parametrize(
    ("target", "options", "before", "after"),
    [
        (Target("web", "eth0"), Options(), [], ["-s", "256", "-U", "-w", "-", "--"]),
        (
            Target("web", "eth0", ("nsenter", "-t", "7", "-n")),
            Options(0, "port 53 or arp", 9),
            ["nsenter", "-t", "7", "-n"],
            ["-s", "0", "-U", "-w", "-", "-c", "9", "--", "port 53 or arp"],
        ),
    ],
)
def test_the_command(target: Target, options: Options, before: list[str], after: list[str]) -> None:
    """In the interface's namespace, not promiscuous, every packet at once, in nanoseconds; the filter is one word."""
    machine = _Instead("exit 0")
    _stop(Capture(machine, target, options))
    middle = ["tcpdump", "-Z", "root", "-n", "-p", "-i", "eth0", "-B", "32768", "--immediate-mode"]

    assert machine.command == (*before, *middle, "--time-stamp-precision=nano", *after)


def test_a_capture_from_begin_to_end(tmp_path: Path) -> None:
    """All that it gives is in the file, also what it gives when it is told to end; that is no early end."""
    machine = _Instead(
        f"trap \"echo '7 packets dropped by kernel' >&2; printf last; exit 0\" TERM; printf first; {LISTENS}; {WAITS}"
    )
    capture = _capture(machine)
    capture.wait_ready()
    capture.write_to(tmp_path / "web.pcap")
    _stop(capture)

    assert (tmp_path / "web.pcap").read_bytes() == b"firstlast"
    assert (capture.ended, capture.ended_ns, capture.dropped) == (None, None, 7)
    assert machine.process.returncode == 0


@pytest.mark.parametrize(
    ("said", "dropped"),
    [
        ("", None),
        ("12 packets captured\n", None),
        ("12 packets captured\n15 packets received by filter\n0 packets dropped by kernel\n", 0),
        ("1 packet dropped by kernel\n", 1),
        ("all 9 packets dropped by kernel", None),
        (r"first \377\n2 packets dropped by kernel\n", 2),
    ],
)
def test_what_tcpdump_counted(said: str, dropped: int | None) -> None:
    """As far as it says so, in a line of its own; what it says may be no text."""
    machine = _Instead(f"printf '{said}' >&2")
    capture = _capture(machine)
    machine.process.wait()
    _stop(capture)

    assert capture.dropped == dropped


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo first >&2; echo 'eth0: No such device' >&2; exit 1", "eth0: No such device"),
        ("exit 1", "no answer"),
        ("printf 'last \\n\\n' >&2", "last"),
        (
            "echo 'eth0: No PERMISSION to capture' >&2",
            "eth0: No PERMISSION to capture; it needs CAP_NET_RAW: run it as root, or with sudo",
        ),
    ],
)
def test_a_capture_that_does_not_begin(script: str, reason: str) -> None:
    """The last thing that it says is why, and rights that lack are told how to get."""
    machine = _Instead(script)
    with pytest.raises(ToolError) as error:
        _capture(machine).wait_ready()

    assert str(error.value) == f"cannot capture on eth0: {reason}"
    assert machine.process.returncode is not None


def test_a_capture_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended after a while."""
    monkeypatch.setattr(module, "READY_TIMEOUT_S", 0.01)
    machine = _Instead("exec sleep 60")
    with pytest.raises(ToolError, match=r"^cannot capture on eth0: no answer$"):
        _capture(machine).wait_ready()

    assert machine.process.returncode is not None


def test_a_file_that_cannot_be_made(tmp_path: Path) -> None:
    """One that is there is not written over."""
    (tmp_path / "web.pcap").write_text("kept")
    capture = _capture(_Instead(f"{LISTENS}; {WAITS}"))
    capture.wait_ready()
    with pytest.raises(OutputError) as error:
        capture.write_to(tmp_path / "web.pcap")
    _stop(capture)

    assert str(error.value) == f"{tmp_path}/web.pcap: File exists"
    assert (tmp_path / "web.pcap").read_text() == "kept"


@pytest.mark.parametrize(
    ("script", "ended"),
    [
        ("exit 0", "complete"),
        ("echo 'tcpdump: pcap_loop: The interface disappeared' >&2; exit 1", "vanished"),
        ("echo 'tcpdump: pcap_loop: The interface went down' >&2; exit 1", "vanished"),
        ("echo 'The interface went down' >&2", "vanished"),
        ("kill -KILL $$", "killed by signal 9"),
        ("echo 'tcpdump: out of luck' >&2; exit 1", "failed: tcpdump: out of luck"),
        ("exit 3", "failed: listening on eth0, link-type EN10MB"),
    ],
)
def test_a_capture_that_ends_by_itself(tmp_path: Path, script: str, ended: str) -> None:
    """It is told why and when; what it gave is kept."""
    capture = _capture(_Instead(f"{LISTENS}; printf data; {script}"))
    before = time.time_ns()
    capture.write_to(tmp_path / "web.pcap")
    _wait_for_end(capture)
    _stop(capture)

    assert capture.ended == ended
    assert before <= (capture.ended_ns or 0) <= time.time_ns()
    assert (tmp_path / "web.pcap").read_bytes() == b"data"


def test_a_capture_that_ends_without_a_word(tmp_path: Path) -> None:
    """Its exit code is all that can be told."""
    capture = _capture(_Instead("exit 3"))
    capture.write_to(tmp_path / "web.pcap")
    _wait_for_end(capture)
    _stop(capture)

    assert capture.ended == "failed: exit 3"


@pytest.mark.parametrize(
    ("script", "ended"),
    [
        (f"trap '' TERM; {LISTENS}; exec sleep 60", "stood still: it had to be killed"),
        (f"{LISTENS}; kill -STOP $$", "stood still: it had to be killed"),
        (f"trap 'exit 1' TERM; {LISTENS}; {WAITS}", "failed: listening on eth0, link-type EN10MB"),
        (f"trap 'echo \"0 packets dropped by kernel\" >&2; exit 0' TERM; {LISTENS}; {WAITS}", None),
    ],
    ids=["it does not listen", "it was stopped", "it fails", "in good order"],
)
def test_a_capture_that_does_not_end_in_good_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, ended: str | None
) -> None:
    """It is killed after a while; without its closing counts, it is told that it did not end well."""
    monkeypatch.setattr(machine_module, "KILL_AFTER_S", 0.2)
    machine = _Instead(script)
    capture = _capture(machine)
    capture.wait_ready()
    capture.write_to(tmp_path / "web.pcap")
    _stop(capture)

    assert (capture.ended, capture.ended_ns) == (ended, None)
    assert machine.process.returncode is not None


def test_much_data(tmp_path: Path) -> None:
    """More than is written at once, also where the disk takes it in parts."""
    capture = _capture(_Instead("head -c 1000000 /dev/zero | tr '\\0' x"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "os", _Disk(most=70_001))
        capture.write_to(tmp_path / "web.pcap")
        _wait_for_end(capture)
    _stop(capture)

    assert (tmp_path / "web.pcap").read_bytes() == b"x" * 1_000_000


@pytest.mark.parametrize(
    ("disk", "ended", "data"),
    [
        (_Disk(free=1000), None, b"0123456789more"),
        (_Disk(free=990), "disk reserve reached", b""),
        (_Disk(full=True), "cannot write: No space left on device", b""),
    ],
)
def test_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: _Disk, ended: str | None, data: bytes) -> None:
    """Its reserve stays free; where there is no room, the capture is ended, and what it still gives is lost."""
    monkeypatch.setattr(module, "os", disk)
    machine = _Instead(f"trap 'printf more; {COUNTS}; exit 0' TERM; printf 0123456789; {LISTENS}; {WAITS}")
    capture = _capture(machine, Options(reserve=990))
    capture.wait_ready()
    capture.write_to(tmp_path / "web.pcap")
    if ended is not None:
        _wait_for_end(capture)
    _stop(capture)

    assert capture.ended == ended
    assert (tmp_path / "web.pcap").read_bytes() == data


def test_a_full_disk_is_told_also_where_the_capture_was_stopped(tmp_path: Path) -> None:
    """What is missing in the file was not recorded until the end."""
    capture = _capture(_Instead(f"printf data; {LISTENS}; {WAITS}"), Options(reserve=1 << 80))
    capture.wait_ready()
    capture.write_to(tmp_path / "web.pcap")
    _stop(capture)

    assert (capture.ended, (tmp_path / "web.pcap").read_bytes()) == ("disk reserve reached", b"")
    assert capture.ended_ns is not None
