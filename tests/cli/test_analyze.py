"""The commands that read captures: what is refused before they are read, what is told, and how they end."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analyzer.cli import main

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"
FAULT = Path(__file__).parents[1] / "faults" / "drop-rule.bridge.tar.zst"


def _run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["x.docx"], "unknown ending; known are .html, .json, .ndjson, .parquet"),
        (["folder.json"], "a folder, not a file"),
        (["wlan0.json"], "it is read, too, and would be lost"),
        (["x.parquet", "x.connections.parquet"], "the connections of another output go there"),
        (["x.connections.parquet", "x.parquet"], "the connections of another output go there"),
    ],
)
def test_outputs_are_files_of_their_own(tmp_path: Path, names: list[str], why: str) -> None:
    """It is found out before anything is read, and nothing is written."""
    (tmp_path / "folder.json").mkdir()
    shutil.copy(SEED / "wlan0.pcap", tmp_path / "wlan0.json")
    before = sorted(tmp_path.iterdir())
    told = _run("analyze", tmp_path / "wlan0.json", *(word for name in names for word in ("-o", tmp_path / name)))

    assert told.exit_code == 2
    assert why in told.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_one_output_may_be_named_twice(tmp_path: Path) -> None:
    """It is the same report."""
    told = _run("analyze", SEED, "-o", tmp_path / "x.ndjson", "-o", tmp_path / "x.ndjson", "-n", 0)

    assert (told.exit_code, [path.name for path in tmp_path.iterdir()]) == (0, ["x.ndjson"])


def test_a_selection_is_for_all_reports(tmp_path: Path) -> None:
    """On stdout and in files: only the journeys that it picks."""
    told = _run("analyze", SEED, "-Y", "icmp", "--json", "-o", tmp_path / "x.json")
    whole = json.loads(_run("analyze", SEED, "--json").stdout)
    picked = [one["id"] for one in whole["journeys"] if one["protocol"] == "icmp"]
    reports = [json.loads(text) for text in (told.stdout, (tmp_path / "x.json").read_text())]

    assert 0 < len(picked) < len(whole["journeys"])
    assert [[one["id"] for one in report["journeys"]] for report in reports] == [picked, picked]
    assert _run("analyze", SEED, "-Y", "icmp ==").exit_code == 2


@pytest.mark.parametrize(
    ("words", "code"), [((FAULT,), 0), ((FAULT, "--fail-on", "error"), 1), ((SEED, "--fail-on", "error"), 0)]
)
def test_findings_decide_the_exit_code_only_where_asked(words: tuple[object, ...], code: int) -> None:
    """A report is made in any case."""
    told = _run("analyze", *words, "-n", 0)

    assert told.exit_code == code
    assert "points" in told.stdout


def test_a_file_that_is_named_twice_is_no_damage(tmp_path: Path) -> None:
    """It is told, and read once; a dump that cannot be read is damage."""
    shutil.copytree(SEED, tmp_path / "seed")
    (tmp_path / "link.pcap").symlink_to("seed/wlan0.pcap")
    twice = _run("analyze", "--strict", tmp_path / "seed", tmp_path / "link.pcap", "-n", 0)
    (tmp_path / "seed" / "host" / "ip-route.json").write_text("[")
    damaged = _run("analyze", "--strict", tmp_path / "seed", "-n", 0)

    assert (twice.exit_code, damaged.exit_code) == (0, 4)
    assert len(twice.stderr.splitlines()) == 1
    assert "\n3 points" in twice.stdout


def test_one_journey_is_told_with_its_answer_and_its_connection() -> None:
    """The answer's way is drawn below its own; prose is told instead where somebody asks for it."""
    plain, prose = _run("show", SEED, "J3"), _run("show", SEED, "J3", "--explain")

    assert "\nJ6 ICMP echo reply" in plain.stdout
    assert "MASQUERADE 172.17.0.4 → 192.168.1.100" in plain.stdout
    assert "J6 ICMP echo reply" not in prose.stdout
    assert (plain.exit_code, prose.exit_code, _run("show", SEED, "J23").exit_code) == (0, 0, 2)


def test_the_demo_is_the_sample() -> None:
    """What analyze tells of it."""
    assert _run("demo").stdout == _run("analyze", SEED).stdout
