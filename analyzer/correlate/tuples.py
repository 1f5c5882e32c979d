"""Conversations: the frames between two endpoints, in both directions, in the addresses of one point.

An endpoint is an address with a port, of a ping with its identifier. NAT makes one connection two conversations;
which belong together is found out elsewhere. A conversation whose ports are used again for something new is cut in
time, as conntrack would make a new entry.
"""

from dataclasses import dataclass

import numpy as np

from analyzer.correlate.fragments import REASSEMBLY4_NS, REASSEMBLY6_NS, nearest_first
from analyzer.correlate.identity import NEEDS_HEADER, any_has, has
from analyzer.correlate.sightings import point_bits
from analyzer.correlate.sorting import changes, count_keys, first_places, number_groups, pieces, stable_order
from analyzer.decode import offsets as o
from analyzer.decode.digest import mix_rows
from analyzer.schema import Array, Columns, Int64, Layer

TIMEOUT_NS = {True: 120_000_000_000, False: 30_000_000_000}
"""nf_conntrack_udp_timeout_stream where both directions were seen, else nf_conntrack_udp_timeout."""
ICMP_TIMEOUT_NS = 30_000_000_000


@dataclass(slots=True)
class Conversations:
    """Which conversation each frame belongs to; n frames, in order of time at first, then in that of runs."""

    of: Int64
    """(n,) conversation, from 0; -1 for frames that have no tuple: ARP, NDP, ICMP errors, no IP."""
    backward: Array
    """(n,) bool: the frame goes from the conversation's second endpoint to the first."""
    example: Int64
    """(conversations,) a row of FRAMES of each, its first in time."""
    example_backward: Array
    """(conversations,) bool: its ``backward``."""

    @property
    def count(self) -> int:
        """Number of conversations."""
        return len(self.example)

    def sort(self, places: Int64) -> None:
        """Bring the frames into another order."""
        self.of, self.backward = self.of[places], self.backward[places]


@dataclass(slots=True)
class Seen:
    """Where each conversation was seen, direction by direction; s of those that were, sorted."""

    conversation: Int64
    backward: Array
    """bool: that direction."""
    point: Int64
    most: Int64
    """(conversations,) Frames at the point that has most of them."""

    @property
    def bits(self) -> Int64:
        """(2 * conversations,) Points that saw each conversation, forward and backward in turn, as ``point_bits``."""
        found = np.zeros(2 * len(self.most), np.int64)
        np.bitwise_or.at(found, 2 * self.conversation + self.backward, point_bits(self.point))
        return found


