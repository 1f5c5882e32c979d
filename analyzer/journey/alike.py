"""Journeys that differ in nothing but numbers: told once, and for all others those numbers, from columns.

Packets of one direction of a connection that went the same way have the same steps, rewrites and end. What hangs on a
packet itself is told by itself: what waited for an answer of ARP, died of an ICMP error, was sent in parts, and so on.
"""

from collections.abc import Iterator
from functools import cached_property, partial
from itertools import pairwise

import numpy as np

from analyzer.decode.digest import mix_rows
from analyzer.decode.offsets import ACK
from analyzer.journey.build import Tracer
from analyzer.link.identity import has
from analyzer.link.sorting import changes, expand, group_rows
from analyzer.model import Journey
from analyzer.model.alike import Alike
from analyzer.packet.arp import BURST_NS
from analyzer.packet.context import Context
from analyzer.packet.sight import MOST_HOPS
from analyzer.packet.text import summary, tcp_text
from analyzer.schema import Array, Columns, Int64, Layer

SHAPE = (
    "point", "layers", "direction", "eth_src", "eth_dst", "eth_type", "vlan", "src_hi", "src", "dst_hi", "dst", "proto",
    "ttl", "sport", "dport", "icmp_type", "icmp_code", "icmp_id",
)  # fmt: skip
"""Columns of FRAMES that tell how a journey goes."""
APART = Layer.NEIGHBOUR | Layer.QUOTE | Layer.FRAGMENT | Layer.TUNNEL | Layer.MALFORMED
WORTH = 2
"""Packets alike from which on it is quicker to tell one of them for all."""


