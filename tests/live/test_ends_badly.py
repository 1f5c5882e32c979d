"""Recordings that end badly, on a real Docker Engine: what was recorded is kept and readable, and tells why."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from analyzer import Trace, analyze
from analyzer.errors import InputError
from analyzer.model import Disposition, Role
from analyzer.read.manifest import Manifest, read_manifest
from tests.lab.commands import LabError, run
from tests.lab.engine import UPLINK, Lab
from tests.live.recorder import Recorder, called, programs, wait_for_frames

pytestmark = pytest.mark.live
ROLES = {"veth-c1": Role.VETH, "docker0": Role.BRIDGE, UPLINK: Role.UPLINK}
PCAP_HEADER = 24  # bytes


class _Host:
    """The lab, whose engine may be killed, and comes back."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def whole(self) -> Lab:
        """Return the lab with a running engine and container."""
        lab = self.lab
        try:
            lab.docker("version")
        except LabError:
            lab.revive()
        if "c1" not in lab.docker("ps", "--format", "{{.Names}}").split():
            run("docker", "-H", lab.socket, "rm", "-f", "c1", check=False)
            lab.run_container("c1")
        return lab


@pytest.fixture(scope="module")
def host() -> Iterator[_Host]:
    """A host with a container on the default bridge."""
    with Lab() as lab:
        yield _Host(lab)


@pytest.fixture
def lab(host: _Host) -> Iterator[Lab]:
    """The host, whole; afterwards no program of a recording is left."""
    lab = host.whole()
    yield lab
    left = _left(lab)
    for number in left:  # one that does not end is one failure, and not that of all tests after it
        with suppress(ProcessLookupError):
            os.kill(int(number), signal.SIGKILL)
    assert left == {}


def _left(lab: Lab) -> dict[str, str]:
    """Return the programs of recordings by their numbers, once they have had time to end."""
    words = ("tcpdump", "docker events", "conntrack -E", "analyzer capture")
    end = time.monotonic() + 15
    while True:
        lines = called(programs(lab.namespace))
        found = {number: line for number, line in lines.items() if any(word in line for word in words)}
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.1)


def _ping(lab: Lab) -> None:
    lab.exec("c1", "ping", "-c", "1", "8.8.8.8")
    time.sleep(0.3)


def _read(folder: Path) -> tuple[Manifest, Trace]:
    manifest = read_manifest(folder)
    assert manifest is not None
    return manifest, analyze([folder])


def _ended(manifest: Manifest) -> dict[str, str | None]:
    return {point.name: point.ended for point in manifest.points if point.name in ROLES}


def _roles(trace: Trace) -> dict[str, Role]:
    return {point.name: point.role for point in trace.points if point.name in ROLES}


def _asked(trace: Trace) -> list[list[str]]:
    """Return where each ping was seen."""
    return [
        [hop.point for hop in journey.hops]
        for journey in trace.journeys()
        if journey.summary.startswith("ICMP echo request")
    ]


@pytest.mark.parametrize("packed", [False, True], ids=["a folder", "one file"])
def test_the_engine_dies(lab: Lab, tmp_path: Path, packed: bool) -> None:
    """All that was recorded is there; what the engine said before stands in for what it cannot say any more."""
    bundle = tmp_path / ("b.tar.zst" if packed else "b")
    recorder = Recorder(lab, "-c", "c1", "-o", str(bundle)).wait_for()
    _ping(lab)
    lab.kill_engine()
    code, out, err = recorder.send(signal.SIGINT).end()
    trace = analyze([bundle])

    assert (code, "Traceback" in err) == (0, False)
    assert "MASQUERADE" in out
    assert _asked(trace) == [["veth-c1", "docker0", UPLINK]]
    assert _roles(trace) == ROLES
    assert {container.name for container in trace.hosts.everywhere.containers} == {"c1"}
    assert "not recorded: host/docker-version.json: docker: " in err
    assert not (tmp_path / "b").exists() or not packed


