"""hoptrace capture on a real Docker Engine: bundles of what happens now, and of what goes wrong meanwhile."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from analyzer import Trace, analyze
from analyzer.model import Disposition, Point, Role
from analyzer.read.manifest import Manifest, RecordedPoint, read_manifest
from analyzer.state.load import load_host
from tests.lab.commands import inside, run
from tests.lab.engine import CLIENT, INTERNET, UPLINK, Lab
from tests.live.recorder import Recorder, called, programs, wait_for_frames

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A host with a container on the default bridge, one with a published port, two on a network of their own."""
    with Lab() as lab:
        lab.run_container("c1")
        lab.run_container("web", "-p", "8080:80")
        lab.docker("network", "create", "mynet")
        lab.run_container("u1", "--network", "mynet")
        lab.run_container("u2", "--network", "mynet")
        lab.start_server(lab.in_container("web"), "http", "80")
        yield lab


def _capture(lab: Lab, *arguments: str, code: int = 0) -> str:
    ended, out, err = Recorder(lab, *arguments).end()
    assert ended == code, err
    return out + err


def _read(folder: Path) -> tuple[Manifest, Trace]:
    manifest = read_manifest(folder)
    assert manifest is not None
    return manifest, analyze([folder])


def _asked_for(points: "Iterable[RecordedPoint | Point]") -> "list[RecordedPoint | Point]":
    """Leave out the bridge's other ports, which are captured as well, by the names that the kernel gave them."""
    return [point for point in points if not re.fullmatch(r"veth[0-9a-f]{7}", point.name)]


