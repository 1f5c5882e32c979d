"""Containers whose interfaces lie on one of the host's: macvlan as it was recorded, ipvlan as the kernel has it."""

import json
import shutil
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.journey.decisions import decision
from analyzer.model import Basis, Journey, Role
from analyzer.model.journey import IpvlanStep, MacvlanStep
from analyzer.report.lesson import lesson
from analyzer.report.story import explain

SAMPLE = Path(__file__).parents[2] / "sample_pcaps" / "no-bridge"


def _as(tmp_path: Path, driver: str, **options: str) -> Path:
    """Return the sample, with the network of another driver."""
    bundle = tmp_path / "bundle"
    shutil.copytree(SAMPLE, bundle)
    file = bundle / "host" / "docker-network-inspect.json"
    told = json.loads(file.read_text())
    for network in told:
        if network["Driver"] == "macvlan":
            network["Driver"], network["Options"] = driver, options
    file.write_text(json.dumps(told))
    return bundle


def _journeys(bundle: Path) -> list[Journey]:
    """Return those between the container and the uplink, a question and its answer."""
    found = [one for one in analyze([bundle]).journeys() if len(one.hops) == 2 and one.protocol == "tcp"]
    return found[:2]


@pytest.mark.parametrize(
    ("driver", "options", "mode", "words"),
    [
        ("macvlan", {"parent": "wlan0"}, "bridge", "by its own MAC, no bridge and no rule of the host is asked"),
        ("macvlan", {"parent": "wlan0", "macvlan_mode": "private"}, "private", "by its own MAC"),
        ("ipvlan", {"parent": "wlan0"}, "l2", "by the MAC that both have, no bridge and no rule is asked"),
        ("ipvlan", {"parent": "wlan0", "ipvlan_mode": "l3"}, "l3", "no ARP, the host's routes send it"),
        ("ipvlan", {"parent": "wlan0", "ipvlan_mode": "l3s"}, "l3s", "its rules, too"),
    ],
)
def test_what_lies_on_what(tmp_path: Path, driver: str, options: dict[str, str], mode: str, words: str) -> None:
    """By the network that was recorded, on the way out and back; it is said in a line, and in a lesson."""
    asked, answered = _journeys(_as(tmp_path, driver, **options))
    (there,), (back,) = ([one for one in of.steps if one.kind == driver] for of in (asked, answered))

    assert isinstance(there, MacvlanStep if driver == "macvlan" else IpvlanStep)
    assert (there.container, there.parent, there.mode, there.basis) == ("mac1", "wlan0", mode, Basis.STATED)
    assert isinstance(back, MacvlanStep | IpvlanStep)
    assert (there.outward, back.outward) == (True, False)
    assert explain(there).startswith(f"{driver}: mac1's interface lies on wlan0, mode {mode}")
    assert words in explain(there)
    assert not any(one.kind == "fdb" for one in asked.steps)


@pytest.mark.parametrize(("driver", "options"), [("bridge", {}), ("macvlan", {"parent": "eth7"})])
def test_what_lies_on_nothing_that_was_captured(tmp_path: Path, driver: str, options: dict[str, str]) -> None:
    """Another driver, another parent: no such step is told."""
    assert not any(
        one.kind in ("macvlan", "ipvlan") for of in _journeys(_as(tmp_path, driver, **options)) for one in of.steps
    )


def test_a_lesson(tmp_path: Path) -> None:
    """What a macvlan is, and that the host cannot talk to it."""
    bundle = _as(tmp_path, "macvlan", parent="wlan0")
    trace = analyze([bundle])
    journey = next(one for one in trace.journeys() if any(step.kind == "macvlan" for step in one.steps))
    told = " ".join(str(line) for line in lesson(journey, {point.name: point for point in trace.points}))

    assert "its interface is a macvlan on wlan0, with a MAC of its own" in told


@pytest.mark.parametrize("driver", ["macvlan", "ipvlan"])
def test_its_own_end_is_known_by_what_it_shows(tmp_path: Path, driver: str) -> None:
    """Whatever the file is called."""
    bundle = _as(tmp_path, driver, parent="wlan0")
    (bundle / "ct-mac1.pcap").rename(bundle / "eth0.pcap")
    (point,) = (one for one in analyze([bundle]).points if one.name == "eth0")

    assert (point.role, point.container, point.network) == (Role.CONTAINER, "mac1", "macnet")


@pytest.mark.parametrize(
    ("driver", "options", "asked"),
    [
        ("macvlan", {"parent": "wlan0"}, False), ("ipvlan", {"parent": "wlan0"}, False),
        ("ipvlan", {"parent": "wlan0", "ipvlan_mode": "l3s"}, True), ("bridge", {}, True),
    ],
)  # fmt: skip
def test_no_rule_of_the_host_is_asked(tmp_path: Path, driver: str, options: dict[str, str], asked: bool) -> None:
    """So none is told to have stopped a packet, or to have let it pass; of a bridge's container they are asked."""
    trace = analyze([_as(tmp_path, driver, **options)])
    tcp = next(one for one in trace.journeys() if len(one.hops) == 2 and one.protocol == "tcp")

    assert (decision(trace.context, trace.tracer.prover, tcp.id) is not None) is asked