def test_the_engine_hangs(lab: Lab, tmp_path: Path) -> None:
    """Nobody waits for it longer than a moment."""
    recorder = Recorder(lab, "-c", "c1", "-o", str(tmp_path / "b")).wait_for()
    _ping(lab)
    lab.signal_engine(signal.SIGSTOP)
    try:
        begin = time.monotonic()
        code, _, err = recorder.send(signal.SIGINT).end()
        took = time.monotonic() - begin
    finally:
        lab.signal_engine(signal.SIGCONT)
    manifest, trace = _read(tmp_path / "b")

    assert code == 0
    assert took < 60  # of the two minutes that a limit for each question would make
    assert any("docker: no answer" in problem for problem in manifest.problems)
    assert manifest.stopped_ns is not None
    assert _asked(trace) == [["veth-c1", "docker0", UPLINK]]
    assert "no answer" in err


@pytest.mark.parametrize(
    ("number", "ended"),
    [(signal.SIGKILL, "killed by signal 9"), (signal.SIGSTOP, "stood still: it had to be killed")],
)
def test_a_tcpdump_that_breaks(lab: Lab, tmp_path: Path, number: signal.Signals, ended: str) -> None:
    """What its point did not see proves nothing; the others are whole."""
    recorder = Recorder(lab, "-c", "c1", "-o", str(tmp_path / "b")).wait_for()
    _ping(lab)
    run("pkill", f"-{number.name}", "-f", "^tcpdump -Z root -n -p -i docker0")
    _ping(lab)
    code, out, _ = recorder.send(signal.SIGINT).end()
    manifest, trace = _read(tmp_path / "b")
    pings = [j for j in trace.journeys() if j.summary.startswith("ICMP echo request")]

    assert code == 0
    assert _ended(manifest) == {"veth-c1": None, "docker0": ended, UPLINK: None}
    assert [point.dropped for point in manifest.points if point.name == "docker0"] == [None]
    assert _asked(trace) == [["veth-c1", "docker0", UPLINK], ["veth-c1", UPLINK]]
    assert [ping.disposition for ping in pings] == [Disposition.LEFT_HOST] * 2
    assert "no closing counts" in out
    assert [finding.check for finding in trace.findings] == ["capture-loss"]


def test_a_point_that_stood_still_is_no_witness(lab: Lab, tmp_path: Path) -> None:
    """A packet that only the first point saw, is not lost; that it arrived, its answer shows."""
    recorder = Recorder(lab, "-c", "c1", "-o", str(tmp_path / "b")).wait_for()
    for interface in ("docker0", UPLINK):
        run("pkill", "-STOP", "-f", f"^tcpdump -Z root -n -p -i {interface}")
    _ping(lab)
    recorder.send(signal.SIGINT).end()
    _, trace = _read(tmp_path / "b")
    (ping,) = (j for j in trace.journeys() if j.summary.startswith("ICMP echo request"))

    assert [hop.point for hop in ping.hops] == ["veth-c1"]
    assert ping.disposition is Disposition.DELIVERED
    assert "it arrived, for it was answered" in ping.reason


