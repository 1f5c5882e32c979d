"""The gap prover: why the host did not pass a packet on, by its recorded state.

Takes a packet that was last seen where the host had to forward, bridge or accept it, and sends it through the
recorded state, or through one that was changed. None means that nothing recorded stops the packet.
"""

from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Any

from analyzer.host.netfilter.evaluate import Result, Translation, Verdict
from analyzer.host.netfilter.here import evaluator
from analyzer.host.netfilter.packet import Packet
from analyzer.model import Address, HostState, Point, Role, address
from analyzer.schema import Layer
from analyzer.trace.context import Context
from analyzer.trace.ports import bridge_names
from analyzer.trace.text import protocol_of
from analyzer.trace.way import Cause, Way


class Translated(Enum):
    """Whether the recorded rules would give a new connection another source address."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass
class Prover:
    """Proves one analysis's gaps; equal packets are run once."""

    context: Context
    _known: dict[tuple[Any, ...], Cause | None] = field(default_factory=dict)

    @property
    def able(self) -> bool:
        """Tell whether anything was recorded that could stop a packet."""
        host = self.context.host
        return bool(host.rulesets or host.native or host.sysctls or host.routes)

    def why(self, packet: int, rows: list[int]) -> Cause | None:
        """Return what stopped a packet after its last hop; None if nothing that was recorded does."""
        last = rows[-1]
        if not self.able or not self.context.layers(last) & (Layer.IPV4 | Layer.IPV6):
            return None
        built = self.packet(packet, last)
        if built is None:
            return None
        key = (built, self.context.value("point", last), self._bridged(last))
        if key not in self._known:
            self._known[key] = Way(self.context.host, built).stopped(bridged=self._bridged(last))
        return self._known[key]

    def tried(self, host: HostState, packet: int, rows: list[int]) -> "Cause | str | None":
        """Run a packet through another state: what stops it there, or else, in words, how it passes."""
        built = self.packet(packet, rows[-1])
        if built is None:
            return None
        way = Way(host, built)
        return way.stopped(bridged=self._bridged(rows[-1])) or way.passed

    def translated(self, packet: int, rows: list[int]) -> Translated:
        """Tell whether rules would translate the source of a packet like this one if it began a connection."""
        result = self._as_new(packet, rows)
        if result is None or result.verdict is Verdict.UNKNOWN:
            return Translated.UNKNOWN
        moved = any(t.kind in ("SNAT", "MASQUERADE") for t in result.translations)
        return Translated.YES if moved else Translated.NO

    def translations(self, packet: int, rows: list[int]) -> list[Translation]:
        """Return what rules would translate in a packet like this one if it began a connection."""
        result = self._as_new(packet, rows)
        return result.translations if result is not None else []

    def _as_new(self, packet: int, rows: list[int]) -> Result | None:
        host, built = self.context.host, self.packet(packet, rows[0])
        here = evaluator(host, built.src.version) if built is not None and host.routes else None
        if built is None or here is None:
            return None
        new = replace(built, dst=self.context.dst(rows[0]) or built.dst, ct_state="NEW", ct_reply=None)
        return here.received(replace(new, ct_dnat=False, ct_snat=False))

    @cached_property
    def _bridges(self) -> dict[int, str]:
        return bridge_names(self.context)

    def _bridged(self, row: int) -> bool:
        """Tell whether the frame only had to go from one port of a bridge to another."""
        context = self.context
        if context.point(row).role not in (Role.VETH, Role.CONTAINER, Role.BRIDGE):
            return False
        return bool(context.layers(row) & Layer.MAC_DST) and context.value("eth_dst", row) not in context.host_macs

    def interface(self, point: Point) -> str | None:
        """Return the interface by which the host's IP stack gets what is seen at a point."""
        if point.role in (Role.VETH, Role.CONTAINER):
            return self._bridges.get(point.id) or (point.interface or point.name)
        return point.interface or point.name

    def packet(self, packet: int, row: int) -> Packet | None:
        """Return a packet as the host got it where it was seen last, with the state that conntrack had."""
        context = self.context
        point, layers = context.point(row), context.layers(row)
        src, dst = context.src(row), context.dst(row)
        if src is None or dst is None or layers & Layer.TUNNEL:
            return None

        def value(name: str, layer: int) -> int | None:
            return context.value(name, row) if layers & layer else None

        built = Packet(
            protocol=protocol_of(context, row),
            src=src,
            dst=dst,
            sport=value("sport", Layer.PORTS),
            dport=value("dport", Layer.PORTS),
            icmp_type=value("icmp_type", Layer.ICMP),
            icmp_code=value("icmp_code", Layer.ICMP),
            tcp_flags=value("tcp_flags", Layer.TCP),
            length=context.value("ip_len", row),
            ttl=context.value("ttl", row),
            iif=self.interface(point),
            physdev_in=(point.interface or point.name) if point.role is Role.VETH else None,
            src_mac=value("eth_src", Layer.MAC_SRC),
        )
        return self._tracked(built, packet, row)

    def _tracked(self, built: Packet, packet: int, row: int) -> Packet:
        """Fill in what conntrack knew: the state, and the translation that it does by itself."""
        context = self.context
        place = int(context.packet_start[packet])
        number, reply = int(context.hops["connection"][place]), bool(context.hops["reply"][place])
        if number < 0:
            return replace(built, ct_state="RELATED") if context.layers(row) & Layer.QUOTE else built
        if not self._answered_before(number, packet) and not reply:
            return built
        to = self._translated_end(number, reply=reply)
        nat = context.connections
        return replace(
            built,
            dst=to or built.dst,
            ct_state="ESTABLISHED",
            ct_reply=reply,
            ct_dnat=bool(nat["orig_dst"][number] != nat["reply_src"][number]),
            ct_snat=bool(nat["orig_src"][number] != nat["reply_dst"][number]),
        )

    def _answered_before(self, connection: int, packet: int) -> bool:
        """Tell whether a packet of the reply direction was seen before this one."""
        context = self.context
        packets = context.packets_of(connection)
        replies = packets[context.hops["reply"][context.packet_start[packets]]]
        return bool(len(replies)) and int(replies[0]) < packet

    def _translated_end(self, connection: int, *, reply: bool) -> Address | None:
        """Return where conntrack sends packets of an established connection: the other tuple's source."""
        row = {name: int(column[connection]) for name, column in self.context.connections.items()}
        end = "orig" if reply else "reply"
        return address(row["version"], row[f"{end}_src_hi"], row[f"{end}_src"])
