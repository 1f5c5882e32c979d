"""What checks look at: tables, journeys, and what several checks ask for, each made when first needed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from analyzer.capture.records import FileInfo, Interface
from analyzer.correlate.stated import Contradiction
from analyzer.model import ArpExchange, Connection, Disposition, Evidence, HostState
from analyzer.model.overview import NameQuery
from analyzer.schema import Array, Int64
from analyzer.trace.answers import sent_again
from analyzer.trace.build import Tracer
from analyzer.trace.context import Context
from analyzer.trace.prove import Cause

SHOWN = 5
"""Frames that are named as evidence."""
PATIENCE_NS = 1_000_000_000
"""How long before its capture's end something must have happened, to say that nobody answered."""
CODES = {kind: number for number, kind in enumerate(Disposition)}

ReadAgain = Callable[[Int64], Iterator[tuple[int, bytes, int, Interface]]]


@dataclass
class Stopped:
    """Packets that one cause stopped."""

    cause: Cause
    packets: list[int] = field(default_factory=list)


@dataclass
class Subject:
    """All that is known when checks run."""

    context: Context
    tracer: Tracer
    files: list[FileInfo]
    contradictions: list[Contradiction]
    read_names: Callable[[], list[NameQuery]] = list
    read_again: ReadAgain = lambda rows: iter(())

    @property
    def host(self) -> HostState:
        """What dumps told."""
        return self.context.host

    @cached_property
    def names(self) -> list[NameQuery]:
        """Questions to name servers."""
        return self.read_names()

    @cached_property
    def exchanges(self) -> list[ArpExchange]:
        """ARP and NDP exchanges."""
        return self.tracer.exchanges()

    @cached_property
    def disposition(self) -> Int64:
        """(packets,) How each ended, as ``CODES``."""
        return np.array([CODES[kind] for kind in self.tracer.dispositions], np.int64)

    def ended(self, *kinds: Disposition) -> list[int]:
        """Return the packets that ended so, in order of time."""
        found: list[int] = np.flatnonzero(np.isin(self.disposition, [CODES[kind] for kind in kinds])).tolist()
        return found

    @cached_property
    def first_row(self) -> Int64:
        """(packets,) Row of FRAMES where each was seen first."""
        found: Int64 = self.context.hops["row"][self.context.packet_start[:-1]]
        return found

    @cached_property
    def last_row(self) -> Int64:
        """(packets,) Row of FRAMES where each was seen last."""
        found: Int64 = self.context.hops["row"][self.context.packet_start[1:] - 1]
        return found

    def of_packet(self, name: str) -> Array:
        """(packets,) A column of HOPS."""
        found: Array = self.context.hops[name][self.context.packet_start[:-1]]
        return found

    def first(self, name: str) -> Array:
        """(packets,) A column of FRAMES at each packet's first hop."""
        found: Array = self.context.frames[name][self.first_row]
        return found

    def last(self, name: str) -> Array:
        """(packets,) A column of FRAMES at each packet's last hop."""
        found: Array = self.context.frames[name][self.last_row]
        return found

    @cached_property
    def again(self) -> Int64:
        """TCP packets that were sent before."""
        return sent_again(self.context)

    @cached_property
    def stopped(self) -> dict[str, list[Stopped]]:
        """By check: what the recorded host state stopped, one entry a cause."""
        found: dict[str, dict[str, Stopped]] = {}
        ends = (Disposition.DROPPED, Disposition.REJECTED)
        for packet in self.ended(*ends):
            cause = self.tracer.cause(packet)
            if cause is not None:
                of_check = found.setdefault(cause.check, {})
                of_check.setdefault(cause.text, Stopped(cause)).packets.append(packet)
        return {check: list(causes.values()) for check, causes in found.items()}

    @cached_property
    def explained(self) -> set[int]:
        """Connections of which a packet was stopped by something that is known."""
        packets = [p for causes in self.stopped.values() for one in causes for p in one.packets]
        return {int(number) for number in self.of_packet("connection")[packets]} - {-1}

    @cached_property
    def end_ns(self) -> int:
        """Time of the last frame of all."""
        times = self.context.frames["time_ns"]
        return int(times.max()) if len(times) else 0

    def waited(self, packet: int, patience_ns: int = PATIENCE_NS) -> bool:
        """Tell whether the capture of a packet's first point went on long enough to show an answer."""
        row = int(self.first_row[packet])
        until = self.context.point(row).recorded_until_ns
        return (self.end_ns if until is None else until) - self.context.value("time_ns", row) >= patience_ns

    def connection(self, number: int) -> Connection:
        """Return one connection."""
        return self.tracer.connection(number)

    def connections(self, protocol: int) -> list[int]:
        """Return the connections of an IP protocol."""
        found: list[int] = np.flatnonzero(self.context.connections["proto"] == protocol).tolist()
        return found

    def packets_of(self, connection: int, *, reply: bool | None = None) -> Int64:
        """Return a connection's packets, in order of time; of one direction, if *reply* says which."""
        packets = self.context.packets_of(connection)
        if reply is not None:
            packets = packets[self.of_packet("reply")[packets] == reply]
        return packets

    def evidence(self, packets: Iterable[int], *, first: bool = False) -> tuple[Evidence, ...]:
        """Return the frames that show packets, where they were seen last, or first."""
        rows = self.first_row if first else self.last_row
        chosen = [packet for packet, _ in zip(packets, range(SHOWN), strict=False)]
        return tuple(self.context.evidence(int(rows[packet])) for packet in chosen)
