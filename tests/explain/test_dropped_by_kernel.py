"""What the kernel says of packets that it dropped: by reason and place, and how much a reason explains."""

from pathlib import Path

import pytest

from analyzer.explain.hypotheses.dropped_by_kernel import causes
from analyzer.explain.hypothesis import Cause, Specific
from analyzer.model import Severity
from analyzer.record.drops import FILE
from tests.build import GATEWAY, T0, UPLINK, tcp, udp
from tests.explain.scene import HOST, SERVER, Scene, frame, packet
from tests.explain.state import dumps

SYN, LENGTH = 2, 40
"""The length is that of a SYN's IP packet."""


def _at(ms: float, us: int) -> str:
    seconds, ns = divmod(T0 + round(ms * 1e6) + us * 1000, 1_000_000_000)
    return f"{seconds}.{ns // 1000:06}"


def _line(ms: float, reason: str, function: str, *before: str, dev: str = "docker0") -> str:
    """Return what is told of a drop: of a packet that came in at *dev* just then, after other interfaces."""
    sent = "".join(f" {name},{LENGTH + 14},{_at(ms, -40)},s" for name in before)
    return f"{_at(ms, 5)} {reason} {function} 2048{sent} {dev},{LENGTH},{_at(ms, 3)},r\n"


def _scene(folder: Path, *drops: tuple[str, str], before: tuple[str, ...] = ("veth9",)) -> Scene:
    """Let SYNs get no further than the bridge; of each a reason and a function are told."""
    scene = Scene(folder, dumps=dumps())
    for number in range(len(drops)):
        scene.out(number * 100 + 100, 6, tcp(40_000 + number, 80, 1, 0, SYN), until="docker0")
    lines = [_line(number * 100 + 100.02, *drop, *before) for number, drop in enumerate(drops)]
    scene.dumps[FILE] = "".join(lines)
    return scene


def _causes(scene: Scene) -> list[Cause]:
    for ms in (0, 9000):
        scene.out(ms, 17, udp(1, 2, b"x"), dst="9.9.9.9")
        scene.back(ms + 1, 17, udp(2, 1, b"x"), src="9.9.9.9")
    return list(causes(scene.case()))


def test_each_reason_at_each_place_is_a_cause(tmp_path: Path) -> None:
    """Another function that drops for the same reason is another place."""
    drops = [("XDP", "one"), ("TC_INGRESS", "one"), ("XDP", "two"), ("XDP", "one")]
    found = {cause.key: len(cause.packets) for cause in _causes(_scene(tmp_path, *drops))}

    assert found == {
        ("XDP", "one", "docker0"): 2, ("TC_INGRESS", "one", "docker0"): 1, ("XDP", "two", "docker0"): 1,
    }  # fmt: skip


def test_where_it_was_seen_last_is_part_of_the_place(tmp_path: Path) -> None:
    """The same reason before and behind the bridge is told twice."""
    scene = _scene(tmp_path, ("XDP", "one"))
    scene.out(500, 6, tcp(50_000, 80, 1, 0, SYN), until="veth-c2")
    scene.dumps[FILE] = f"{scene.dumps[FILE]}{_line(500, 'XDP', 'one', dev='veth-c2')}"

    assert [cause.key for cause in _causes(scene)] == [("XDP", "one", "docker0"), ("XDP", "one", "veth-c2")]


@pytest.mark.parametrize(
    ("reason", "specific", "meaning"),
    [
        ("TC_INGRESS", Specific.MECHANISM, "a tc filter drops it"),
        ("NETFILTER_DROP", Specific.PLACE, "a netfilter hook drops it"),
        ("NOT_SPECIFIED", Specific.PLACE, "the kernel gives no reason"),
        ("SOMETHING_NEW", Specific.PLACE, "the kernel gives no reason"),
    ],
)
def test_a_reason_that_says_why_explains_more(tmp_path: Path, reason: str, specific: Specific, meaning: str) -> None:
    """Others say only where; one that nobody knows is named, and means nothing more."""
    (cause,) = _causes(_scene(tmp_path, (reason, "ip_forward")))
    told = cause.told(list(cause.packets))

    assert cause.specific is specific
    assert (told.facts["reason"], told.facts["last"]) == (reason, "docker0")
    assert str(told.facts["meaning"]).startswith(meaning)


def test_the_last_interfaces_of_its_way_are_the_proof(tmp_path: Path) -> None:
    """Four of them, and the last one is where it was dropped."""
    scene = _scene(tmp_path, ("XDP", "f"), before=("a0", "b0", "c0", "d0"))
    (cause,) = _causes(scene)
    told = cause.told(list(cause.packets))

    assert told.proof == ("drops.txt: XDP f b0 c0 d0 docker0",)
    assert told.facts["beyond"] == "docker0"


@pytest.mark.parametrize(("reason", "told"), [("TCP_LISTEN_OVERFLOW", True), ("NO_SOCKET", False)])
def test_what_is_everyday_at_its_receiver_is_not_told(tmp_path: Path, reason: str, told: bool) -> None:
    """A packet that came to its container may be dropped there for reasons that are nobody's trouble."""
    scene = Scene(tmp_path, dumps=dumps() | {FILE: _line(100.04, reason, "f", dev="veth-c2")})
    scene.back(100, 6, tcp(40_000, 80, 1, 0, SYN))

    assert len(_causes(scene)) == told


@pytest.mark.parametrize(("own", "severity"), [(False, Severity.ERROR), (True, Severity.WARNING)])
def test_of_the_hosts_own_traffic_it_is_a_warning(tmp_path: Path, own: bool, severity: Severity) -> None:
    """No container misses anything."""
    scene = _scene(tmp_path, ("XDP", "f"))
    if own:
        scene.points.clear()
        scene.see("wlan0", 0, frame(GATEWAY, UPLINK, packet(SERVER, HOST, 6, tcp(40_000, 22, 1, 0, SYN), ttl=50)))
        scene.dumps[FILE] = _line(0, "TCP_LISTEN_OVERFLOW", "f", dev="wlan0")
    (cause,) = _causes(scene)

    assert cause.told(list(cause.packets)).severity is severity
