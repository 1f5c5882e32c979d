"""ICMP errors, and the packets that they are about: found by what both have of the quoted packet."""

from bisect import bisect_left
from functools import cached_property

import numpy as np

from analyzer.packet.context import Context
from analyzer.schema import Array, Layer

UNREACHABLE4, TIME_EXCEEDED4, PARAMETER4 = 3, 11, 12
ERRORS6 = (1, 2, 3, 4)
_QUOTED = ("src_hi", "src", "dst_hi", "dst", "proto", "sport", "dport", "ip_id", "icmp_id", "icmp_seq")


class Errors:
    """The errors that end journeys."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._errors = _errors_by_quote(context)
        self.mtu: dict[int, int] = dict(
            zip(context.quotes["row"].tolist(), context.quotes["mtu"].tolist(), strict=True)
        )
        """Of the next hop, by the error's row; 0 where it does not say."""

    @cached_property
    def quoted(self) -> dict[int, int]:
        """Packets that ICMP errors are about, by the error's packet."""
        found: dict[int, int] = {}
        if self._errors:
            for packet in np.flatnonzero(self.may_be_about()).tolist():
                error = self.about(self._context.rows_of(packet))
                if error is not None:
                    found.setdefault(int(self._context.packet_of_row[error]), packet)
        return found

    @cached_property
    def related(self) -> dict[int, tuple[int, bool]]:
        """
        The connection of each error's packet, and whether it goes in the reply direction: RELATED, as conntrack has it.

        It goes against what it quotes, and is translated like that (net/netfilter/nf_nat_core.c,
        nf_nat_icmp_reply_translation()).
        """
        hops, start = self._context.hops, self._context.packet_start
        numbers, replies = (hops[name][start[:-1]] for name in ("connection", "reply"))
        return {
            error: (int(numbers[packet]), not replies[packet])
            for error, packet in self.quoted.items()
            if numbers[error] < 0 <= numbers[packet]
        }

    def stream_of(self, packet: int) -> tuple[int, bool]:
        """Return the connection that conntrack takes a packet for, -1 without, and whether it is a reply in it."""
        context, place = self._context, int(self._context.packet_start[packet])
        number = int(context.hops["connection"][place])
        own = number, bool(context.hops["reply"][place])
        return own if number >= 0 else self.related.get(packet, own)

    def may_be_about(self) -> Array:
        """Tell the packets that an ICMP error may quote, by the IP id."""
        context = self._context
        quoted = np.unique(context.quotes["ip_id"])
        of_row = np.isin(context.frames["ip_id"][context.hops["row"]], quoted)
        found: Array = np.logical_or.reduceat(of_row, context.packet_start[:-1])
        return found if len(quoted) else np.zeros(context.packets, bool)

    def about(self, rows: list[int]) -> int | None:
        """Return the first ICMP error that quotes one of the packet's sightings."""
        context = self._context
        best: int | None = None
        if not self._errors:
            return None
        for row in rows:
            errors = self._errors.get(_quote_key(context, row), [])
            place = bisect_left(errors, context.value("time_ns", rows[0]), key=lambda e: context.value("time_ns", e))
            if place < len(errors):
                error = errors[place]
                if best is None or context.value("time_ns", error) < context.value("time_ns", best):
                    best = error
        return best


def _quote_key(context: Context, row: int) -> tuple[int, ...]:
    return tuple(context.value(name, row) for name in _QUOTED)


def _errors_by_quote(context: Context) -> dict[tuple[int, ...], list[int]]:
    """Index the ICMP errors that end a journey by what identifies the packet they quote."""
    found: dict[tuple[int, ...], list[int]] = {}
    table = context.quotes
    columns = [table[name].tolist() for name in _QUOTED]
    for row, *key in zip(table["row"].tolist(), *columns, strict=True):
        kind = context.value("icmp_type", row)
        fatal = ERRORS6 if context.layers(row) & Layer.IPV6 else (UNREACHABLE4, TIME_EXCEEDED4, PARAMETER4)
        if kind in fatal:
            found.setdefault(tuple(key), []).append(row)
    for errors in found.values():
        errors.sort(key=lambda row: context.value("time_ns", row))
    return found
