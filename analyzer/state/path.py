"""One packet's way through one recorded host, in the order in which the kernel asks: rules, routes, switches, links.

The first that stops the packet is named, with the account of all that was asked. What the dumps do not decide is
tried both ways: where both come to the same, it was of no matter; else the verdict is unknown, and says on what it
hangs. (net/ipv4/ip_input.c, route.c, fib_frontend.c, ip_forward.c, ip_output.c and their brothers of IPv6.)
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

from analyzer.model import Address, FlowTuple, HostState, RoutingRule
from analyzer.model.question import ABSENT, Absent, Field, Missing, OneOf, Unknown, Value
from analyzer.model.rules import Chain, Rule, Verdict
from analyzer.model.verdict import Account, Undecided, Why
from analyzer.state.addresses import masqueraded, redirected, type_of
from analyzer.state.cases import Way, explored, one_case
from analyzer.state.routing import NO_WAY, Chosen, Sought, choose
from analyzer.state.rules.conntrack import first_state
from analyzer.state.rules.names import TCP, protocol_number
from analyzer.state.rules.packet import LOCAL, Packet
from analyzer.state.rules.walk import Ended, Ends, Walk
from analyzer.state.sysctl import BRIDGE_CALLS, forwards, reverse_path, sysctl, takes_loopback

NEIGHBOUR_DEAD = ("FAILED", "INCOMPLETE")
LOOPBACK = "lo"
FOR_HOST = "for the host itself"
BROADCAST = IPv4Address("255.255.255.255")
"""Never routed, whatever routes say (ip_route_input_rcu, brd_input)."""
BRIDGE, DEVICE = ("bridge",), ("netdev", "inet")
"""Families of tables beside those of IP."""


class Path:
    """Runs packets through one host's state."""

    def __init__(self, host: HostState, *, guess: str | None = None, skip: Collection[Rule] = ()) -> None:
        """Take a state; *guess* is the way out where no routes were recorded, *skip* are rules that shall not match."""
        self._host, self._guess, self._skip = host, guess, skip
        self._ends = Ends(lambda packet: redirected(host, packet), lambda packet: masqueraded(host, packet))
        self._chosen: Chosen | None = None
        self._for_host = False

    def received(self, packet: Packet) -> Account:
        """Run a packet that came in by ``iif``: to the host itself, or through it."""
        return self._explored(packet, self._receive)

    def bridged(self, packet: Packet) -> Account:
        """Run a packet that a bridge passes on, which br_netfilter may show to iptables (bridge-nf-call-iptables)."""
        return self._explored(packet, self._bridge)

    def sent(self, packet: Packet) -> Account:
        """Run a packet that a process of the host sends."""
        return self._explored(packet, self._send)

    def _receive(self, walk: Walk, packet: Packet) -> Packet:
        packet = self._ingress(walk, packet)
        if isinstance(packet.port_in, str):
            port = packet.port_in
            walk.hook(replace(packet, iif=port), "prerouting", BRIDGE)
            walk.hook(replace(packet, iif=port), "input", BRIDGE)
        packet = walk.hook(packet, "prerouting")
        out = self._route(walk, packet)
        if out == LOCAL:
            self._for_host = True
            return walk.hook(replace(packet, oif=ABSENT), "input")
        # ip_forward() takes one from the TTL before it asks the FORWARD hook.
        if packet.ttl is not None and packet.ttl <= 1:
            raise Ended(Verdict.DROP, Why.TTL, text=Why.TTL.words)
        packet = replace(packet, oif=out)
        if packet.version == 6:
            self._fits_link(packet)
        packet = replace(packet, ttl=None if packet.ttl is None else packet.ttl - 1)
        packet = walk.hook(packet, "forward")
        if (
            packet.version == 4
        ):  # ip_forward() asks before the rules, but only of packets with DF, which nobody recorded
            self._fits_link(packet)
        packet = walk.hook(packet, "postrouting")
        packet = self._egress(walk, packet)
        self._next_hop(packet)
        return packet

    def _bridge(self, walk: Walk, packet: Packet) -> Packet:
        bridge = packet.iif
        shown = sysctl(self._host, BRIDGE_CALLS[packet.version]) != 0 and self._host.knows_rules(packet.version)
        packet = replace(self._ingress(walk, packet), bridged=True)
        walk.hook(replace(packet, iif=packet.port_in), "prerouting", BRIDGE)
        if shown:
            packet = walk.hook(packet, "prerouting")
        packet = replace(packet, oif=bridge)
        walk.hook(replace(packet, iif=packet.port_in, oif=packet.port_out), "forward", BRIDGE)
        if shown:
            packet = walk.hook(packet, "forward")
            packet = walk.hook(packet, "postrouting")
        walk.hook(replace(packet, iif=packet.port_in, oif=packet.port_out), "postrouting", BRIDGE)
        return packet

    def _send(self, walk: Walk, packet: Packet) -> Packet:
        packet = replace(packet, oif=_interface(self._routed(walk, packet)))
        packet = walk.hook(packet, "output")
        packet = replace(packet, oif=_interface(self._routed(walk, packet)))  # DNAT may have changed the way
        packet = walk.hook(packet, "postrouting")
        if packet.oif != LOOPBACK:
            return packet
        self._for_host = True  # it comes in again; its connection is translated, or not, already (nf_nat_initialized)
        packet = walk.hook(replace(packet, iif=LOOPBACK, oif=ABSENT, port_in=ABSENT), "prerouting", nat=False)
        return replace(walk.hook(packet, "input", nat=False), oif=LOOPBACK)

    def _ingress(self, walk: Walk, packet: Packet) -> Packet:
        """Ask the chains of ingress, of the devices that the packet may have come in by."""
        devices = {one for one in (packet.port_in, packet.iif) if isinstance(one, str)}
        if any(devices & set(chain.devices) for chain in self._chains("ingress")):
            return walk.hook(packet, "ingress", DEVICE)
        return packet

    def _egress(self, walk: Walk, packet: Packet) -> Packet:
        """Ask what stands behind the IP stack: rules of the bridge that the packet leaves by, and of the device."""
        link = self._host.link(packet.oif) if isinstance(packet.oif, str) else None
        if link is not None and link.kind == "bridge":
            port = replace(packet, oif=packet.port_out)
            walk.hook(port, "output", BRIDGE)
            walk.hook(port, "postrouting", BRIDGE)
        if link is not None and any(link.name in chain.devices for chain in self._chains("egress")):
            walk.hook(packet, "egress", DEVICE)
        return packet

    def _chains(self, hook: str) -> Iterator[Chain]:
        return (chain for table in self._host.tables for chain in table.chains.values() if chain.hook == hook)

    def _route(self, walk: Walk, packet: Packet) -> str | None:
        """Do what ip_route_input does between PREROUTING and FORWARD: return the way out, LOCAL, or None, unknown."""
        host, dst = self._host, packet.dst
        if dst is None or isinstance(dst, OneOf):
            return self._route_unknown(packet)
        if dst.is_multicast or dst == BROADCAST:
            walk.routed(FOR_HOST)
            return LOCAL
        if dst.is_loopback and packet.version == 4 and isinstance(packet.iif, str) and packet.iif != LOOPBACK:
            taken = takes_loopback(host, packet.iif)
            if taken is not None and not taken.on:
                raise Ended(Verdict.DROP, Why.MARTIAN, text=f"it is for {dst}, and {taken.name} = 0")
        if host.owns(dst) or dst.is_loopback:
            walk.routed(FOR_HOST)
            self._validate_source(walk, packet)
            return LOCAL
        if not host.routes:
            return self._guess
        chosen = self._chosen = self._choose(walk, packet)
        walk.routed(chosen)
        if chosen is not None and chosen.route.kind == "local":
            self._validate_source(walk, packet)
            return LOCAL
        switch = forwards(host, packet.version, packet.iif if isinstance(packet.iif, str) else None)
        if switch is not None and not switch.on and chosen is not None and chosen.route.kind not in NO_WAY:
            raise Ended(Verdict.DROP, Why.FORWARDING, text=f"forwarding is off: {switch.name} = 0")
        chosen = _leads_somewhere(chosen, dst)
        devices = chosen.route.devices
        out = chosen.route.dev if len(devices) == 1 else self._guess if self._guess in devices else None
        self._validate_source(walk, packet, out)
        return out

    def _route_unknown(self, packet: Packet) -> str | None:
        """Route a packet whose destination is one of several, or any: where all go the same way, that is it."""
        if isinstance(packet.dst, OneOf) and self._host.routes:
            ends = [choose(self._host, _sought(replace(packet, dst=end))) for end in _both(packet.dst)]
            if all(end is not None for end in ends) and ends[0] == ends[1]:
                return ends[0].route.dev if ends[0] is not None else None
        return LOCAL if packet.redirected else None

    def _routed(self, walk: Walk, packet: Packet) -> str | None:
        """Route a packet of the host's own."""
        dst = packet.dst
        if dst is None or isinstance(dst, OneOf):
            return self._route_unknown(packet)
        if self._host.owns(dst) or dst.is_loopback:
            walk.routed(FOR_HOST)
            return LOCAL
        if not self._host.routes:
            return self._guess
        chosen = self._chosen = self._choose(walk, packet)
        walk.routed(chosen)
        chosen = _leads_somewhere(chosen, dst)
        return LOCAL if chosen.route.kind == "local" else chosen.route.dev

    @property
    def chosen(self) -> Chosen | None:
        """The route that was chosen last."""
        return self._chosen

    def _choose(self, walk: Walk, packet: Packet) -> Chosen | None:
        def decide(rule: RoutingRule, unknown: Unknown) -> bool:
            return walk.assume(Undecided(unknown, text=f"ip rule {rule.text}"))

        return choose(self._host, _sought(packet), decide)

    def _validate_source(self, walk: Walk, packet: Packet, out: str | Absent | None = ABSENT) -> None:
        """Ask for the way back to the source (RFC 3704, fib_validate_source); only IPv4 does."""
        interface = packet.iif if isinstance(packet.iif, str) else None
        mode = reverse_path(self._host, interface)
        if packet.version == 6 or mode is None or not mode.value or not self._host.routes:
            return
        if not isinstance(packet.src, Address):
            return
        back = self._way_back(walk, packet, out)
        if back is not None and back.route.kind in NO_WAY:
            back = None
        if back is not None and (mode.value == 2 or interface in back.route.devices):
            return
        way = f"by {back.route.dev}" if back is not None else "by no interface"
        text = f"rp_filter on {interface}: the way back to {packet.src} goes {way}"
        raise Ended(Verdict.DROP, Why.REVERSE_PATH, text=text, route=back)

    def _way_back(self, walk: Walk, packet: Packet, out: str | Absent | None) -> Chosen | None:
        """
        Return the route to a packet's source; its mark counts only where src_valid_mark says so.

        It is sought as for an answer, which comes in by the packet's way *out* or is the host's own
        (__fib_validate_source: flowi4_iif).
        """
        marks = ("all", packet.iif if isinstance(packet.iif, str) else "default")
        valid = any(sysctl(self._host, f"net.ipv4.conf.{name}.src_valid_mark") == 1 for name in marks)
        turned = replace(packet, src=packet.dst, dst=packet.src, sport=packet.dport, dport=packet.sport,
                         mark=packet.mark if valid else 0, iif=out)  # fmt: skip
        return self._choose(walk, turned)

    def _fits_link(self, packet: Packet) -> None:
        """Compare with the way out's MTU; what TCP shows may be a segment that offload splits on the way out."""
        link = self._host.link(packet.oif) if isinstance(packet.oif, str) else None
        if link is None or link.mtu is None or packet.length is None or packet.protocol == TCP:
            return
        if packet.length > link.mtu:
            line = f"ip-addr.json: {link.name} mtu {link.mtu}"
            raise Ended(Verdict.DROP, Why.MTU, text=f"longer than {link.name}'s MTU of {link.mtu}", proof=(line,))

    def _next_hop(self, packet: Packet) -> None:
        """Ask whether the next hop answers (ip_finish_output2)."""
        gateway = self._chosen.route.gateway if self._chosen is not None else None
        next_hop = gateway or packet.dst
        if not isinstance(packet.oif, str) or not isinstance(next_hop, Address) or self._host.link(packet.oif) is None:
            return
        if self._chosen is not None and self._chosen.route.nexthops:
            return
        entry = self._host.neighbour(next_hop, packet.oif)
        if entry is not None and entry.state in NEIGHBOUR_DEAD:
            text, line = f"{next_hop} does not answer on {packet.oif}", f"ip-neigh.json: {entry.text}"
            raise Ended(Verdict.DROP, Why.NEIGHBOUR, text=text, next_hop=next_hop, proof=(line,))

    def _look(self, packet: Packet, field: Field) -> Value | None:
        """Tell what the state knows of a packet."""
        if field is Field.SRC_TYPE:
            return type_of(self._host, packet.src, field)
        if field is Field.DST_TYPE:
            return type_of(self._host, packet.dst, field)
        if field is Field.WAY_BACK:
            return self._comes_back(packet)
        return None

    def _comes_back(self, packet: Packet) -> Value:
        """Tell whether the way to a packet's source is the one that it came by (nft_fib, xt_rpfilter)."""
        if not self._host.routes or not isinstance(packet.iif, str) or not isinstance(packet.src, Address):
            return Unknown(Missing.FIELD, Field.WAY_BACK)
        back = choose(self._host, _sought(replace(packet, dst=packet.src, src=packet.dst, iif=ABSENT)))
        return int(back is not None and packet.iif in back.route.devices)

    def _explored(self, packet: Packet, way: Way) -> Account:
        packet = replace(packet, ct_state=first_state(packet))
        if packet.ct_state == "NEW":  # what is known of a first packet, because it is the first
            original = packet.ct_original or (packet.src, packet.dst, packet.sport, packet.dport)
            mark = 0 if packet.ct_mark is None else packet.ct_mark
            packet = replace(packet, ct_original=original, ct_mark=mark)

        def walked(assumed: tuple[bool, ...]) -> tuple[Account, Walk]:
            self._chosen, self._for_host = None, False
            walk = Walk(self._host.tables, self._look, self._ends, skip=self._skip, assumed=assumed)
            account = one_case(packet, way, walk)
            account.for_host = self._for_host
            if account.verdict is Verdict.ACCEPT:
                account.route = self._chosen
            return account, walk

        return explored(walked)


