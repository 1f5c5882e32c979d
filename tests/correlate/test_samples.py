"""Captures alone against the kernel's own answer, on every sample from the real Docker Engine."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.model import Basis
from tests.correlate.groups import IN_PARTS, packets_of, tuples_of
from tests.oracle import Truth

SAMPLES = sorted(path.parent for path in Path(__file__).parents[2].glob("sample_pcaps/*/expected.json"))


@pytest.mark.parametrize("folder", [s for s in SAMPLES if s.name not in IN_PARTS], ids=lambda p: p.name)
def test_every_frame_is_grouped_as_it_really_was(folder: Path) -> None:
    """No frame too many and none too few in any packet."""
    trace = analyze(sorted(folder.glob("*.pcap")))

    assert packets_of(trace) == Truth(folder).packets()


@pytest.mark.parametrize("folder", SAMPLES, ids=lambda p: p.name)
def test_tuples_are_conntracks(folder: Path) -> None:
    """Original and reply tuple of every connection, from frames alone."""
    trace = analyze(sorted(folder.glob("*.pcap")))

    assert tuples_of(trace) == Truth(folder).tuples()


@pytest.mark.parametrize("folder", SAMPLES, ids=lambda p: p.name)
def test_conntrack_dumps_make_the_mapping_stated(folder: Path) -> None:
    """With the dumps beside the captures nothing changes but the basis, and nothing is contradicted."""
    trace = analyze([folder])

    assert tuples_of(trace) == Truth(folder).tuples()
    assert {trace.connection(n).basis for n in range(len(trace.connections))} == {Basis.STATED}
    assert [f for f in trace.findings if f.check == "conntrack-contradiction"] == []


@pytest.mark.parametrize("folder", SAMPLES, ids=lambda p: p.name)
def test_the_order_of_files_does_not_matter(folder: Path) -> None:
    """Packets are the same whichever file is named first."""
    files = sorted(folder.glob("*.pcap"))

    assert packets_of(analyze(files[::-1])) == packets_of(analyze(files))
