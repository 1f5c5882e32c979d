"""What the README shows is what the commands print; ``python -m tests.test_docs`` brings it up to date."""

import gzip
import os
import re
import subprocess
import sys
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer.cli import main
from analyzer.explain.hypotheses import HYPOTHESES
from analyzer.record.dumps import DOCKER, HOST, OPTIONAL
from tests.lab.faults.cases import CASES

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SHOWCASE = ROOT / "reports"
PICTURES = SHOWCASE / "pictures.txt"
"""Of which page the pictures were taken."""
SIZES = {"seed-phone": (360, 740), "seed": (1440, 1000), "seed-wide": (2560, 1440)}
DATA = re.compile(r'(?<=id="data">)[^<]*')
BLOCK = re.compile(r"(```console\n\$ hoptrace (.*?)\n)(.*?)(```)", re.DOTALL)
TABLE = re.compile(r"\| file \| command \|\n(\|.*\n)+")
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
    options = set(re.findall(r"(?<![\w-])--[a-z]+", BLOCK.sub("", TABLE.sub("", text))))

    assert commands <= set(main.commands)
    assert options <= set(re.findall(r"--[a-z]+", " ".join(helps.values())))


def dumps_table() -> str:
    """Return the table of what a bundle's host folder may hold, as the code has it."""
    rows = [f"| `{file}` | `{_shown(command)}` |" for file, command in (*HOST, *OPTIONAL)]
    rows += [f"| `{file}` | `{' '.join(command)} ...` |" for file, _, command in DOCKER]
    return "\n".join(["| file | command |", "|---|---|", *rows]) + "\n"


def _shown(command: tuple[str, ...]) -> str:
    return f"{command[2].partition('/')[0].strip()} /proc/sys/net/..." if command[0] == "sh" else " ".join(command)


def test_the_table_of_dumps() -> None:
    """It is made from the code."""
    assert dumps_table() in README.read_text()


def test_figures_of_checks_and_faults() -> None:
    """As many as there are; that all are right, tests/explain/test_faults.py shows."""
    text = " ".join(README.read_text().split())
    kinds = [len({case.fault.name for case in CASES if bool(case.fault.expect) is faulty}) for faulty in (True, False)]

    assert f"lists {len(HYPOTHESES)} checks" in text
    assert f"has {len(CASES)} recordings of a real Docker Engine: {kinds[0]} kinds of faults and {kinds[1]} of" in text
    assert f"{len(CASES)} cases: precision 1.000, recall 1.000" in text


def test_named_files_are_there() -> None:
    """Every sample folder is described, and every described one exists."""
    described = set(re.findall(r"^\| `([a-z0-9-]+)` \|", README.read_text(), re.MULTILINE))

    assert described == {path.parent.name for path in ROOT.glob("sample_pcaps/*/README.md")}


def _unpacked(page: str) -> str:
    """Return a page with its data as it is before compression, which another zlib may do otherwise."""
    return DATA.sub(lambda found: gzip.decompress(b64decode(found[0])).decode(), page)


def test_the_showcase_is_what_the_demo_writes(tmp_path: Path) -> None:
    """The committed reports are current."""
    CliRunner().invoke(main, ["demo", "-o", str(tmp_path / "seed.json"), "-o", str(tmp_path / "seed.html")])

    assert (SHOWCASE / "seed.json").read_text() == (tmp_path / "seed.json").read_text()
    assert _unpacked((SHOWCASE / "seed.html").read_text()) == _unpacked((tmp_path / "seed.html").read_text())


def test_the_pictures_are_of_the_showcase() -> None:
    """They were taken of the page as it is; every picture that the README shows is one of them."""
    shown = re.findall(r"!\[[^]]*\]\(reports/([^)]*)\.png\)", README.read_text())

    assert PICTURES.read_text().strip() == sha256(_unpacked((SHOWCASE / "seed.html").read_text()).encode()).hexdigest()
    assert set(shown) <= set(SIZES)
    assert {path.stem for path in SHOWCASE.glob("*.png")} == set(SIZES)


def _take_pictures() -> None:
    """Take the showcase's pictures at three sizes, the middle one down to the ladder."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import ARGUMENTS, CHROMIUM

    page_file = SHOWCASE / "seed.html"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name, (width, height) in SIZES.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(f"{page_file.as_uri()}#j=3")
            page.wait_for_selector("html.ready")
            page.screenshot(path=SHOWCASE / f"{name}.png", full_page=name == "seed")
        browser.close()
    PICTURES.write_text(sha256(_unpacked(page_file.read_text()).encode()).hexdigest() + "\n")


if __name__ == "__main__":
    text = TABLE.sub(lambda _: dumps_table(), README.read_text())
    README.write_text(BLOCK.sub(lambda m: m[1] + _output(m[2]) + m[4], text))
    CliRunner().invoke(main, ["demo", "-o", str(SHOWCASE / "seed.json"), "-o", str(SHOWCASE / "seed.html")])
    _take_pictures()
