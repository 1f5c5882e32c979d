"""Packets that vanish inside the host: where, and what may have taken them."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import BRIDGE, C1, tcp, udp
from tests.explain.scene import INSIDE, Scene, frame, packet
from tests.explain.state import dumps, links, rules

HYPOTHESIS = "loss-inside-host"
WHERE = "seen at docker0, not at wlan0, which was recording and lies on the way"
UNKNOWN = "No recorded rule, route or setting stops them: a queue may be full, or a rule came and went meanwhile."
STATS = "cpu=0 found=0 invalid={0} insert_failed={0} drop={0} early_drop={0}\n"


def _vanish(scene: Scene, count: int = 2, until: str = "docker0") -> None:
    """Let a server be asked in vain, between questions to it that get through."""
    for number in range(count + 2):
        gone = 0 < number <= count
        scene.out(number * 6000, 17, udp(40_000, 7777, bytes([number]) * 8),
                  until=until if gone else "wlan0")  # fmt: skip
        if not gone:
            scene.back(number * 6000 + 5, 17, udp(7777, 40_000, bytes([number]) * 9))


def test_where(tmp_path: Path) -> None:
    """By place: what was seen last, and not next, with the frames there."""
    scene = Scene(tmp_path)
    _vanish(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == f"2 packets lost inside the host: {WHERE}"
    assert finding.explanation == (
        "Without dumps of the host's state nothing can be said about why. Of 172.17.0.2:40000 → 8.8.8.8:7777."
    )
    assert [str(one) for one in finding.evidence] == ["docker0 #3", "docker0 #4"]
    assert finding.severity is Severity.WARNING


def test_two_places(tmp_path: Path) -> None:
    """Each is told by itself."""
    scene = Scene(tmp_path)
    _vanish(scene)
    for number in range(3):
        scene.out(number * 6000 + 500, 17, udp(40_001, 7777, bytes([number]) * 8),
                  until="veth-c2" if number == 1 else "wlan0")  # fmt: skip
        if number != 1:
            scene.back(number * 6000 + 505, 17, udp(7777, 40_001, bytes([number]) * 9))

    assert len(scene.titles(HYPOTHESIS)) == 2


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, UNKNOWN),
        ({"down": "docker0"}, "docker0 is down, as ip-addr.json has it."),
        ({"down": "eth9"}, UNKNOWN),
    ],
    ids=["well", "bridge-down", "another-down"],
)
def test_the_interfaces_there(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    """Down, at the last point or where it was to come next."""
    made = [*links(), {"ifindex": 9, "ifname": "eth9", "mtu": 10}]
    for link in made:
        if link["ifname"] == changed.get("down"):
            link["operstate"] = "DOWN"
    scene = Scene(tmp_path, dumps=dumps(ip_addr=made))
    _vanish(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.explanation.startswith(f"{said} Of 172.17.0.2:40000 ")


@pytest.mark.parametrize(
    ("mtu", "said"),
    [
        (43, UNKNOWN),
        (42, "wlan0 takes 42 bytes, and the first of these packets has 43, as ip-addr.json has it."),
    ],
)
def test_a_segment_that_is_too_long(tmp_path: Path, mtu: int, said: str) -> None:
    """Offload may split it on the way out, so the rules do not decide; but it is said."""
    made = links()
    made[0]["mtu"] = mtu
    scene = Scene(tmp_path, dumps=dumps(ip_addr=made))
    scene.out(0, 6, tcp(40_000, 80, 1, 0, 2))
    scene.back(5, 6, tcp(80, 40_000, 7, 2, 0x12))
    scene.out(10, 6, tcp(40_000, 80, 2, 8, 0x18, b"GET"), until="docker0")
    scene.back(9000, 6, tcp(80, 40_000, 8, 2, 0x11))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.explanation.startswith(f"{said} Of 172.17.0.2:40000 ")


@pytest.mark.parametrize(
    ("role", "master", "told"),
    [("veth-c2", "docker0", False), ("veth-c2", None, True)],
)
def test_a_port_of_no_bridge(tmp_path: Path, role: str, master: str | None, told: bool) -> None:
    """A container's port that hangs in the air."""
    port: dict[str, object] = {"ifindex": 7, "ifname": role, "linkinfo": {"info_kind": "veth"}}
    scene = Scene(tmp_path, dumps=dumps(ip_addr=[*links(), port | ({"master": master} if master else {})]))
    _vanish(scene, until="veth-c2")
    (finding,) = scene.findings(HYPOTHESIS)

    assert ("veth-c2 is no port of any bridge, as ip-addr.json has it." in finding.explanation) is told


def test_rules_that_nobody_can_decide(tmp_path: Path) -> None:
    """Are named: it may have been one of them."""
    rule = "-A FORWARD -m nonsense --odd -j DROP"
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(forward=f"{rule}\n")))
    _vanish(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.explanation.startswith("The recorded rules do not decide: ")
    assert f", of rule “{rule}”. Of 172.17" in finding.explanation


def test_counters_that_went_up(tmp_path: Path) -> None:
    """Each of the kernel's drops that did, by file; what stood still, or is of own packets, says nothing."""
    scene = Scene(tmp_path, dumps=dumps())
    scene.dumps |= {
        "before/conntrack-stats.txt": STATS.format(1),
        "conntrack-stats.txt": STATS.format(3),
        "before/nstat.txt": "IpInDiscards 4 0.0\nIpOutDiscards 2 0.0\nIpOutRequests 1 0.0\n",
        "nstat.txt": "IpInDiscards 9 0.0\nIpOutDiscards 7 0.0\nIpOutNoRoutes 5 0.0\nIpOutRequests 9 0.0\n",
    }
    _vanish(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.proof == (
        "nstat.txt: IpInDiscards went up by 5",
        "conntrack-stats.txt: drop went up by 2",
        "conntrack-stats.txt: early_drop went up by 2",
        "conntrack-stats.txt: insert_failed went up by 2",
        "conntrack-stats.txt: invalid went up by 2",
    )


@pytest.mark.parametrize(
    ("dropped", "interface", "told"), [(2, "wlan0", True), (3, "wlan0", False), (0, "wlan0", False), (2, "eth9", False)]
)
def test_a_counter_that_went_up_by_as_many(tmp_path: Path, dropped: int, interface: str, told: bool) -> None:
    """It is named, with its meaning and what helps, if it is of an interface on the way."""
    scene = Scene(tmp_path, dumps=dumps())
    for folder, count in (("before/", 5), ("", 5 + dropped)):
        scene.dumps[f"{folder}tc-qdisc.json"] = [{"dev": interface, "drops": count}]
    _vanish(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert ("wlan0 qdisc.drops went up by just as many: a queue that was full" in finding.explanation) is told
    assert finding.remedy.startswith("Look there first: tc -s qdisc show dev IF.") is told
    assert finding.proof == (f"tc-qdisc.json: {interface} drops went up by {dropped}",) * bool(dropped)


def test_what_is_told_is_explained(tmp_path: Path) -> None:
    """A ping that vanished is not told as unanswered."""
    scene = Scene(tmp_path)
    _vanish(scene)
    scene.see("veth-c2", 40_000, frame(C1, BRIDGE, packet(INSIDE, "9.9.9.9", 17, udp(1, 2, b"x"))))

    assert {finding.check for finding in scene.findings()} == {HYPOTHESIS}
