"""The outside captures: as many frames as tshark counts, and nothing that is not an InputError."""

import csv
from pathlib import Path

import pytest

from analyzer.errors import InputError
from analyzer.read.file import CaptureFile
from tests.needs import CORPUS

pytestmark = pytest.mark.corpus


def _index() -> list[dict[str, str]]:
    if CORPUS is None:
        return []
    with (Path(CORPUS) / "index.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("entry", _index(), ids=lambda entry: entry["path"])
def test_frames_are_what_tshark_counts(entry: dict[str, str]) -> None:
    """Equal where tshark says ok; at least as many where it stops at damage."""
    found, damaged = 0, False
    try:
        capture = CaptureFile(str(Path(CORPUS or "") / entry["path"]))
        found = sum(len(batch) for batch in capture.batches())
        damaged = capture.info.damage is not None
    except InputError:
        damaged = True
    expected = int(entry["packets"])

    if entry["verdict"] == "ok":
        assert (found, damaged) == (expected, False)
    else:
        assert found >= expected