@pytest.mark.parametrize("reserve", ["0", "8"])
def test_a_disk_that_fills(lab: Lab, tmp_path: Path, reserve: str) -> None:
    """By somebody else: the captures end, the manifest says why, and the host's state has room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(disk))
    try:
        recorder = Recorder(lab, "-c", "c1", "--reserve", reserve, "-o", str(disk / "b")).wait_for()
        _ping(lab)
        with suppress(OSError), (disk / "filler").open("wb") as filler:
            while filler.write(bytes(1 << 16)):
                filler.flush()
        _ping(lab)
        code, _, err = recorder.end()  # no capture is left, so it ends by itself
        manifest, trace = _read(disk / "b")
        dumps = {path.name for path in (disk / "b" / "host").iterdir()}
    finally:
        run("umount", str(disk))

    assert code in (0, 3)
    assert set(_ended(manifest).values()) <= {"disk reserve reached", "cannot write: No space left on device", None}
    assert "disk reserve reached" in err or "No space left" in err
    assert manifest.stopped_ns is not None
    assert dumps >= {"iptables-save.txt", "ip-addr.json", "docker-inspect.json"}
    assert _asked(trace)[0] == ["veth-c1", "docker0", UPLINK]


@pytest.mark.parametrize("inside", [False, True], ids=["from outside", "also inside"])
def test_the_container_is_removed(lab: Lab, tmp_path: Path, inside: bool) -> None:
    """Its interfaces go, and inside its whole network; that is told of these points alone."""
    options = ("--inside",) if inside else ()
    recorder = Recorder(lab, "-c", "c1", *options, "-o", str(tmp_path / "b")).wait_for()
    _ping(lab)
    lab.remove_container("c1")
    recorder.wait_for("veth-c1: vanished; the others go on")
    code, _, _ = recorder.send(signal.SIGINT).end()
    manifest, trace = _read(tmp_path / "b")

    assert code == 0
    assert _ended(manifest) == {"veth-c1": "vanished", "docker0": None, UPLINK: None}
    assert _asked(trace)[0][-3:] == ["veth-c1", "docker0", UPLINK]


def test_the_container_is_restarted(lab: Lab, tmp_path: Path) -> None:
    """It has other interfaces then, which were not recorded; what was, is told."""
    recorder = Recorder(lab, "-c", "c1", "-o", str(tmp_path / "b")).wait_for()
    _ping(lab)
    lab.docker("restart", "-t", "0", "c1")
    recorder.wait_for("vanished; the others go on")
    recorder.send(signal.SIGINT).end()
    lab.remove_container("c1")
    manifest, trace = _read(tmp_path / "b")

    assert _ended(manifest) == {"veth-c1": "vanished", "docker0": None, UPLINK: None}
    assert _asked(trace) == [["veth-c1", "docker0", UPLINK]]


def test_an_interface_is_deleted(lab: Lab, tmp_path: Path) -> None:
    """Under the capture's feet."""
    veth = lab.host_veth("c1")
    recorder = Recorder(lab, "-c", "c1", "-o", str(tmp_path / "b")).wait_for()
    _ping(lab)
    run("ip", "-n", lab.namespace, "link", "del", veth)
    recorder.wait_for("vanished; the others go on")
    recorder.send(signal.SIGINT).end()
    lab.remove_container("c1")
    manifest, trace = _read(tmp_path / "b")

    assert _ended(manifest) == {"veth-c1": "vanished", "docker0": None, UPLINK: None}
    assert _asked(trace) == [["veth-c1", "docker0", UPLINK]]


AS_IT_IS = ("env",)
IGNORED = ("env", "--ignore-signal=INT,QUIT,TERM")
BLOCKED = ("env", "--block-signal=INT,QUIT,TERM,HUP")


@pytest.mark.parametrize("within", [AS_IT_IS, IGNORED, BLOCKED], ids=["nothing odd", "ignored", "blocked"])
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGHUP, 129), (signal.SIGQUIT, 131)],
)
def test_whatever_signal_comes(
    lab: Lab, tmp_path: Path, within: tuple[str, ...], number: signal.Signals, code: int
) -> None:
    """And whatever was inherited: all is on disk."""
    recorder = Recorder(lab, "-c", "c1", "-o", str(tmp_path / "b"), within=within).wait_for()
    _ping(lab)
    ended, _, _ = recorder.send(number).end()
    manifest, trace = _read(tmp_path / "b")

    assert ended == code
    assert (manifest.stopped_ns is not None, manifest.problems) == (True, ())
    assert set(_ended(manifest).values()) == {None}
    assert (tmp_path / "b" / "host" / "iptables-save.txt").is_file()
    assert _asked(trace) == [["veth-c1", "docker0", UPLINK]]


