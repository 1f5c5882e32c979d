"""Conversations: the frames between two endpoints, in both directions, in the addresses of one point.

An endpoint is an address with a port, of a ping with its identifier. NAT makes one connection two conversations;
which belong together is found out elsewhere. A conversation whose ports are used again for something new is cut in
time, as conntrack would make a new entry.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyzer.decode import offsets as o
from analyzer.decode.digest import mix_rows
from analyzer.link.identity import NEEDS_HEADER, has
from analyzer.link.runs import recorded_at
from analyzer.link.sightings import point_bits
from analyzer.link.sorting import changes, count_keys, first_places, number_groups, pieces
from analyzer.schema import Array, Columns, Int64, Layer

SHOWN = ("layers", "proto", "src_hi", "src", "dst_hi", "dst", "sport", "dport", "icmp_id")
"""Columns of FRAMES that tell a conversation's tuple."""


@dataclass(slots=True)
class Conversations:
    """Which conversation each frame belongs to; n frames, in order of time."""

    of: Int64
    """(n,) conversation, from 0; -1 for frames that have no tuple: ARP, NDP, ICMP errors, no IP."""
    backward: Array
    """(n,) bool: the frame goes from the conversation's second endpoint to the first."""
    talks: Columns
    """
    TALKS: a row a conversation, with the columns SHOWN of one of its frames, its first that shows ports.

    ``key`` tells it apart wherever it is seen; ``backward`` tells the way of that frame, ``example_ns`` and
    ``example_at`` when and where it was recorded, ``late`` whether it shows no ports; ``first_ns`` and ``first_at``
    are of its first frame of all.
    """

    @property
    def count(self) -> int:
        """Number of conversations."""
        return len(self.talks["key"])


@dataclass(slots=True)
class Seen:
    """Where conversations were seen, direction by direction; s of those that were, sorted."""

    conversation: Int64
    backward: Array
    """bool: that direction."""
    point: Int64
    frames: Int64
    """How many."""
    count: int
    """Number of conversations."""

    @classmethod
    def together(cls, ranges: "Sequence[Seen]", numbers: Sequence[Int64], count: int) -> "Seen":
        """Add up what ranges saw of conversations, each with the *numbers* that they have among *count*."""
        if len(ranges) == 1:
            return ranges[0]
        columns = [(number[one.conversation], one.point, one.backward, one.frames)
                   for one, number in zip(ranges, numbers, strict=True)]  # fmt: skip
        conversation, point, backward, frames = (np.concatenate(column) for column in zip(*columns, strict=True))
        order = np.lexsort((backward, point, conversation))
        conversation, point, backward = conversation[order], point[order], backward[order]
        start = np.flatnonzero(changes(conversation, point, backward))
        total = np.add.reduceat(frames[order], start) if len(start) else frames
        return cls(conversation[start], backward[start], point[start], total, count)

    @property
    def frames_of(self) -> Int64:
        """(conversations,) Frames of each, at all points."""
        return np.bincount(self.conversation, self.frames, self.count).astype(np.int64)

    @property
    def most(self) -> Int64:
        """(conversations,) Frames at the point that has most of them."""
        found = np.zeros(self.count, np.int64)
        both = np.flatnonzero(changes(self.conversation, self.point))
        if len(both):
            np.maximum.at(found, self.conversation[both], np.add.reduceat(self.frames, both))
        return found

    @property
    def bits(self) -> Int64:
        """(2 * conversations,) Points that saw each conversation, forward and backward in turn, as ``point_bits``."""
        found = np.zeros(2 * self.count, np.int64)
        np.bitwise_or.at(found, 2 * self.conversation + self.backward, point_bits(self.point))
        return found


