"""Collects and weighs the votes for NAT mappings: frames of equal identity in two conversations."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analyzer.decode.offsets import IPV4_HEADER, IPV6_HEADER, PROTO_TCP, TCP_HEADER
from analyzer.link.identity import has
from analyzer.link.runs import Rows, recorded_at
from analyzer.link.shares import Share
from analyzer.link.sorting import changes, expand, lengths, pieces, stable_order
from analyzer.link.stated import StatedSides
from analyzer.link.tuples import Seen
from analyzer.schema import Array, Columns, Int64, Layer

WINDOW_NS = 3_500_000_000
"""Longest time between two sightings of one packet: it may wait for ARP, which is asked three times, 1 s apart."""
QUICK_NS = 10_000_000
"""What forwarding takes at most where identities are no proof: it is microseconds, milliseconds under load."""
REACH = 4
"""Places within a run that a vote may span where several conversations have equal identities."""
JUDGED = 64
"""Votes by whose times, TTLs and IP ids a pair is judged; all of them count."""
MOST_RIVALS = 16
"""Rivals of one candidate that are told."""
STATED = 1 << 40
"""Votes that a conntrack entry counts for, if a single frame agrees."""


Contradict = Callable[[Int64, Int64], Array]
"""Tells of rows of FRAMES, two by two, which cannot be one packet."""


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
    """The TTL is lower after the translation than before, or a bridge shows what br_netfilter had translated there."""
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

    def rivals(self, index: int) -> list[int]:
        """Return the conversations that other candidates, as convincing, would put in the place of one of these."""
        if self.sure[index]:
            return []
        ends = (int(self.first[index]), int(self.second[index]))
        others = np.array([i for end in ends for i in self._of_conversation.get(end, ()) if i != index], np.int64)
        as_good = (
            (self.kept_ports[others] >= self.kept_ports[index])
            & (self.share[others] >= 0.8 * self.share[index])
            & (self.gap_ns[others] <= 4 * self.gap_ns[index] + 1000)
        )
        best = others[as_good][:MOST_RIVALS]
        return sorted({*self.first[best].tolist(), *self.second[best].tolist()} - set(ends))


@dataclass(frozen=True, slots=True)
class Ballots:
    """What frames of equal identity say for pairs of conversations; b votes that a pair is judged by, p pairs."""

    votes: Columns
    """
    (b,) Sorted by ``pair``, then as they were cast; no more than JUDGED of a pair.

    ``run_ns`` and ``run_at`` tell the first frame of that identity, ``own_ns`` and ``own_at`` the one that voted, and
    these four their order; ``gap_ns`` between the two sightings; ``routed``, ``numbered``, ``tcp`` what they show.
    """
    pairs: Int64
    """(p,) Twice the number of the first conversation times ``count`` plus the second one's, and one if *crossed*."""
    counts: Int64
    """(p,) All votes of each."""

    @classmethod
    def together(cls, parts: "Sequence[Ballots]") -> "Ballots":
        """Put together what was cast in parts, each with all frames of its identities."""
        if len(parts) == 1:
            return parts[0]
        votes = {name: np.concatenate([one.votes[name] for one in parts]) for name in parts[0].votes}
        order = np.lexsort([votes[name] for name in ("own_at", "own_ns", "run_at", "run_ns", "pair")])
        start = np.flatnonzero(changes(votes["pair"][order]))
        length = lengths(start, len(order))
        first = order[expand(start, np.minimum(length, JUDGED))]
        pairs = np.concatenate([one.pairs for one in parts])
        by_pair = stable_order(pairs)
        start = np.flatnonzero(changes(pairs[by_pair]))
        counts = np.concatenate([one.counts for one in parts])[by_pair]
        counts = np.add.reduceat(counts, start) if len(start) else counts
        return cls({name: column[first] for name, column in votes.items()}, pairs[by_pair][start], counts)


