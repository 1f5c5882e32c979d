"""Address resolution: the exchanges of ARP and NDP, and which packet had to wait for one.

The kernel queues packets while it asks (net/core/neighbour.c, ``arp_queue``) and sends them with the answer. So a
packet waited if it is in the first burst from the asker to the MAC that was answered, before anything came back.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from analyzer.link.identity import has
from analyzer.model import ArpExchange, ArpStep, Mac, Point, address
from analyzer.packet.context import Context
from analyzer.packet.sight import Sight
from analyzer.schema import Layer

BURST_NS = 1_000_000
"""How long after the answer the queued packets are on their way at the latest."""
RETRY_NS = 5_000_000_000
"""Questions further apart are another resolution; the kernel asks three times, 1 s apart, and then gives up."""

Return = tuple[int, int, int]
"""Point, MAC, and when it answered, ns."""
Exchanges = dict[tuple[int, int, int], list[ArpExchange]]
"""By point, asker's MAC and answered MAC."""


def all_exchanges(context: Context) -> list[ArpExchange]:
    """Return every exchange once, where its question was first seen, in order of time."""
    frames, table = context.frames, context.neighbours
    order = np.argsort(frames["time_ns"][table["row"]], kind="stable")
    rows = table["row"][order]
    of_frame = (frames[name][rows].tolist() for name in ("layers", "point", "time_ns", "frame"))
    told = (table[name][order].tolist() for name in ("op", "asked_hi", "asked", "mac", "to_mac", "peer_hi", "peer"))
    point_names = [point.name for point in context.points]
    open_questions: dict[tuple[int, int, int, int], int] = {}
    asked_by: dict[tuple[int, int, int, int], int] = {}
    found: list[dict[str, Any]] = []
    for row, layers, point, time_ns, frame, op, asked_hi, asked, mac, to_mac, peer_hi, peer_lo in zip(
        rows.tolist(), *of_frame, *told, strict=True
    ):
        version = 4 if layers & Layer.ARP else 6
        asked_key = asked_hi << 64 | asked
        asker = mac if op == 1 else to_mac
        key = (point, version, asked_key, asker)
        known = open_questions.get(key)
        if op == 1:
            peer = peer_hi << 64 | peer_lo
            if peer == asked_key:
                continue  # an announcement (RFC 5227), nobody asks
            packet = int(context.packet_of_row[row])
            if asked_by.get(key) == packet:
                continue  # a port in hairpin mode sent it back
            asked_by[key] = packet
            if known is not None and time_ns - found[known]["request_ns"] <= RETRY_NS:
                requests = found[known]["requests"] + 1
                found[known].update(request_frame=frame, request_ns=time_ns, requests=requests)
                continue
            open_questions[key] = len(found)
            found.append(
                {
                    "protocol": "arp" if version == 4 else "ndp",
                    "asked_ip": address(version, asked_key >> 64, asked_key & (1 << 64) - 1),
                    "asker": Mac(asker),
                    "asker_ip": address(version, peer >> 64, peer & (1 << 64) - 1) if peer else None,
                    "point": point_names[point],
                    "request_frame": frame,
                    "request_ns": time_ns,
                    "requests": 1,
                }
            )
        elif op == 2 and known is not None:
            latency = time_ns - found[known]["request_ns"]
            found[known].update(answer_mac=Mac(mac), reply_frame=frame, latency_ns=latency)
            del open_questions[key]
    return [ArpExchange(**fields) for fields in found]


def distinct(context: Context, exchanges: list[ArpExchange]) -> list[ArpExchange]:
    """Leave out repetitions: the same question is seen at every port of a bridge."""
    points = {point.name: point.id for point in context.points}
    first_of_file = _rows_by_frame(context)
    kept: dict[int, ArpExchange] = {}
    for exchange in exchanges:
        row = first_of_file[points[exchange.point], exchange.request_frame]
        packet = int(context.packet_of_row[row])
        place = context.rows_of(packet).index(row)
        other = kept.get(packet)
        if other is not None and (lost := _lost_answer(*((exchange, other) if place == 0 else (other, exchange)))):
            kept[packet] = lost
            continue
        better = place == 0 or packet not in kept
        if better and (packet not in kept or kept[packet].reply_frame is None or exchange.reply_frame is not None):
            kept[packet] = exchange
    return list(kept.values())


def _lost_answer(first: ArpExchange, other: ArpExchange) -> ArpExchange | None:
    """Return the question where it was seen first, if it was asked again there although it was answered elsewhere."""
    lost = first.reply_frame is None and first.requests > 1 and other.reply_frame is not None
    return replace(first, answered_at=other.point) if lost else None


def _rows_by_frame(context: Context) -> dict[tuple[int, int], int]:
    rows = context.neighbours["row"]
    point, frame = (context.frames[name][rows].tolist() for name in ("point", "frame"))
    return dict(zip(zip(point, frame, strict=True), rows.tolist(), strict=True))


def by_pair(context: Context, exchanges: list[ArpExchange]) -> Exchanges:
    """Index answered exchanges."""
    points = {point.name: point.id for point in context.points}
    found: Exchanges = {}
    for exchange in exchanges:
        if exchange.answer_mac is not None:
            key = (points[exchange.point], int(exchange.asker), int(exchange.answer_mac))
            found.setdefault(key, []).append(exchange)
    return found


def waited_for(context: Context, exchanges: Exchanges, seen: Sight, hop: int) -> ArpStep | None:
    """Return the exchange that a frame had to wait for."""
    for exchange in exchanges.get((seen.point, seen.eth_src, seen.eth_dst), ()):
        answered_ns = _answered_ns(exchange)
        if answered_ns <= seen.time_ns <= answered_ns + BURST_NS:
            returned = context.all.returns.get((seen.point, seen.eth_dst, answered_ns))
            if returned is None or returned >= seen.frame:
                return ArpStep(exchange, hop)
    return None


def _answered_ns(exchange: ArpExchange) -> int:
    return exchange.request_ns + (exchange.latency_ns or 0)


def answered(exchanges: list[ArpExchange], points: Sequence[Point]) -> list[Return]:
    """Return where and when exchanges were answered, and by which MAC."""
    numbers = {point.name: point.id for point in points}
    return sorted({(numbers[one.point], int(one.answer_mac), _answered_ns(one))
                   for one in exchanges if one.answer_mac is not None})  # fmt: skip


def returns(context: Context, answers: list[Return]) -> dict[Return, int]:
    """
    Tell when those who answered for an address were heard again, while packets may still wait for that answer.

    Returns:
        By point, MAC and time of the answer: the number of the first frame from it that is told here, of those within
        BURST_NS that are no neighbours' messages themselves.
    """
    frames, own = context.frames, context.own_rows
    own = own[np.isin(frames["eth_src"][own], sorted({mac for _, mac, _ in answers}))]
    own = own[~has(frames["layers"][own], Layer.NEIGHBOUR)]
    own = own[np.argsort(frames["time_ns"][own], kind="stable")]
    times, senders, points, numbers = (frames[name][own] for name in ("time_ns", "eth_src", "point", "frame"))
    found: dict[Return, int] = {}
    for point, mac, answered_ns in answers:
        soon = slice(*np.searchsorted(times, (answered_ns, answered_ns + BURST_NS + 1)))
        heard = numbers[soon][(senders[soon] == mac) & (points[soon] == point)]
        if len(heard):
            found[point, mac, answered_ns] = int(heard.min())
    return found