def count_seen(conversations: Conversations, point: Array) -> Seen:
    """Count frames by conversation and *point*, (n,) in the order that *conversations* has."""
    points = int(point.max(initial=0)) + 1
    key = (conversations.of * points + point) * 2 + conversations.backward
    keys, counts = count_keys(key[np.flatnonzero(conversations.of >= 0)])
    at = keys // 2
    return Seen(at // points, keys % 2 != 0, at % points, counts, conversations.count)


def flows(frames: Columns) -> Int64:
    """Return KEYS' ``flow`` of n rows of FRAMES."""
    layers = frames["layers"]
    echo = has(layers, Layer.ECHO)
    port_a = np.where(echo, frames["icmp_id"], frames["sport"]).astype(np.uint64)
    port_b = np.where(echo, frames["icmp_id"], frames["dport"]).astype(np.uint64)
    salt = frames["proto"].astype(np.uint64) | has(layers, Layer.IPV6).astype(np.uint64) << np.uint64(8)
    source = _endpoint(frames["src_hi"], frames["src"], port_a, salt)
    target = _endpoint(frames["dst_hi"], frames["dst"], port_b, salt)
    # Of a ping, the asker is the first endpoint; of all else, the one with the smaller hash.
    answers = (frames["icmp_type"] == o.ICMP_ECHO_REPLY) | (frames["icmp_type"] == o.ICMP6_ECHO_REPLY)
    backward = np.where(echo, answers, source > target)
    key = mix_rows(np.minimum(source, target), np.maximum(source, target), 3)
    # ICMP errors belong to what they quote; where the header was cut off, nobody knows the ports.
    with_tuple = has(layers, Layer.PORTS | Layer.ECHO)
    with_tuple |= has(layers, Layer.IPV4 | Layer.IPV6) & ~NEEDS_HEADER[frames["proto"]]
    found: Int64 = (((key | _TUPLE) & ~np.uint64(1) | backward) * with_tuple).view(np.int64)
    return found


def find_conversations(frames: Columns, flow: Int64, keys: Int64, time_order: Int64, files: Int64) -> Conversations:
    """
    Give every frame of a range its conversation.

    Args:
        frames: FRAMES, n rows.
        flow: (n,) of KEYS; of fragments without ports, their first one's.
        keys: (n,) what tells conversations apart, as ``Cuts.conversation_keys``.
        time_order: (n,) its rows, sorted by time.
        files: (points,) number of each point's file.

    Returns:
        Conversations, whose frames are in order of time.
    """
    by_time, backward = np.empty(len(flow), np.int64), np.empty(len(flow), bool)
    for piece in pieces(len(flow)):
        rows = time_order[piece]
        by_time[piece], backward[piece] = keys[rows], flow[rows] & 1
    of, first = number_groups(by_time)
    nobody = np.flatnonzero(by_time[first] == 0)
    if len(nobody):
        number = np.arange(len(first)) - (np.arange(len(first)) > nobody[0])
        number[nobody[0]] = -1
        of, first = number[of], np.delete(first, nobody[0])
    example = first
    if frames["frag_offset"].any():
        shown = frames["frag_offset"][time_order] > 0
        # Later fragments show no ports, so they are examples last of all.
        places = np.concatenate((np.flatnonzero(~shown), np.flatnonzero(shown)))
        example = places[first_places(of[places], len(first))]
    talks = _talks(frames, files, by_time[first], time_order[first], time_order[example], backward[example])
    return Conversations(of, backward, talks)


def _talks(frames: Columns, files: Int64, keys: Int64, first: Int64, example: Int64, backward: Array) -> Columns:
    found = {"key": keys, "first_ns": frames["time_ns"][first], "first_at": recorded_at(frames, files, first)}
    found |= {"late": frames["frag_offset"][example] > 0, "backward": backward}
    found |= {"example_ns": frames["time_ns"][example], "example_at": recorded_at(frames, files, example)}
    return found | {name: frames[name][example] for name in SHOWN}


def number_talks(ranges: Sequence[Columns]) -> tuple[Columns, list[Int64]]:
    """
    Put together what ranges show of conversations.

    Returns:
        TALKS of all, in order of each one's first frame; and for each range the numbers of its own ones there.
    """
    if len(ranges) == 1:
        return ranges[0], [np.arange(len(ranges[0]["key"]))]
    every = {name: np.concatenate([one[name] for one in ranges]) for name in ranges[0]}
    group, place = number_groups(every["key"])
    order = np.lexsort((every["example_at"], every["example_ns"], every["late"], group))
    best = order[changes(group[order])]
    found = {name: column[best] for name, column in every.items()}
    order = np.lexsort((every["first_at"], every["first_ns"], group))
    first = order[changes(group[order])]
    for name in ("first_ns", "first_at"):
        found[name] = every[name][first]
    order = np.lexsort((found["first_at"], found["first_ns"]))
    number = np.empty(len(place), np.int64)
    number[order] = np.arange(len(order))
    behind = np.cumsum([len(one["key"]) for one in ranges])
    return {name: column[order] for name, column in found.items()}, np.split(number[group], behind[:-1])


_TUPLE = np.uint64(2)
"""A bit that is set in every flow, so that none is 0."""


def _endpoint(high: Array, low: Array, port: Array, salt: Array) -> Array:
    return mix_rows(mix_rows(salt | port << np.uint64(16), low, 0), high, 1)
