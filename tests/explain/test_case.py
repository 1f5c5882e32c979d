"""What hypotheses look at: packets, and whether the captures would have shown an answer."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.model import Role
from analyzer.read.manifest import Manifest, RecordedPoint, write_manifest
from tests.build import C1, C2, T0, arp, ether, tcp, udp
from tests.explain.scene import INSIDE, Scene
from tests.explain.state import dumps
from tests.simulate import Simulator

S = 1_000_000_000


def _checks(folder: Path, words: str, silence_ns: int) -> list[str]:
    """
    Analyse a bundle in which a server answers one datagram, and then not the next one; name the findings.

    *words* is the filter, *silence_ns* how long captures went on after the last datagram.
    """
    simulator = Simulator(1)
    flow = simulator.flow("udp", 2, "203.0.113.5", 40_000, 7777, None)
    for reply in (False, True, False):
        simulator.send(flow, reply=reply)
    simulator.write(folder)
    stopped_ns = simulator.records["veth-c2"][-1][0] + silence_ns
    points = (
        RecordedPoint("veth-c2", "veth-c2.pcap", "veth1a2b3c4", Role.VETH, "c2", dropped=0),
        RecordedPoint("docker0", "docker0.pcap", "docker0", Role.BRIDGE, dropped=0),
        RecordedPoint("wlan0", "wlan0.pcap", "wlan0", Role.UPLINK, dropped=0),
    )
    write_manifest(folder, Manifest(T0 - S, stopped_ns, "host", 0, words, points=points))
    return [finding.check for finding in analyze([folder]).findings]


@pytest.mark.parametrize("words", ["", "udp", "udp port 7777", "host 203.0.113.5 and port 7777"])
def test_a_filter_that_keeps_both_directions(tmp_path: Path, words: str) -> None:
    """An answer would have been recorded, so nobody answered."""
    assert _checks(tmp_path, words, 5 * S) == ["loss-beyond-host"]


@pytest.mark.parametrize(
    "words",
    [
        "src host 172.17.0.2",
        "udp dst port 7777",
        "inbound",
        "outbound and udp",
        "not host 8.8.8.8",
        "! port 22",
        "udp[8] == 2",
        "tcp-syn != 0 or udp",
    ],
)
def test_a_filter_that_may_leave_answers_out(tmp_path: Path, words: str) -> None:
    """Whoever asks for a direction, or for bytes, does not see whether somebody answered."""
    assert _checks(tmp_path, words, 5 * S) == []


@pytest.mark.parametrize(("silence_ns", "checks"), [(S, ["loss-beyond-host"]), (S - 1, [])])
def test_an_answer_may_take_a_second(tmp_path: Path, silence_ns: int, checks: list[str]) -> None:
    """Captures that end sooner after the question do not show that it had none."""
    assert _checks(tmp_path, "", silence_ns) == checks


def _scene(folder: Path, **changed: object) -> Scene:
    """Return a host that recorded four packets of two connections, and one that belongs to none."""
    scene = Scene(folder, dumps=dumps(**changed))
    scene.out(0, 17, udp(40_000, 7777, b"ask"))
    scene.back(5, 17, udp(7777, 40_000, b"tell"))
    scene.out(10, 17, udp(40_000, 7777, b"again"))
    scene.out(20, 17, udp(40_001, 7777, b"other"), until="docker0")
    scene.see("docker0", 30, ether(C1, "ff:ff:ff:ff:ff:ff", arp(1, C1, INSIDE, C2, "172.17.0.3"), 0x0806))
    return scene


def test_packets_of_a_connection(tmp_path: Path) -> None:
    """In order of time, of one direction or both; the first one of all has a connection as any other."""
    case = _scene(tmp_path).case()
    first, none = case.connection_of(0), case.connection_of(4)

    assert [case.packets_of(0, reply=way).tolist() for way in (None, False, True)] == [[0, 1, 2], [0, 2], [1]]
    assert case.packets_of(1).tolist() == [3]
    assert first is not None
    assert first.id == 0
    assert none is None


def test_frames_that_show_packets(tmp_path: Path) -> None:
    """Where each was seen last, or first; five at the most."""
    case = _scene(tmp_path).case()

    assert [str(one) for one in case.evidence([0, 1, 3])] == ["wlan0 #1", "veth-c2 #2", "docker0 #4"]
    assert [str(one) for one in case.evidence([0, 1, 3], first=True)] == ["veth-c2 #1", "wlan0 #2", "veth-c2 #4"]
    assert [one.journey for one in case.evidence([0, 1, 3])] == [0, 1, 3]
    assert len(case.evidence([0, 1, 2, 3, 4, 0])) == 5


def test_interfaces_of_points(tmp_path: Path) -> None:
    """By the point's interface, as the dump has it; None if it has not."""
    case = _scene(tmp_path).case()
    link = case.link_at("wlan0")

    assert case.point_named("docker0").name == "docker0"
    assert link is not None
    assert (link.name, link.mtu) == ("wlan0", 1500)
    assert case.link_at("veth-c2") is None


