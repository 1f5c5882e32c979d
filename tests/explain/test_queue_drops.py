"""Queues that somebody set up as a limit, and that dropped packets."""

from pathlib import Path

import pytest

from analyzer.model import Finding
from analyzer.model.host import LIMITS
from tests.build import tcp
from tests.explain.scene import Scene
from tests.explain.state import dumps

HYPOTHESIS = "queue-drops"
SYN, ACK, PSH = 0x02, 0x10, 0x18


def _queues(dev: str, kind: str, drops: int, rate: object = None) -> list[dict[str, object]]:
    return [{"dev": dev, "kind": kind, "drops": drops, "options": {} if rate is None else {"rate": rate}}]


def _scene(folder: Path, dev: str = "wlan0", kind: str = "tbf", *, place: str = "", before: int = 5, after: int = 8,
           rate: object = None) -> Scene:  # fmt: skip
    """Return a host with a queue, or a container's, and what it counted before and after."""
    file = f"{place}tc-qdisc.json"
    both = {file: _queues(dev, kind, after, rate), f"before/{file}": _queues(dev, kind, before, rate)}
    return Scene(folder, dumps=dumps() | both)


def _talk(scene: Scene) -> None:
    scene.out(0, 6, tcp(40_000, 80, 1, 0, SYN))
    scene.back(5, 6, tcp(80, 40_000, 7, 2, SYN | ACK))
    scene.out(6, 6, tcp(40_000, 80, 2, 8, ACK))


def _found(scene: Scene) -> list[Finding]:
    _talk(scene)
    return scene.findings(HYPOTHESIS)


@pytest.mark.parametrize("kind", [*LIMITS, "fq_codel", "noqueue"])
def test_only_a_queue_that_limits_is_named(tmp_path: Path, kind: str) -> None:
    """Those that every interface has drop as well, and nobody set them up."""
    found = _found(_scene(tmp_path, kind=kind))

    assert [one.facts["kind"] for one in found] == [kind] * (kind in LIMITS)


@pytest.mark.parametrize(("before", "after", "dropped"), [(5, 6, [1]), (5, 5, []), (9, 3, [])])
def test_its_counter_must_have_gone_up(tmp_path: Path, before: int, after: int, dropped: list[int]) -> None:
    """While captures ran: what it dropped before is nobody's trouble now."""
    assert [one.facts["dropped"] for one in _found(_scene(tmp_path, before=before, after=after))] == dropped


@pytest.mark.parametrize(("rate", "says"), [(16_000, "lets 128 kbit/s pass"), (None, ""), ("16kbit", "")])
def test_the_rate_is_told_where_it_is_known(tmp_path: Path, rate: object, says: str) -> None:
    """Other queues have none."""
    (finding,) = _found(_scene(tmp_path, rate=rate))

    assert ("rate" in finding.facts) is bool(says)
    assert says in finding.detail


@pytest.mark.parametrize(
    ("place", "dev", "command"),
    [
        ("", "wl 0", "tc qdisc del dev 'wl 0' root"),
        ("c2", "eth0", "nsenter -t \"$(docker inspect -f '{{.State.Pid}}' c2)\" -n tc qdisc del dev eth0 root"),
    ],
    ids=["host", "container"],
)
def test_what_takes_it_away_is_typed_where_the_queue_is(tmp_path: Path, place: str, dev: str, command: str) -> None:
    """On the host, or within the container's namespace; the proof names the dump."""
    file = f"containers/{place}/" if place else ""
    (finding,) = _found(_scene(tmp_path, dev, place=file))

    assert finding.commands == (command,)
    assert finding.proof == (f"{file}tc-qdisc.json: tbf on {dev}, drops went up by 3",)
    assert finding.facts["place"] == place


def _lost(scene: Scene, count: int) -> None:
    """Let packets come to the bridge, whose next point, the uplink, never sees them."""
    _talk(scene)
    for number in range(count):
        scene.out(1000 + 300 * number, 6, tcp(40_000, 80, 2 + number, 8, PSH, payload=b"a"), until="docker0")
    scene.out(9000, 6, tcp(40_001, 80, 1, 0, SYN))
    scene.back(9005, 6, tcp(80, 40_001, 7, 2, SYN | ACK))


@pytest.mark.parametrize(
    ("dev", "place", "lost", "packets"),
    [
        ("wlan0", "", 2, 2),
        ("wlan0", "", 3, 3),
        ("wlan0", "", 4, 0),
        ("docker0", "", 2, 0),
        ("wlan0", "containers/c2/", 2, 0),
    ],
    ids=["fewer", "as-many", "more-than-it-dropped", "not-on-their-way", "a-container's-of-the-same-name"],
)
def test_it_explains_what_was_lost_before_its_interface(
    tmp_path: Path, dev: str, place: str, lost: int, packets: int
) -> None:
    """As long as it dropped so many; a container's interface is another one, whatever its name."""
    scene = _scene(tmp_path, dev, place=place)
    _lost(scene, lost)
    found = scene.findings(HYPOTHESIS)

    assert [one.facts.get("packets", 0) for one in found] == [packets]


def test_whose_way_it_limits_is_told(tmp_path: Path) -> None:
    """The container of the point that the interface is."""
    scene = _scene(tmp_path, "veth-c2")
    _talk(scene)
    scene.recorded(5000, container="c2")
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.facts["leads_to"] == "c2"
    assert finding.detail.endswith(", the way to c2")
