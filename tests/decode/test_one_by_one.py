"""Decoding without anything compiled: the same tables, frame by frame."""

from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.decode import batch
from analyzer.decode.one_by_one import decode_each
from analyzer.read import walk
from analyzer.read.records import Interface
from analyzer.schema import FRAMES, Layer
from tests.build import BRIDGE, C1, arp, ether
from tests.decode.agree import pack

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"


def test_rows_and_what_lies_aside() -> None:
    """Of each frame its row; of those that ask something, one more."""
    asked = ether(C1, BRIDGE, arp(1, C1, "172.17.0.2", "00:00:00:00:00:00", "172.17.0.1"), 0x0806)
    frames = FRAMES.empty(2)
    sides, device = decode_each(pack([(b"short", 9), (asked, len(asked))]), [Interface(1, 0)], 1 << 30, frames)

    assert frames["layers"].tolist()[0] & Layer.CUT
    assert sides["neighbours"]["row"].tolist() == [1]
    assert [len(one["row"]) for one in sides.values()] == [0, 1, 0]
    assert device.tolist() == [0, 0]


@pytest.mark.parametrize("name", ["seed", "overlay", "lossy"])
def test_an_analysis_tells_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With and without what is compiled."""
    told = list(analyze(SAMPLES / name).texts())
    monkeypatch.setattr(batch, "compiled", None)
    monkeypatch.setattr(walk, "compiled", None)

    assert list(analyze(SAMPLES / name).texts()) == told
