"""What somebody may say of memory, and what an analysis is given of it."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from analyzer.cli.memory import Asked, memory_options
from analyzer.run import Means, prepare
from analyzer.run.budget import Budget, chosen

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


def _asked(*words: str) -> tuple[Result, list[Asked]]:
    found: list[Asked] = []

    @click.command()
    @click.argument("name")
    @memory_options
    def command(name: str, asked: Asked) -> None:
        """Take it."""
        found.append(asked)

    return CliRunner().invoke(command, ["x", *words]), found


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512", 512 << 20),
        ("512M", 512 << 20),
        ("512 MiB", 512 << 20),
        ("512mb", 512 << 20),
        ("512B", 512 << 20),
        ("262144K", 256 << 20),
        ("2g", 2 << 30),
        ("1TiB", 1 << 40),
        (" 128 ", 128 << 20),
    ],
)
def test_a_size_is_in_powers_of_two(text: str, size: int) -> None:
    """A number alone means MiB; large and small letters are the same."""
    _, (asked,) = _asked("--memory", text)

    assert asked.memory == size


@pytest.mark.parametrize("text", ["", "much", "-5G", "1.5G", "2P", "2Gi B", "G", "9999999999", "2\u0663x"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """It is told what one looks like."""
    result, asked = _asked("--memory", text)

    assert (result.exit_code, asked) == (2, [])
    assert "not a size; 2GiB is one, or 512MiB" in result.stderr


@pytest.mark.parametrize(("text", "enough"), [("128", True), ("131071K", False), ("127M", False), ("0", False)])
def test_less_than_the_program_needs_is_refused(text: str, enough: bool) -> None:
    """It would not even begin."""
    result, _ = _asked("--memory", text)

    assert (result.exit_code == 0) is enough
    assert enough or "at least 128MiB are needed" in result.stderr


def test_what_nobody_says_is_usual(tmp_path: Path) -> None:
    """One process, without a scheduler, in the usual folder; other options of the command stay what they are."""
    assert _asked()[1] == [Asked()]
    given = _asked("--jobs", "3", "--scheduler", "local", "--work-dir", str(tmp_path), "--memory", "1G")[1]
    assert given == [Asked(1 << 30, str(tmp_path), 3, "local")]
    assert Asked().jobs == 1


@pytest.mark.parametrize(
    "words", [("--jobs", "0"), ("--jobs", "257"), ("--work-dir", "/nowhere"), ("--work-dir", __file__)]
)
def test_what_cannot_be_is_refused(words: tuple[str, ...]) -> None:
    """No work without anybody, nor in a folder that is none."""
    assert _asked(*words)[0].exit_code == 2


def test_an_analysis_is_given_what_was_asked_for(tmp_path: Path) -> None:
    """Memory as it was said, else as much as the captures ask for."""
    with prepare([SEED]) as prepared:
        said = Asked(1 << 30, str(tmp_path), 3, "local").means(prepared, 7)
        usual = Asked().means(prepared)
        expected = chosen(None, prepared.stored)

    assert said == Means(Budget(1 << 30), 7, str(tmp_path), 3, "local")
    assert (usual.parts, usual.jobs, usual.scheduler) == (None, 1, None)
    assert usual.budget is not None
    assert abs(usual.budget.size - expected.size) < 64 << 20
