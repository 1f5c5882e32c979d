"""The frames of a packet in the order in which the host passed them on, where times alone do not tell.

Taps on one host share a clock, but a frame may be recorded late, or at the same time at two points.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyzer.decode.digest import mix_rows
from analyzer.link.identity import any_has, has
from analyzer.link.runs import Rows
from analyzer.link.sightings import SLOWEST_NS, flooded, groups_with_repeats, variants
from analyzer.link.sorting import changes, end_to_end, lengths, number_groups
from analyzer.schema import Array, Int64, Layer


def unclear_places(rows: Rows, group: Array) -> Int64:
    """Return the places of groups whose order in time may not be the order in which the host passed them on."""
    time_ns, ttl = rows.column("time_ns"), rows.column("ttl")
    same = group[1:] == group[:-1]
    places = np.flatnonzero(same & ((time_ns[1:] <= time_ns[:-1]) | (ttl[1:] > ttl[:-1])))
    involved = np.zeros(int(group[-1]) + 1, bool)
    involved[group[places]] = True
    involved[groups_with_repeats(group, rows.column("point"))] = True
    if any_has(rows.frames["layers"], Layer.TUNNEL):
        involved[group[has(rows.column("layers"), Layer.TUNNEL)]] = True
    return np.flatnonzero(involved[group])


@dataclass(frozen=True, slots=True)
class Delays:
    """How long after its first sighting a sender's packets usually come to a point; d pairs of both, sorted."""

    sender: Int64
    """MAC and point as one number."""
    total_ns: Int64
    """Integers, so that the sum of parts is the same in any order."""
    frames: Int64

    @classmethod
    def of(cls, rows: Rows, group: Array) -> "Delays":
        """Measure those of frames in *groups*, by time."""
        time_ns = rows.column("time_ns")
        start = np.flatnonzero(changes(group))
        delay = time_ns - np.repeat(time_ns[start], lengths(start, len(group)))
        sender = _senders(rows)
        code, first = number_groups(sender)
        total = np.bincount(code, np.minimum(delay, SLOWEST_NS), len(first)).astype(np.int64)
        return cls.together([cls(sender[first], total, np.bincount(code, minlength=len(first)))])

    @classmethod
    def together(cls, parts: "Sequence[Delays]") -> "Delays":
        """Add up those of parts."""
        every = end_to_end(parts)
        sender, of = np.unique(every.sender, return_inverse=True)
        total, frames = np.zeros(len(sender), np.int64), np.zeros(len(sender), np.int64)
        np.add.at(total, of, every.total_ns)
        np.add.at(frames, of, every.frames)
        return cls(sender, total, frames)

    def at(self, rows: Rows, places: Int64) -> Array:
        """(places,) The usual delay of the sender's packets at the point, in ns."""
        mean: Array = self.total_ns / self.frames
        return mean[np.searchsorted(self.sender, _senders(rows)[places])]


def _senders(rows: Rows) -> Int64:
    found: Int64 = rows.column("eth_src") << 16 | rows.column("point")
    return found


def real_order(
    rows: Rows, group: Array, places: Int64, outward: Int64, hosts: Int64, delays: Delays
) -> Int64:  # fmt: skip
    """Sort *places* so that the frames of each packet are in the order in which the host passed them on."""
    time_ns, point = rows.column("time_ns")[places], rows.column("point")[places]
    # Parts of one packet at one point stay together, at the time of their first.
    seen = mix_rows(group[places].astype(np.uint64), variants(rows.frames, rows.order[places]), 0)
    whole = np.flatnonzero(flooded(rows.frames, rows.order[places]))
    seen[whole] = mix_rows(seen[whole], whole.astype(np.uint64), 1)
    inverse, _ = number_groups(seen.view(np.int64))
    first = np.full(int(inverse.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, inverse, time_ns)
    _before_tunnel(rows, group[places], places, hosts[point], inverse, first)
    # Routing takes one from the TTL, so that comes first; equal times are told apart by the sender's other packets.
    falling = -rows.column("ttl")[places].astype(np.int64)
    offset = rows.frames["frag_offset"][rows.order[places]]
    keys = (time_ns, offset, inverse, outward[point], delays.at(rows, places), first[inverse], falling, group[places])
    found: Int64 = places[np.lexsort(keys)]
    return _untie(rows, group, found, outward)


def _before_tunnel(rows: Rows, group: Array, places: Int64, host: Int64, variant: Int64, first: Int64) -> None:
    """
    Correct *first*, the time of each variant: what a host put into a tunnel, it had outside before.

    A bridge's copy of the frame may be recorded after the one that left for the other host.
    """
    tunnel = has(rows.frames["layers"][rows.order[places]], Layer.TUNNEL)
    if not tunnel.any():
        return
    sender, _ = number_groups(group.astype(np.int64) * (int(host.max()) + 1) + host)
    times = []
    for mask in (tunnel, ~tunnel):
        earliest = np.full(int(sender.max()) + 1, np.iinfo(np.int64).max)
        np.minimum.at(earliest, sender[mask], rows.column("time_ns")[places][mask])
        times.append(earliest)
    into, bare = times
    late = np.flatnonzero(~tunnel & (bare < into)[sender])
    first[variant[late]] = np.minimum(first[variant[late]], into[sender[late]] - 1)


def _untie(rows: Rows, group: Array, places: Int64, outward: Int64) -> Int64:
    """Swap sightings of equal time where the other way round is a shorter way from the point before: coming in."""
    time_ns, rank = rows.column("time_ns")[places], outward[rows.column("point")[places]]
    groups, ttl = group[places], rows.column("ttl")[places]
    tie = np.flatnonzero((time_ns[1:] == time_ns[:-1]) & (groups[1:] == groups[:-1]) & (ttl[1:] == ttl[:-1]))
    tie = tie[(np.diff(tie, prepend=-2) > 1) & (tie > 0)]  # of three at once, the order stays
    tie = tie[groups[tie - 1] == groups[tie]]
    tie = tie[np.abs(rank[tie - 1] - rank[tie + 1]) < np.abs(rank[tie - 1] - rank[tie])]
    result = places.copy()
    result[tie], result[tie + 1] = places[tie + 1], places[tie]
    return result
