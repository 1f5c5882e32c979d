"""What the README shows is what the commands print; ``python -m tests.test_docs`` brings it up to date."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer.cli import main

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SHOWCASE = ROOT / "reports" / "seed.json"
BLOCK = re.compile(r"(```console\n\$ hoptrace (.*?)\n)(.*?)(```)", re.DOTALL)
WIDTH = "160"


def _output(command: str) -> str:
    environment = {**os.environ, "COLUMNS": WIDTH, "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", *command.split()],
        capture_output=True, text=True, cwd=ROOT, env=environment, check=True,
    )  # fmt: skip
    return "".join(line.rstrip() + "\n" for line in done.stdout.splitlines())


@pytest.mark.parametrize("found", BLOCK.findall(README.read_text()), ids=lambda found: found[1])
def test_shown_output_is_real(found: tuple[str, str, str, str]) -> None:
    """Letter by letter."""
    assert found[2] == _output(found[1])


def test_shown_commands_and_options_exist() -> None:
    """Every hoptrace command and long option that the README names."""
    text = README.read_text()
    commands = set(re.findall(r"hoptrace (analyze|show|demo|[a-z]+)\b(?= [\w./-]|$| {2,})", text)) - {"is"}
    helps = {name: CliRunner().invoke(main, [name, "--help"]).output for name in main.commands}
    options = set(re.findall(r"(?<![\w-])--[a-z]+", BLOCK.sub("", text)))

    assert commands <= set(main.commands)
    assert options <= set(re.findall(r"--[a-z]+", " ".join(helps.values())))


def test_named_files_are_there() -> None:
    """Every sample folder is described, and every described one exists."""
    described = set(re.findall(r"^\| `([a-z0-9-]+)` \|", README.read_text(), re.MULTILINE))

    assert described == {path.parent.name for path in ROOT.glob("sample_pcaps/*/README.md")}


def test_the_showcase_is_what_the_demo_writes(tmp_path: Path) -> None:
    """The committed report is current."""
    CliRunner().invoke(main, ["demo", "-o", str(tmp_path / "seed.json")])

    assert SHOWCASE.read_text() == (tmp_path / "seed.json").read_text()


if __name__ == "__main__":
    README.write_text(BLOCK.sub(lambda m: m[1] + _output(m[2]) + m[4], README.read_text()))
    CliRunner().invoke(main, ["demo", "-o", str(SHOWCASE)])
