"""Flows of which short packets arrive and long ones vanish without a word: two checks ask for them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analyzer.correlate.identity import has
from analyzer.correlate.sorting import changes, group_rows, stable_order
from analyzer.diagnose.mtu_exceeded import TOO_LONG
from analyzer.diagnose.subject import Subject
from analyzer.model import Role
from analyzer.schema import Int64, Layer

LONG = 600
"""Every link takes 576 bytes (RFC 791)."""
TRIES = 3


@dataclass(slots=True)
class Swallowed:
    """Long packets that vanish, while those up to ``fits`` bytes pass."""

    packets: list[int]
    fits: int
    tunnelled: bool


def swallowed(subject: Subject) -> list[Swallowed]:
    """Return flows, TCP's streams and pings, whose long packets vanish: those of one place together."""
    by_place: dict[tuple[int, bool], list[Swallowed]] = {}
    for flow in _flows(subject):
        if not len(subject.unclaimed(np.array(flow.packets, np.int64))):
            continue  # who stops them is known
        place = subject.context.value("point", int(subject.last_row[flow.packets[0]]))
        by_place.setdefault((place, flow.tunnelled), []).append(flow)
    return [
        Swallowed(sorted(p for flow in flows for p in flow.packets), min(flow.fits for flow in flows), tunnelled)
        for (_, tunnelled), flows in by_place.items()
    ]


def _flows(subject: Subject) -> Iterator[Swallowed]:
    told = {int(subject.connection[e.quoted]) for e in subject.errors if e.kind in TOO_LONG and e.quoted is not None}
    for lost, answered in (*_streams(subject), *_pings(subject)):
        length = subject.first("ip_len")
        least, most = int(length[lost].min()), max((int(length[p]) for p in answered), default=0)
        if most and least > most and least >= LONG and not told & set(subject.connection[lost].tolist()):
            yield Swallowed(sorted(lost), most, _tunnelled(subject, lost))


def _streams(subject: Subject) -> Iterator[tuple[list[int], list[int]]]:
    """Give for each TCP connection the segments that were sent again and never answered, and those that were."""
    again, _ = subject.tracer.sent_again
    sent_again = set(again.tolist())
    numbers, counts = np.unique(subject.connection[again], return_counts=True)
    for number in numbers[counts >= TRIES - 1].tolist():
        answers = subject.tracer.answers(number).answered_by
        for way in (False, True):
            packets = subject.packets_of(number, reply=way)
            data = packets[subject.first("payload_len")[packets] > 0]
            lost = [packet for packet in data.tolist() if packet not in answers]
            repeated = sent_again.intersection(lost)
            # Handshakes show that short ones pass; data that was answered shows how long they may be.
            passed = [packet for packet in packets.tolist() if packet in answers]
            if len(repeated) >= TRIES - 1 and passed and not _followed(subject, lost, passed):
                yield _comparable(subject, lost), passed


def _followed(subject: Subject, lost: list[int], passed: list[int]) -> bool:
    """Tell whether later data was answered after the first loss: then long ones do get through in the end."""
    return any(packet > max(lost) for packet in passed)


def _comparable(subject: Subject, lost: list[int]) -> list[int]:
    """Leave out a last short segment: it waits behind the long ones."""
    length = subject.first("ip_len")
    longest = max(int(length[packet]) for packet in lost)
    return [packet for packet in lost if int(length[packet]) >= min(longest, LONG)]


def _pings(subject: Subject) -> Iterator[tuple[list[int], list[int]]]:
    """Give for each pair of addresses the echo requests without and with an answer."""
    layers, first = subject.first("layers"), subject.first_row
    echo = np.flatnonzero(has(layers, Layer.ECHO) & ~subject.reply & (subject.connection >= 0))
    answered = np.isin(echo, np.fromiter(_answers(subject, echo), np.int64))
    ends = (subject.context.frames[name][first[echo]] for name in ("src_hi", "src", "dst_hi", "dst"))
    pair, examples = group_rows(*ends)
    silent, passed = (np.bincount(pair[where], minlength=len(examples)) for where in (~answered, answered))
    wanted = (silent >= TRIES - 1) & (passed > 0)
    concerned = np.flatnonzero(wanted[pair])
    by_pair = concerned[stable_order(pair[concerned])]
    for mine in np.split(by_pair, np.flatnonzero(changes(pair[by_pair]))[1:]) if len(by_pair) else ():
        lost = [packet for packet in echo[mine[~answered[mine]]].tolist() if subject.waited(packet)]
        if len(lost) >= TRIES - 1:
            yield lost, echo[mine[answered[mine]]].tolist()


def _answers(subject: Subject, packets: Int64) -> set[int]:
    numbers = np.unique(subject.connection[packets]).tolist()
    return {packet for number in numbers for packet in subject.tracer.answers(number).answered_by}


def _tunnelled(subject: Subject, packets: list[int]) -> bool:
    """Tell whether they are of an overlay network."""
    context = subject.context
    rows = [row for packet in packets for row in context.rows_of(packet)]
    return any(context.layers(row) & Layer.TUNNEL or context.point(row).role is Role.OVERLAY for row in rows)
