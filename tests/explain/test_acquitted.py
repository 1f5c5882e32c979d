"""Who is not accused: rules whose counters stood still, and what hosts drop of nobody's packets."""

import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.model import Basis, Disposition, Severity
from analyzer.read.bundle import unpack

FAULTS = Path(__file__).parents[1] / "faults"
ACROSS = Path(__file__).parents[2] / "sample_pcaps" / "across-networks"


@pytest.mark.parametrize(
    ("fault", "dump"),
    [("drop-rule.bridge", "iptables-save.txt"), ("native-rule.bridge", "nft-ruleset.json"),
     ("native-jump.bridge", "nft-ruleset.json"), ("policy.bridge", "iptables-save.txt")],
)  # fmt: skip
def test_a_rule_whose_counter_stood_still(fault: str, dump: str) -> None:
    """It is named as what would match, and not as the cause: nothing is stated, and it is not called gone."""
    with ExitStack() as stack:
        bundle, _ = unpack(str(FAULTS / f"{fault}.tar.zst"), stack)
        shutil.copy(bundle / "host-before" / dump, bundle / "host" / dump)
        findings = [f for f in analyze([bundle]).findings if f.severity is Severity.ERROR]

    (finding,) = findings
    assert finding.check == "loss-inside-host"
    assert finding.basis is Basis.INFERRED
    assert "counted nothing meanwhile" in finding.explanation
    assert "gone" not in finding.explanation + finding.detail


def test_what_is_translated_twice_is_one_connection(tmp_path: Path) -> None:
    """Its middle tuple is the same connection, and Docker's raw rule against the container's address is no cause."""
    bundle = tmp_path / "bundle"
    shutil.copytree(ACROSS, bundle)
    shutil.copytree(bundle / "host", bundle / "host-before")
    assert (
        "[0:0] -A PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP"
        in (bundle / "host" / "iptables-save.txt").read_text()
    )
    trace = analyze([bundle])

    assert trace.findings == ()
    assert set(trace.dispositions()) == {Disposition.DELIVERED}
    assert {(str(c.original.src), str(c.reply.src)) for c in map(trace.connection, range(2))} == {
        ("10.20.0.2", "172.17.0.2")
    }


def test_remedies_name_who_is_outside_and_who_inside() -> None:
    """Nobody outside can be connected to a container's network; two containers can."""
    (outside,) = analyze([FAULTS / "direct-access.bridge.tar.zst"]).findings
    (inside,) = (f for f in analyze([FAULTS / "other-network.bridge.tar.zst"]).findings if f.severity is Severity.ERROR)

    assert outside.remedy.startswith("From outside, use a published port of web")
    assert "here 100.64.0.2" in outside.explanation
    assert "docker network connect" in inside.remedy
