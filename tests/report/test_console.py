"""The terminal: how wide it is, where lines break, and what happens when its reader goes away."""

import io
import os

import pytest
from rich.console import Console

from analyzer.report.terminal.console import PROSE_WIDTH, THEME, UNKNOWN_WIDTH, console, styled, wrapped

LONG = "word " * 40


def _screen(width: int, *, terminal: bool = True) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None, theme=THEME)


@pytest.mark.usefixtures("capsys")
@pytest.mark.parametrize(("asked", "width"), [(None, UNKNOWN_WIDTH), (50, 50)])
def test_a_pipe_is_wide_unless_a_width_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, asked: int | None, width: int
) -> None:
    """However narrow the terminal is from which the command was run."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("TTY_COMPATIBLE", raising=False)

    assert console(width=asked).width == width


@pytest.mark.parametrize(("columns", "kept"), [("70", True), ("\u0667\u0660", False), ("²", False)])
def test_digits_that_are_no_numbers_are_not_taken_for_a_width(
    monkeypatch: pytest.MonkeyPatch, columns: str, kept: bool
) -> None:
    """What the shell says in other letters is forgotten, so that no report fails for it."""
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("LINES", columns)
    found = console(width=80)
    found.print("text")

    assert [name in os.environ for name in ("COLUMNS", "LINES")] == [kept, kept]


def test_text_of_others_is_printed_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    """No markup, no emoji codes, no colours for numbers; what is too long is not broken."""
    text = "[bold]rule[/bold] :smile: 127.0.0.1 " + "x" * 300
    console().print(text)

    assert capsys.readouterr().out == f"{text}\n"


def test_a_reader_that_went_away_is_told_to_whoever_runs_the_command() -> None:
    """Rather than that the process ends there and then."""
    with pytest.raises(BrokenPipeError):
        console().on_broken_pipe()


def test_a_file_gets_one_line_and_a_terminal_lines_that_fit() -> None:
    """The indent stands before each of them, and counts."""
    lines = wrapped(_screen(30), LONG, "  ").split("\n")

    assert wrapped(_screen(30, terminal=False), LONG, "  ") == f"  {LONG}"
    assert " ".join(line.strip() for line in lines) == LONG.strip()
    assert all(line.startswith("  word") for line in lines)
    assert 25 < max(len(line) for line in lines) <= 30


def test_prose_is_never_wider_than_can_be_read() -> None:
    """On a wide terminal, too."""
    assert max(len(line) for line in wrapped(_screen(300), LONG).split("\n")) <= PROSE_WIDTH


def test_words_stay_whole() -> None:
    """Neither a long name nor one with hyphens is broken."""
    assert wrapped(_screen(30), f"a {'x' * 50} docker-network-inspect-by-name-b").split("\n") == [
        "a", "x" * 50, "docker-network-inspect-by-name-b",
    ]  # fmt: skip


def test_pieces_keep_their_styles() -> None:
    """A piece without a style has none; every style has a meaning in the theme."""
    text = styled([("id", "J3 "), ("", "plain "), ("step.filter", "stopped")])

    assert text.plain == "J3 plain stopped"
    assert [(span.start, span.end, span.style) for span in text.spans] == [(0, 3, "id"), (9, 16, "step.filter")]
    kinds = ("arp", "fdb", "route", "nat", "tunnel", "proxy", "filter")
    assert {f"step.{kind}" for kind in kinds} <= set(THEME.styles)
