"""The sentence that stands first, and the numbers beside it: computed once, the same in every report."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer import analyze
from analyzer.cli import main
from analyzer.model import Disposition
from analyzer.report.answer import answer
from tests.build import write_pcap

ROOT = Path(__file__).parents[2]
SEED = ROOT / "sample_pcaps" / "seed"
FAULTS = ROOT / "tests" / "faults"


def _reports(folder: Path, *inputs: Path) -> tuple[str, str]:
    """Return the terminal's report and the page's HTML."""
    page = folder / "report.html"
    done = CliRunner().invoke(main, ["analyze", *map(str, inputs), "-n", "0", "-o", str(page)])
    assert done.exit_code == 0, done.output
    return done.output, page.read_text()


def test_an_uplink_that_was_not_captured(tmp_path: Path) -> None:
    """What became of packets to 8.8.8.8 is known only of those that were answered or acknowledged."""
    captures = [SEED / "veth-c3.pcap", SEED / "docker0.pcap"]
    trace = analyze(captures)
    outward = [journey for journey in trace.journeys() if str(journey.hops[-1].dst) == "8.8.8.8"]
    shown = [journey for journey in outward if journey.disposition is Disposition.DELIVERED]
    terminal, page = _reports(tmp_path, *captures)
    sentence = (
        "c3 reaches 8.8.8.8:80 (TCP), 8.8.8.8 (ICMP): what became of 7 of 21 packets cannot be said from these "
        "captures; no loss is known"
    )

    assert {journey.disposition for journey in outward} == {Disposition.NOT_OBSERVABLE, Disposition.DELIVERED}
    assert all("it arrived, for it was answered" in journey.reason for journey in shown)
    assert sentence in terminal
    assert f'<h1 id="answer">{sentence}</h1>' in page


def test_an_empty_capture(tmp_path: Path) -> None:
    """It has no date, and nothing is well."""
    write_pcap(tmp_path / "docker0.pcap", [])
    terminal, page = _reports(tmp_path, tmp_path / "docker0.pcap")

    for text in (terminal, page):
        assert "There is no packet in these captures, so nothing can be said" in text
        assert "1970" not in text
        assert "No finding" not in text


def test_all_is_well(tmp_path: Path) -> None:
    """Where every packet's end was seen."""
    terminal, page = _reports(tmp_path, SEED)

    for text in (terminal, page):
        assert "c3 reaches 8.8.8.8:80 (TCP), 8.8.8.8 (ICMP): all 23 packets went their way" in text


def test_nothing_is_said_of_a_selection_that_is_empty() -> None:
    """It went no way."""
    nothing = CliRunner().invoke(main, ["analyze", str(SEED), "-n", "0", "-Y", "sctp"]).output

    assert "None of 23 packets was selected" in nothing
    assert "reaches" not in nothing


@pytest.mark.parametrize(
    "name", ["drop-rule.bridge", "lossy-internet.bridge", "vanishing-rule.bridge", "aborts.bridge"]
)
def test_the_same_numbers_everywhere(name: str, tmp_path: Path) -> None:
    """The terminal's counts are those of the journeys; the sentence is the page's."""
    trace = analyze([FAULTS / f"{name}.tar.zst"])
    ends = trace.dispositions()
    terminal, page = _reports(tmp_path, FAULTS / f"{name}.tar.zst")
    assert f"{ends[Disposition.DELIVERED]} delivered" in terminal
    assert answer(trace.content()) in page.replace("&#34;", '"').replace("&#39;", "'")
