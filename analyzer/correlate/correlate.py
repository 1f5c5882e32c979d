"""The stages of correlation in order: FRAMES to HOPS and CONNECTIONS."""

from dataclasses import replace

import numpy as np

from analyzer.correlate.assemble import Correlated, Grouped, assemble, connection_parts, vote
from analyzer.correlate.clock import Offset, align_roughly, estimate, far_apart
from analyzer.correlate.cuts import find_cuts, inherited
from analyzer.correlate.nat import map_conversations
from analyzer.correlate.order import Delays
from analyzer.correlate.packets import Points
from analyzer.correlate.shares import Range, cut_ranges, exchange, part_of
from analyzer.correlate.stated import Stated, StatedSides
from analyzer.correlate.tuples import Seen, number_talks
from analyzer.correlate.verify import Verifier
from analyzer.correlate.votes import WINDOW_NS, Ballots, weigh
from analyzer.schema import CONNECTIONS, HOPS, Array, Columns, Int64

MOST_RANGES = 64
"""Each range has a piece for each part."""


def correlate(
    frames: Columns,
    keys: Columns,
    *,
    keep: int,
    outward: Int64,
    stated: list[Stated],
    hosts: Int64,
    files: Int64 | None = None,
    hairpin: Array | None = None,
    verifier: Verifier | None = None,
    parts: int = 1,
) -> Correlated:
    """
    Find packets and connections.

    Args:
        frames: FRAMES, in any order; times of other hosts than the first are corrected in place.
        keys: KEYS of them.
        keep: bytes that every point kept, from the network header on.
        outward: (points,) rank of each point's role on the way out of a container.
        stated: conntrack entries of the host.
        hosts: (points,) number of each point's host, from 0.
        files: (points,) number of each point's file; each point is a file of its own if nobody says.
        hairpin: (points,) bool: ports that are recorded to be in hairpin mode.
        verifier: reads frames again to compare their bytes; None where nobody can.
        parts: into how many the work is cut; what is found does not depend on it.
    """
    if not len(frames["frame"]):
        return Correlated(HOPS.empty(0), CONNECTIONS.empty(0), [])
    files = np.arange(len(hosts)) if files is None else files
    if verifier is not None:
        verifier.refine(keys["identity"])
    hairpin = np.zeros(len(hosts), bool) if hairpin is None else hairpin
    points = Points(outward, hosts, files, hairpin)

    def found_now() -> Correlated:
        ranges = list(cut_ranges(frames, keys, files, min(parts, MOST_RANGES)))
        return correlate_ranges(ranges, parts, keep, stated, points, verifier)

    if not hosts.any():
        apart = far_apart(frames, keys["identity"], len(hosts), WINDOW_NS)
        found = found_now()
        found.apart = apart
        return found
    rough = align_roughly(frames, keys["identity"], hosts[frames["point"]])
    found = found_now()
    offsets: dict[int, Offset] = {}
    for number in range(1, len(rough)):
        offset = estimate(frames, found.hops, hosts, number, {0, *offsets})
        if offset is not None:
            mine = hosts[frames["point"]] == number
            frames["time_ns"][mine] -= offset.at(frames["time_ns"][mine])
            offsets[number] = replace(offset, offset_ns=offset.offset_ns + rough[number])
        elif rough[number]:
            mine = frames["time_ns"][hosts[frames["point"]] == number]
            offsets[number] = Offset(rough[number], int(mine.min()), rough=True)
    found = found_now()
    found.offsets = offsets
    return found


def correlate_ranges(
    ranges: list[Range], parts: int, keep: int, stated: list[Stated], points: Points, verifier: Verifier | None
) -> Correlated:
    """Find packets and connections of the frames in *ranges*, which are used up, in so many *parts*: all the same."""
    talks, seen, numbers = _conversations(ranges)
    shares = exchange(ranges, numbers, parts, lambda identity, _: part_of(identity, parts))
    ballots = Ballots.together([vote(share, seen, verifier) for share in shares])
    candidates = weigh(ballots, talks, seen, keep)
    candidates.support(StatedSides(talks, stated))
    mapping = map_conversations(seen, candidates)
    if parts > 1:
        shares = exchange(ranges, numbers, parts, lambda identity, of: connection_parts(identity, of, mapping, parts))
    ranges.clear()
    grouped = [Grouped.of(share, mapping, points) for share in shares]
    unclear = any(len(one.unclear) for one in grouped)
    delays = Delays.together([one.delays() for one in grouped]) if unclear else None
    return assemble([one.ordered(delays, points, mapping) for one in grouped], mapping, stated)


def _conversations(ranges: list[Range]) -> tuple[Columns, Seen, list[Int64]]:
    """Return TALKS, where each conversation was seen, and the numbers of those of each range."""
    for one, flows in zip(ranges, inherited([one.fragments() for one in ranges]), strict=True):
        one.inherit(flows)
    cuts = find_cuts([one.flow_times() for one in ranges])
    conversed = [one.converse(cuts) for one in ranges]
    talks, numbers = number_talks([found for found, _ in conversed])
    return talks, Seen.together([found for _, found in conversed], numbers, len(talks["key"])), numbers
