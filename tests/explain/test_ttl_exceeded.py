"""Packets that died of age: of a loop, of a traceroute, or of a rule here."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import GATEWAY, UPLINK, tcp, udp
from tests.explain.scene import HOST, INSIDE6, SERVER, SERVER6, Scene, frame, packet
from tests.explain.state import dumps, rules

HYPOTHESIS = "ttl-exceeded"
ROUTER = "10.0.0.1"


def _told(scene: Scene, ms: float, ident: int, ttl: int, *, by: str = ROUTER, kind: tuple[int, int] = (11, 0)) -> None:
    body = udp(40_000 + ident, 7777, b"ask")
    scene.out(ms, 17, body, ident=ident, ttl=ttl)
    scene.error(ms + 5, *kind, 17, body, ident=ident, by=by)


@pytest.mark.parametrize(
    ("ttl", "severity"), [(2, Severity.INFO), (30, Severity.INFO), (31, Severity.ERROR), (64, Severity.ERROR)]
)
def test_how_old_it_was_when_it_was_sent(tmp_path: Path, ttl: int, severity: Severity) -> None:
    """Up to 30, as traceroute does, it is an info; else there is a loop."""
    scene = Scene(tmp_path)
    _told(scene, 0, 5, ttl)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "the TTL of 1 packet ended at 10.0.0.1"
    assert finding.severity is severity
    young = severity is Severity.INFO
    assert finding.explanation.startswith("They were sent with a low TTL" if young else "There is a loop beyond this ")
    assert finding.remedy.startswith("Nothing to do." if young else "Look at the routes there and beyond")
    assert [str(one) for one in finding.evidence] == ["wlan0 #1"]


@pytest.mark.parametrize("kind", [(11, 1), (3, 0), (3, 1), (12, 0)])
def test_other_errors_say_nothing_of_age(tmp_path: Path, kind: tuple[int, int]) -> None:
    """Nor does a fragment that came too late."""
    scene = Scene(tmp_path)
    _told(scene, 0, 5, 64, kind=kind)

    assert scene.titles(HYPOTHESIS) == []


def test_of_ipv6(tmp_path: Path) -> None:
    """Time exceeded, code 0."""
    scene = Scene(tmp_path)
    ends = {"src": INSIDE6, "dst": SERVER6, "masked": "fd00:1::100"}
    scene.out(0, 17, udp(40_000, 7777, b"ask"), **ends)  # type: ignore[arg-type]
    scene.error(5, 3, 0, 17, udp(40_000, 7777, b"ask"), by="fd00:1::1", **ends)  # type: ignore[arg-type]

    assert scene.titles(HYPOTHESIS) == ["the TTL of 1 packet ended at fd00:1::1"]


def test_by_router_and_age(tmp_path: Path) -> None:
    """Probes are told apart from packets that died."""
    scene = Scene(tmp_path)
    for number, (ttl, by) in enumerate(((2, ROUTER), (2, ROUTER), (64, ROUTER), (2, "10.0.0.2"))):
        _told(scene, number * 10, 5 + number, ttl, by=by)

    assert [(finding.detail, finding.severity) for finding in scene.findings(HYPOTHESIS)] == [
        ("the TTL of 1 packet ended at 10.0.0.1", Severity.ERROR),
        ("the TTL of 2 packets ended at 10.0.0.1", Severity.INFO),
        ("the TTL of 1 packet ended at 10.0.0.2", Severity.INFO),
    ]


@pytest.mark.parametrize(("ttl", "silent"), [(64, True), (20, False)])
def test_what_else_goes_there(tmp_path: Path, ttl: int, silent: bool) -> None:
    """A loop explains every packet to that destination; a traceroute explains none."""
    scene = Scene(tmp_path)
    _told(scene, 0, 5, ttl)
    scene.out(10, 6, tcp(50_000, 80, 1, 0, 2))
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")

    assert ("syn-unanswered" not in {finding.check for finding in scene.findings()}) is silent


@pytest.mark.parametrize(
    ("mangle", "proof"),
    [
        ("-A PREROUTING -j TTL --ttl-dec 1\n", ("iptables-save.txt: -A PREROUTING -j TTL --ttl-dec 1",)),
        ("-A PREROUTING -j MARK --set-mark 1\n", ()),
    ],
)
def test_this_host_ended_it(tmp_path: Path, mangle: str, proof: tuple[str, ...]) -> None:
    """By one of its addresses; rules that lower TTLs are the proof."""
    text = f"*mangle\n:PREROUTING ACCEPT [0:0]\n{mangle}COMMIT\n" + rules()
    scene = Scene(tmp_path, dumps=dumps(iptables_save=text))
    _told(scene, 0, 5, 64, by="172.17.0.1")
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "the TTL of 1 packet ended at 172.17.0.1, this host"
    assert finding.explanation.startswith("This host itself ended them: ")
    assert finding.remedy.startswith("Look for rules with -j TTL or -j HL in table mangle")
    assert finding.proof == proof


def _round(scene: Scene, rounds: int, *, step: int = 2, returns: bool = False, point: str = "wlan0") -> None:
    """Let a packet leave, and come by again, older each time."""
    body = udp(40_000, 7777, b"ask")
    scene.out(0, 17, body, ident=5)
    for number in range(1, rounds + 1):
        data = packet(HOST, SERVER, 17, body, ttl=63 - step * number, ident=5)
        ends = (GATEWAY, UPLINK) if returns else (GATEWAY, "00:1d:aa:01:02:99")
        scene.see(point, number, frame(*ends, data))
    scene.out(500, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    scene.back(501, 17, udp(2, 1, b"y"), src="9.9.9.9")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"rounds": 2}, True),
        ({"rounds": 1}, False),
        ({"rounds": 1, "returns": True}, True),
        ({"rounds": 2, "step": 0}, False),
        ({"rounds": 2, "point": "docker0"}, False),
    ],
    ids=["twice-more", "once-more", "came-back", "not-older", "inside"],
)
def test_round_in_circles(tmp_path: Path, fields: dict[str, object], told: bool) -> None:
    """It passed an uplink twice more, or came back to the host once, each time with a lower TTL."""
    scene = Scene(tmp_path)
    _round(scene, **fields)  # type: ignore[arg-type]

    assert scene.titles(HYPOTHESIS) == ["1 packet went round in circles at wlan0"] * told


def test_where_circling_packets_died(tmp_path: Path) -> None:
    """The routers that say so are named; the packets are not told once more."""
    scene = Scene(tmp_path)
    _round(scene, 3)
    scene.error(20, 11, 0, 17, udp(40_000, 7777, b"ask"), ident=5, by=ROUTER)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.severity is Severity.ERROR
    assert f"two routers send it to each other. They died at {ROUTER}. Of 172.17.0.2:40000" in finding.explanation
    assert finding.remedy == "Compare ip route get ADDRESS on this host with the routes of its gateway."
