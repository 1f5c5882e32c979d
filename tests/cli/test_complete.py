"""Completion at a prompt."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from analyzer.cli import main
from analyzer.cli.complete import SHELLS


def _completed(*words: str) -> list[tuple[str, str]]:
    *before, incomplete = words
    found = ShellComplete(main, {}, "hoptrace", "_HOPTRACE_COMPLETE").get_completions(before, incomplete)
    return [(one.type, one.value) for one in found]


@pytest.mark.parametrize("shell", SHELLS)
def test_what_a_shell_reads(shell: str) -> None:
    """It defines what completes the command, and the shell takes it."""
    done = CliRunner().invoke(main, ["completion", shell])

    assert done.exit_code == 0
    assert "_HOPTRACE_COMPLETE" in done.stdout
    if shutil.which(shell):
        assert subprocess.run([shell, "-c", done.stdout], capture_output=True, check=True).stderr == b""


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("cap",), [("plain", "capture")]),
        (("capture", "--eng"), [("plain", "--engine")]),
        (("capture", "--engine", "po"), [("plain", "podman")]),
        (("checks", "dns-f"), [("plain", "dns-failed")]),
        (("analyze", "-Y", "dns.qry.n"), [("plain", "dns.qry.name")]),
        (("analyze", "-Y", "tcp && !(icmpv"), [("plain", "tcp && !(icmpv6")]),
        (("analyze", "-Y", "tcp && "), []),
        (("analyze", "tro"), [("file", "tro")]),
        (("show", "tro"), [("file", "tro")]),
        (("replay", "tro"), [("file", "tro")]),
    ],
)
def test_what_is_completed(words: tuple[str, ...], found: list[tuple[str, str]]) -> None:
    """Commands, options, values, checks, the last word of a selection, files."""
    assert _completed(*words) == found


def test_where_no_engine_answers(tmp_path: Path) -> None:
    """Nothing is said into somebody's prompt."""
    done = subprocess.run(
        [sys.executable, "-c", "from analyzer.cli import main; main(prog_name='hoptrace')"],
        env={"PATH": str(tmp_path), "COMP_WORDS": "hoptrace capture -c ", "COMP_CWORD": "3",
             "_HOPTRACE_COMPLETE": "bash_complete"},
        capture_output=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, b"", b"")
