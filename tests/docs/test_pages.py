"""What the README and docs/ show is what the commands print, and what they name is there."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer.cli import main
from analyzer.explain.hypotheses import HYPOTHESES
from tests.docs.made import (
    BLOCK,
    DOCS,
    DUMPS_TABLE,
    README,
    ROOT,
    checks_table,
    dumps_table,
    hosts_table,
    output,
    pages,
)
from tests.docs.pictures import PICTURES, SHOWCASE, SHOWN, hashes, unpacked
from tests.lab.faults.cases import CASES

TEXT = "\n".join(page.read_text() for page in pages())


@pytest.mark.parametrize("found", BLOCK.findall(TEXT), ids=lambda found: found[1])
def test_shown_output_is_real(found: tuple[str, str, str, str]) -> None:
    """Letter by letter."""
    assert found[2] == output(found[1])


def test_shown_commands_and_options_exist() -> None:
    """Every hoptrace command and long option that pages name."""
    commands = set(re.findall(r"hoptrace (analyze|show|demo|[a-z]+)\b(?= [\w./-]|$| {2,})", TEXT)) - {"is"}
    helps = {name: CliRunner().invoke(main, [name, "--help"]).output for name in main.commands}
    others = re.compile(r"(tar|uvx) --[a-z]+")
    options = set(re.findall(r"(?<![\w-])--[a-z]+", others.sub("", BLOCK.sub("", DUMPS_TABLE.sub("", TEXT)))))

    assert commands <= set(main.commands)
    assert options <= set(re.findall(r"--[a-z]+", " ".join(helps.values())))


def test_the_table_of_dumps() -> None:
    """It is made from the code."""
    assert dumps_table() in TEXT


def test_the_table_of_hosts() -> None:
    """It is made of what is told of the recordings."""
    assert hosts_table() in TEXT


def test_the_table_of_checks() -> None:
    """Each with a recording that shows it."""
    assert checks_table() in TEXT


def test_figures_of_checks_and_faults() -> None:
    """As many as there are; that all are right, tests/explain/test_faults.py shows."""
    text = " ".join(TEXT.split())
    kinds = [len({case.fault.name for case in CASES if bool(case.fault.expect) is faulty}) for faulty in (True, False)]

    assert f"lists {len(HYPOTHESES)} checks" in text
    assert f"has {len(CASES)} recordings of a real Docker Engine: {kinds[0]} kinds of faults and {kinds[1]} of" in text
    assert f"{len(CASES)} cases: precision 1.000, recall 1.000" in text


def test_named_files_are_there() -> None:
    """Every sample folder is described, and every described one exists."""
    samples = (DOCS / "samples.md").read_text()
    described = set(re.findall(r"^\| `([a-z0-9-]+)` \|", samples, re.MULTILINE))

    assert described == {path.parent.name for path in ROOT.glob("sample_pcaps/*/README.md")}


def test_links_lead_somewhere() -> None:
    """To a file of the project, from the page that names it."""
    linked = [(page, target) for page in pages() for target in re.findall(r"\]\(([^)#:]+)[)#]", page.read_text())]

    assert [(page.name, target) for page, target in linked if not (page.parent / target).exists()] == []


def test_the_showcase_is_what_the_demo_writes(tmp_path: Path) -> None:
    """The committed reports are current."""
    CliRunner().invoke(main, ["demo", "-o", str(tmp_path / "seed.json"), "-o", str(tmp_path / "seed.html")])

    assert (SHOWCASE / "seed.json").read_text() == (tmp_path / "seed.json").read_text()
    assert unpacked((SHOWCASE / "seed.html").read_text()) == unpacked((tmp_path / "seed.html").read_text())


def test_the_pictures_are_of_the_pages(tmp_path: Path) -> None:
    """They were taken of the pages as they are; pages show all of them, and no others."""
    shown = re.findall(r"!\[[^]]*\]\((?:\.\./)?reports/([^)]*)\.png\)", TEXT)

    assert PICTURES.read_text() == hashes(tmp_path)
    assert set(shown) == set(SHOWN) == {path.stem for path in SHOWCASE.glob("*.png")}
    assert "](reports/incident.png)" in README.read_text()
