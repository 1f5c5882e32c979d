"""The gap prover: why the host did not pass a packet on, by its recorded state.

Takes a packet that was last seen where the host had to forward, bridge or accept it, and sends it through the
recorded state, or through one that was changed. None means that nothing recorded stops the packet.
"""

import re
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import numpy as np

from analyzer.decode.offsets import ACK, FIN, PROTO_ICMP, PROTO_ICMP6, PROTO_TCP, RST, SYN
from analyzer.model import Address, Disposition, HostState, Point, Role, address
from analyzer.model.question import ABSENT, Absent, Constant
from analyzer.model.rules import NatTarget, Rule, Verdict
from analyzer.model.tuple import ECHO_OPPOSITE
from analyzer.model.verdict import Account, Translation
from analyzer.packet.context import Context
from analyzer.packet.icmp_errors import Errors
from analyzer.packet.ports import bridge_names
from analyzer.packet.stops import Cause, Passed, Way, moved
from analyzer.schema import Int64, Layer
from analyzer.state.path import Path
from analyzer.state.rules.names import ICMP6
from analyzer.state.rules.packet import Original, Packet

OPENS = FIN | SYN | RST | ACK
"""Of these, only SYN is set where a connection begins."""
PROXY = re.compile(r"-j TPROXY\b|\btproxy (?:ip6? )?to\b")
"""Of rules, of iptables and nftables, that give packets to a socket of this host without translating them."""
KILLS = {"DROP": Disposition.DROPPED, "REJECT": Disposition.REJECTED}


