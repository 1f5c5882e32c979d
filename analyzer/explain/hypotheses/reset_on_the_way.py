"""Somebody on the way resets a connection in the server's name: its RST has another TTL than all else from there."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.decode.offsets import PROTO_TCP, RST
from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.refuser import of_same_service
from analyzer.explain.spoken import asked_names
from analyzer.explain.told import Facts, Told
from analyzer.model import Role, Severity
from analyzer.packet.context import FRESH_TTLS
from analyzer.schema import Int64

MOST, SHOWN = 200, 3


def causes(case: Case) -> Iterator[Cause]:
    """Give each server whose connections are reset by somebody else, right after the client's first data."""
    flags, layers = case.first("tcp_flags"), case.first("proto") == PROTO_TCP
    outside = case.context.with_role(case.first_row, Role.UPLINK)
    resets = np.flatnonzero(layers & (flags & RST != 0) & case.reply & outside & (case.connection >= 0))
    by_server: dict[str, list[int]] = {}
    for packet in resets.tolist():
        if _foreign(case, packet):
            by_server.setdefault(str(case.context.src(int(case.first_row[packet]))), []).append(packet)
    for server, packets in by_server.items():
        yield Cause(packets, partial(_tell, case, server), key=(server,))


def _foreign(case: Case, reset: int) -> bool:
    """Tell whether a RST ended a connection without an answer, and has not the TTL of the server's other packets."""
    packets = case.packets_of(int(case.connection[reset]))
    before: Int64 = packets[packets < reset]
    data = case.first("payload_len")[before] > 0
    answered, asked = data & case.reply[before], data & ~case.reply[before]
    if answered.any() or not asked.any():
        return False
    ttls = {int(ttl) for ttl in case.first("ttl")[before[case.reply[before]]]}
    return bool(ttls) and int(case.first("ttl")[reset]) not in ttls


def _names(case: Case, resets: list[int]) -> Facts:
    """Return the names that TLS asked for where it was reset, and where the same server was let answer."""
    numbers = {int(number) for number in case.connection[resets]}
    same = np.flatnonzero(of_same_service(case, min(numbers))).tolist()
    names = asked_names(case, same[:MOST])
    shut = sorted({names[number] for number in numbers if number in names})
    served = sorted({name for number, name in names.items() if number not in numbers} - set(shut))
    return {"shut_names": shut, "served_names": served[:SHOWN]} if len(shut) == 1 else {}


def _tell(case: Case, server: str, packets: list[int]) -> Told:
    reset = packets[0]
    others = case.packets_of(int(case.connection[reset]), reply=True)
    return Told(
        {
            "server": server, "ttl": int(case.first("ttl")[reset]), "others_ttl": int(case.first("ttl")[others[0]]),
            "where": case.context.point(int(case.first_row[reset])).name,
            "next_hop": int(case.first("ttl")[reset]) in FRESH_TTLS, **_names(case, packets),
        },
        evidence=case.evidence(packets, first=True),
    )  # fmt: skip


HYPOTHESIS = Hypothesis(
    "reset-on-the-way",
    Severity.ERROR,
    "captures",
    "A connection is reset after the client's first data, by a RST whose TTL no other packet of the server has.",
    "Somebody on the way filters by content: ask whoever runs the network, or try another way.",
    causes,
    Specific.MECHANISM,
)