def count_seen(conversations: Conversations, point: Array) -> Seen:
    """Count frames by conversation and *point*, (n,) in the order that *conversations* has."""
    points = int(point.max(initial=0)) + 1
    key = (conversations.of * points + point) * 2 + conversations.backward
    keys, counts = count_keys(key[np.flatnonzero(conversations.of >= 0)])
    at = keys // 2
    both = np.flatnonzero(changes(at))
    most = np.zeros(conversations.count, np.int64)
    if len(both):
        np.maximum.at(most, at[both] // points, np.add.reduceat(counts, both))
    return Seen(at // points, keys % 2 != 0, at % points, most)


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


def find_conversations(frames: Columns, flow: Int64, time_order: Int64) -> Conversations:
    """
    Give every frame its conversation.

    Args:
        frames: FRAMES, n rows.
        flow: (n,) of KEYS; fragments without ports get theirs here.
        time_order: (n,) its rows, sorted by time.

    Returns:
        Conversations, whose frames are in order of time.
    """
    _inherit(frames, time_order, flow)
    by_time, backward = np.empty(len(flow), np.int64), np.empty(len(flow), bool)
    for piece in pieces(len(flow)):
        flows_there = flow[time_order[piece]]
        by_time[piece], backward[piece] = flows_there >> 1, flows_there & 1
    of, first = number_groups(by_time)
    nobody = np.flatnonzero(by_time[first] == 0)
    if len(nobody):
        number = np.arange(len(first)) - (np.arange(len(first)) > nobody[0])
        number[nobody[0]] = -1
        of, first = number[of], np.delete(first, nobody[0])
    cut = _cut_in_time(frames, of, backward, time_order)
    if cut is not of or frames["frag_offset"].any():
        of, shown = cut, frames["frag_offset"][time_order] > 0
        # Later fragments show no ports, so they are examples last of all.
        places = np.concatenate((np.flatnonzero(~shown), np.flatnonzero(shown)))
        first = places[first_places(of[places], int(of.max(initial=-1)) + 1)]
    return Conversations(of, backward, time_order[first], backward[first])


_TUPLE = np.uint64(2)
"""A bit that is set in every flow, so that none is 0."""


def _endpoint(high: Array, low: Array, port: Array, salt: Array) -> Array:
    return mix_rows(mix_rows(salt | port << np.uint64(16), low, 0), high, 1)


def _inherit(frames: Columns, time_order: Int64, flow: Int64) -> None:
    """Give later fragments the flow of the first one, which alone carries the ports."""
    if not any_has(frames["layers"], Layer.FRAGMENT):
        return
    rows = time_order[has(frames["layers"], Layer.FRAGMENT)[time_order]]
    datagram = frames["ip_id"][rows].astype(np.uint64)
    for lane, name in enumerate(("src_hi", "src", "dst_hi", "dst", "proto", "point")):
        datagram = mix_rows(datagram, frames[name][rows].astype(np.uint64), lane % 4)
    group, _ = number_groups(datagram.view(np.int64))
    layers = frames["layers"][rows]
    limit = np.where(has(layers, Layer.IPV6), REASSEMBLY6_NS, REASSEMBLY4_NS)
    head = nearest_first(group, frames["time_ns"][rows], has(layers, Layer.PORTS | Layer.ECHO), limit)
    later = np.flatnonzero((head >= 0) & (frames["frag_offset"][rows] > 0))
    flow[rows[later]] = flow[rows[head[later]]]


def _cut_in_time(frames: Columns, of: Int64, backward: Array, time_order: Int64) -> Int64:
    """
    Begin a new conversation at a new TCP handshake, and after a silence that ends a conntrack entry.

    Returns *of* itself if nothing begins anew.
    """
    begins = np.zeros(len(of), bool)
    syn = np.flatnonzero((frames["tcp_flags"] & (o.SYN | o.ACK) == o.SYN)[time_order] & (of >= 0))
    if len(syn):
        syn = syn[stable_order(of[syn])]
        same = ~changes(of[syn], backward[syn])
        begins[syn[same & changes(frames["seq"][time_order[syn]])]] = True
    quiet = np.flatnonzero((frames["proto"] != o.PROTO_TCP)[time_order] & (of >= 0))
    if len(quiet):
        quiet = quiet[stable_order(of[quiet])]
        conversation, rows = of[quiet], time_order[quiet]
        starts = changes(conversation)
        first_way = backward[quiet[np.flatnonzero(starts)]][np.cumsum(starts) - 1]
        both = np.zeros(of.max() + 1, bool)
        both[conversation[backward[quiet] != first_way]] = True
        limit = np.where(both[conversation], TIMEOUT_NS[True], TIMEOUT_NS[False])
        limit[has(frames["layers"][rows], Layer.ICMP)] = ICMP_TIMEOUT_NS
        silence = np.diff(frames["time_ns"][rows]) > limit[1:]
        begins[quiet[1:][silence & ~starts[1:]]] = True
    return _renumber(of, begins) if begins.any() else of


def _renumber(of: Int64, begins: Array) -> Int64:
    """Give a new number from each place that begins anew to the next one that does."""
    affected = np.zeros(of.max() + 1, bool)
    affected[of[begins]] = True
    places = np.flatnonzero((of >= 0) & affected[of])
    places = places[stable_order(of[places])]
    result = of.copy()
    result[places] = of.max() + np.cumsum(begins[places] | changes(of[places]))
    known = result >= 0
    result[known] = number_groups(result[known])[0]
    return result
