"""One packet's way through one recorded host state, in the order in which the kernel asks.

Rules, source validation (net/ipv4/fib_frontend.c, fib_validate_source), routes, forwarding switches, the way out's MTU
and neighbours (ip_forward, ip_finish_output2): the first that stops the packet is named. What the dumps do not decide
stays unknown.
"""

from dataclasses import dataclass

from analyzer.host.netfilter.evaluate import Evaluator, Result, Verdict
from analyzer.host.netfilter.here import address_type
from analyzer.host.netfilter.packet import LOCAL, Packet
from analyzer.host.routing import NO_WAY, choose
from analyzer.host.sysctl import forwards, reverse_path, sysctl, sysctl_line
from analyzer.model import Address, Disposition, HostState
from analyzer.model.netfilter import Rule, Ruleset

NEIGHBOUR_DEAD = ("FAILED", "INCOMPLETE")
BRIDGE_CALLS = {4: "net.bridge.bridge-nf-call-iptables", 6: "net.bridge.bridge-nf-call-ip6tables"}
ISOLATION = "DOCKER-ISOLATION"
"""Chains by which Docker keeps its networks apart."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What stops a packet."""

    check: str
    """Name of the check that reports it."""
    text: str
    """What it is, in a few words: the same for all packets that it stops."""
    proof: tuple[str, ...]
    """Lines of dumps, each after its file's name."""
    disposition: Disposition = Disposition.DROPPED
    rule: Rule | None = None
    unknown: bool = False
    """The dumps do not decide; *text* says what cannot be told."""