def test_completion_knows_what_runs(lab: Lab) -> None:
    """By the names that the engine has for it."""
    asked = {"DOCKER_HOST": lab.socket, "COMP_WORDS": "hoptrace capture --engine docker -c u", "COMP_CWORD": "5"}
    done = subprocess.run(
        [*inside(lab.namespace), sys.executable, "-c", "from analyzer.cli import main; main(prog_name='hoptrace')"],
        env={**os.environ, **asked, "_HOPTRACE_COMPLETE": "bash_complete"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.split() == ["plain,u1", "plain,u2"]


def test_a_ping(lab: Lab, tmp_path: Path) -> None:
    """The command runs while everything is captured; the bundle tells the way, the rule, and what it counted."""
    lab.forget_neighbours()
    command = ("docker", "exec", "c1", "ping", "-c", "2", "8.8.8.8")
    told = _capture(lab, "-c", "c1", "-o", str(tmp_path / "b"), "--", *command)
    manifest, trace = _read(tmp_path / "b")
    connection = next(c for c in map(trace.connection, range(trace.packets)) if c.protocol == "icmp")
    journeys = [j for j in trace.journeys() if j.summary.startswith("ICMP echo request")]

    assert {(p.name, p.role, p.container) for p in _asked_for(manifest.points)} == {
        ("veth-c1", Role.VETH, "c1"), ("docker0", Role.BRIDGE, None), (UPLINK, Role.UPLINK, None)
    }  # fmt: skip
    assert [j.disposition for j in journeys] == [Disposition.LEFT_HOST] * 2
    assert all(len(j.hops) == 3 and j.answered_by is not None for j in journeys)
    assert connection.nat[0].rule == "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"
    assert (connection.nat[0].rule_packets or 0) > (connection.nat[0].rule_packets_before or 0)
    assert manifest.problems == ()
    assert {path.name for path in (tmp_path / "b").iterdir()} >= {
        "manifest.json", "host", "host-before", "conntrack-events.txt", "docker-events.json"
    }  # fmt: skip
    assert "2 packets transmitted, 2 packets received" in told
    assert "MASQUERADE 172.17.0.2 → 192.168.1.100" in told


def test_a_published_port_from_outside(lab: Lab, tmp_path: Path) -> None:
    """DNAT by the recorded rule, the published port by name; a packed bundle is read where it lies."""
    packed = tmp_path / "b.tar.zst"
    client = inside(
        INTERNET, "python3", "-c", "import urllib.request as u; u.urlopen('http://192.168.1.100:8080/').read()"
    )
    _capture(lab, "-c", "web", "-o", str(packed), "--", *client)
    trace = analyze([packed])
    tcp = [
        c for c in map(trace.connection, range(len(trace.correlated.connections["proto"]))) if c.original.dport == 8080
    ]

    assert [(str(c.original.src), str(c.reply.src), c.reply.sport) for c in tcp] == [(CLIENT, "172.17.0.3", 80)]
    assert "--to-destination 172.17.0.3:80" in (tcp[0].nat[0].rule or "")
    assert tcp[0].published == "web 0.0.0.0:8080->80/tcp"
    assert {point.name for point in _asked_for(trace.points)} == {"veth-web", "docker0", UPLINK, "lo"}
    assert len([point for point in trace.points if point.role is Role.VETH]) == 2  # c1's port is captured as well


def test_a_network_of_ones_own_and_its_name_server(lab: Lab, tmp_path: Path) -> None:
    """Docker's name server answers on the container's own loopback; the ping then crosses the bridge."""
    command = ("docker", "exec", "u1", "ping", "-c", "1", "u2")
    _capture(lab, "-c", "u1", "-c", "u2", "--inside", "-o", str(tmp_path / "b"), "--", *command)
    _, trace = _read(tmp_path / "b")
    by_name = {point.name: point for point in trace.points}
    ping = next(j for j in trace.journeys() if j.summary.startswith("ICMP echo request"))
    dns = [j for j in trace.journeys() if j.hops[0].point == "ct-u1-lo" and j.protocol == "udp"]

    assert by_name["veth-u1"].network == "mynet"
    assert (ping.hops[0].point, ping.hops[-1].point) == ("ct-u1", "ct-u2")
    assert ping.disposition is Disposition.DELIVERED
    assert dns
    assert str(dns[0].hops[0].dst) == "127.0.0.11"


def test_the_host_network_and_macvlan(lab: Lab, tmp_path: Path) -> None:
    """Without a veth: the uplink itself, and a container's own interface."""
    lab.docker("network", "create", "-d", "macvlan", "--subnet", "192.168.1.0/24", "-o", f"parent={UPLINK}", "mv")
    lab.run_container("m1", "--network", "mv", "--ip", "192.168.1.77")
    lab.run_container("h1", "--network", "host")
    try:
        command = ("docker", "exec", "m1", "ping", "-c", "1", "192.168.1.1")
        _capture(lab, "-c", "m1", "-c", "h1", "-o", str(tmp_path / "b"), "--", *command)
    finally:
        lab.remove_container("m1")
        lab.remove_container("h1")
        lab.docker("network", "rm", "mv")
    manifest, trace = _read(tmp_path / "b")

    assert {(p.name, p.interface, p.role) for p in manifest.points} == {
        ("ct-m1", "eth0", Role.CONTAINER), (UPLINK, UPLINK, Role.UPLINK)
    }  # fmt: skip
    ping = next(j for j in trace.journeys() if j.summary.startswith("ICMP echo request"))
    assert [hop.point for hop in ping.hops] == ["ct-m1", UPLINK]


def test_a_container_that_dies(lab: Lab, tmp_path: Path) -> None:
    """Its point says so; its last packets are there; the others go on."""
    lab.run_container("victim")
    recorder = Recorder(lab, "-c", "victim", "-c", "c1", "-a", "duration:4", "-o", str(tmp_path / "b")).wait_for(
        "capturing at"
    )
    lab.exec("victim", "ping", "-c", "1", "8.8.8.8")
    lab.remove_container("victim")
    lab.exec("c1", "ping", "-c", "1", "8.8.8.8")
    code, out, err = recorder.end()
    manifest, trace = _read(tmp_path / "b")
    ended = {point.name: point.ended for point in _asked_for(manifest.points)}

    assert code == 0
    assert ended == {"veth-victim": "vanished", "veth-c1": None, "docker0": None, UPLINK: None}
    assert "veth-victim: vanished; the others go on" in err
    assert "ended: vanished" in out
    requests = [j for j in trace.journeys() if j.summary.startswith("ICMP echo request")]
    assert {j.hops[0].point for j in requests} == {"veth-victim", "veth-c1"}
    assert all(j.answered_by is not None for j in requests)


def test_the_commands_exit_code(lab: Lab, tmp_path: Path) -> None:
    """Passed through; that of a program that is not there is 127, as a shell's."""
    _capture(lab, "-c", "c1", "-o", str(tmp_path / "a"), "--no-analyze", "--", "sh", "-c", "exit 7", code=7)
    _capture(lab, "-c", "c1", "-o", str(tmp_path / "b"), "--no-analyze", "--", "no-such-program", code=127)

    assert [read_manifest(tmp_path / name).exit_code for name in "ab"] == [7, 127]  # type: ignore[union-attr]


def test_a_full_disk(lab: Lab, tmp_path: Path) -> None:
    """The reserve is kept, and it is told; nothing is analysed that is not there."""
    told = _capture(
        lab, "-c", "c1", "--reserve", str(1 << 40), "-o", str(tmp_path / "b"), "--",
        "docker", "exec", "c1", "ping", "-c", "1", "8.8.8.8", code=3,
    )  # fmt: skip
    manifest = read_manifest(tmp_path / "b")

    assert manifest is not None
    assert {point.ended for point in manifest.points} == {"disk reserve reached"}
    assert "veth-c1: ended: disk reserve reached" in told


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("-c", "nobody"), 2, "no container nobody on this host"),
        (("-i", "nothing0"), 2, "no interface nothing0 on this host"),
        (("-c", "c1", "-f", "nonsense ("), 3, "can't parse filter expression"),
        (("-c", "c1", "-a", "duration:-1"), 2, "known are duration:SECONDS and packets:NUMBER"),
        ((), 2, "give at least one container"),
    ],
)
def test_nothing_is_made_where_nothing_can_be_captured(
    lab: Lab, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """One line, and no folder."""
    told = _capture(lab, *arguments, "-o", str(tmp_path / "b"), code=code)

    assert said in told
    assert not (tmp_path / "b").exists()


def test_a_missing_tool_is_named_with_its_package(lab: Lab, tmp_path: Path) -> None:
    """As the person would install it."""
    for name in ("ip", "docker", "sh"):
        (tmp_path / name).symlink_to(run("which", name).strip())
    code, _, err = Recorder(lab, "-c", "c1", "-o", str(tmp_path / "b"), path=f"{tmp_path}").end()

    assert code == 3
    assert "tcpdump is missing on this host: apt-get install tcpdump" in err


def test_a_name_that_is_taken(lab: Lab, tmp_path: Path) -> None:
    """Neither a folder nor a symlink is written into."""
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("there", "link"):
        assert "is there already" in _capture(lab, "-c", "c1", "-o", str(tmp_path / name), code=3)

    assert not (tmp_path / "elsewhere").exists()


def test_a_number_of_packets(lab: Lab, tmp_path: Path) -> None:
    """The first capture that is full ends all."""
    recorder = Recorder(
        lab, "-c", "c1", "-a", "packets:4", "-s", "60", "-f", "icmp", "-o", str(tmp_path / "b")
    ).wait_for("capturing at")
    lab.exec("c1", "ping", "-c", "3", "-i", "0.3", "8.8.8.8")
    recorder.end()
    manifest, trace = _read(tmp_path / "b")

    assert (manifest.snap_len, manifest.filter) == (60, "icmp")
    assert max(point.frames for point in trace.points) == 4


def test_an_overlay_of_two_engines(lab: Lab, tmp_path: Path) -> None:
    """The network's own namespace is found: bridge and VXLAN, and the inner packet is followed through."""
    other = lab.second()
    lab.docker("network", "create", "-d", "overlay", "--attachable", "--subnet", "10.30.0.0/24", "ov")
    lab.run_container("o1", "--network", "ov", "--ip", "10.30.0.11")
    other.run_container("o2", "--network", "ov", "--ip", "10.30.0.12")
    time.sleep(3)
    try:
        command = ("docker", "exec", "o1", "ping", "-c", "2", "10.30.0.12")
        _capture(lab, "-c", "o1", "-o", str(tmp_path / "b"), "--", *command)
    finally:
        other.remove_container("o2")
        lab.remove_container("o1")
    manifest, trace = _read(tmp_path / "b")
    ping = next(j for j in trace.journeys() if j.summary.startswith("ICMP echo request"))

    assert {("veth-o1", Role.VETH), ("br-ov", Role.BRIDGE), ("vxlan-ov", Role.OVERLAY), (UPLINK, Role.UPLINK)} <= {
        (point.name, point.role) for point in manifest.points
    }
    # The network's bridge shows nothing that it forwards from port to port, and says so.
    assert [hop.point for hop in ping.hops] == ["veth-o1", "vxlan-ov", UPLINK]
    assert {point.name for point in manifest.points if point.unseen} == {"br-ov", "docker_gwbridge"}
    assert [step.vni for step in ping.steps if step.kind == "tunnel"]  # type: ignore[union-attr]
    # Its table sends the other container's frames to the other host, one of the network's.
    host = load_host(tmp_path / "b" / "host")
    network = next(one for one in host.networks if one.name == "ov")
    assert {entry.dst for entry in host.overlays["ov"].fdb if entry.dst is not None} == {ip_address("192.168.2.100")}
    assert {str(ip) for ip in network.peers} == {"192.168.1.100", "192.168.2.100"}


@pytest.fixture
def ssh(lab: Lab, tmp_path: Path) -> Iterator[str]:
    """Run an ssh server on the host's loopback; give what HOPTRACE_SSH shall be."""
    for name in ("host", "user"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name))
    (tmp_path / "known").write_text(f"[127.0.0.1]:2222 {(tmp_path / 'host.pub').read_text()}")
    (tmp_path / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:2222\nHostKey {tmp_path}/host\nAuthorizedKeysFile {tmp_path}/user.pub\n"
        f"StrictModes no\nPermitRootLogin yes\nSetEnv DOCKER_HOST={lab.socket}\nPidFile none\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    server = subprocess.Popen(inside(lab.namespace, "/usr/sbin/sshd", "-D", "-e", "-f", str(tmp_path / "sshd_config")))
    time.sleep(0.5)
    yield f"ssh -i {tmp_path}/user -o UserKnownHostsFile={tmp_path}/known"
    server.terminate()
    server.wait()


def test_over_ssh(lab: Lab, tmp_path: Path, ssh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Captures, dumps and the command on the far side; the bundle on this one."""
    monkeypatch.setenv("HOPTRACE_SSH", ssh)
    command = ("docker", "exec", "c1", "ping", "-c", "1", "8.8.8.8")
    _capture(lab, "--ssh", "ssh://root@127.0.0.1:2222", "-c", "c1", "-o", str(tmp_path / "b"), "--", *command)
    manifest, trace = _read(tmp_path / "b")
    ping = next(j for j in trace.journeys() if j.summary.startswith("ICMP echo request"))

    assert [hop.point for hop in ping.hops] == ["veth-c1", "docker0", UPLINK]
    assert {point.ended for point in manifest.points} == {None}
    assert not any("tcpdump" in line for line in called(programs(lab.namespace)).values())


def test_docker_events_are_kept(lab: Lab, tmp_path: Path) -> None:
    """What Docker said while captures ran."""
    _capture(lab, "-c", "c1", "-o", str(tmp_path / "b"), "--no-analyze", "--", "docker", "exec", "c1", "sh", "-c", ":")
    events = [json.loads(line) for line in (tmp_path / "b" / "docker-events.json").read_text().splitlines()]
    assert all(set(event["Actor"]["Attributes"]) == {"name", "container", "exitCode", "signal"} for event in events)

    assert any(event.get("Action", "").startswith("exec_start: sh") for event in events)


INSTANCES = 'd=$(mktemp -d); mount -t tracefs tracefs "$d"; ls "$d/instances"; umount "$d"; rmdir "$d"'


def _left(lab: Lab) -> tuple[set[str], set[str]]:
    """Return the programs on the lab's host, and what is traced for hoptrace."""
    return programs(lab.namespace), {name for name in run("unshare", "-m", "sh", "-c", INSTANCES).split()
                                     if name.startswith("hoptrace")}  # fmt: skip


@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
def test_what_the_kernel_drops(lab: Lab, tmp_path: Path, killed: bool) -> None:
    """A rule that no dump shows any more is told by the kernel; nothing is traced afterwards, also of who is killed."""
    before = _left(lab)
    recorder = Recorder(lab, "-c", "c1", "--drops", "--no-analyze", "-o", str(tmp_path / "b")).wait_for()
    rule = ("DOCKER-USER", "-p", "icmp", "-j", "DROP")
    run(*inside(lab.namespace, "iptables", "-w", "-I", *rule))
    lab.exec("c1", "ping", "-c", "2", "-W", "1", "8.8.8.8", check=False)
    run(*inside(lab.namespace, "iptables", "-w", "-D", *rule))
    lab.exec("c1", "ping", "-c", "1", "8.8.8.8")
    if killed:
        wait_for_frames(tmp_path / "b")
        recorder.kill()
    else:
        recorder.send(signal.SIGINT).end()
    deadline = time.monotonic() + 10
    while any(now - then for now, then in zip(_left(lab), before, strict=True)) and time.monotonic() < deadline:
        time.sleep(0.2)
    told = analyze([tmp_path / "b"])
    ends = [journey for journey in told.journeys() if journey.summary.startswith("ICMP echo request")]

    assert [journey.disposition for journey in ends] == [Disposition.DROPPED] * 2 + [Disposition.LEFT_HOST]
    assert "a netfilter hook drops it: a rule, or a chain's policy (NETFILTER_DROP in " in ends[0].reason
    assert "dropped-by-kernel" in {finding.check for finding in told.findings}
    assert [now - then for now, then in zip(_left(lab), before, strict=True)] == [set(), set()]
