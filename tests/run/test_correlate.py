"""What correlation finds does not depend on how frames were cut: into ranges as they are read, and into parts."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from analyzer.decode.frames import read_frames
from analyzer.decode.stretch import keep_stretch
from analyzer.decode.tables import FrameTables
from analyzer.link.dealing import part_of
from analyzer.link.keys import make_keys
from analyzer.link.stated import Stated
from analyzer.link.tuples import number_talks
from analyzer.link.verify import Verifier
from analyzer.link.votes import JUDGED, Ballots
from analyzer.packet.assemble import Correlated
from analyzer.packet.packets import Points
from analyzer.read.work import Work
from analyzer.run import prepare
from analyzer.run.correlate import correlate
from analyzer.run.prepare import stated_entries
from analyzer.schema import FRAMES, KEYS, Columns, Int64

SAMPLES = sorted(path for path in (Path(__file__).parents[2] / "sample_pcaps").iterdir() if path.is_dir())
CUTS = ((2, 2), (3, 7), (17, 64))
"""Ranges and parts."""


def _found(
    tables: FrameTables, stated: list[Stated], cut: tuple[int, int], verifier: Verifier | None, work: Work | None = None
) -> Correlated:
    """Correlate what was read, cut into so many stretches and parts, in memory or in files."""
    stretches, parts = cut
    count = len(tables.sources)
    none = np.zeros(count, np.int64)
    files = np.array([source.file for source in tables.sources], np.int64)
    bounds = np.linspace(0, tables.rows, stretches + 1).astype(np.int64).tolist()
    work = work or Work()
    made = [
        keep_stretch({name: column[begin:end].copy() for name, column in tables.columns().items()}, {}, [], 0, work)
        for begin, end in pairwise(bounds)
    ]
    some = FrameTables(made, tables.files, tables.sources, tables.keep, tables.pieces, work)
    return correlate(some, Points(none, none, files, none > 0, none > 0), stated, verifier, parts)


def _same(one: Correlated, other: Correlated) -> None:
    for mine, theirs in ((one.hops, other.hops), (one.connections, other.connections)):
        assert list(mine) == list(theirs)
        for name, column in mine.items():
            assert column.dtype == theirs[name].dtype, name
            assert np.array_equal(column, theirs[name]), name
    assert one.contradictions == other.contradictions
    assert one.doubts == other.doubts


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_samples(path: Path, tmp_path: Path) -> None:
    """All packets, in the order of their way, and all connections, as of one range and one part."""
    with prepare([path]) as prepared:
        tables = read_frames(prepared.captures(), make_keys)
        verifier, stated = Verifier(prepared.captures(), tables), stated_entries(prepared.hosts.everywhere)
        whole = _found(tables, stated, (1, 1), verifier)
        for cut in CUTS:
            _same(_found(tables, stated, cut, verifier), whole)
        _same(_found(tables, stated, CUTS[1], verifier, Work(tmp_path)), whole)


def _as_it_is(frames: Columns, keys: Columns, random: np.random.Generator) -> None:
    pass


def _coarse_clock(frames: Columns, keys: Columns, random: np.random.Generator) -> None:
    """Times of 1 ms, so that many are equal."""
    frames["time_ns"] -= frames["time_ns"] % 1_000_000


def _copies_later(frames: Columns, keys: Columns, random: np.random.Generator) -> None:
    """Half of all frames come once more, after a silence that ends conversations, others within it."""
    for name, column in (*frames.items(), *keys.items()):
        (frames if name in frames else keys)[name] = np.concatenate((column, column[::2]))
    added = len(frames["frame"]) - len(keys["flow"][::2])
    late = random.choice([1_000, 29_000_000_000, 31_000_000_000, 121_000_000_000], len(frames["frame"]) - added)
    frames["time_ns"][added:] += late
    frames["frame"] = np.arange(1, len(frames["frame"]) + 1).astype(np.uint32)
    frames["seq"][added:] += random.integers(0, 2, len(late)).astype(np.uint32)


def _colliding(frames: Columns, keys: Columns, random: np.random.Generator) -> None:
    """Half of all identities are those of other frames."""
    mine = random.random(len(keys["identity"])) < 0.5
    keys["identity"][mine] = random.permutation(keys["identity"][mine])


CHANGES: tuple[Callable[[Columns, Columns, np.random.Generator], None], ...] = (
    _as_it_is, _coarse_clock, _copies_later, _colliding)  # fmt: skip


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_frames_that_mean_harm(sample: Path, change: Callable[..., None]) -> None:
    """Equal times, frames that come again, identities that collide."""
    with prepare([sample]) as prepared:
        tables = read_frames(prepared.captures(), make_keys)
        stated = stated_entries(prepared.hosts.everywhere)
    frames, keys = ({name: column.copy() for name, column in table.items()} for table in (tables.frames, tables.keys))
    change(frames, keys, np.random.default_rng(len(frames["frame"])))
    changed = FrameTables.of(frames | keys, {}, tables.files, tables.sources, tables.keep, tables.pieces)
    whole = _found(changed, stated, (1, 1), None)
    for cut in CUTS:
        _same(_found(changed, stated, cut, None), whole)


def test_parts_fill_alike() -> None:
    """Keys that follow each other, and keys that are hashes."""
    keys: list[Int64] = [np.arange(64_000), np.random.default_rng(0).integers(-(1 << 62), 1 << 62, 64_000)]
    for key in keys:
        counts = np.bincount(part_of(key, 64), minlength=64)

        assert counts.min() > 800
        assert counts.max() < 1200


def test_the_first_votes_of_all_parts_judge_a_pair() -> None:
    """Whichever part they were cast in: 64 of them, by the first frame of their identity; all of them count."""
    parts = []
    for mine in (slice(0, None, 2), slice(1, None, 2)):
        times = np.arange(200)[mine]
        none = np.zeros(len(times), np.int64)
        votes = {"pair": none + 6, "run_ns": times, "run_at": none, "own_ns": times[::-1], "own_at": none,
                 "gap_ns": times, "routed": none > 0, "numbered": none > 0, "tcp": none > 0}  # fmt: skip
        parts.append(Ballots({name: column[:JUDGED] for name, column in votes.items()}, none[:1] + 6, none[:1] + 100))

    found = Ballots.together(parts)

    assert found.votes["gap_ns"].tolist() == list(range(JUDGED))
    assert (found.pairs.tolist(), found.counts.tolist()) == ([6], [200])


def test_an_example_shows_ports_if_any_range_has_some() -> None:
    """A range that holds only a later fragment of a conversation has a worse example, however early it is."""
    shown = [{"key": 5, "first_ns": ns, "first_at": 0, "late": late, "example_ns": ns, "sport": port, "example_at": 0}
             for ns, late, port in ((10, True, 0), (20, False, 7), (30, False, 8))]  # fmt: skip
    talks, numbers = number_talks([{name: np.array([value]) for name, value in one.items()} for one in shown])

    assert [talks[name].tolist() for name in ("first_ns", "sport", "late")] == [[10], [7], [False]]
    assert [number.tolist() for number in numbers] == [[0], [0], [0]]


def test_no_frames_at_all() -> None:
    """Ranges and parts may be empty."""
    nothing = FrameTables.of(FRAMES.empty(0) | KEYS.empty(0), {}, [], [], 0, [])

    found = _found(nothing, [], (3, 7), None)

    assert [len(found.hops["row"]), len(found.connections["proto"])] == [0, 0]
