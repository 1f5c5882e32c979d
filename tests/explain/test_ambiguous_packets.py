"""Frames and connections that fit more than one grouping: how many are told, and which frames show it."""

from dataclasses import replace

import numpy as np
import pytest

from analyzer.explain.case import Case
from analyzer.explain.hypotheses.ambiguous_packets import causes
from analyzer.explain.told import Told
from analyzer.journey.build import Tracer
from analyzer.model import Basis, Role
from analyzer.packet.context import Context, Share
from tests.packet.tables import Packet, at, connection, context, packet, seen

POINTS = (at(0, "veth-c2", Role.VETH), at(1, "wlan0", Role.UPLINK))


def _packets(doubtful: list[int], count: int = 6) -> list[Packet]:
    """Return datagrams of as many connections, each seen at two points."""
    return [
        packet(
            seen(0, n * 1000, sport=4000 + n), seen(1, n * 1000 + 9, sport=4000 + n), connection=n,
            ambiguous=n in doubtful,
        )
        for n in range(count)
    ]  # fmt: skip


def _context(frames: list[int], connections: list[int], count: int = 6) -> Context:
    table = [
        connection(
            original=("172.17.0.2", 4000 + n, "8.8.8.8", 53), reply=("8.8.8.8", 53, "172.17.0.2", 4000 + n),
            ambiguous=n in connections,
        )
        for n in range(count)
    ]  # fmt: skip
    return context(POINTS, _packets(frames, count), connections=table)


def _told(of: Context) -> Told | None:
    """Return the one thing that is told."""
    found = list(causes(Case(of, Tracer(of), [], [])))
    assert len(found) <= 1
    for cause in found:
        assert (cause.packets, cause.basis) == ([], Basis.INFERRED)
    return found[0].told([]) if found else None


def _counts(told: Told | None) -> tuple[object, object]:
    """Return how many connections, and how many frames."""
    assert told is not None
    return tuple(told.facts[name].settled() for name in ("connections_unsure", "frames"))  # type: ignore[attr-defined, return-value]


@pytest.mark.parametrize(
    ("frames", "connections", "counts"), [([1], [], (0, 2)), ([], [2], (1, 0)), ([0, 1], [3, 4, 5], (3, 4))]
)
def test_either_kind_of_doubt_is_told(frames: list[int], connections: list[int], counts: tuple[int, int]) -> None:
    """Doubtful connections are counted beside doubtful frames, and each frame of a packet counts."""
    assert _counts(_told(_context(frames, connections))) == counts


def test_without_doubt_nothing_is_told() -> None:
    """Nobody is told that nothing is unsure."""
    assert _told(_context([], [])) is None


def test_doubtful_frames_are_the_evidence() -> None:
    """Five of them are enough, and each has the number of its packet as its weight."""
    told = _told(_context([1, 3, 4], [0]))

    assert told is not None
    assert [str(one) for one in told.evidence] == ["veth-c2 #2", "wlan0 #2", "veth-c2 #4", "wlan0 #4", "veth-c2 #5"]
    assert told.weights == (1, 1, 3, 3, 4)


def test_where_only_connections_are_doubtful_their_first_frames_show_it() -> None:
    """One frame of each connection, of no more than five."""
    told = _told(_context([], [0, 1, 2, 3, 4, 5]))

    assert told is not None
    assert [str(one) for one in told.evidence] == [f"veth-c2 #{n}" for n in (1, 2, 3, 4, 5)]
    assert _counts(told) == (6, 0)


def test_what_another_part_tells_is_left_to_it() -> None:
    """Of packets that are here for others only, neither frames nor connections count; packets keep their numbers."""
    whole = _context([1, 4], [1, 4])
    mine = np.arange(6) >= 3
    told = _told(replace(whole, share=Share(mine=mine, numbers=np.arange(6) + 100)))

    assert _counts(told) == (1, 2)
    assert told is not None
    assert told.weights == (104, 104)
