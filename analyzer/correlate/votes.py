"""Collects and weighs the votes for NAT mappings: frames of equal identity in two conversations."""

from dataclasses import dataclass

import numpy as np

from analyzer.correlate.runs import Runs
from analyzer.correlate.tuples import Conversations
from analyzer.decode.offsets import PROTO_TCP
from analyzer.schema import Array, Columns, Int64

WINDOW_NS = 3_500_000_000
"""Longest time between two sightings of one packet: it may wait for ARP, which is asked three times, 1 s apart."""
WEAK_WINDOW_NS = 10_000_000
"""The same where identities are no proof: a host forwards in microseconds, in milliseconds under load."""
REACH = 4
"""Places within a run that a vote may span where several conversations have equal identities."""


@dataclass(slots=True)
class Candidates:
    """c pairs of conversations with votes; arrays are (c,) unless they say otherwise."""

    first: Int64
    second: Int64
    crossed: Array
    """The first endpoint of one is on the side of the other's second."""
    votes: Int64
    share: Array
    """Votes per packet of the smaller conversation; 1.0 if it was all explained."""
    gap_ns: Array
    """Mean time between the two sightings."""
    strong: Array
    """A vote was cast by an identity that does not repeat by chance: TCP's numbers, or an IP id."""
    kept_ends: Int64
    """Endpoints, address and port, that both have: SNAT leaves the destination, DNAT the source."""
    kept_ports: Int64
    """Ports that both have, of two."""
    change: Int64
    """Which end of *first* differs: 0 its first, 1 its second, 2 both."""
    degree: Int64
    """(conversations,) Candidates that each conversation is in."""

    @property
    def plausible(self) -> Array:
        """Whether weak votes suffice: NAT left one end alone, and it was quick."""
        found: Array = (self.kept_ends == 1) & (self.gap_ns <= WEAK_WINDOW_NS)
        return found

    def support(self, first: int, second: int, crossed: bool, votes: int) -> None:
        """Add to the votes of a pair, if frames voted for it at all."""
        low, high = min(first, second), max(first, second)
        self.votes[(self.first == low) & (self.second == high) & (self.crossed == crossed)] += votes

    def best_first(self) -> Int64:
        """Return the indices, the most convincing candidate first."""
        return np.lexsort(
            (
                self.second,
                self.first,
                self.gap_ns,
                -np.minimum(self.share, 1.0).round(2),
                -self.kept_ports,
                -self.kept_ends,
                ~self.strong,
                -(self.votes >= 1 << 40).astype(np.int64),
            )
        )

    def rival(self, index: int) -> bool:
        """Tell whether another candidate for one of the two conversations is as convincing."""
        ends = (self.first[index], self.second[index])
        if self.strong[index] or self.degree[list(ends)].max() < 2:
            return False
        mine = np.isin(self.first, ends) | np.isin(self.second, ends)
        mine[index] = False
        as_good = (
            self.plausible
            & (self.kept_ports >= self.kept_ports[index])
            & (self.share >= 0.8 * self.share[index])
            & (self.gap_ns <= 4 * self.gap_ns[index] + 1000)
        )
        return bool((mine & as_good).any())


def collect_votes(frames: Columns, conversations: Conversations, runs: Runs) -> Candidates:
    """Let every run vote."""
    conversation = conversations.of_row[runs.order]
    time_ns = frames["time_ns"][runs.order]
    point = frames["point"][runs.order]
    backward = conversations.backward[runs.order]
    certain = (frames["proto"][runs.order] == PROTO_TCP) | (frames["ip_id"][runs.order] != 0)
    ballots: list[tuple[Array, ...]] = []
    for reach in range(1, REACH + 1):
        left = np.flatnonzero((runs.length > reach)[runs.run[: len(conversation) - reach]])
        left = left[runs.run[left] == runs.run[left + reach]]
        right = left + reach
        valid = (conversation[left] >= 0) & (conversation[right] >= 0) & (conversation[left] != conversation[right])
        valid &= time_ns[right] - time_ns[left] <= WINDOW_NS
        # At one point both sides of a translation show only in hairpins, which takes an identity that is sure.
        valid &= (point[left] != point[right]) | (frames["proto"][runs.order[left]] == PROTO_TCP)
        if reach > 1:
            valid &= ~certain[left]
        left, right = left[valid], right[valid]
        low = np.minimum(conversation[left], conversation[right])
        high = np.maximum(conversation[left], conversation[right])
        crossed = backward[left] != backward[right]
        ballots.append((low, high, crossed, time_ns[right] - time_ns[left], certain[left], runs.run[left]))
    low, high, crossed, gap, sure, run = (np.concatenate(column) for column in zip(*ballots, strict=True))
    return _count(frames, conversations, low, high, crossed, gap, sure, run)


def _count(
    frames: Columns,
    conversations: Conversations,
    low: Array,
    high: Array,
    crossed: Array,
    gap: Array,
    sure: Array,
    run: Array,
) -> Candidates:
    order = np.lexsort((gap, run, crossed, high, low))
    low, high, crossed, gap, sure, run = (a[order] for a in (low, high, crossed, gap, sure, run))
    # A run votes once for a pair, with its closest sightings.
    new_pair = _changes(low, high, crossed)
    once = new_pair | _changes(run)
    low, high, crossed, gap, sure, new_pair = (a[once] for a in (low, high, crossed, gap, sure, new_pair))
    start = np.flatnonzero(new_pair)
    if not len(start):
        none = np.zeros(0, np.int64)
        return Candidates(none, none, none > 0, none, none / 1, none / 1, none > 0, none, none, none, none)
    votes = np.diff(np.append(start, len(low)))
    packets = _packets(frames, conversations)
    first, second, crossed = low[start], high[start], crossed[start]
    ends, ports, change = _compare_ends(frames, conversations, first, second, crossed)
    return Candidates(
        first=first,
        second=second,
        crossed=crossed,
        votes=votes,
        share=votes / np.minimum(packets[first], packets[second]),
        gap_ns=np.add.reduceat(gap, start) / votes,
        strong=np.logical_or.reduceat(sure, start),
        kept_ends=ends,
        kept_ports=ports,
        change=change,
        degree=np.bincount(np.concatenate((first, second)), minlength=conversations.count),
    )


def _changes(*columns: Array) -> Array:
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