class Translated(Enum):
    """Whether the recorded rules would give a new connection another source address."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass
class Prover:
    """Proves one analysis's gaps; equal packets are run once."""

    context: Context
    errors: Errors
    _known: dict[tuple[Any, ...], Cause | None] = field(default_factory=dict)

    def able(self, row: int) -> bool:
        """Tell whether anything was recorded that could stop a packet which was seen in a row."""
        return self.context.host_at(row).tells and not self._goes_past(row)

    def _goes_past(self, row: int) -> bool:
        """
        Tell whether a packet is a container's whose interface lies on one of the host's: no rule is asked for it.

        Such a container may have another network as well, a bridge's, by which it leaves all the same.
        """
        past = self._past_rules.get(self.context.point(row).host)
        if self.context.point(row).role in (Role.VETH, Role.BRIDGE):
            return False
        return past is not None and not past.isdisjoint((self.context.src(row), self.context.dst(row)))

    @cached_property
    def _past_rules(self) -> dict[str | None, frozenset[Address]]:
        """By host; of hosts that have such containers."""
        return {name: past for name, host in self.context.hosts.by_name.items() if (past := host.past_rules)}

    def why(self, packet: int, rows: list[int], *, lost: bool = False) -> Cause | None:
        """
        Return what stopped a packet after its last hop; None if nothing that was recorded does.

        *lost* says that captures show it to have gone no further: then counters may decide what rules leave open, and
        the state before the captures counts as well.
        """
        last = rows[-1]
        if not self.able(last) or not self.context.layers(last) & (Layer.IPV4 | Layer.IPV6) or self._inside(last):
            return None
        built = self.packet(packet, last)
        if built is None:
            return None
        key = (built, self.context.value("point", last), self.bridged(last), lost)
        if key not in self._known:
            self._known[key] = self._prove(built, last, lost=lost)
        return self._known[key]

    def _prove(self, built: Packet, row: int, *, lost: bool) -> Cause | None:
        host, bridged = self.context.host_at(row), self.bridged(row)
        way = Way(host, built, self.guess(row))
        found = way.stopped(bridged=bridged)
        if not lost or (found is not None and not found.unknown):
            return found
        if found is not None and (counted := _by_counter(host, way)) is not None:
            return counted
        if built.ct_state == "ESTABLISHED" or built.tcp_flags is not None:
            stray = replace(built, ct_state="INVALID", ct_reply=None, ct_dnat=False, ct_snat=False)
            other = Way(host, stray, self.guess(row)).stopped(bridged=bridged)
            if other is not None and not other.unknown and other.rule is not None and moved(host, other.rule):
                return replace(other, text=f"{other.text}, if conntrack takes it for INVALID")
        if host.tables_before:
            other = self._gone(built, row)
            if other is not None and not other.unknown:
                proof = tuple(f"host-before/{line}" for line in other.proof)
                return replace(other, text=f"{other.text}, which is gone now", proof=proof, past=True)
        return found

    def _gone(self, built: Packet, row: int) -> Cause | None:
        """Return the rule or policy of before the captures that stops a packet, and is not there any more."""
        host = self.context.host_at(row)
        past = replace(host, tables=host.tables_before)
        kept = {(rule.dump, rule.table, rule.text) for rule in host.rules()}
        skip = [rule for rule in past.rules() if rule.target in KILLS and (rule.dump, rule.table, rule.text) in kept]
        way = Way(past, built, self.guess(row), skip=skip, past=True)
        found = way.stopped(bridged=self.bridged(row))
        if found is None or (found.rule is None and found.policy is None):
            return None
        now = host.policy(*way.account.policy) if way.account.policy is not None else None
        return None if now is not None and now.verdict == "DROP" else found

    def answer(self, packet: int, rows: list[int], host: HostState | None = None) -> Cause | None:
        """
        Return what stops the host's own answer to a packet that came for it; None if nothing that is known does.

        *host* is another state to look at than the recorded one.
        """
        built = self.packet(packet, rows[-1])
        reply = answer_to(built) if built is not None else None
        if reply is None:
            return None
        found = Way(host or self.context.host_at(rows[-1]), reply).sent()
        return None if found is None or found.unknown else replace(found, of_answer=True)

    def tried(self, host: HostState, packet: int, rows: list[int]) -> "Cause | Passed | None":
        """Run a packet through another state: what stops it there, or else how it passes."""
        built = self.packet(packet, rows[-1])
        if built is None:
            return None
        way = Way(host, built, self.guess(rows[-1]))
        return way.stopped(bridged=self.bridged(rows[-1])) or way.passed

    def way_back(self, host: HostState, packet: int, rows: list[int]) -> "Cause | Passed | None":
        """
        Run the answer to a packet that passes a state back through it; None where it cannot be told what comes back.
        """
        built, bridged = self.packet(packet, rows[-1]), self.bridged(rows[-1])
        if built is None:
            return None
        way = Way(host, built, self.guess(rows[-1]))
        stopped, out = way.stopped(bridged=bridged), way.account.packet
        src, dst = self.context.src(rows[-1]), self.context.dst(rows[-1])
        if stopped is not None or not isinstance(out, Packet) or src is None or dst is None:
            return None
        kind = ECHO_OPPOSITE.get(built.icmp_type) if built.icmp_type is not None else None
        known = isinstance(out.src, IPv4Address | IPv6Address) and isinstance(out.dst, IPv4Address | IPv6Address)
        if not known or not isinstance(out.oif, str) or (built.icmp_type is not None and kind is None):
            return None
        ports = [port if isinstance(port, int) else None for port in (built.sport, built.dport)]
        back = replace(
            built, src=out.dst, dst=out.src, sport=out.dport, dport=out.sport, icmp_type=kind, iif=out.oif, oif=None,
            tcp_flags=None if built.tcp_flags is None else SYN | ACK, ttl=None, length=None, src_mac=None,
            port_in=ABSENT, ct_state="ESTABLISHED", ct_reply=True, ct_to=(src, ports[0]),
            ct_from=(dst, ports[1]), ct_dnat=way.account.target_moved, ct_snat=way.account.source_moved,
        )  # fmt: skip
        if bridged:
            back = replace(back, iif=built.iif, port_in=built.port_out, port_out=built.port_in)
        returned = Way(host, back, built.iif if isinstance(built.iif, str) else None)
        return returned.stopped(bridged=bridged) or returned.passed

    def _inside(self, row: int) -> bool:
        """Tell whether the frame was seen at a container's own end, and has not come to the host's end yet."""
        point = self.context.point(row)
        veths = (p for p in self.context.points if p.role is Role.VETH and p.container is not None)
        return point.role is Role.CONTAINER and any(p.container == point.container for p in veths)

    def guess(self, row: int) -> str | None:
        """Return the interface that a packet leaves by as captures show it: its receiver's bridge, or the uplink."""
        context = self.context
        dst = context.value("dst_hi", row), context.value("dst", row)
        if dst in self._behind:
            return self._behind[dst]
        host = context.point(row).host
        uplinks = [p.interface or p.name for p in context.points if p.role is Role.UPLINK and p.host == host]
        return uplinks[0] if len(uplinks) == 1 else None

    @cached_property
    def _behind(self) -> dict[tuple[int, int], str]:
        """Bridges by the addresses that send from behind their ports."""
        seen = self.context.all.addresses
        by_time = sorted((packet, end) for end, packet in seen.items())
        return {(high, low): self._bridges[point] for _, (high, low, point) in by_time}

    def translated(self, packet: int, rows: list[int]) -> Translated:
        """Tell whether rules would translate the source of a packet like this one if it began a connection."""
        result = self._as_new(packet, rows)
        if result is None or result.verdict is Verdict.UNKNOWN:
            return Translated.UNKNOWN
        return Translated.YES if result.source_moved else Translated.NO

    def translations(self, packet: int, rows: list[int]) -> list[Translation]:
        """Return what rules would translate in a packet like this one if it began a connection."""
        result = self._as_new(packet, rows)
        return result.translations if result is not None else []

    def solicited(self, asker: Address, asked: Address) -> Cause | None:
        """Return what keeps the host from hearing a neighbour solicitation (RFC 4861) for an address of its own."""
        group = address(6, 0xFF02 << 48, 0x1_FF00_0000 | int(asked) & 0xFF_FFFF)
        owner = next((host for host in self.context.hosts.states if host.owns(asked)), None)
        if owner is None:
            return None
        device = next((link.name for link in owner.links if asked in link.addresses), None)
        question = Packet(ICMP6, asker, group, icmp_type=135, icmp_code=0, ttl=255, iif=device)
        return Way(owner, question).stopped(bridged=False)

    def untracked(self, packet: int, rows: list[int]) -> Rule | None:
        """Return the rule that takes a packet like this one out of connection tracking, None if there is none."""
        result = self._as_new(packet, rows)
        matched = result.matched if result is not None else []
        return next((rule for rule in matched if rule.untracks), None)

    def sent_on(self, packet: int, rows: list[int]) -> Address | None:
        """Return where rules would send a packet like this one that came for the host; None if it is for the host."""
        sent = self._sent(packet, rows)
        target = target_of(sent) if sent is not None else None
        return target if target is not None and not self.context.host_at(rows[0]).owns(target) else None

    def sent_on_port(self, packet: int, rows: list[int]) -> int | None:
        """Return the port that they would send it to there, where a rule names one."""
        sent = self._sent(packet, rows)
        nat = sent.rule.nat if sent is not None else None
        found = nat.port.value if nat is not None and isinstance(nat.port, Constant) else None
        return found if isinstance(found, int) else None

    def _sent(self, packet: int, rows: list[int]) -> Translation | None:
        result = self._as_new(packet, rows)
        if result is None or result.packet is None:
            return None
        return next((one for one in result.translations if one.kind is NatTarget.DNAT), None)

    def taken(self, packet: int, rows: list[int]) -> Rule | None:
        """Return the rule by which this host's own socket takes a connection to somebody else: a transparent proxy."""
        host, dst = self.context.host_at(rows[-1]), self.context.dst(rows[-1])
        if not self._proxies.get(host.name) or dst is None or host.owns(dst):
            return None
        result = self._as_new(packet, rows)
        if result is None or not result.for_host or result.target_moved or result.verdict is not Verdict.ACCEPT:
            return None
        return next((rule for rule in result.matched if PROXY.search(rule.text)), None)

    @cached_property
    def _proxies(self) -> dict[str | None, bool]:
        """By host: it has such a rule."""
        return {
            name: any(PROXY.search(rule.text) for rule in host.rules())
            for name, host in self.context.hosts.by_name.items()
        }

    def _as_new(self, packet: int, rows: list[int]) -> Account | None:
        host, built = self.context.host_at(rows[0]), self.packet(packet, rows[0])
        if built is None or not host.routes or not host.knows_rules(built.version):
            return None
        new = replace(built, dst=self.context.dst(rows[0]) or built.dst, ct_state="NEW", ct_reply=None)
        flags = SYN if built.protocol == PROTO_TCP else None
        return Path(host).received(replace(new, ct_dnat=False, ct_snat=False, ct_from=None, tcp_flags=flags))

    @cached_property
    def _bridges(self) -> dict[int, str]:
        return bridge_names(self.context)

    def bridged(self, row: int) -> bool:
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

    def _known_way_in(self, row: int) -> bool:
        """Tell whether it is known by which interface the host got a frame: rules hang on it."""
        point, host = self.context.point(row), self.context.host_at(row)
        return point.role is not Role.UNKNOWN and (not host.links or host.link(self.interface(point) or "") is not None)

    def packet(self, packet: int, row: int) -> Packet | None:
        """
        Return a packet as the host got it where it was seen last, with the state that conntrack had.

        None where no rule can be asked: it is no IP packet, or nobody knows by which interface it came.
        """
        context = self.context
        point, layers = context.point(row), context.layers(row)
        src, dst = context.src(row), context.dst(row)
        if src is None or dst is None or layers & Layer.TUNNEL or not self._known_way_in(row):
            return None
        came = self._as_it_came(packet, row)

        def value(name: str, layer: int) -> int | None:
            return context.value(name, row) if layers & layer else None

        built = Packet(
            protocol=context.value("proto", row),
            src=src,
            dst=context.dst(came) or dst,
            sport=value("sport", Layer.PORTS),
            dport=context.value("dport", came) if layers & Layer.PORTS else None,
            icmp_type=value("icmp_type", Layer.ICMP),
            icmp_code=value("icmp_code", Layer.ICMP),
            tcp_flags=value("tcp_flags", Layer.TCP),
            length=context.value("ip_len", row),
            ttl=context.value("ttl", row),
            fragment=None if layers & Layer.FRAGMENT else False,
            iif=self.interface(point),
            port_in=self._port(point),
            src_mac=value("eth_src", Layer.MAC_SRC),
        )
        return self._tracked(built, packet, row)

    def _port(self, point: Point) -> str | Absent | None:
        """Return the bridge's port that a packet came in by: not known of one that was seen at its bridge alone."""
        if point.role is Role.VETH:
            return point.interface or point.name
        return ABSENT if point.role is Role.UPLINK else None

    def _as_it_came(self, packet: int, row: int) -> int:
        """
        Return the row that shows a packet as the host got it: the same, or an earlier one with another destination.

        A bridge with br_netfilter shows what PREROUTING has made of it, before it is routed.
        """
        context = self.context
        first = int(context.hops["row"][context.packet_start[packet]])
        unrouted = all(context.value(name, first) == context.value(name, row) for name in ("ttl", "src", "src_hi"))
        return first if unrouted and context.layers(first) & Layer.PORTS == context.layers(row) & Layer.PORTS else row

    def _tracked(self, built: Packet, packet: int, row: int) -> Packet:
        """Fill in what conntrack knew: the state, and the translation that it does by itself."""
        context = self.context
        number, reply = self.errors.stream_of(packet)
        related = bool(context.layers(row) & Layer.QUOTE)
        if number < 0:
            return replace(built, ct_state="RELATED") if related else built
        if not related and packet <= self._first_reply[number] and not reply:
            return built
        to, source = (self._translated_end(number, reply=reply, source=of) for of in (False, True))
        moved = context.target_moved[number] if reply else context.source_moved[number]
        return replace(
            built,
            ct_to=(to[0], None) if related else to,
            # Whoever says so: an error's source is translated as that of an answer is, if that is.
            ct_from=source if not related else (source[0], None) if moved else None,
            ct_state="RELATED" if related else "ESTABLISHED",
            ct_reply=reply,
            ct_original=self._tuple(number, "orig"),
            ct_answers=self._tuple(number, "reply"),
            ct_dnat=bool(context.target_moved[number]),
            ct_snat=bool(context.source_moved[number]),
        )

    def _tuple(self, connection: int, of: str) -> Original:
        """Return a connection's original or reply tuple."""
        row = {name: int(column[connection]) for name, column in self.context.connections.items()}
        src, dst = (address(row["version"], row[f"{of}_{end}_hi"], row[f"{of}_{end}"]) for end in ("src", "dst"))
        return src, dst, row[f"{of}_sport"], row[f"{of}_dport"]

    @cached_property
    def _first_reply(self) -> Int64:
        """(connections,) The first packet of each in the reply direction, beyond all packets where there is none."""
        context, start = self.context, self.context.packet_start[:-1]
        found = np.full(len(context.connections["proto"]), context.packets, np.int64)
        replies = np.flatnonzero(context.hops["reply"][start] & (context.hops["connection"][start] >= 0))
        np.minimum.at(found, context.hops["connection"][start[replies]], replies)
        return found

    def _translated_end(self, connection: int, *, reply: bool, source: bool = False) -> tuple[Address, int | None]:
        """
        Return what conntrack makes of an end of an established connection's packets.

        Their destination is the other tuple's source, and their *source* the other one's destination.
        """
        row = {name: int(column[connection]) for name, column in self.context.connections.items()}
        of, end = "orig" if reply else "reply", "dst" if source else "src"
        port = None if row["proto"] in (PROTO_ICMP, PROTO_ICMP6) else row[f"{of}_{end[0]}port"]
        return address(row["version"], row[f"{of}_{end}_hi"], row[f"{of}_{end}"]), port


