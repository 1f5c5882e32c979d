"""JSON ``hoptrace/1``: valid by its published schema, the same bytes every time."""

import json
from pathlib import Path

import jsonschema
import pytest

from analyzer import analyze
from analyzer.report.json_report import json_lines, json_schema

ROOT = Path(__file__).parents[2]
SAMPLES = sorted(path.parent for path in ROOT.glob("sample_pcaps/*/expected.json"))
PUBLISHED = ROOT / "analyzer" / "report" / "hoptrace-1.schema.json"


def _document(folder: Path) -> str:
    return "".join(json_lines(analyze([folder]).content()))


@pytest.mark.parametrize("folder", SAMPLES, ids=lambda p: p.name)
def test_documents_follow_the_published_schema(folder: Path) -> None:
    """Every sample."""
    schema = json.loads(PUBLISHED.read_text())

    jsonschema.Draft202012Validator(schema).validate(json.loads(_document(folder)))


def test_the_published_schema_is_the_models() -> None:
    """``python -m analyzer.report.publish`` writes it."""
    assert json.loads(PUBLISHED.read_text()) == json_schema()


def test_the_same_input_gives_the_same_bytes() -> None:
    """Nothing depends on time, on hashing or on the order of a set."""
    assert _document(SAMPLES[0]) == _document(SAMPLES[0])


def test_hops_refer_to_points_and_frames() -> None:
    """The contract's names: journeys[].hops[].point is points[].name, frames count from 1."""
    document = json.loads(_document(ROOT / "sample_pcaps" / "seed"))
    frames = {point["name"]: point["frames"] for point in document["points"]}

    assert document["schema"] == "hoptrace/1"
    for journey in document["journeys"]:
        for hop in journey["hops"]:
            assert all(1 <= frame <= frames[hop["point"]] for frame in hop["frames"])
            assert isinstance(hop["time_ns"], int)
