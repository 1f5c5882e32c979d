"""Journeys in the terminal: where their lines break, in prose, and dissected."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from analyzer import analyze
from analyzer.model import Journey
from analyzer.report.story import tell
from analyzer.report.terminal.console import LEAST_WIDTH, PROSE_WIDTH, THEME
from analyzer.report.terminal.journeys import print_dissection, print_journey, print_lesson
from analyzer.run import Trace

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


@pytest.fixture(scope="module")
def trace() -> Trace:
    """Return an analysis."""
    return analyze([SEED])


@pytest.fixture(scope="module")
def ping(trace: Trace) -> Journey:
    """Return a journey with steps and long lines."""
    return trace.journey(3)


def _screen(width: int, *, terminal: bool = True) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None, theme=THEME,
                   highlight=False, markup=False, emoji=False, soft_wrap=True)  # fmt: skip


def _lines(out: Console) -> list[str]:
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue().splitlines()


def _printed(journey: Journey, width: int, *, terminal: bool = True, full: bool = False) -> list[str]:
    out = _screen(width, terminal=terminal)
    print_journey(out, journey, 0, full=full)
    return _lines(out)


@pytest.mark.parametrize("full", [False, True])
def test_a_file_gets_each_line_whole(ping: Journey, full: bool) -> None:
    """However long it is; all of it, if all was asked for."""
    told = ["".join(piece for _, piece in line) for line in tell(ping, 0, full=full)]

    assert _printed(ping, 40, terminal=False, full=full) == told
    assert max(map(len, told)) > 100


def test_on_a_terminal_lines_break_between_words(ping: Journey) -> None:
    """Each fits, and no word is lost."""
    printed = _printed(ping, 70)
    words = " ".join(_printed(ping, 70, terminal=False)).split()

    assert max(map(len, printed)) <= 70
    assert [word for word in " ".join(printed).split() if word != "│"] == [word for word in words if word != "│"]


def test_a_terminal_that_is_too_narrow_gets_lines_that_can_still_be_read(ping: Journey) -> None:
    """They have a least width, and are longer than the terminal then."""
    longest = max(len(line) for line in _printed(ping, 12))

    assert LEAST_WIDTH - 8 < longest <= LEAST_WIDTH + 10


def test_the_rest_of_a_line_stands_under_it(ping: Journey) -> None:
    """The upright goes on beside steps and hops, but not beside the title, nor below the end."""
    printed = _printed(ping, 50)
    end = next(number for number, line in enumerate(printed) if line.startswith("    ╰"))
    first = next(number for number, line in enumerate(printed) if line.startswith("    │"))

    assert first > 1
    assert all(line.startswith("    ") and "│" not in line for line in printed[1:first])
    assert any(line.startswith("    │     ") for line in printed[first:end])
    assert all(line.startswith(("    │ ", "    ● ")) for line in printed[first:end])
    assert printed[end + 1 :]
    assert all(line.startswith("          ") for line in printed[end + 1 :])


def test_prose_is_numbered_and_no_wider_than_can_be_read(ping: Journey, trace: Trace) -> None:
    """Under its title; what does not fit stands under the text, not under the number."""
    out = _screen(200, terminal=False)
    print_lesson(out, ping, trace.points)
    head, *lines = _lines(out)
    numbers = [int(line[:4]) for line in lines if line[4:6] == ". "]

    assert head.startswith("J3 ICMP echo request")
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 5
    assert max(map(len, lines)) <= PROSE_WIDTH
    assert all(line.startswith("      ") for line in lines if line[4:6] != ". ")


def test_a_dissection_is_told_as_it_is_but_harmless() -> None:
    """Under the frame that it is of, set in."""
    out = _screen(80, terminal=False)
    print_dissection(out, "docker0", 3, ["Ethernet II", "    Type: IPv4\x1b[2J"])

    assert _lines(out) == ["", "docker0 frame 3", "  Ethernet II", r"      Type: IPv4\x1b[2J"]