def test_the_terminal_is_gone(lab: Lab, tmp_path: Path) -> None:
    """As when an ssh session breaks: nobody can be told anything, and everything is recorded."""
    recorder = Recorder(lab, "-c", "c1", "-o", str(tmp_path / "b.tar.zst")).wait_for()
    _ping(lab)
    recorder.hang_up()
    recorder.send(signal.SIGHUP).process.wait(60)

    assert _asked(analyze([tmp_path / "b.tar.zst"])) == [["veth-c1", "docker0", UPLINK]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar.zst"]


def test_nohup_is_heeded(lab: Lab, tmp_path: Path) -> None:
    """Whoever has hangups ignored, wants it to go on."""
    nohup = ("env", "--ignore-signal=HUP")
    recorder = Recorder(lab, "-c", "c1", "-o", str(tmp_path / "b"), within=nohup).wait_for()
    recorder.send(signal.SIGHUP)
    _ping(lab)
    code, _, _ = recorder.send(signal.SIGTERM).end()

    assert code == 0
    assert _asked(_read(tmp_path / "b")[1]) == [["veth-c1", "docker0", UPLINK]]


def test_killed_while_it_records(lab: Lab, tmp_path: Path) -> None:
    """The bundle has its roles and the state of before; that there was no end, is told."""
    recorder = Recorder(lab, "-c", "c1", "-o", str(tmp_path / "b")).wait_for()
    _ping(lab)
    wait_for_frames(tmp_path / "b")
    recorder.kill()
    manifest, trace = _read(tmp_path / "b")

    assert manifest.stopped_ns is None
    assert _roles(trace) == ROLES
    assert {point.container for point in trace.points if point.name == "veth-c1"} == {"c1"}
    assert _asked(trace) == [["veth-c1", "docker0", UPLINK]]
    assert any("MASQUERADE" in (nat.rule or "") for nat in trace.connection(0).nat)
    assert any("has no end" in problem for problem in trace.hosts.everywhere.problems)


@pytest.mark.parametrize("moment", range(20))
def test_killed_at_any_moment(lab: Lab, tmp_path: Path, moment: int) -> None:
    """What lies there then can be read; nothing goes on, and nothing else is left."""
    wait_s = random.Random(moment).uniform(0.2, 4.5)
    recorder = Recorder(lab, "-c", "c1", "-a", "duration:2", "-o", str(tmp_path / "b.tar.zst"), "--no-analyze")
    pinging = subprocess.Popen(
        [*lab.in_container("c1"), "ping", "-i", "0.1", "-c", "60", "8.8.8.8"], stdout=subprocess.DEVNULL
    )
    time.sleep(wait_s)
    recorder.kill()
    pinging.kill()
    pinging.wait()

    assert _left(lab) == {}  # before anything is looked at: what was recording writes until it has ended
    captured = [path.stat().st_size for path in (tmp_path / "b").glob("*.pcap")]
    for path in (path for path in tmp_path.iterdir() if not path.name.startswith(".")):
        if path.is_dir() and max(captured, default=0) < PCAP_HEADER:
            with pytest.raises(InputError):
                analyze([path])
            continue
        trace = analyze([path])
        assert all(journey.disposition is not Disposition.LOST for journey in trace.journeys())
        there = {name: role for name, role in ROLES.items() if path.is_file() or (path / f"{name}.pcap").is_file()}
        if path.is_file() or min(captured) > PCAP_HEADER:
            assert _roles(trace) == there
        told = any("no capture of" in problem for problem in trace.hosts.everywhere.problems)
        assert told == (there != ROLES)  # killed before tcpdump made the file of each


def test_an_option_in_a_filter(lab: Lab, tmp_path: Path) -> None:
    """What the user gives as a filter is one, and never an option that writes files."""
    target = tmp_path / "written"
    recorder = Recorder(lab, "-c", "c1", "-f", f"-w{target}", "-a", "duration:1", "-o", str(tmp_path / "b"))
    code, _, err = recorder.end()

    assert code == 3
    assert "cannot capture" in err
    assert not target.exists()
    assert list(tmp_path.iterdir()) == []
