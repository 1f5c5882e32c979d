"""Flows of which short packets arrive and long ones vanish without a word: two hypotheses ask for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause
from analyzer.explain.stopped import severity
from analyzer.explain.tally import Least
from analyzer.explain.told import Told
from analyzer.link.identity import has
from analyzer.link.sorting import changes, group_rows, stable_order
from analyzer.model import Basis, Role, Severity
from analyzer.packet.never_came import never_came
from analyzer.schema import Layer

TOO_LONG = {(4, 3, 4), (6, 2, 0)}
"""Fragmentation needed, packet too big."""
LONG = 600
"""Every link takes 576 bytes (RFC 791)."""
TRIES = 3


@dataclass(slots=True)
class Swallowed:
    """Long packets that vanish, while those up to ``fits`` bytes pass."""

    packets: list[int]
    fits: int
    tunnelled: bool
    place: int = -1
    """The point that saw them last."""


def missing(case: Case) -> dict[int, int]:
    """Return the packets that show that data before them never came, each with how many bytes of it."""
    packets, holes = never_came(case.context)
    return dict(zip(packets.tolist(), holes.tolist(), strict=True))


def vanishing(case: Case, *, tunnelled: bool) -> Iterator[Cause]:
    """Give the flows outside tunnels, or those inside."""
    for flow in case.once(swallowed):
        if flow.tunnelled is tunnelled:
            tell, also = partial(_tell, case, flow.fits), case.troubled(flow.packets)
            yield Cause(flow.packets, tell, Basis.INFERRED, (flow.place,), also=also)


def _tell(case: Case, fits: int, packets: list[int]) -> Told:
    least = int(case.first("ip_len")[packets].min())
    last = case.context.point(int(case.last_row[packets[0]])).name
    narrow = (_narrow(case, name, least) for name in (*case.tracer.outcome(packets[0]).onward, last))
    return Told(
        {"least": Least(least), "fits": Least(fits), "last": last},
        severity=severity(case, packets, Severity.ERROR, ended=True),
        proof=tuple(line for line in narrow if line is not None),
    )


def _narrow(case: Case, name: str, length: int) -> str | None:
    """Return the line of the dump that shows a point's interface to take less."""
    link = case.link_at(name)
    if link is None or link.mtu is None or link.mtu >= length:
        return None
    return f"ip-addr.json: {link.name} mtu {link.mtu}"


def swallowed(case: Case) -> list[Swallowed]:
    """Return flows, TCP's streams and pings, whose long packets vanish: those of one place together."""
    by_place: dict[tuple[int, bool], list[Swallowed]] = {}
    for flow in _flows(case):
        place = case.context.value("point", int(case.last_row[flow.packets[0]]))
        by_place.setdefault((place, flow.tunnelled), []).append(flow)
    return [
        Swallowed(sorted(p for flow in flows for p in flow.packets), min(flow.fits for flow in flows), tunnelled, place)
        for (place, tunnelled), flows in by_place.items()
    ]


def _flows(case: Case) -> Iterator[Swallowed]:
    told = {int(case.connection[e.quoted]) for e in case.errors if e.kind in TOO_LONG and e.quoted is not None}
    for lost, answered in (*_streams(case), *_pings(case)):
        length = case.first("ip_len")
        least, most = int(length[lost].min()), max((int(length[p]) for p in answered), default=0)
        if most and least > most and least >= LONG and not told & set(case.connection[lost].tolist()):
            yield Swallowed(sorted(lost), most, _tunnelled(case, lost))


def _streams(case: Case) -> Iterator[tuple[list[int], list[int]]]:
    """Give for each TCP connection the segments that were sent again and never answered, and those that were."""
    again, _ = case.tracer.answers.sent_again
    sent_again, answered = set(again.tolist()), case.tracer.answers.answered_by >= 0
    numbers, counts = np.unique(case.connection[again], return_counts=True)
    for number in numbers[counts >= TRIES - 1].tolist():
        for way in (False, True):
            packets = case.packets_of(number, reply=way)
            data = packets[case.first("payload_len")[packets] > 0]
            lost = data[~answered[data]].tolist()
            repeated = sent_again.intersection(lost)
            # Handshakes show that short ones pass; data that was answered shows how long they may be.
            passed = packets[answered[packets]].tolist()
            if len(repeated) >= TRIES - 1 and passed and not _followed(case, lost, passed):
                yield _comparable(case, lost), passed


def _followed(case: Case, lost: list[int], passed: list[int]) -> bool:
    """Tell whether later data was answered after the first loss: then long ones do get through in the end."""
    return any(packet > max(lost) for packet in passed)


def _comparable(case: Case, lost: list[int]) -> list[int]:
    """Leave out a last short segment: it waits behind the long ones."""
    length = case.first("ip_len")
    longest = max(int(length[packet]) for packet in lost)
    return [packet for packet in lost if int(length[packet]) >= min(longest, LONG)]


def _pings(case: Case) -> Iterator[tuple[list[int], list[int]]]:
    """Give for each pair of addresses the echo requests without and with an answer."""
    layers, first = case.first("layers"), case.first_row
    echo = np.flatnonzero(has(layers, Layer.ECHO) & ~case.reply & (case.connection >= 0))
    answered = case.tracer.answers.answered_by[echo] >= 0
    ends = (case.context.frames[name][first[echo]] for name in ("src_hi", "src", "dst_hi", "dst"))
    pair, examples = group_rows(*ends)
    silent, passed = (np.bincount(pair[where], minlength=len(examples)) for where in (~answered, answered))
    wanted = (silent >= TRIES - 1) & (passed > 0)
    concerned = np.flatnonzero(wanted[pair])
    by_pair = concerned[stable_order(pair[concerned])]
    for mine in np.split(by_pair, np.flatnonzero(changes(pair[by_pair]))[1:]) if len(by_pair) else ():
        lost = [packet for packet in echo[mine[~answered[mine]]].tolist() if case.waited(packet)]
        if len(lost) >= TRIES - 1:
            yield lost, echo[mine[answered[mine]]].tolist()


def _tunnelled(case: Case, packets: list[int]) -> bool:
    """Tell whether they are of an overlay network."""
    context = case.context
    rows = [row for packet in packets for row in context.rows_of(packet)]
    return any(context.layers(row) & Layer.TUNNEL or context.point(row).role is Role.OVERLAY for row in rows)
