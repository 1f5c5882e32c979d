"""First packets that vanish where NAT has no free port."""

from pathlib import Path

import pytest

from analyzer.explain.hypotheses.nat_clash import has_few_ports
from analyzer.model import Basis
from analyzer.state.rules.iptables import parse_tables
from tests.build import GATEWAY, UPLINK, tcp, udp
from tests.explain.scene import HOST, Scene, frame, packet
from tests.explain.state import NAT, dumps, rules

HYPOTHESIS = "nat-clash"
STATS = "cpu=0 found=0 insert=0 insert_failed={count} drop=0\n"


@pytest.mark.parametrize(
    ("ports", "few"),
    [("4000", True), ("4000-4001", True), ("4000-4999", True), ("4000-5000", False), ("1024-65535", False),
     ("", False), ("1-65535", False)],
)  # fmt: skip
def test_a_range_that_may_run_out(ports: str, few: bool) -> None:
    """A thousand ports are many."""
    (table,) = parse_tables(["*nat", f"-A POSTROUTING -j SNAT --to-source 192.0.2.1{':' * bool(ports)}{ports}"], 4)
    (rule,) = table.rules()

    assert has_few_ports(rule.nat) is few


def _source(to: str) -> str:
    return f"-A POSTROUTING -s 172.17.0.0/16 -o wlan0 -j SNAT --to-source {to}\n"


def _vanish(scene: Scene, count: int = 1) -> None:
    """Let a connection go its way, and the first packets of others vanish behind the bridge."""
    scene.out(0, 6, tcp(40_000, 80, 1, 0, 2))
    scene.back(5, 6, tcp(80, 40_000, 7, 2, 0x12))
    scene.out(6, 6, tcp(40_000, 80, 2, 8, 0x10))
    for number in range(count):
        scene.out(10 + number, 6, tcp(41_000 + number, 80, 1, 0, 2), until="docker0")
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    scene.back(9001, 17, udp(2, 1, b"y"), src="9.9.9.9")


@pytest.mark.parametrize(
    ("nat", "failed", "told"),
    [
        (_source("192.168.1.100:4000-4010"), None, True),
        (_source("192.168.1.100:1024-65535"), None, False),
        (_source("192.168.1.100"), None, False),
        (NAT, None, False),
        (NAT, 0, False),
        (NAT, 2, True),
        (_source("192.168.1.100"), 2, True),
        ("", 2, False),
    ],
    ids=["few", "many", "all", "masquerade", "none-failed", "failed", "snat-failed", "no-rule"],
)
def test_which_rules_are_blamed(tmp_path: Path, nat: str, failed: int | None, told: bool) -> None:
    """Those with few ports, or any that translates a source while entries could not be made."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat=nat)))
    if failed is not None:
        scene.dumps |= {"before/conntrack-stats.txt": STATS.format(count=3),
                        "conntrack-stats.txt": STATS.format(count=3 + failed)}  # fmt: skip
    _vanish(scene)

    assert scene.titles(HYPOTHESIS) == ["1 packet lost where SNAT had no free port"] * told


@pytest.mark.parametrize(
    ("count", "basis", "proof"),
    [
        (None, Basis.INFERRED, ()),
        (3, Basis.STATED, ("conntrack-stats.txt: insert_failed went up by 3, just the packets that are missing",)),
        (5, Basis.STATED, ("conntrack-stats.txt: insert_failed went up by 5, and 3 packets are missing",)),
    ],
)
def test_what_the_counter_says(tmp_path: Path, count: int | None, basis: Basis, proof: tuple[str, ...]) -> None:
    """It states the cause, more so if it fits."""
    nat = _source("192.168.1.100:4000-4010")
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat=nat)))
    if count is not None:
        scene.dumps |= {"before/conntrack-stats.txt": STATS.format(count=0),
                        "conntrack-stats.txt": STATS.format(count=count)}  # fmt: skip
    _vanish(scene, 3)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "3 packets lost where SNAT had no free port"
    assert finding.basis is basis
    assert finding.proof == (f"iptables-save.txt: {nat.strip()}", *proof)
    assert finding.explanation.endswith(
        " Of 172.17.0.2:41000 → 8.8.8.8:80, 172.17.0.2:41001 → 8.8.8.8:80, 172.17.0.2:41002 → 8.8.8.8:80."
    )
    assert [str(one) for one in finding.evidence] == ["docker0 #4", "docker0 #5", "docker0 #6"]


def test_the_first_connection_of_all(tmp_path: Path) -> None:
    """Counts as any other."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat=_source("192.168.1.100:4000-4010"))))
    scene.out(0, 6, tcp(40_000, 80, 1, 0, 2), until="docker0")
    for ms in (0, 9000):
        scene.see("wlan0", ms, frame(GATEWAY, UPLINK, packet("9.9.9.9", HOST, 17, udp(1, 2, b"x"), ident=ms + 1)))

    assert scene.titles(HYPOTHESIS) == ["1 packet lost where SNAT had no free port"]


def test_what_was_answered_had_its_entry(tmp_path: Path) -> None:
    """A later packet of a connection is lost for something else."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat=_source("192.168.1.100:4000-4010"))))
    _vanish(scene, 0)
    scene.out(100, 6, tcp(40_000, 80, 2, 8, 0x18, b"GET"), until="docker0")

    assert scene.titles(HYPOTHESIS) == []
