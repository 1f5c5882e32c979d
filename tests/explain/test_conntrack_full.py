"""conntrack's table is full: what it dropped, and which packets are missing."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import T0, tcp, udp
from tests.explain.scene import INSIDE, Scene
from tests.explain.state import dumps

HYPOTHESIS = "conntrack-full"
STATS = "cpu=0 found=0 insert=0 insert_failed=0 drop={drop}\n"
SYSCTLS = "net.netfilter.nf_conntrack_count = {count}\nnet.netfilter.nf_conntrack_max = 1000\n"


def _scene(folder: Path, count: int, drops: int | None) -> Scene:
    """Let one connection be answered, and another one not."""
    scene = Scene(folder, dumps=dumps(sysctl=SYSCTLS.format(count=count)))
    if drops is not None:
        scene.dumps |= {"before/conntrack-stats.txt": STATS.format(drop=7),
                        "conntrack-stats.txt": STATS.format(drop=7 + drops)}  # fmt: skip
    scene.out(0, 6, tcp(40_000, 80, 1, 0, 2))
    scene.back(5, 6, tcp(80, 40_000, 7, 2, 0x12))
    for ms in (10, 20):
        scene.out(ms, 6, tcp(40_001, 80, 1, 0, 2), until="docker0")
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    scene.back(9001, 17, udp(2, 1, b"y"), src="9.9.9.9")
    return scene


@pytest.mark.parametrize(
    ("count", "drops", "severity", "missing"),
    [
        (1000, 2, Severity.ERROR, 2),
        (1000, None, Severity.ERROR, 0),
        (950, None, Severity.WARNING, 0),
        (950, 0, Severity.WARNING, 0),
        (950, 5, Severity.ERROR, 2),
    ],
)
def test_drops_that_were_counted(
    tmp_path: Path, count: int, drops: int | None, severity: Severity, missing: int
) -> None:
    """Make it an error, and explain the first packets that nobody answered."""
    found = _scene(tmp_path, count, drops).findings()
    (finding,) = (one for one in found if one.check == HYPOTHESIS)

    assert finding.detail == f"conntrack holds {count:,} of 1,000 entries"
    assert finding.severity is severity
    assert [str(one) for one in finding.evidence] == ["docker0 #3", "docker0 #4"][:missing]
    said = "just the packets that are missing" if drops == 2 else "and 2 packets are missing"
    assert finding.proof[2:] == ((f"conntrack-stats.txt: drop went up by {drops}, {said}",) if drops else ())
    assert ("loss-inside-host" in {one.check for one in found}) is not bool(drops)


@pytest.mark.parametrize(("others", "holder"), [(0, "c2"), (1, "c2"), (4, "")])
def test_who_holds_the_entries(tmp_path: Path, others: int, holder: str) -> None:
    """Whoever has at least half of them is named, a container by its name."""
    ends = "src={src} dst=8.8.8.8 sport={port} dport=80 src=8.8.8.8 dst={src} sport=80 dport={port}"
    line = f"tcp 6 100 ESTABLISHED {ends}\n"
    scene = _scene(tmp_path, 1000, None)
    sources = [INSIDE] * 2 + [f"10.0.0.{number}" for number in range(others)]
    scene.dumps["conntrack.txt"] = "".join(line.format(src=src, port=9000 + n) for n, src in enumerate(sources))
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.facts.get("holder", "") == holder
    assert ("of them of c2" in finding.detail) is bool(holder)


@pytest.mark.parametrize(("reason", "told"), [("NETFILTER_DROP", 3), ("IP_RPFILTER", 2)])
def test_what_the_kernel_says_of_it(tmp_path: Path, reason: str, told: int) -> None:
    """A netfilter hook that drops, as conntrack's does, is no rule then."""
    scene = _scene(tmp_path, 1000, 3)
    seconds, ns = divmod(T0 + 40_020_000 + 1000, 10**9)
    at = f"{seconds}.{ns // 1000:06}"
    scene.dumps["drops.txt"] = f"{at} {reason} nf_hook_slow 2048 docker0,40,{at},r\n"
    scene.out(40, 6, tcp(40_002, 80, 1, 0, 2), until="docker0")
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.facts["packets"] == told


def test_a_table_with_room(tmp_path: Path) -> None:
    """Drops nothing for being full."""
    assert _scene(tmp_path, 100, 2).titles(HYPOTHESIS) == []
