"""How commands end: one line, and the exit code that says what it was."""

import sys
from collections.abc import Callable
from typing import NoReturn

import click
import pytest
from click.testing import CliRunner, Result

from analyzer.cli.base import Group, exit_on, find
from analyzer.errors import HoptraceError, InputError, LimitError, OutputError, SelectionError, ToolError
from analyzer.model import Basis, Finding, Severity


def _ended(error: BaseException) -> Result:
    """Run a command that raises an error."""

    @click.group(cls=Group)
    def main() -> None:
        """A program."""

    @main.command()
    def fail() -> NoReturn:
        """Fail."""
        raise error

    return CliRunner().invoke(main, ["fail"])


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (SelectionError("no such journey"), 2, "no such journey"),
        (InputError("x.pcap: no capture"), 3, "x.pcap: no capture"),
        (ToolError("tcpdump is missing"), 3, "tcpdump is missing"),
        (HoptraceError("something"), 3, "something"),
        (OutputError("x.json: full"), 5, "x.json: full"),
        (LimitError("too much"), 6, "too much: --memory allows more"),
        (MemoryError(), 6, "there is not enough memory: give a part of the captures, or a smaller --memory"),
        (OSError(28, "No space left on device"), 5, "output cannot be written: No space left on device"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error: BaseException, code: int, told: str) -> None:
    """One line on stderr, nothing on stdout."""
    ended = _ended(error)

    assert (ended.exit_code, ended.stdout, ended.stderr) == (code, "", f"hoptrace: {told}\n")


def test_all_that_is_unusable_is_told() -> None:
    """A line each; what could harm a terminal is not passed on."""
    ended = _ended(InputError("first\u202e\r", others=["second"]))
    first, second = ended.stderr.splitlines()

    assert first == r"hoptrace: first\u202e\x0d"
    assert second == "hoptrace: second"


def test_a_reader_that_goes_away_is_no_failure() -> None:
    """Nothing is told."""
    ended = _ended(BrokenPipeError())

    assert (ended.exit_code, ended.stderr) == (0, "")


def test_a_mistake_of_the_program_is_told_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """With file and line, and how to see all of it, which is an exception then."""
    monkeypatch.delenv("HOPTRACE_TRACEBACK", raising=False)
    ended = _ended(KeyError("x"))
    assert ended.exit_code == 70
    assert "this is a mistake of hoptrace, not yours: KeyError: 'x', at test_base.py:" in ended.stderr

    monkeypatch.setenv("HOPTRACE_TRACEBACK", "1")
    assert isinstance(_ended(KeyError("x")).exception, KeyError)


@pytest.mark.parametrize(
    ("asked", "found", "code"),
    [
        ("error", Severity.ERROR, 1),
        ("error", Severity.WARNING, None),
        ("warning", Severity.ERROR, 1),
        ("warning", Severity.WARNING, 1),
        ("warning", Severity.INFO, None),
        (None, Severity.ERROR, None),
    ],
)
def test_findings_make_it_fail_only_where_somebody_asked(asked: str | None, found: Severity, code: int | None) -> None:
    """Those that are as bad, or worse."""
    ended: int | str | None = None
    try:
        exit_on(asked, [Finding("x", found, Basis.STATED)])
    except SystemExit as end:
        ended = end.code

    assert ended == code


def test_points_are_understood_before_anything_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """A point that is none is refused, whatever the paths are."""
    opened: list[str] = []
    audit: Callable[..., object] = lambda *paths, **_: opened.append(str(paths))  # noqa: E731
    monkeypatch.setattr("analyzer.run.prepare", audit)
    with pytest.raises(SelectionError, match="needs NAME=FILE"):
        find(("x.pcap",), None, ("nonsense",), None)
    assert opened == []


def test_the_limit_of_what_is_unpacked_is_in_mebibytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one, what is usual counts."""
    limits: list[object] = []
    monkeypatch.setattr(sys.modules["analyzer.run"], "prepare", lambda *_, most_unpacked: limits.append(most_unpacked))
    for limit in (3, None):
        find(("x.pcap",), None, (), limit)

    assert limits == [3 << 20, None]