def cast_votes(share: Share, seen: Seen, contradict: Contradict | None = None) -> Ballots:
    """
    Let every run vote.

    Args:
        share: all frames of some identities.
        seen: where all conversations were seen.
        contradict: tells where bytes speak against a vote.
    """
    runs = share.runs
    conversation, run, rows = share.of, runs.run, runs.rows
    numbered = rows.frames["proto"][rows.order] == PROTO_TCP
    # Most runs are one conversation's, or a TCP packet's with both sides of its translation next to each other.
    left = np.flatnonzero((conversation[1:] != conversation[:-1]) & (run[1:] == run[:-1]))
    by_number = numbered[left]
    neighbours, others = left[by_number], left[~by_number]
    places = np.flatnonzero(~numbered)
    mixed = np.zeros(runs.count, bool)
    mixed[run[left]] = True
    places = places[mixed[run[places]]]
    here = seen.bits, seen.count
    further = [_votes(share, rows, here, others, others + 1)]
    for reach in range(2, REACH + 1):
        left, right = places[: max(len(places) - reach, 0)], places[reach:]
        near = (right - left == reach) & (run[left] == run[right])
        further.append(_votes(share, rows, here, left[near], right[near]))
    nominated = _joined(further)
    if contradict is not None:
        left, right, pair = nominated
        good = ~contradict(rows.order[left], rows.order[right])
        nominated = left[good], right[good], pair[good]
    by_numbers = _votes(share, rows, here, neighbours, neighbours + 1)
    closest = _closest(rows, nominated)
    left, right, pair = _joined((by_numbers, closest))
    own = np.concatenate((by_numbers[0], closest[1]))
    order = stable_order(pair)
    start = np.flatnonzero(changes(pair[order]))
    counts = lengths(start, len(order))
    first = order[expand(start, np.minimum(counts, JUDGED))]
    return Ballots(_told(share, (left[first], right[first], pair[first]), own[first]), pair[order][start], counts)


def _told(share: Share, votes: "_Votes", own: Int64) -> Columns:
    """Return the columns of ballots; *own* are the places of those who vote."""
    left, right, pair = votes
    runs, files, rows, frames = share.runs, share.files, share.runs.rows, share.frames
    before, after = rows.order[left], rows.order[right]
    run_start = np.flatnonzero(changes(runs.run))
    first, voter = rows.order[run_start[runs.run[left]]], rows.order[own]
    return {
        "pair": pair,
        "run_ns": frames["time_ns"][first],
        "run_at": recorded_at(frames, files, first),
        "own_ns": frames["time_ns"][voter],
        "own_at": recorded_at(frames, files, voter),
        "gap_ns": frames["time_ns"][after] - frames["time_ns"][before],
        "routed": (frames["ttl"][before] > frames["ttl"][after]) | _as_it_came(frames, before, after),
        "numbered": frames["ip_id"][before] != 0,
        "tcp": frames["proto"][before] == PROTO_TCP,
    }


_Votes = tuple[Int64, Int64, Int64]
"""Two places in the runs, the earlier one first, and a number for the pair of conversations they are for."""


def _joined(votes: Iterable[_Votes]) -> _Votes:
    left, right, pair = (np.concatenate(columns) for columns in zip(*votes, strict=True))
    return left, right, pair


_Where = tuple[Int64, int]
"""``Seen.bits``, and how many conversations there are."""


def _votes(share: Share, rows: Rows, seen: _Where, left: Int64, right: Int64) -> _Votes:
    """Return the pairs of places that may be a packet before and after its translation."""
    none = left[:0], left[:0], left[:0]
    cut = pieces(len(left))
    return _joined([none, *(_valid(share, rows, seen, left[piece], right[piece]) for piece in cut)])


def _closest(rows: Rows, votes: _Votes) -> _Votes:
    """Let a sighting vote once for a pair, with the closest on the other side."""
    left, right, pair = votes
    time_ns = rows.column("time_ns")
    for side in (0, 1):
        order = np.lexsort((time_ns[right] - time_ns[left], (left, right)[side], pair))
        order = order[changes(pair[order], (left, right)[side][order])]
        left, right, pair = left[order], right[order], pair[order]
    return left, right, pair


def _valid(share: Share, rows: Rows, seen: _Where, left: Int64, right: Int64) -> _Votes:
    bits, count = seen
    frames, before, after = rows.frames, rows.order[left], rows.order[right]
    one, two = share.of[left], share.of[right]
    ttl, later_ttl = frames["ttl"][before], frames["ttl"][after]
    gap = frames["time_ns"][after] - frames["time_ns"][before]
    tcp = frames["proto"][before] == PROTO_TCP
    valid = (one >= 0) & (two >= 0) & (one != two) & (gap <= WINDOW_NS)
    # At one point both sides of a translation show only in hairpins, which takes numbers to tell.
    valid &= (frames["point"][before] != frames["point"][after]) | tcp | (frames["ip_id"][before] != 0)
    # Cause before effect: what was routed has a lower TTL, and comes later.
    valid &= (ttl >= later_ttl) | tcp | (gap == 0)
    # Whoever translates a packet routes it, too, or sends it on with other MACs: scanners' probes are all alike.
    moved = ~_as_it_came(frames, before, after)
    # A bridge shows what br_netfilter's PREROUTING has made of the destination, and nothing else yet: then none of
    # the two conversations was seen, in this direction, where the other one was.
    back, later_back = share.backward[left], share.backward[right]
    apart = (bits[2 * one + back] & bits[2 * two + later_back] == 0) & _same_source(frames, before, after)
    chosen = np.flatnonzero(valid & (moved | apart))
    left, right, one, two = left[chosen], right[chosen], one[chosen], two[chosen]
    crossed = share.backward[left] != share.backward[right]
    return left, right, (np.minimum(one, two) * count + np.maximum(one, two)) * 2 + crossed


