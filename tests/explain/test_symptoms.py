"""What is wrong with each packet: silence, refusal, loss within and beyond, and what takes precedence."""

from pathlib import Path

import pytest

from analyzer.explain.symptoms import SYMPTOMS, facts, pings_in_vain, silent_connections
from tests.build import C1, C2, echo, tcp, udp
from tests.explain.dns import answer, ask
from tests.explain.scene import INSIDE, Scene, frame, packet
from tests.explain.state import dumps, rules

SYN, ACK, RST_ACK, PSH = 2, 0x10, 0x14, 0x18
NAMES = {number: kind.name for kind, number in SYMPTOMS.items()}
WELL = NAMES[0]
WEB = "172.17.0.3"


def _end(scene: Scene, ms: float = 20_000) -> None:
    """Go on recording."""
    scene.out(ms, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    scene.back(ms + 1, 17, udp(2, 1, b"y"), src="9.9.9.9")


def _told(scene: Scene) -> list[str]:
    """Return each packet's symptom, without those of the end."""
    return [NAMES[int(number)] for number in facts(scene.case())["symptom"]][:-2]


def _to_web(scene: Scene, ms: float, proto: int, body: bytes, *, to: bool = True) -> None:
    """Let a container send the other one a packet, or the answer."""
    (src, dst), (mac, of) = ((INSIDE, WEB), (C1, C2)) if to else ((WEB, INSIDE), (C2, C1))
    scene.ident += 1
    data = packet(src, dst, proto, body, ident=scene.ident)
    for place, point in enumerate(("veth-c2", "veth-web") if to else ("veth-web", "veth-c2")):
        scene.see(point, ms + place * 0.02, frame(mac, of, data))


def test_what_is_answered_is_well(tmp_path: Path) -> None:
    """No packet of it has a row."""
    scene = Scene(tmp_path)
    scene.out(0, 6, tcp(4000, 80, 1, 0, SYN))
    scene.back(5, 6, tcp(80, 4000, 7, 2, SYN | ACK))
    scene.out(6, 6, tcp(4000, 80, 2, 8, ACK))
    scene.out(10, 1, echo(8, 7, 1))
    scene.back(15, 1, echo(0, 7, 1))
    _end(scene)
    found = facts(scene.case())

    assert {NAMES[int(number)] for number in found["symptom"]} == {WELL}
    assert found["row"].tolist() == [-1] * 7


@pytest.mark.parametrize(
    ("after_ms", "error", "told"), [(20_000, False, "UNANSWERED"), (100, False, WELL), (20_000, True, "REJECTED")],
    ids=["silence", "no-time-for-an-answer", "an-error"],
)  # fmt: skip
def test_a_connection_that_nothing_answers(tmp_path: Path, after_ms: float, error: bool, told: str) -> None:
    """There was time for an answer, and no error came either."""
    scene = Scene(tmp_path)
    body = tcp(4000, 80, 1, 0, SYN)
    scene.out(0, 6, body, ident=5)
    if error:
        scene.error(5, 3, 1, 6, body, ident=5)
    _end(scene, after_ms)

    assert _told(scene)[0] == told
    assert silent_connections(scene.case()) == ([0] if told == "UNANSWERED" else [])


@pytest.mark.parametrize(
    ("proto", "body"), [(6, tcp(4000, 80, 1, 0, SYN)), (1, echo(8, 7, 1))], ids=["connection", "ping"]
)
def test_what_came_to_a_container_and_is_not_answered_is_ignored(tmp_path: Path, proto: int, body: bytes) -> None:
    """It got there: nothing lost it."""
    scene = Scene(tmp_path, dumps=dumps())
    _to_web(scene, 0, proto, body)
    _end(scene)

    assert _told(scene) == ["IGNORED"]


def test_the_first_packet_of_what_a_reset_answers_is_refused(tmp_path: Path) -> None:
    """The reset itself is well."""
    scene = Scene(tmp_path)
    scene.out(0, 6, tcp(4000, 80, 1, 0, SYN))
    scene.back(5, 6, tcp(80, 4000, 0, 2, RST_ACK))
    _end(scene)

    assert _told(scene) == ["REJECTED", WELL]


@pytest.mark.parametrize(
    ("forward", "until", "told"),
    [("-A FORWARD -p tcp --dport 80 -j DROP\n", "docker0", "STOPPED"), ("", "docker0", "LOST_INSIDE"),
     ("", "wlan0", "UNANSWERED"), ("-A FORWARD -p tcp --dport 80 -j REJECT\n", "docker0", "STOPPED")],
    ids=["dropped", "lost", "left", "rejected"],
)  # fmt: skip
def test_where_it_ended_says_more_than_that_nothing_answers(
    tmp_path: Path, forward: str, until: str, told: str
) -> None:
    """What a rule stopped, and what was lost on this host, is not said to be unanswered."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(forward=forward)))
    scene.out(-50, 17, udp(1, 2, b"x"), dst="9.9.9.8")
    scene.back(-45, 17, udp(2, 1, b"y"), src="9.9.9.8")
    scene.out(0, 6, tcp(4000, 80, 1, 0, SYN), until=until)
    _end(scene)

    assert _told(scene)[2:] == [told]


@pytest.mark.parametrize(("after_ms", "told"), [(20_000, "LOST_BEYOND"), (2000, WELL)], ids=["waited", "too-soon"])
def test_a_ping_that_left_and_is_not_answered_was_lost_beyond(tmp_path: Path, after_ms: float, told: str) -> None:
    """If there was time for an answer; the one that was answered was not, and no container ignored it."""
    scene = Scene(tmp_path)
    scene.out(1000, 1, echo(8, 7, 1))
    scene.back(1005, 1, echo(0, 7, 1))
    scene.out(1500, 1, echo(8, 7, 2))
    _end(scene, after_ms)

    assert _told(scene) == [WELL, WELL, told]
    assert pings_in_vain(scene.case()).tolist() == []


@pytest.mark.parametrize(
    ("sport", "dport", "answered", "told"),
    [
        (4000, 7777, 1, "LOST_BEYOND"),
        (4000, 7777, 0, WELL),
        (7777, 7777, 1, WELL),
        (4000, 123, 0, "LOST_BEYOND"),
        (123, 123, 0, "LOST_BEYOND"),
    ],
    ids=["half-answered", "never-answered", "gossip", "time", "time-of-servers"],
)
def test_a_datagram_is_missed_where_answers_are_usual(
    tmp_path: Path, sport: int, dport: int, answered: int, told: str
) -> None:
    """Most are answered, or all of that protocol are; ports that are alike are no client's."""
    scene = Scene(tmp_path)
    scene.out(0, 17, udp(sport, dport, b"first"))
    scene.out(5000, 17, udp(sport, dport, b"second"))
    for number in range(answered):
        scene.back(5 + number, 17, udp(dport, sport, b"answer"))
    _end(scene)

    assert _told(scene)[-1] == told


@pytest.mark.parametrize(
    ("port", "turns", "told"),
    [
        (7777, (0, 0, 1, 1, 1, 0, 0), WELL),
        (7777, (0, 0, 1, 1, 0, 0), "LOST_BEYOND"),
        (7777, (0, 1, 0, 1, 0), "LOST_BEYOND"),
        (51820, (0, 1, 0, 0, 0), WELL),
        (51820, (0, 0), "LOST_BEYOND"),
    ],
    ids=["unasked", "once-doubled", "in-turns", "tunnel-greeted", "tunnel-silent"],
)
def test_who_speaks_without_being_asked_owes_no_answers(
    tmp_path: Path, port: int, turns: tuple[int, ...], told: str
) -> None:
    """What tunnels carry is no question; but the first word of a tunnel is answered."""
    scene = Scene(tmp_path)
    for number, back in enumerate(turns):
        body = b"%d" % number
        if back:
            scene.back(number * 1000, 17, udp(port, 4000, body))
        else:
            scene.out(number * 1000, 17, udp(4000, port, body))
    _end(scene)

    assert _told(scene)[-1] == told


def test_a_question_to_a_name_server_is_told_by_its_own_number(tmp_path: Path) -> None:
    """Of two, the one without an answer; however they came."""
    scene = Scene(tmp_path)
    for number in (1, 2):
        ask(scene, number, number, f"{number}.example")
    answer(scene, 10, 2, "2.example")
    _end(scene)

    assert _told(scene) == ["UNANSWERED", WELL, WELL]


def test_a_segment_that_was_sent_again_was_lost_beyond(tmp_path: Path) -> None:
    """Its copy arrived."""
    scene = Scene(tmp_path)
    scene.out(0, 6, tcp(4000, 80, 1, 0, SYN))
    scene.back(5, 6, tcp(80, 4000, 7, 2, SYN | ACK))
    for ms in (10, 300):
        scene.out(ms, 6, tcp(4000, 80, 2, 8, PSH, b"data"))
    scene.back(310, 6, tcp(80, 4000, 8, 6, ACK))
    _end(scene)

    assert _told(scene) == [WELL, WELL, "LOST_BEYOND", WELL, WELL]


def test_an_acknowledgement_that_came_too_late_was_lost_beyond(tmp_path: Path) -> None:
    """It had left when a client outside sent once more what it covers: not the segment was lost."""
    scene = Scene(tmp_path)
    scene.back(0, 6, tcp(4000, 80, 1, 0, SYN), masked=None)
    scene.out(5, 6, tcp(80, 4000, 7, 2, SYN | ACK), masked=None)
    scene.back(10, 6, tcp(4000, 80, 2, 8, PSH, b"data"), masked=None)
    scene.out(15, 6, tcp(80, 4000, 8, 6, ACK), masked=None)
    scene.back(300, 6, tcp(4000, 80, 2, 8, PSH, b"data"), masked=None)
    _end(scene)

    assert _told(scene) == [WELL, WELL, WELL, "LOST_BEYOND", WELL]


def test_one_row_is_one_symptom_of_a_stream_at_a_place(tmp_path: Path) -> None:
    """Another connection has a row of its own, and what is well has none."""
    scene = Scene(tmp_path, dumps=dumps())
    for number, ident in enumerate((7, 7, 8)):
        _to_web(scene, 1000 * number, 1, echo(8, ident, number))
    _end(scene)
    rows = facts(scene.case())["row"].tolist()

    assert rows[0] == rows[1] != rows[2]
    assert min(rows[:3]) >= 0
    assert rows[3:] == [-1, -1]