class Shapes:
    """What packets of a part have in common."""

    def __init__(self, context: Context, tracer: Tracer) -> None:
        """Look at them when first asked."""
        self._context, self._tracer = context, tracer
        self._start = context.packet_start[:-1]
        self._length = np.diff(context.packet_start)

    def told(self, packets: Int64, chosen: Int64) -> Iterator[tuple[Int64, Journey | Alike]]:
        """
        Tell packets.

        Args:
            packets: their own numbers.
            chosen: (n,) places of some of *packets*.

        Returns:
            Places, and one journey, or what all of them have in common.
        """
        kinds = self._kinds[packets[chosen]]
        apart = chosen[kinds < 0]
        for place, journey in zip(apart.tolist(), self._tracer.journeys(packets[apart]), strict=True):
            yield np.array([place]), journey
        plain = chosen[kinds >= 0]
        for length in np.unique(self._length[packets[plain]]).tolist():
            yield from self._told_together(packets, plain[self._length[packets[plain]] == length])

    @cached_property
    def _kinds(self) -> Int64:
        """(packets,) A number that packets alike share, -1 for those that are told by themselves."""
        context, frames, hops = self._context, self._context.frames, self._context.hops
        start = self._start
        if not len(start):
            return start
        row = hops["row"]
        state = hops["hop"].astype(np.uint64)
        for lane, name in enumerate(SHAPE):
            state = mix_rows(state, frames[name][row].astype(np.uint64), lane % 4)
        way = np.add.reduceat(state, start).view(np.int64)
        carries = frames["payload_len"][row[context.packet_start[1:] - 1]] > 0
        stream = hops["connection"][start].astype(np.int64) * 2 + hops["reply"][start]
        kind, _ = group_rows(way, stream, self._tracer.ends, carries & self._relayed[stream >> 1])
        kind[self._alone() | (np.bincount(kind) < WORTH)[kind]] = -1
        return kind

    @cached_property
    def _relayed(self) -> Array:
        """(connections + 1,) bool: a process sends on what it carries; the last is for packets without one."""
        table = self._context.connections
        return np.append((table["relayed_to"] >= 0) | (table["relayed_from"] >= 0), False)

    def _alone(self) -> Array:
        """(packets,) bool: a packet's journey hangs on itself."""
        context, frames, hops = self._context, self._context.frames, self._context.hops
        start, row, time_ns = self._start, self._context.hops["row"], self._context.frames["time_ns"]
        found: Array = hops["connection"][start] < 0
        found |= hops["hop"][context.packet_start[1:] - 1] != self._length - 1  # several frames a hop
        found |= self._length > MOST_HOPS
        found |= np.logical_or.reduceat(has(frames["layers"][row], APART) | hops["ambiguous"], start)
        early = np.zeros(len(row), bool)
        early[1:] = time_ns[row[1:]] < time_ns[row[:-1]]
        early[start] = False
        found |= np.logical_or.reduceat(early | self._after_answers()[row], start)
        found |= self._tracer.decided_alone
        found |= self._tracer.answers.repeated
        found |= self._reply_latency_ns < -1
        return found

    def _after_answers(self) -> Array:
        """(n,) bool: a row may have waited for an answer of ARP or NDP, which came right before."""
        context, found = self._context, np.zeros(len(self._context.frames["frame"]), bool)
        table = context.neighbours
        answered = np.unique(context.frames["time_ns"][table["row"][table["op"] == 2]])
        if len(answered):
            before = np.searchsorted(answered, context.frames["time_ns"], side="right") - 1
            found = (before >= 0) & (context.frames["time_ns"] - answered[before] <= BURST_NS)
        return found

    @cached_property
    def _reply_latency_ns(self) -> Int64:
        """
        (packets,) How long it took until the answer was last seen where the question was seen first.

        -1 without an answer there, -2 where that seems to have been before the question.
        """
        frames, row = self._context.frames, self._context.hops["row"]
        answered_by = self._tracer.answers.answered_by
        asked = np.flatnonzero(answered_by >= 0)
        answers = answered_by[asked]
        found = np.full(self._context.packets, -1, np.int64)
        length = self._length[answers]
        places = expand(self._start[answers], length)
        question = np.repeat(np.arange(len(asked)), length)
        first = row[self._start[asked]]
        there = frames["point"][row[places]] == frames["point"][first][question]
        last = np.full(len(asked), -1, np.int64)
        last[question[there]] = places[there]  # of several writes to one place, the last one stays
        back = np.flatnonzero(last >= 0)
        took = frames["time_ns"][row[last[back]]] - frames["time_ns"][first[back]]
        found[asked[back]] = np.where(took < 0, -2, took)
        return found

    def _told_together(self, packets: Int64, chosen: Int64) -> Iterator[tuple[Int64, Alike]]:
        """Tell packets of as many hops each, kind by kind."""
        kinds = self._kinds[packets[chosen]]
        order = np.argsort(kinds, kind="stable")
        kinds, chosen = kinds[order], chosen[order]
        own = packets[chosen]
        numbers = {name: column.tolist() for name, column in self._numbers(own).items()}
        summaries = self._summaries(own)
        start = np.flatnonzero(changes(kinds)).tolist()
        for begin, end in pairwise([*start, len(chosen)]):
            some = slice(begin, end)
            mine = {name: column[some] for name, column in numbers.items()}
            one = partial(self._tracer.journey, int(own[begin]))
            yield chosen[some], Alike((self, int(kinds[begin])), one, summaries[some], mine)

    def _numbers(self, packets: Int64) -> Columns:
        """Return what packets of as many hops each have, by what it is."""
        frames, replies = self._context.frames, self._tracer.answers
        rows = self._context.hops["row"][self._start[packets][:, None] + np.arange(self._length[packets[0]])]
        times = frames["time_ns"][rows]
        found: Columns = {"id": self._context.numbers[packets], "latency": times[:, -1] - times[:, 0]}
        for hop in range(rows.shape[1]):
            for name, column in (("frame", "frame"), ("length", "orig_len"), ("ip_id", "ip_id")):
                found[f"{name}{hop}"] = frames[column][rows[:, hop]]
            found[f"time{hop}"] = times[:, hop]
            if hop + 1 < rows.shape[1]:
                found[f"latency{hop}"] = times[:, hop + 1] - times[:, hop]
        found |= {name: frames[name][rows[:, 0]] for name in ("payload_len", "seq", "window", "tcp_flags")}
        found["ack"] = np.where(found["tcp_flags"] & ACK != 0, frames["ack"][rows[:, 0]].astype(np.int64), -1)
        return found | {
            "answers": self._among_all[replies.answers[packets]],
            "answered_by": self._among_all[replies.answered_by[packets]],
            "reply_latency_ns": self._reply_latency_ns[packets],
            "retransmission_of": self._among_all[replies.retransmission_of[packets]],
        }

    def _summaries(self, packets: Int64) -> list[str]:
        context, frames = self._context, self._context.frames
        rows = context.hops["row"][self._start[packets]]
        tcp = has(frames["layers"][rows], Layer.TCP).tolist()
        columns = (frames[name][rows].tolist() for name in ("tcp_flags", "payload_len"))
        return [
            tcp_text(flags, length) if is_tcp else summary(context, [row])
            for row, is_tcp, flags, length in zip(rows.tolist(), tcp, *columns, strict=True)
        ]

    @cached_property
    def _among_all(self) -> Int64:
        """(packets + 1,) What packets are called among all; -1 behind them."""
        return np.append(self._context.numbers, -1)