def _as_it_came(frames: Columns, before: Int64, after: Int64) -> Array:
    """Tell where a frame was neither routed nor sent on with another MAC."""
    found: Array = np.logical_and.reduce([frames[n][before] == frames[n][after] for n in ("ttl", "eth_src", "eth_dst")])
    return found


def _same_source(frames: Columns, before: Int64, after: Int64) -> Array:
    names = ("src_hi", "src", "sport", "icmp_id")
    found: Array = np.logical_and.reduce([frames[name][before] == frames[name][after] for name in names])
    return found


def weigh(ballots: Ballots, talks: Columns, seen: Seen, keep: int) -> Candidates:
    """
    Count the votes of each pair, and judge by its first ones how it came to them.

    Args:
        ballots: all that were cast.
        talks: TALKS of all conversations.
        seen: where they were seen.
        keep: bytes that every point kept, from the network header on.
    """
    if not len(ballots.pairs):
        none = np.zeros(0, np.int64)
        no = none > 0
        return Candidates(none, none, no, none, none / 1, none / 1, no, no, no, none, none, none)
    votes = ballots.votes
    begin = np.flatnonzero(changes(votes["pair"]))
    judged = lengths(begin, len(votes["pair"]))
    first, second = np.divmod(ballots.pairs // 2, seen.count)
    crossed = ballots.pairs % 2 != 0
    header = np.where(has(talks["layers"][first], Layer.IPV6), IPV6_HEADER, IPV4_HEADER)
    ends, ports, change = _compare_ends(talks, first, second, crossed)
    most = seen.most
    return Candidates(
        first=first,
        second=second,
        crossed=crossed,
        votes=ballots.counts.copy(),
        share=ballots.counts / np.minimum(most[first], most[second]),
        gap_ns=_medians(votes["gap_ns"], begin, judged),
        certain=votes["tcp"][begin] & (keep >= header + TCP_HEADER),
        numbered=np.logical_and.reduceat(votes["numbered"], begin),
        routed=np.add.reduceat(votes["routed"].astype(np.int64), begin) * 2 > judged,
        kept_ends=ends,
        kept_ports=ports,
        change=change,
    )


def _medians(values: Int64, start: Int64, count: Int64) -> Array:
    """Return the median of each stretch of *values*."""
    order = np.lexsort((values, np.repeat(np.arange(len(start)), count)))
    median: Array = values[order][start + (count - 1) // 2].astype(np.float64)
    return median


def _compare_ends(talks: Columns, first: Int64, second: Int64, crossed: Array) -> tuple[Int64, Int64, Int64]:
    """Return how many endpoints and ports two conversations share, and which endpoint differs."""
    one_near, one_far = _ends(talks, first)
    two_near, two_far = _ends(talks, second)
    same_near = [np.where(crossed, a == c, a == b) for a, b, c in zip(one_near, two_near, two_far, strict=True)]
    same_far = [np.where(crossed, a == c, a == b) for a, b, c in zip(one_far, two_far, two_near, strict=True)]
    near_kept, far_kept = np.logical_and.reduce(same_near), np.logical_and.reduce(same_far)
    ports = same_near[2].astype(np.int64) + (same_far[2] & (talks["icmp_id"][first] == talks["icmp_id"][second]))
    return near_kept.astype(np.int64) + far_kept, ports, np.where(near_kept, 1, np.where(far_kept, 0, 2))


def _ends(talks: Columns, index: Int64) -> tuple[list[Array], list[Array]]:
    """Return address halves and port of the first and the second endpoint of conversations."""
    source, target = (
        [talks[name][index] for name in (f"{end}_hi", end, port)] for end, port in (("src", "sport"), ("dst", "dport"))
    )
    backward = talks["backward"][index]
    near = [np.where(backward, b, a) for a, b in zip(source, target, strict=True)]
    far = [np.where(backward, a, b) for a, b in zip(source, target, strict=True)]
    return near, far
