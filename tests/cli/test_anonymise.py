"""hoptrace anonymise."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer.cli import main
from analyzer.cli.base import EXIT_UNREADABLE, EXIT_UNWRITABLE

ROOT = Path(__file__).parents[2]
FAULT = ROOT / "tests" / "faults" / "docker-user.bridge.tar.zst"


def test_a_bundle_that_can_be_shown(tmp_path: Path) -> None:
    """What is told of it is the same; a line says what was written."""
    target = tmp_path / "public.tar.zst"

    done = CliRunner().invoke(main, ["anonymise", str(FAULT), "-o", str(target)])

    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    assert f"hoptrace: {target}: 5 captures, " in done.stderr
    told = CliRunner().invoke(main, ["analyze", str(target), "-n", "0"]).stdout
    assert "rule 1 of DOCKER-USER drops it" in told
    assert "--dport 7 -j RETURN" in told


def test_bundles_made_with_one_key_go_together(tmp_path: Path) -> None:
    """Those of two hosts, or of two days."""
    key = tmp_path / "key"
    key.write_bytes(b"x" * 16)
    for name in ("a", "b"):
        words = [
            "anonymise",
            str(ROOT / "sample_pcaps" / "seed"),
            "-o",
            str(tmp_path / name),
            "--key-file",
            str(key),
            "-q",
        ]
        done = CliRunner().invoke(main, words)
        assert (done.exit_code, done.output) == (0, "")

    first, second = ((tmp_path / name / "wlan0.pcap").read_bytes() for name in ("a", "b"))
    assert first == second


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nowhere", "-o", "new"], EXIT_UNREADABLE, "nowhere: no such file or folder"),
        ([str(FAULT), "-o", "there"], EXIT_UNWRITABLE, "there: there already"),
        ([str(FAULT), "-o", "new", "--key-file", "short"], EXIT_UNREADABLE, "short: a key of 5 bytes, needed are 16"),
        ([str(FAULT), "-o", "new", "--key-file", "none"], EXIT_UNREADABLE, "none: No such file or directory"),
        ([str(FAULT), "-o", "short/new"], EXIT_UNWRITABLE, "short/new: cannot be written: "),
        ([str(FAULT)], 2, "Missing option '-o'"),
    ],
)  # fmt: skip
def test_what_fails_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, said: str
) -> None:
    """In a line, and leaves nothing behind."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "short").write_bytes(b"short")

    done = CliRunner().invoke(main, ["anonymise", *words])

    assert done.exit_code == code
    assert said in done.stderr
    assert "Traceback" not in done.output
    assert {one.name for one in tmp_path.iterdir()} == {"there", "short"}
