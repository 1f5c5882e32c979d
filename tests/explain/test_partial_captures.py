"""Recordings as users bring them: renamed, cut, with holes, without a point; nothing is told that they do not show."""

import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.model import Disposition, Role, Severity
from analyzer.read.bundle import unpack
from analyzer.read.spec import PointSpec
from analyzer.report.answer import answer
from analyzer.run import Trace
from tests.build import write_pcap
from tests.rewrite import records_of

FAULTS = Path(__file__).parents[1] / "faults"
SAMPLES = Path(__file__).parents[2] / "sample_pcaps"


def _renamed(recording: str, folder: Path) -> Trace:
    """Analyse a recording whose files are called cap0, cap1, ..., with what its host says."""
    with ExitStack() as stack:
        bundle, _ = unpack(str(FAULTS / f"{recording}.tar.zst"), stack)
        heard = [path for path in sorted(bundle.glob("*.pcap")) if path.stat().st_size > 24]
        for number, path in enumerate(heard):
            shutil.copy(path, folder / f"cap{number}.pcap")
        return analyze([folder], host=bundle / "host")


@pytest.mark.parametrize(
    "recording", ["mangle-rule", "bridged-rule", "input-rule", "output-rule", "no-port", "isolated", "no-uplink"]
)
def test_names_that_tell_nothing(recording: str, tmp_path: Path) -> None:
    """Dead traffic is not called well, and nothing arrives where it was sent from."""
    trace = _renamed(f"{recording}.bridge", tmp_path)

    assert "Nothing wrong is to be seen" not in answer(trace.content())
    for journey in trace.journeys():
        if journey.disposition is Disposition.DELIVERED and "the way into container c1" in journey.reason:
            assert str(journey.hops[-1].src) != "172.17.0.2"


@pytest.mark.parametrize(
    ("sample", "file"), [("published-port", "wlan0.pcap"), ("same-bridge", "docker0.pcap"), ("seed", "wlan0.pcap")]
)
def test_no_rule_is_asked_of_a_point_that_nobody_knows(sample: str, file: str, tmp_path: Path) -> None:
    """A policy of DROP is no cause for packets of which nobody knows by which interface they came."""
    shutil.copy(SAMPLES / sample / file, tmp_path / "capture1.pcap")
    trace = analyze([tmp_path / "capture1.pcap"], host=SAMPLES / sample / "host")

    assert [finding.detail for finding in trace.findings if finding.severity is not Severity.INFO] == []
    assert Disposition.DROPPED not in trace.dispositions()


def test_names_of_points_that_are_no_interfaces() -> None:
    """Nor is one asked where somebody calls the points as he likes."""
    folder = SAMPLES / "same-bridge"
    points = [
        PointSpec(str(folder / "veth-web.pcap"), "web", Role.VETH, container="web"),
        PointSpec(str(folder / "docker0.pcap"), "br", Role.BRIDGE),
    ]

    assert Disposition.DROPPED not in analyze([], points=points, host=folder / "host").dispositions()


def test_what_was_answered_was_not_lost(tmp_path: Path) -> None:
    """A hole of a capture that nobody speaks of: the answers came through it."""
    with ExitStack() as stack:
        bundle, _ = unpack(str(FAULTS / "busy.bridge.tar.zst"), stack)
        records = records_of(bundle / "wlan0.pcap")
        third = len(records) // 3
        write_pcap(bundle / "wlan0.pcap", records[:third] + records[third + 60 :], snap=256)
        trace = analyze([bundle])
        lost = [j for j in trace.journeys() if j.disposition is Disposition.LOST and j.answered_by is not None]

    assert [journey.id for journey in lost] == []


@pytest.mark.parametrize("snap", [44, 54, 60, 64])
def test_one_capture_that_keeps_little(snap: int) -> None:
    """Questions and answers are read where they are whole."""
    with ExitStack() as stack:
        bundle, _ = unpack(str(FAULTS / "busy.bridge.tar.zst"), stack)
        write_pcap(bundle / "wlan0.pcap", records_of(bundle / "wlan0.pcap"), snap=snap)
        checks = {finding.check for finding in analyze([bundle]).findings}

    assert "dns-unanswered" not in checks


def test_a_reset_in_somebody_elses_place() -> None:
    """With the uplink not captured: it is the host that resets, not the server; with its rules, that one is named."""
    with ExitStack() as stack:
        bundle, _ = unpack(str(FAULTS / "reset-rule.bridge.tar.zst"), stack)
        captures = [bundle / "docker0.pcap", bundle / "veth-c1.pcap"]
        (known,) = analyze(captures, host=bundle / "host").findings
        for dump in bundle.glob("host*/*tables-save.txt"):
            dump.unlink()
        alone = [finding.detail for finding in analyze(captures, host=bundle / "host").findings]

    assert alone == ["this host itself resets connections to 198.51.100.80: 1 packet"]
    assert (known.check, "--reject-with tcp-reset" in known.detail) == ("filtered-by-rule", True)


def test_the_uplink_alone_with_what_conntrack_knows() -> None:
    """Answers to a masqueraded container are not the host's: where they went was not captured."""
    trace = analyze([SAMPLES / "seed" / "wlan0.pcap"], host=SAMPLES / "seed" / "host")
    answers = [j for j in trace.journeys() if j.connection is not None and str(j.hops[0].src) == "8.8.8.8"]
    unseen = [journey for journey in answers if "it arrived, for it was answered" not in journey.reason]

    assert unseen
    assert {journey.disposition for journey in unseen} == {Disposition.NOT_OBSERVABLE}
    assert all("172.17.0.4, where nothing was captured" in journey.reason for journey in answers)


def test_a_copy_by_another_name(tmp_path: Path) -> None:
    """A name that tells nothing does not make two points of one capture."""
    for path in (SAMPLES / "hairpin").glob("*.pcap"):
        shutil.copy(path, tmp_path / path.name)
    before = analyze([tmp_path])
    shutil.copy(tmp_path / "docker0.pcap", tmp_path / "zz-capture.pcap")
    after = analyze([tmp_path])

    assert len(after.doubled) == 1
    assert after.dispositions() == before.dispositions()
    assert [finding.detail for finding in after.findings] == [finding.detail for finding in before.findings]


def test_counters_that_do_not_fit() -> None:
    """One that was set back tells nothing; one that counted fewer does not explain all."""
    told = {}
    for before, after in ((100, 3), (0, 1)):
        with ExitStack() as stack:
            bundle, _ = unpack(str(FAULTS / "drop-rule.bridge.tar.zst"), stack)
            for folder, count in (("host-before", before), ("host", after)):
                rules = bundle / folder / "iptables-save.txt"
                lines = rules.read_text().splitlines()
                place = next(n for n, line in enumerate(lines) if line.endswith("--dport 7 -j DROP"))
                lines[place] = f"[{count}:{count * 60}] " + lines[place].partition("] ")[2]
                rules.write_text("\n".join(lines))
            told[before] = " ".join(proof for f in analyze([bundle]).findings for proof in f.proof)

    assert "it was set back meanwhile, so it tells nothing" in told[100]
    assert "1, but 3 packets are missing" in told[0]