def answer_to(packet: Packet) -> Packet | None:
    """Return what whoever gets a packet sends back: of a TCP handshake, and of pings; None of all others."""
    opens = packet.tcp_flags is not None and packet.tcp_flags & OPENS == SYN
    kind = ECHO_OPPOSITE.get(packet.icmp_type) if packet.icmp_type is not None else None
    if not opens and kind is None:
        return None
    return replace(
        packet, src=packet.dst, dst=packet.src, sport=packet.dport, dport=packet.sport, icmp_type=kind, iif=ABSENT,
        tcp_flags=SYN | ACK if opens else None, ttl=None, length=None, port_in=ABSENT, src_mac=None,
        ct_state="ESTABLISHED", ct_reply=True,
    )  # fmt: skip


def target_of(translation: Translation) -> Address | None:
    """Return the address that a rule translates to, None if it says none, or several."""
    nat = translation.rule.nat
    found = nat.address.value if nat is not None and isinstance(nat.address, Constant) else None
    return found if isinstance(found, IPv4Address | IPv6Address) else None


def _by_counter(host: HostState, way: Way) -> Cause | None:
    """Take the case of what nobody can decide in which a rule kills that has counted meanwhile."""
    for case in way.account.cases:
        rule = case.rule
        if rule is not None and case.verdict in (Verdict.DROP, Verdict.REJECT) and rule.counts and moved(host, rule):
            found = way.cause(case)
            if found is not None and not found.unknown:
                return replace(found, text=f"rule “{rule.text}” in {rule.table}, by its counter")
    return None
