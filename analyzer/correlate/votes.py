"""Collects and weighs the votes for NAT mappings: frames of equal identity in two conversations."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from analyzer.correlate.runs import Runs
from analyzer.correlate.sorting import stable_order
from analyzer.correlate.stated import StatedSides
from analyzer.correlate.tuples import Conversations
from analyzer.decode.offsets import PROTO_TCP
from analyzer.schema import Array, Columns, Int64

WINDOW_NS = 3_500_000_000
"""Longest time between two sightings of one packet: it may wait for ARP, which is asked three times, 1 s apart."""
QUICK_NS = 10_000_000
"""What forwarding takes at most where identities are no proof: it is microseconds, milliseconds under load."""
REACH = 4
"""Places within a run that a vote may span where several conversations have equal identities."""
STATED = 1 << 40
"""Votes that a conntrack entry counts for, if a single frame agrees."""


@dataclass
class Candidates:
    """c pairs of conversations with votes; arrays are (c,)."""

    first: Int64
    second: Int64
    crossed: Array
    """The first endpoint of one is on the side of the other's second."""
    votes: Int64
    """Packets that have a sighting in both."""
    share: Array
    """Votes per packet of the smaller conversation; 1.0 if all of it was explained."""
    gap_ns: Array
    """Usual time between the two sightings."""
    certain: Array
    """TCP's numbers voted: they do not repeat by chance."""
    numbered: Array
    """IP ids voted: one may repeat by chance, all do not."""
    routed: Array
    """The TTL is lower after the translation than before."""
    kept_ends: Int64
    """Endpoints, address and port, that both have: SNAT leaves the destination, DNAT the source."""
    kept_ports: Int64
    """Ports that both have, of two."""
    change: Int64
    """Which end of *first* differs: 0 its first, 1 its second, 2 both."""

    @property
    def stated(self) -> Array:
        """A conntrack entry says so, too."""
        found: Array = self.votes >= STATED
        return found

    @cached_property
    def plausible(self) -> Array:
        """Whether it may stand if nothing clashes: NAT left one end alone, and the host routed it, quickly."""
        quick = (self.gap_ns <= QUICK_NS) | (self.numbered & (self.share >= 0.5))
        found: Array = (self.kept_ends == 1) & self.routed & quick | self.sure
        return found

    @cached_property
    def sure(self) -> Array:
        """Whether it stands although other conversations were seen at the same point: hairpins look like that."""
        by_ids = self.numbered & (self.share >= 0.9) & (self.gap_ns <= QUICK_NS)
        found: Array = self.certain | self.stated | by_ids
        return found

    def support(self, sides: StatedSides) -> None:
        """Add to the votes of the pairs that a conntrack entry joins."""
        pairs = zip(self.first.tolist(), self.second.tolist(), self.crossed.tolist(), strict=True)
        for index, (first, second, crossed) in enumerate(pairs):
            if sides.join(first, second, crossed):
                self.votes[index] += STATED

    def best_first(self) -> Int64:
        """Return the indices, the most convincing candidate first."""
        return np.lexsort(
            (
                self.second,
                self.first,
                self.gap_ns,
                -self.kept_ports,
                np.log2(np.maximum(self.gap_ns, 1000.0)).round() // 2,  # times are alike within a factor of four
                ~self.routed,
                -self.kept_ends,
                -(np.minimum(self.share, 1.0) * 4).round(),
                ~self.numbered,
                ~self.certain,
                ~self.stated,
            )
        )

    @cached_property
    def _of_conversation(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for index in np.flatnonzero(self.plausible & ~self.sure).tolist():
            for end in (int(self.first[index]), int(self.second[index])):
                found.setdefault(end, []).append(index)
        return found

    def rival(self, index: int) -> bool:
        """Tell whether another candidate for one of the two conversations is as convincing."""
        if self.sure[index]:
            return False
        ends = (int(self.first[index]), int(self.second[index]))
        others = np.array([i for end in ends for i in self._of_conversation.get(end, ()) if i != index], np.int64)
        as_good = (
            (self.kept_ports[others] >= self.kept_ports[index])
            & (self.share[others] >= 0.8 * self.share[index])
            & (self.gap_ns[others] <= 4 * self.gap_ns[index] + 1000)
        )
        return bool(as_good.any())


def collect_votes(frames: Columns, conversations: Conversations, runs: Runs, *, usable_tcp: bool) -> Candidates:
    """Let every run vote; *usable_tcp* tells that every point kept TCP's numbers."""
    conversation = conversations.of_row[runs.order]
    # Most runs are one conversation's, or a TCP packet's with both sides of its translation next to each other.
    differs = (conversation[1:] != conversation[:-1]) & (runs.run[1:] == runs.run[:-1])
    mixed = np.zeros(len(runs.start), bool)
    mixed[runs.run[1:][differs]] = True
    places = np.flatnonzero(mixed[runs.run])
    rows = runs.order[places]
    tcp = frames["proto"][rows] == PROTO_TCP
    found: list[tuple[Array, Array]] = []
    for reach in range(1, REACH + 1):
        if reach == 2:
            places = places[~tcp]
        left = places[: max(len(places) - reach, 0)]
        right = places[reach:]
        near = (right - left == reach) & (runs.run[left] == runs.run[right])
        found.append(_valid(frames, conversations, runs, left[near], right[near]))
    left, right = (np.concatenate(column) for column in zip(*found, strict=True))
    rows, others = runs.order[left], runs.order[right]
    ballots = _Ballots(
        low=np.minimum(conversation[left], conversation[right]),
        high=np.maximum(conversation[left], conversation[right]),
        crossed=conversations.backward[rows] != conversations.backward[others],
        left=left,
        right=right,
        gap_ns=frames["time_ns"][others] - frames["time_ns"][rows],
        certain=(frames["proto"][rows] == PROTO_TCP) & usable_tcp,
        numbered=frames["ip_id"][rows] != 0,
        routed=frames["ttl"][rows] > frames["ttl"][others],
    )
    return _count(frames, conversations, ballots, repeated=any(len(pairs[0]) for pairs in found[1:]))


def _valid(frames: Columns, conversations: Conversations, runs: Runs, left: Int64, right: Int64) -> tuple[Int64, Int64]:
    """Return the pairs of places that may be a packet before and after its translation."""
    rows, others = runs.order[left], runs.order[right]
    one, two = conversations.of_row[rows], conversations.of_row[others]
    gap = frames["time_ns"][others] - frames["time_ns"][rows]
    tcp = frames["proto"][rows] == PROTO_TCP
    valid = (one >= 0) & (two >= 0) & (one != two) & (gap <= WINDOW_NS)
    # At one point both sides of a translation show only in hairpins, which takes numbers to tell.
    valid &= (frames["point"][rows] != frames["point"][others]) | tcp | (frames["ip_id"][rows] != 0)
    # Cause before effect: what was routed has a lower TTL, and comes later.
    valid &= (frames["ttl"][rows] >= frames["ttl"][others]) | tcp | (gap == 0)
    return left[valid], right[valid]


@dataclass(slots=True)
class _Ballots:
    """b votes; all arrays (b,)."""

    low: Int64
    high: Int64
    crossed: Array
    left: Int64
    right: Int64
    """The two sightings, as places in the sorted runs."""
    gap_ns: Int64
    certain: Array
    numbered: Array
    routed: Array

    def taken(self, index: Array) -> "_Ballots":
        return _Ballots(*(getattr(self, name)[index] for name in _Ballots.__slots__))


def _count(frames: Columns, conversations: Conversations, ballots: _Ballots, *, repeated: bool) -> Candidates:
    """Count the votes of each pair; *repeated* tells that a sighting may have voted more than once for one."""
    if not len(ballots.low):
        none = np.zeros(0, np.int64)
        no = none > 0
        return Candidates(none, none, no, none, none / 1, none / 1, no, no, no, none, none, none)
    pair, _ = pd.factorize(ballots.low << 32 | ballots.high << 1 | ballots.crossed)
    if repeated:
        # A sighting votes once for a pair, with the closest sighting of the other side.
        for side in ("left", "right"):
            order = np.lexsort((ballots.gap_ns, getattr(ballots, side), pair))
            ballots, pair = ballots.taken(order), pair[order]
            once = _changes(pair, getattr(ballots, side))
            ballots, pair = ballots.taken(once), pair[once]
    else:
        order = stable_order(pair)
        ballots, pair = ballots.taken(order), pair[order]
    start = np.flatnonzero(_changes(pair))
    votes = np.diff(np.append(start, len(ballots.low)))
    packets = _packets(frames, conversations)
    first, second, crossed = ballots.low[start], ballots.high[start], ballots.crossed[start]
    ends, ports, change = _compare_ends(frames, conversations, first, second, crossed)
    return Candidates(
        first=first,
        second=second,
        crossed=crossed,
        votes=votes,
        share=votes / np.minimum(packets[first], packets[second]),
        gap_ns=_medians(ballots.gap_ns, start, votes),
        certain=np.logical_or.reduceat(ballots.certain, start),
        numbered=np.logical_and.reduceat(ballots.numbered, start),
        routed=np.add.reduceat(ballots.routed.astype(np.int64), start) * 2 > votes,
        kept_ends=ends,
        kept_ports=ports,
        change=change,
    )


def _medians(values: Int64, start: Int64, count: Int64) -> Array:
    """Return the median of each stretch of *values*."""
    order = np.lexsort((values, np.repeat(np.arange(len(start)), count)))
    median: Array = values[order][start + (count - 1) // 2].astype(np.float64)
    return median


def _changes(*columns: Array) -> Array:
    """Tell the rows that differ from the one before."""
    changed = np.ones(len(columns[0]), bool)
    if len(changed):
        changed[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return changed


def _packets(frames: Columns, conversations: Conversations) -> Int64:
    """Count each conversation's frames at the point that has most of them."""
    known = conversations.of_row >= 0
    pairs, counts = np.unique(conversations.of_row[known] << 16 | frames["point"][known], return_counts=True)
    packets = np.zeros(conversations.count, np.int64)
    np.maximum.at(packets, pairs >> 16, counts)
    return packets


def _compare_ends(
    frames: Columns, conversations: Conversations, first: Int64, second: Int64, crossed: Array
) -> tuple[Int64, Int64, Int64]:
    """Return how many endpoints and ports two conversations share, and which endpoint differs."""
    one_near, one_far = _ends(frames, conversations, first)
    two_near, two_far = _ends(frames, conversations, second)
    same_near = [np.where(crossed, a == c, a == b) for a, b, c in zip(one_near, two_near, two_far, strict=True)]
    same_far = [np.where(crossed, a == c, a == b) for a, b, c in zip(one_far, two_far, two_near, strict=True)]
    near_kept, far_kept = np.logical_and.reduce(same_near), np.logical_and.reduce(same_far)
    same_id = frames["icmp_id"][conversations.example[first]] == frames["icmp_id"][conversations.example[second]]
    ports = same_near[2].astype(np.int64) + (same_far[2] & same_id)
    return near_kept.astype(np.int64) + far_kept, ports, np.where(near_kept, 1, np.where(far_kept, 0, 2))


def _ends(frames: Columns, conversations: Conversations, index: Int64) -> tuple[list[Array], list[Array]]:
    """Return address halves and port of the first and the second endpoint of conversations."""
    row = conversations.example[index]
    source = (frames["src_hi"][row], frames["src"][row], frames["sport"][row])
    target = (frames["dst_hi"][row], frames["dst"][row], frames["dport"][row])
    backward = conversations.backward[row]
    near = [np.where(backward, b, a) for a, b in zip(source, target, strict=True)]
    far = [np.where(backward, a, b) for a, b in zip(source, target, strict=True)]
    return near, far
