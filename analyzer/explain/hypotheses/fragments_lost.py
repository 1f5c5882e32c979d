"""What is sent in fragments is never answered, while the same server answers what fits into one packet."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.decode.offsets import PROTO_ICMP, PROTO_ICMP6, PROTO_UDP
from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.tally import Least, Most
from analyzer.explain.told import Told
from analyzer.link.identity import has
from analyzer.model import Disposition, Severity
from analyzer.model.journey import CODES
from analyzer.schema import Int64, Layer

TRIES = 2
MOST = 5_000
"""Datagrams in fragments of one client to one port that are looked at."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each server that answers short datagrams only."""
    frames, hops, context = case.context.frames, case.context.hops, case.context
    if not context.packets:
        return
    parts = has(frames["layers"][hops["row"]], Layer.FRAGMENT)
    fragmented = np.logical_or.reduceat(parts, context.packet_start[:-1])
    kinds = np.isin(case.first("proto"), (PROTO_UDP, PROTO_ICMP, PROTO_ICMP6)) & (case.connection >= 0)
    left = np.isin(case.tracer.ends, [CODES[Disposition.LEFT_HOST], CODES[Disposition.DELIVERED]])
    by_end: dict[tuple[str, int], list[int]] = {}
    for packet in case.few_packets(np.flatnonzero(fragmented & kinds & left & ~case.reply), MOST).tolist():
        if case.tracer.answers.answered_by[packet] < 0 and case.quoted_by[packet] < 0 and case.waited(packet):
            row = int(case.first_row[packet])
            by_end.setdefault((str(context.dst(row)), int(case.first("dport")[packet])), []).append(packet)
    for (server, port), packets in by_end.items():
        short = _answered(case, packets[0], port, fragmented)
        if len(packets) >= TRIES and len(short):
            fits = int(case.first("ip_len")[short].max())
            yield Cause(packets, partial(_tell, case, server, port, fits), key=(server, port))


def _answered(case: Case, packet: int, port: int, fragmented: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Int64:
    """Return the datagrams to the same server and port that went in one packet, and were answered."""
    frames, first = case.context.frames, case.first_row
    same = case.first("dport") == port
    for name in ("dst_hi", "dst", "proto"):
        same &= frames[name][first] == frames[name][first[packet]]
    candidates = case.few_packets(np.flatnonzero(same & ~fragmented & ~case.reply & (case.connection >= 0)), MOST)
    return candidates[case.tracer.answers.answered_by[candidates] >= 0]


def _tell(case: Case, server: str, port: int, fits: int, packets: list[int]) -> Told:
    last = case.context.point(int(case.last_row[packets[0]])).name
    least = int(case.first("ip_len")[packets].min())
    return Told({"server": server, "port": port, "last": last, "least": Least(least), "fits": Most(fits)})


HYPOTHESIS = Hypothesis(
    "fragments-lost",
    Severity.ERROR,
    "captures",
    "Datagrams that are sent in fragments are never answered, while shorter ones to the same server are.",
    "Send less in one datagram (EDNS buffer size, TCP instead), or let whoever drops fragments pass them.",
    causes,
    Specific.MECHANISM,
)
