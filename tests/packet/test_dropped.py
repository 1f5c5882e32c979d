"""The kernel's account of drops, joined with frames: where packets died, and why, as it was observed."""

from pathlib import Path

import pytest

from analyzer.model import Basis, Disposition, Severity
from analyzer.record.drops import FILE
from tests.build import T0, tcp, udp
from tests.explain.scene import Scene
from tests.explain.state import dumps, rules

SYN = 2
LENGTH = 20 + 20
"""Of a SYN, without the link header."""


def _drop(
    ms: float,
    reason: str,
    *,
    length: int = LENGTH,
    dev: str = "docker0",
    function: str = "ip_forward",
    late_us: int = 3,
) -> str:
    """Return a line: the packet came in at docker0, and was dropped a little later."""

    def at(us: int) -> str:
        seconds, ns = divmod(T0 + round(ms * 1e6) + us * 1000, 1_000_000_000)
        return f"{seconds}.{ns // 1000:06}"

    return (
        f"{at(late_us + 2)} {reason} {function} 2048 veth9,{length + 14},{at(-40)},s {dev},{length},{at(late_us)},r\n"
    )


def _scene(folder: Path, *lines: str, until: str = "docker0", **dumped: object) -> Scene:
    """A SYN that goes no further than *until*, between datagrams that do."""
    scene = Scene(folder, dumps={FILE: "".join(lines), **dumps(**dumped)})
    scene.out(0, 17, udp(1, 2, b"x"))
    scene.back(10, 17, udp(2, 1, b"x"))
    scene.out(100, 6, tcp(40_000, 80, 1, 0, SYN), until=until)
    scene.out(2000, 17, udp(1, 2, b"x"))
    scene.back(2010, 17, udp(2, 1, b"x"))
    return scene


HERE, MS = 2, 100.02
"""The SYN's number, and when docker0 saw it."""


@pytest.mark.parametrize(
    ("line", "end"),
    [
        (_drop(MS, "TC_INGRESS"), Disposition.DROPPED),
        (_drop(MS, "NOT_SPECIFIED"), Disposition.DROPPED),
        (_drop(MS, "TC_INGRESS", length=LENGTH + 4), Disposition.LOST),
        (_drop(MS, "TC_INGRESS", dev="docker1"), Disposition.LOST),
        (_drop(9, "TC_INGRESS"), Disposition.LOST),
    ],
    ids=["why", "unknown", "other-length", "other-interface", "other-time"],
)
def test_a_packet_that_went_no_further(tmp_path: Path, line: str, end: Disposition) -> None:
    """It was dropped: that is observed, not inferred from where it was not seen."""
    tracer = _scene(tmp_path, line).case().tracer

    assert tracer.outcome(HERE).disposition is end
    assert tracer.outcome(HERE).basis is (Basis.OBSERVED if end is Disposition.DROPPED else Basis.INFERRED)
    assert tracer.outcome(0).disposition is Disposition.LEFT_HOST


def test_what_is_told_of_it(tmp_path: Path) -> None:
    """The reason in words, the function, and what helps."""
    (finding,) = _scene(tmp_path, _drop(MS, "TC_INGRESS", function="sch_handle_ingress")).findings("dropped-by-kernel")

    assert finding.severity is Severity.ERROR
    assert finding.detail == "1 packet dropped by the kernel behind docker0: TC_INGRESS in sch_handle_ingress"
    assert finding.title.endswith("the kernel drops it behind docker0: a tc filter drops it as it comes in")
    assert finding.remedy == "tc filter show dev IF ingress"
    assert finding.proof == ("drops.txt: TC_INGRESS sch_handle_ingress veth9 docker0",)


DROP_80 = "-A FORWARD -p tcp --dport 80 -j DROP\n"


@pytest.mark.parametrize(
    ("reason", "check"), [("NETFILTER_DROP", "filtered-by-rule"), ("IP_RPFILTER", "dropped-by-kernel")]
)
def test_a_recorded_cause(tmp_path: Path, reason: str, check: str) -> None:
    """It is told, if the kernel says nothing else: a rule is none, where source validation dropped the packet."""
    scene = _scene(tmp_path, _drop(MS, reason, function="f"), iptables_save=rules(forward=DROP_80))
    (finding,) = (one for one in scene.findings() if one.severity is Severity.ERROR)

    assert finding.check == check
    assert any(line.startswith(f"drops.txt: {reason}") for line in finding.proof)


@pytest.mark.parametrize(
    ("reason", "told"), [("TCP_LISTEN_OVERFLOW", True), ("NO_SOCKET", False), ("NOT_SPECIFIED", False)]
)
def test_what_came_to_its_container(tmp_path: Path, reason: str, told: bool) -> None:
    """It may be dropped there; what is everyday there is not told."""
    scene = Scene(tmp_path, dumps={FILE: _drop(0.04, reason, dev="veth-c2"), **dumps()})
    scene.back(0, 6, tcp(40_000, 80, 1, 0, SYN))
    scene.back(5000, 17, udp(1, 2, b"x"))

    assert bool(scene.findings("dropped-by-kernel")) is told


def test_two_alike(tmp_path: Path) -> None:
    """Each drop is of one frame, the nearest."""
    scene = Scene(tmp_path, dumps={FILE: _drop(0.02, "XDP") + _drop(1.02, "XDP"), **dumps()})
    for number in range(3):
        scene.out(number, 6, tcp(40_000 + number, 80, 1, 0, SYN), until="docker0")
    scene.out(2000, 6, tcp(50_000, 80, 1, 0, SYN))
    tracer = scene.case().tracer

    assert [packet in tracer.drops for packet in range(3)] == [True, True, False]


def test_events_that_are_missing(tmp_path: Path) -> None:
    """The report says how many."""
    case = _scene(tmp_path, "lost 1200\n").case()

    assert "drops.txt: the kernel could not tell 1,200 events" in case.hosts.everywhere.problems
