"""From packets that were stopped to findings: how bad they are, what they are of, and what counters say of them."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.explain.parties import about
from analyzer.explain.stopped import severity
from analyzer.explain.tally import CountOf, Texts
from analyzer.model import Severity
from analyzer.report.words.sentence import affected
from tests.build import tcp, udp, write_pcap
from tests.explain.scene import INSIDE6, SERVER6, Scene
from tests.explain.state import dumps, routes, rules
from tests.simulate import ACK, PSH, SYN, Flow, Simulator

RST = 0x04
TALK = ACK | PSH


def _lose_one(simulator: Simulator, sport: int) -> Flow:
    """Open a connection; its first data do not get from the bridge to the uplink, and are sent again."""
    flow = simulator.flow("tcp", 2, "8.8.8.8", sport, 80, b"GET / HTTP/1.1")
    simulator.send(flow, reply=False, flags=SYN)
    simulator.send(flow, reply=True, flags=SYN | ACK)
    simulator.send(flow, reply=False, again=True)
    simulator.records["wlan0"].pop()
    simulator.send(flow, reply=False)
    return flow


def _severity(simulator: Simulator, folder: Path) -> Severity:
    """Analyse; frames are cut behind their headers, so that nothing is said of checksums."""
    paths = [
        write_pcap(folder / f"{point}.pcap", [(time, frame) for time, _, frame in records], snap=70)
        for point, records in simulator.records.items()
    ]
    (severity,) = (finding.severity for finding in analyze(paths).findings if finding.check == "loss-inside-host")
    return severity


@pytest.mark.parametrize(
    ("afterwards", "severity"),
    [
        ([], Severity.ERROR),
        ([(False, TALK)], Severity.ERROR),
        ([(True, RST)], Severity.ERROR),
        ([(True, RST | ACK)], Severity.ERROR),
        ([(True, TALK)], Severity.WARNING),
        ([(False, TALK), (True, TALK)], Severity.WARNING),
        ([(True, TALK), (True, RST)], Severity.WARNING),
    ],
    ids=["nothing", "asker-alone", "reset", "reset-ack", "answer", "more", "answer-then-reset"],
)
def test_a_loss_that_both_ends_talk_past(
    tmp_path: Path, afterwards: list[tuple[bool, int]], severity: Severity
) -> None:
    """It is a warning only if both ends went on after it; a reset is no talk."""
    simulator = Simulator(1)
    flow = _lose_one(simulator, 40_000)
    for reply, flags in afterwards:
        simulator.send(flow, reply=reply, flags=flags)

    assert _severity(simulator, tmp_path) is severity


@pytest.mark.parametrize(("second_too", "severity"), [(True, Severity.WARNING), (False, Severity.ERROR)])
def test_all_connections_must_have_got_through(tmp_path: Path, second_too: bool, severity: Severity) -> None:
    """One of two that did not makes the finding an error."""
    simulator = Simulator(2)
    flows = [_lose_one(simulator, sport) for sport in (40_000, 40_001)]
    for flow in flows[: 1 + second_too]:
        simulator.send(flow, reply=True)

    assert _severity(simulator, tmp_path) is severity


def _asked(scene: Scene, count: int) -> None:
    """Let a container begin connections, and send something that belongs to none."""
    for number in range(count):
        scene.out(number, 6, tcp(40_000 + number, 80, 1, 0, SYN))
    scene.out(100, 89, b"\2\1\0\x2c" + bytes(40), dst="224.0.0.5", masked=None)


@pytest.mark.parametrize(
    ("packets", "text"),
    [
        ([], ""),
        ([0], "Of 172.17.0.2:40000 → 8.8.8.8:80."),
        ([0, 1, 1], "Of 172.17.0.2:40000 → 8.8.8.8:80, 172.17.0.2:40001 → 8.8.8.8:80."),
        ([0, 1, 2], "Of 172.17.0.2:40000 → 8.8.8.8:80, 172.17.0.2:40001 → 8.8.8.8:80, 172.17.0.2:40002 → 8.8.8.8:80."),
        (
            [0, 1, 2, 3],
            f"Of {', '.join(f'172.17.0.2:{port} → 8.8.8.8:80' for port in (40000, 40001, 40002))} and 1 more.",
        ),
    ],
)
def test_three_connections_are_named(tmp_path: Path, packets: list[int], text: str) -> None:
    """Each once, in order of time; the others are counted."""
    scene = Scene(tmp_path)
    _asked(scene, 4)

    facts = {name: fact for name, fact in about(scene.case(), packets).items() if isinstance(fact, Texts | CountOf)}

    assert affected({name: fact.settled() for name, fact in facts.items()}) == text


@pytest.mark.parametrize(
    ("worst", "found"),
    [
        (Severity.ERROR, Severity.WARNING),
        (Severity.WARNING, Severity.WARNING),
        (Severity.INFO, Severity.INFO),
    ],
)
def test_where_no_container_is_concerned(tmp_path: Path, worst: Severity, found: Severity) -> None:
    """It is a warning at the most."""
    scene = Scene(tmp_path)
    scene.out(0, 17, udp(1, 2, b"x"), until="veth-c2")
    scene.points["wlan0"] = scene.points.pop("veth-c2")
    case = scene.case()

    assert severity(case, [0], worst) is found


@pytest.mark.parametrize(("ended", "found"), [(False, Severity.WARNING), (True, Severity.ERROR)])
def test_what_ended_a_connection(tmp_path: Path, ended: bool, found: Severity) -> None:
    """It did not get through, whatever was answered."""
    scene = Scene(tmp_path)
    scene.out(0, 17, udp(40_000, 7777, b"ask"))
    scene.back(5, 17, udp(7777, 40_000, b"tell"))

    assert severity(scene.case(), [0], Severity.ERROR, ended=ended) is found


DROP = "-A FORWARD -p tcp -m tcp --dport 80 -j DROP"


def _stopped(scene: Scene, count: int, **fields: object) -> tuple[str, ...]:
    """Let the host stop so many SYNs; return the proof, without the lines of the cause itself."""
    for number in range(count):
        scene.out(number * 10, 6, tcp(40_000 + number, 80, 1, 0, SYN), until="docker0", **fields)  # type: ignore[arg-type]
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    scene.back(9001, 17, udp(2, 1, b"y"), src="9.9.9.9")
    names = ("filtered-by-rule", "forwarding-disabled", "mtu-exceeded")
    (finding,) = (finding for finding in scene.findings() if finding.check in names)
    return tuple(line for line in finding.proof if "went up" in line or "counter" in line)


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (1, 4, "counter: 1 before, 4 after: 3, just the packets that are missing"),
        (0, 3, "counter: 0 before, 3 after: 3, just the packets that are missing"),
        (0, 7, "counter: 0 before, 7 after: 7, 3 of them are in the captures"),
        (None, 3, ""),
    ],
)
def test_a_rules_counter(tmp_path: Path, before: int | None, after: int, line: str) -> None:
    """How far it went while captures ran, beside how many packets are missing."""
    text = rules(forward=f"[{after}:180] {DROP}\n")
    scene = Scene(tmp_path, dumps=dumps(iptables_save=text))
    if before is not None:
        scene.dumps["before/iptables-save.txt"] = rules(forward=f"[{before}:180] {DROP}\n")

    assert _stopped(scene, 3) == ((line,) if line else ())


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (4, 6, "nstat.txt: IpInAddrErrors went up by 2, just the packets that are missing"),
        (4, 9, "nstat.txt: IpInAddrErrors went up by 5, and 2 packets are missing"),
        (4, 4, ""),
        (None, 9, ""),
    ],
)
def test_the_kernels_counter(tmp_path: Path, before: int | None, after: int, line: str) -> None:
    """Where no rule stopped them; one that stood still says nothing."""
    scene = Scene(tmp_path, dumps=dumps(sysctl="net.ipv4.ip_forward = 0\n"))
    scene.dumps["nstat.txt"] = f"IpInAddrErrors {after} 0.0\nIp6InAddrErrors 77 0.0\n"
    if before is not None:
        scene.dumps["before/nstat.txt"] = f"IpInAddrErrors {before} 0.0\nIp6InAddrErrors 0 0.0\n"

    assert _stopped(scene, 2) == ((line,) if line else ())


def test_the_kernels_counter_of_ipv6(tmp_path: Path) -> None:
    """It counts each family by itself."""
    way = [*routes(), {"dst": "default", "gateway": "fd00:1::1", "dev": "wlan0"}]
    scene = Scene(tmp_path, dumps=dumps(sysctl="net.ipv6.conf.all.forwarding = 0\n", ip_route=way))
    scene.dumps |= {
        "ip6tables-save.txt": rules(nat=""),
        "nstat.txt": "Ip6InAddrErrors 2 0.0\nIpInAddrErrors 77 0.0\n",
        "before/nstat.txt": "Ip6InAddrErrors 0 0.0\nIpInAddrErrors 0 0.0\n",
    }

    assert _stopped(scene, 2, src=INSIDE6, dst=SERVER6, masked="fd00:1::100") == (
        "nstat.txt: Ip6InAddrErrors went up by 2, just the packets that are missing",
    )