def test_when_all_ends(tmp_path: Path) -> None:
    """With the last frame, or when a manifest says that captures stopped, whichever is later."""
    scene = _scene(tmp_path)
    without = scene.case().end_ns
    scene.recorded(500)
    later = scene.case().end_ns
    scene.recorded(20)
    earlier = scene.case().end_ns

    assert [(time - T0) / 1e6 for time in (without, later, earlier)] == [30, 500, 30]


@pytest.mark.parametrize(
    ("words", "one_sided"),
    [(None, False), ("", False), ("port 53", False), ("host 10.0.0.1 or arp", False), ("dst port 53", True),
     ("not port 22", True), ("tcp[13] & 2 != 0", True), ("! arp", True), ("tcp[tcpflags] == 2", True),
     ("host source.example", False)],
)  # fmt: skip
def test_filters_that_may_hide_answers(tmp_path: Path, words: str | None, one_sided: bool) -> None:
    """By their words, wherever they stand; parts of names are none."""
    scene = _scene(tmp_path)
    scene.recorded(5000)
    text = (tmp_path / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(text.replace('"filter": ""', f'"filter": "{words or ""}"'))
    case = scene.case()

    assert case.one_sided is one_sided
    assert case.waited(0) is not one_sided


def test_errors_of_icmp(tmp_path: Path) -> None:
    """Each once, with what it quotes, who says it, and what it says."""
    scene = Scene(tmp_path)
    body = udp(40_000, 7777, b"ask")
    scene.out(0, 17, body, ident=5)
    scene.error(5, 3, 4, 17, body, ident=5, by="10.0.0.1", word=1400)
    scene.error(9, 3, 1, 17, udp(1, 2, b"never seen"), ident=77, by="10.0.0.2")
    known, unknown = scene.case().errors

    assert (str(known.source), known.kind, known.mtu, known.quoted) == ("10.0.0.1", (4, 3, 4), 1400, 0)
    assert (str(unknown.source), unknown.kind, unknown.mtu, unknown.quoted) == ("10.0.0.2", (4, 3, 1), 0, None)
    assert [str(one.target) for one in (known, unknown)] == ["8.8.8.8", "8.8.8.8"]
    assert known.packet < unknown.packet


@pytest.mark.parametrize(
    ("asked", "granted", "went_on", "answered"), [(1, 1, False, True), (2, 1, False, False), (2, 2, True, True)],
    ids=["at-the-end", "asked-again", "heard"],
)  # fmt: skip
def test_an_answer_that_was_asked_for_again_was_not_heard(
    tmp_path: Path, asked: int, granted: int, went_on: bool, answered: bool
) -> None:
    """It came to its port; whoever asks once more, and never goes on, did not get it."""
    scene = Scene(tmp_path, dumps=dumps())
    for number in range(asked):
        scene.out(number * 1000, 6, tcp(4000, 80, 1, 0, 2), ident=5 + number)
    for number in range(granted):
        scene.back(number * 1000 + 5, 6, tcp(80, 4000, 7, 2, 0x12), ident=15 + number)
    if went_on:
        scene.out(3000, 6, tcp(4000, 80, 2, 8, 0x10), ident=9)

    assert scene.case().answered_in_the_end.tolist() == [answered]