def _sought(packet: Packet) -> Sought:
    src = packet.src if isinstance(packet.src, Address) else None
    assert isinstance(packet.dst, Address)
    return Sought(packet.dst, src, packet.mark, packet.iif, ABSENT, packet.protocol, *_ports(packet))


def _ports(packet: Packet) -> tuple[Any, Any]:
    ends = packet.look(Field.SPORT), packet.look(Field.DPORT)
    return ends if ABSENT in ends else (packet.sport, packet.dport)


def _leads_somewhere(chosen: Chosen | None, dst: Address) -> Chosen:
    """
    Return a route, if there is one that is no error.

    Raises:
        Ended: there is none.
    """
    if chosen is None:
        raise Ended(Verdict.DROP, Why.NO_ROUTE, text=f"no route to {dst}")
    if chosen.route.kind in NO_WAY:
        why = Why.ROUTING_RULE if chosen.rule.action is not None else Why.DEAD_END
        raise Ended(Verdict.DROP, why, text=_dead_end(chosen), route=chosen)
    return chosen


def _dead_end(chosen: Chosen) -> str:
    """Tell of a route that leads nowhere, or a rule of ``ip rule`` that says so."""
    if chosen.rule.action is not None:
        return f"rule “{chosen.rule.text}”"
    table = f" in table {chosen.route.table}" if chosen.route.table != "main" else ""
    return f"{chosen.route.kind} route {chosen.route.dst}{table}"


def _both(ends: OneOf) -> list[Address]:
    return [end for end in (ends.low, ends.high) if isinstance(end, Address)]


def _interface(out: str | None) -> str | None:
    return LOOPBACK if out == LOCAL else out


def first_packet(flow: FlowTuple, iif: str | Absent) -> Packet:
    """Return a connection's first packet, as the host gets it by *iif*, or sends it itself."""
    return Packet(
        protocol=protocol_number(flow.protocol) or 0,
        src=flow.src,
        dst=flow.dst,
        sport=flow.sport,
        dport=flow.dport,
        icmp_type=flow.icmp_type,
        icmp_code=flow.icmp_code,
        tcp_flags=0x02 if flow.protocol == "tcp" else None,
        iif=iif,
    )


def translate(host: HostState, flow: FlowTuple) -> Account | None:
    """Run a connection's first packet through the recorded rules; None where the way in is not known."""
    if not host.knows_rules(flow.src.version):
        return None
    if host.owns(flow.src) or flow.src.is_loopback:
        return Path(host).sent(first_packet(flow, ABSENT))
    back = choose(host, Sought(flow.src))
    if back is None or back.route.dev is None:
        return None
    return Path(host).received(first_packet(flow, back.route.dev))