class Way:
    """One packet's way through one host's state."""

    def __init__(self, host: HostState, packet: Packet) -> None:
        self._host, self._packet = host, packet
        self._version = packet.dst.version
        self._stop: Cause | None = None
        self._out: str | None = None
        self._gateway: Address | None = None
        self._result: Result | None = None

    @property
    def passed(self) -> str:
        """Say how the packet went on, after ``stopped()`` found nothing."""
        accepted = [r for r in self._result.matched if r.target == "ACCEPT"] if self._result else []
        by = f"accepted by “{accepted[-1].text}”" if accepted else "no rule stops it"
        nat = [t.rule.text for t in self._result.translations] if self._result else []
        translated = f", translated by “{nat[-1]}”" if nat else ""
        out = (
            "to the host itself" if self._out == LOCAL else f"out by {self._out}" if self._out else "to the other port"
        )
        return f"{by}{translated}, {out}"

    def stopped(self, *, bridged: bool) -> Cause | None:
        """Return what stops the packet, None if nothing does."""
        rules = self._host.ruleset(self._version)
        known = rules is not None or bool(self._host.native)
        evaluator = Evaluator(
            rules or Ruleset(self._version), lambda ip: address_type(self._host, ip), self._route, self._host.native
        )
        if bridged:
            if not known or sysctl(self._host, BRIDGE_CALLS[self._version]) == 0:
                return None
            self._result = evaluator.bridged(self._packet)
            return self._by_rules(self._result)
        self._result = result = evaluator.received(self._packet)
        if self._stop is not None:
            return self._stop
        if known and result.verdict is not Verdict.ACCEPT:
            found = self._by_rules(result)
            if found is not None:
                return found
        return self._beyond() if result.verdict is Verdict.ACCEPT and self._out not in (None, LOCAL) else None

    def _route(self, packet: Packet) -> str | None:
        """Do what ip_route_input does between PREROUTING and FORWARD, and note what stops the packet."""
        host = self._host
        if packet.dst.is_multicast:
            return LOCAL
        source = self._validate_source(packet)
        if source is not None:
            self._stop = source
            return None
        if host.owns(packet.dst) or packet.dst.is_loopback:
            self._out = LOCAL
            return LOCAL
        if not host.routes:
            return packet.iif  # not known; rules that ask for the interface are then wrong, but most do not matter
        chosen = choose(host, packet.dst, src=packet.src, mark=packet.mark, iif=packet.iif)
        if chosen is None or chosen.route.kind in NO_WAY:
            text = f"no route to {packet.dst}"
            line = f"ip-route.json: none fits {packet.dst}"
            if chosen is not None:
                text = f"{chosen.route.kind} route {chosen.route.dst}"
                line = f"ip-route.json: {chosen.route.kind} {chosen.route.text}"
            self._stop = Cause("host-unreachable", text, (line,), Disposition.DROPPED)
            return None
        if chosen.route.kind == "local":
            self._out = LOCAL
            return LOCAL
        switch = forwards(host, self._version, packet.iif)
        if switch is not None and not switch.on:
            text = f"forwarding is off: {switch.name} = 0"
            self._stop = Cause("forwarding-disabled", text, (sysctl_line(host, switch.name),))
            return None
        self._out, self._gateway = chosen.route.dev, chosen.route.gateway
        return chosen.route.dev

    def _validate_source(self, packet: Packet) -> Cause | None:
        """Ask for the way back to the source (RFC 3704); only IPv4 does."""
        mode = reverse_path(self._host, packet.iif)
        if self._version == 6 or mode is None or not mode.value or not self._host.routes:
            return None
        back = choose(self._host, packet.src, mark=0)
        if back is not None and (mode.value == 2 or back.route.dev == packet.iif):
            return None
        way = f"by {back.route.dev}" if back is not None else "by no interface"
        text = f"rp_filter on {packet.iif}: the way back to {packet.src} goes {way}"
        lines = (*(sysctl_line(self._host, name) for name in mode.names),)
        shown = (f"ip-route.json: {back.route.text}",) if back is not None else ()
        return Cause("reverse-path-filtered", text, lines + shown)

    def _by_rules(self, result: Result) -> Cause | None:
        file = "iptables-save.txt" if self._version == 4 else "ip6tables-save.txt"
        if result.verdict is Verdict.UNKNOWN:
            return Cause("filtered-by-rule", result.reason, (), unknown=True)
        if result.verdict is Verdict.ACCEPT:
            return None
        killed = Disposition.REJECTED if result.verdict is Verdict.REJECT else Disposition.DROPPED
        if result.rule is not None:
            rule = result.rule
            jumps = [r for r in result.matched if r.target == rule.chain or r is rule]
            isolated = rule.chain.startswith(ISOLATION) or (rule.table == "raw" and rule.chain == "PREROUTING")
            isolated = isolated or (rule.chain == "DOCKER" and rule.target == "DROP")
            check = "network-isolation" if isolated and not _by_user(rule) else "filtered-by-rule"
            shown = tuple(f"{file}: {r.text}" for r in jumps)
            return Cause(check, f"rule “{rule.text}” in {rule.table}", shown, killed, rule)
        if result.policy is not None:
            table, chain = result.policy.split(" ", 1)
            text = f"policy DROP of {table} {chain}"
            return Cause("filtered-by-rule", text, (f"{file}: :{chain} DROP in *{table}",), killed)
        return None

    def _beyond(self) -> Cause | None:
        """Ask what comes after the last rule: the way out's MTU, and whether the next hop answers."""
        host, packet = self._host, self._packet
        link = host.link(self._out or "")
        if link is None:
            return None
        tcp = packet.protocol == "tcp"  # what is longer may be a segment that offload splits on the way out
        if link.mtu is not None and packet.length is not None and packet.length > link.mtu and not tcp:
            line = f"ip-addr.json: {link.name} mtu {link.mtu}"
            return Cause("mtu-exceeded", f"longer than {link.name}'s MTU of {link.mtu}", (line,))
        next_hop = self._gateway or packet.dst
        entry = host.neighbour(next_hop, link.name)
        if entry is not None and entry.state in NEIGHBOUR_DEAD:
            return Cause(
                "arp-unanswered", f"{next_hop} does not answer on {link.name}", (f"ip-neigh.json: {entry.text}",)
            )
        return None


def _by_user(rule: Rule) -> bool:
    return rule.chain in ("DOCKER-USER", "INPUT", "FORWARD")
