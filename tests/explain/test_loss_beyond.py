"""What gets no answer, or is sent again: lost beyond the host, unless nobody was to answer it."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.model import Basis, Finding, Severity
from tests.build import BRIDGE, C1, echo, tcp, udp
from tests.explain.scene import INSIDE, SERVER, Scene, frame, packet
from tests.simulate import Simulator

HYPOTHESIS = "loss-beyond-host"
SYN, ACK, PSH = 0x02, 0x10, 0x18


def _titles(folder: Path, asked: int, answered: int, *, sport: int = 40_000) -> list[str]:
    """Let a container send datagrams, the first of which are answered; others follow 2 s later."""
    simulator = Simulator(1)
    for server, count, answers in (("8.8.8.8", asked, answered), ("9.9.9.9", 1, 1)):
        flow = simulator.flow("udp", 2, server, sport, 7777, None)
        for number in range(count):
            simulator.send(flow, reply=False)
            if number < answers:
                simulator.send(flow, reply=True)
        simulator.now += 2_000_000_000
    return [finding.detail for finding in analyze(simulator.write(folder)).findings]


@pytest.mark.parametrize(
    ("asked", "answered", "lost"),
    [
        (4, 4, []),
        (4, 3, ["1 packet"]),
        (4, 2, ["2 packets"]),
        (5, 3, ["2 packets"]),
        (4, 1, []),
        (5, 2, []),
        (4, 0, []),
    ],
)
def test_half_of_the_datagrams_must_be_answered(tmp_path: Path, asked: int, answered: int, lost: list[str]) -> None:
    """Who answers less is no server that owes answers: streams and logs go one way."""
    titles = _titles(tmp_path, asked, answered)

    assert titles == [f"{count} towards 8.8.8.8, or their answers, lost beyond wlan0" for count in lost]


def test_peers_with_equal_ports_owe_no_answers(tmp_path: Path) -> None:
    """Gossip goes from port to the same port, both ways."""
    assert _titles(tmp_path, 4, 3, sport=7777) == []


def _ping(scene: Scene, ms: float, seq: int, *, answered: bool, dst: str = SERVER, ident: int = 7) -> None:
    scene.out(ms, 1, echo(8, ident, seq, b"ping"), dst=dst)
    if answered:
        scene.back(ms + 5, 1, echo(0, ident, seq, b"ping"), src=dst)


def _later(scene: Scene, ms: float = 9000) -> None:
    scene.see("veth-c2", ms, frame(C1, BRIDGE, packet(INSIDE, "9.9.9.9", 17, udp(1, 2, b"x"))))


@pytest.mark.parametrize(
    ("answered", "until_ms", "lost"),
    [
        ([True, False, True], 9000, "1 packet"),
        ([False, False, False], 9000, "3 packets"),
        ([True, True, True], 9000, ""),
        ([True, True, False], 1200, "1 packet"),
        ([True, True, False], 1199, ""),
    ],
    ids=["one", "all", "none", "a-second", "less"],
)
def test_pings(tmp_path: Path, answered: list[bool], until_ms: float, lost: str) -> None:
    """Each owes an answer within a second, however few are answered."""
    scene = Scene(tmp_path)
    for number, yes in enumerate(answered):
        _ping(scene, number * 100, number, answered=yes)
    _later(scene, until_ms)

    assert scene.titles(HYPOTHESIS) == (
        [f"{lost} towards 8.8.8.8, or their answers, lost beyond wlan0"] if lost else []
    )


def test_pings_that_did_not_leave(tmp_path: Path) -> None:
    """Were not lost beyond the host."""
    scene = Scene(tmp_path)
    _ping(scene, 0, 0, answered=True)
    scene.out(100, 1, echo(8, 7, 1, b"ping"), until="veth-c2")
    _later(scene)

    assert scene.titles(HYPOTHESIS) == []


def test_pings_that_an_error_answered(tmp_path: Path) -> None:
    """Whatever it says, it is an answer."""
    scene = Scene(tmp_path)
    _ping(scene, 0, 0, answered=False)
    _ping(scene, 100, 1, answered=False)
    scene.error(105, 12, 0, 1, echo(8, 7, 1, b"ping"), ident=2)
    _later(scene)

    assert scene.titles(HYPOTHESIS) == ["1 packet towards 8.8.8.8, or their answers, lost beyond wlan0"]


@pytest.mark.parametrize(("count", "titles"), [(8, 8), (9, 1)])
def test_many_peers_are_one_line(tmp_path: Path, count: int, titles: int) -> None:
    """From nine on."""
    scene = Scene(tmp_path)
    for number in range(count):
        _ping(scene, 0, 0, answered=False, dst=f"9.9.9.{number}", ident=number)
    _later(scene)
    found = scene.titles(HYPOTHESIS)

    assert len(found) == titles
    assert ("9 packets towards 9 peers, or their answers, lost beyond wlan0" in found) is (count == 9)


def test_what_is_told_of_a_peer(tmp_path: Path) -> None:
    """A warning, inferred, with the frames where they left, and the connections."""
    scene = Scene(tmp_path)
    for number in range(2):
        _ping(scene, number * 100, number, answered=False)
    _later(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert (finding.severity, finding.basis) == (Severity.WARNING, Basis.INFERRED)
    assert finding.explanation == (
        "They left by wlan0 and were not answered in time, or were sent again: it was not this host. "
        "Of 172.17.0.2 → 8.8.8.8 id 7."
    )
    assert [str(one) for one in finding.evidence] == ["wlan0 #1", "wlan0 #2"]


def _connect(scene: Scene) -> None:
    scene.out(0, 6, tcp(40_000, 80, 99, 0, SYN))
    scene.back(5, 6, tcp(80, 40_000, 499, 100, SYN | ACK))
    scene.out(6, 6, tcp(40_000, 80, 100, 500, ACK))


@pytest.mark.parametrize(("until", "told"), [("wlan0", True), ("docker0", False)], ids=["left", "lost-inside"])
def test_segments_that_were_sent_again(tmp_path: Path, until: str, told: bool) -> None:
    """Count beyond the host if they had left it; the first one of the copies does."""
    scene = Scene(tmp_path)
    _connect(scene)
    scene.out(10, 6, tcp(40_000, 80, 100, 500, PSH, b"GET"), until=until)
    for ms in (300, 600):
        scene.out(ms, 6, tcp(40_000, 80, 100, 500, PSH, b"GET"))
    scene.back(610, 6, tcp(80, 40_000, 500, 103, ACK))

    assert scene.titles(HYPOTHESIS) == ["1 packet towards 8.8.8.8, or their answers, lost beyond wlan0"] * told


def test_segments_that_came_late(tmp_path: Path) -> None:
    """What follows them was there before: the originals never reached the host."""
    scene = Scene(tmp_path)
    _connect(scene)
    scene.back(100, 6, tcp(80, 40_000, 510, 100, PSH, b"b" * 10))
    scene.out(101, 6, tcp(40_000, 80, 100, 500, ACK))
    scene.back(400, 6, tcp(80, 40_000, 500, 100, PSH, b"a" * 10))
    scene.out(401, 6, tcp(40_000, 80, 100, 520, ACK))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "1 packet from 8.8.8.8 lost before wlan0"
    assert finding.explanation.startswith("They came to wlan0 only after what follows them, sent again: ")
    assert [str(one) for one in finding.evidence] == ["veth-c2 #6"]


def test_both_ways(tmp_path: Path) -> None:
    """A connection that lost something each way: each is told."""
    scene = Scene(tmp_path)
    _connect(scene)
    for ms in (10, 50):
        scene.out(ms, 6, tcp(40_000, 80, 100, 500, PSH, b"GET"))
    scene.back(100, 6, tcp(80, 40_000, 510, 103, PSH, b"b" * 10))
    scene.back(400, 6, tcp(80, 40_000, 500, 103, PSH, b"a" * 10))
    scene.out(401, 6, tcp(40_000, 80, 103, 520, ACK))

    assert scene.titles(HYPOTHESIS) == [
        "1 packet from 8.8.8.8 lost before wlan0",
        "1 packet towards 8.8.8.8, or their answers, lost beyond wlan0",
    ]


def test_as_many_answers_as_questions(tmp_path: Path) -> None:
    """Owe nothing, although the second one answers what nobody asked any more."""
    scene = Scene(tmp_path)
    for ms, back in ((0, False), (6000, False), (6005, True), (6006, True)):
        if back:
            scene.back(ms, 17, udp(7777, 40_000, b"tell"))
        else:
            scene.out(ms, 17, udp(40_000, 7777, b"ask"))
    _later(scene, 20_000)

    assert scene.titles(HYPOTHESIS) == []


def _paced(folder: Path, fast: list[bool], slow: list[bool], *, port: int = 7777) -> list[Finding]:
    """Let a container ask slowly in one connection, then quickly in another: which ones were answered."""
    scene = Scene(folder)
    for number, answered in enumerate(slow):
        scene.out(2000 * number, 17, udp(40_000, port, b"s%d" % number))
        if answered:
            scene.back(2000 * number + 1, 17, udp(port, 40_000, b"S%d" % number))
    start = 2000 * len(slow)
    for number, answered in enumerate(fast):
        scene.out(start + 10 * number, 17, udp(40_001, port, b"f%d" % number))
        if answered:
            scene.back(start + 10 * number + 1, 17, udp(port, 40_001, b"F%d" % number))
    scene.out(start + 9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    scene.back(start + 9001, 17, udp(2, 1, b"y"), src="9.9.9.9")
    return scene.findings(HYPOTHESIS)


FEW_PASS = [True] * 10 + [False] * 20


@pytest.mark.parametrize(
    ("fast", "slow", "at_once"),
    [
        (FEW_PASS, [True] * 4, True),
        ([True] * 6 + [False] * 24, [True] * 4, False),
        ([True] * 30, [True] * 4, None),
        (FEW_PASS, [True] * 3, None),
        (FEW_PASS, [True, True, False, True, True, True], None),
    ],
    ids=["too-many", "a-few-as-well", "all-pass", "not-known-to-answer", "nor-the-slow-ones"],
)
def test_only_what_is_sent_at_once_is_lost(
    tmp_path: Path, fast: list[bool], slow: list[bool], at_once: bool | None
) -> None:
    """Of a server that answers each question elsewhere: more than ten within a second are too many."""
    found = [one for one in _paced(tmp_path, fast, slow) if int(one.facts["packets"]) > 1]  # type: ignore[arg-type]

    assert [bool(one.facts.get("at_once")) for one in found] == ([] if at_once is None else [at_once])
    assert all(("lets only some of them pass" in one.title) is bool(at_once) for one in found)


def test_quic_answers_no_datagram_of_its_own(tmp_path: Path) -> None:
    """What many datagrams bring up, one acknowledges."""
    assert _paced(tmp_path, FEW_PASS, [True] * 4, port=443) == []


@pytest.mark.parametrize(
    ("answers", "arrived", "lost"),
    [(1, True, True), (2, True, False), (2, False, True)],
    ids=["one-answer", "two-answers", "two-answers-in-vain"],
)
def test_a_syn_whose_answer_is_late_is_not_lost(tmp_path: Path, answers: int, arrived: bool, lost: bool) -> None:
    """Sent again after a second; then both are answered, and the client goes on, or it never does."""
    scene = Scene(tmp_path)
    for number in range(2):
        scene.out(1000 * number, 6, tcp(40_000, 80, 1, 0, SYN))
    for number in range(answers):
        scene.back(1300 + number, 6, tcp(80, 40_000, 7, 2, SYN | ACK))
    if arrived:
        scene.out(1310, 6, tcp(40_000, 80, 2, 8, ACK))

    assert bool(scene.findings(HYPOTHESIS)) is lost
