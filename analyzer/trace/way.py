"""One packet's way through one recorded host state, in the order in which the kernel asks.

Rules, source validation (net/ipv4/fib_frontend.c, fib_validate_source), routes, forwarding switches, the way out's MTU
and neighbours (ip_forward, ip_finish_output2): the first that stops the packet is named. What the dumps do not decide
stays unknown.
"""

from collections.abc import Collection
from dataclasses import dataclass

from analyzer.model import Address, Disposition, HostState
from analyzer.model.rules import Rule, Ruleset
from analyzer.state.routing import NO_WAY, Chosen, choose
from analyzer.state.rules.evaluate import Evaluator, Result, Verdict
from analyzer.state.rules.here import address_type
from analyzer.state.rules.packet import LOCAL, SOMEWHERE, Packet
from analyzer.state.sysctl import BRIDGE_CALLS, forwards, reverse_path, sysctl, sysctl_line

NEIGHBOUR_DEAD = ("FAILED", "INCOMPLETE")
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
    policy: tuple[str, str] | None = None
    """Table and chain of the policy that drops, where no rule does."""
    route: Chosen | None = None
    """The route that leads nowhere."""
    unknown: bool = False
    """The dumps do not decide; *text* says what cannot be told."""
    of_answer: bool = False
    """It is the host's answer that it stops."""
    past: bool = False
    """It was so before the captures ran, and is not any more."""


@dataclass(frozen=True, slots=True)
class Passed:
    """How a packet goes on, if nothing stops it."""

    text: str
    source_moved: bool
    """Its source address was translated."""
    target_moved: bool


class Way:
    """One packet's way through one host's state."""

    def __init__(
        self,
        host: HostState,
        packet: Packet,
        guess: str | None = None,
        *,
        skip: Collection[Rule] = (),
        past: bool = False,
    ) -> None:
        """
        Take a state and a packet.

        *guess* is the way out where no routes were recorded, *skip* are rules that shall not match, and of a *past*
        state counters say nothing.
        """
        self._host, self._packet, self._guess, self._skip, self._past = host, packet, guess, skip, past
        self._version = packet.dst.version
        self._stop: Cause | None = None
        self._out: str | None = None
        self._gateway: Address | None = None
        self._result: Result | None = None

    @property
    def passed(self) -> Passed:
        """Tell how the packet went on, after ``stopped()`` found nothing."""
        accepted = [r for r in self._result.matched if r.target == "ACCEPT"] if self._result else []
        by = f"accepted by “{accepted[-1].text}”" if accepted else "stopped by no rule"
        nat = self._result.translations if self._result else []
        translated = f", translated by “{nat[-1].rule.text}”" if nat else ""
        if self._out == LOCAL:
            out = ", for the host itself"
        else:
            out = f", and leaves by {self._out}" if self._out not in (None, SOMEWHERE) else ""
        kinds = {one.kind for one in nat}
        return Passed(
            f"{by}{translated}{out}", bool(kinds & {"SNAT", "MASQUERADE"}), bool(kinds & {"DNAT", "REDIRECT"})
        )

    def stopped(self, *, bridged: bool) -> Cause | None:
        """Return what stops the packet, None if nothing does."""
        known = self._host.ruleset(self._version) is not None or bool(self._host.native)
        evaluator = self._evaluator()
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

    def sent(self) -> Cause | None:
        """Return the rule or policy that stops a packet which the host itself sends, None if none does."""
        return self._by_rules(self._evaluator().sent(self._packet))

    def _evaluator(self) -> Evaluator:
        host = self._host
        rules = host.ruleset(self._version) or Ruleset(self._version)
        return Evaluator(rules, lambda ip: address_type(host, ip), self._route, host.native, self._skip)

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
            self._out = self._guess or SOMEWHERE
            return self._out
        chosen = choose(host, packet.dst, src=packet.src, mark=packet.mark, iif=packet.iif)
        if chosen is None or chosen.route.kind in NO_WAY:
            self._stop = _no_way(packet.dst, chosen)
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
        if result.verdict is Verdict.ACCEPT:
            return None
        if result.verdict is Verdict.UNKNOWN:
            return Cause("filtered-by-rule", result.reason, (), rule=result.rule, unknown=True)
        killed = Disposition.REJECTED if result.verdict is Verdict.REJECT else Disposition.DROPPED
        if result.rule is not None:
            rule = result.rule
            jumps = [r for r in result.matched if r.target == rule.chain or r is rule] or [rule]
            shown = tuple(f"{self._file(r)}: {r.text}" for r in jumps)
            if not self._past and acquitted(self._host, rule):
                text = f"the rules would stop it at “{rule.text}”, but that counted nothing meanwhile"
                return Cause("filtered-by-rule", text, shown, unknown=True)
            check = "network-isolation" if self._isolates(rule) else "filtered-by-rule"
            return Cause(check, f"rule “{rule.text}” in {rule.table}", shown, killed, rule)
        if result.policy is not None:
            table, _, chain = result.policy.rpartition(" ")
            if not self._past and self._policy_stood_still(table, chain):
                text = f"policy DROP of {table} {chain} would stop it, but that counted nothing meanwhile"
                return Cause("filtered-by-rule", text, (), unknown=True)
            text = f"policy DROP of {table} {chain}"
            file = "nft-ruleset.json" if " " in table else self._file(None)
            return Cause("filtered-by-rule", text, (f"{file}: {table} {chain}: policy drop",), killed,
                         policy=(table, chain))  # fmt: skip
        return None

    def _policy_stood_still(self, table: str, chain: str) -> bool:
        """Tell whether its counter shows that a policy stopped nothing while captures ran."""
        now, before = (self._host.policy(self._version, table, chain, before=past) for past in (False, True))
        return now is not None and before is not None and now.packets is not None and now.packets == before.packets

    def _file(self, rule: Rule | None) -> str:
        """Name the dump that a rule is from."""
        if rule is not None and rule.native:
            return "nft-ruleset.json"
        return "iptables-save.txt" if self._version == 4 else "ip6tables-save.txt"

    def _isolates(self, rule: Rule) -> bool:
        """Tell whether Docker made a rule to keep networks apart: its chains, or those for direct access (28.0)."""
        if rule.chain.startswith(ISOLATION):
            return True
        ends = {option.name: option for option in rule.options}
        if rule.table == "raw" and rule.chain == "PREROUTING" and {"-d", "-i"} <= set(ends) and ends["-i"].negated:
            return any(
                str(ip) == ends["-d"].value.partition("/")[0] for c in self._host.containers for ip in c.addresses
            )
        return rule.chain == "DOCKER" and rule.target == "DROP" and rule.table == "filter"

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


def _no_way(dst: Address, chosen: Chosen | None) -> Cause:
    """Tell of a packet that no route leads on, or one that leads nowhere, or a rule of ``ip rule`` that says so."""
    if chosen is None:
        return Cause("host-unreachable", f"no route to {dst}", (f"ip-route.json: none fits {dst}",))
    route, by_rule = chosen.route, f"ip-rule.json: {chosen.rule.text}"
    if chosen.rule.action is not None:
        return Cause("host-unreachable", f"rule “{chosen.rule.text}”", (by_rule,), route=chosen)
    table = f" in table {route.table}" if route.table != "main" else ""
    lines = (f"ip-route.json: {route.kind} {route.text}{table}", *((by_rule,) if table else ()))
    return Cause("host-unreachable", f"{route.kind} route {route.dst}{table}", lines, route=chosen)


def moved(host: HostState, rule: Rule) -> int | None:
    """Return how far a rule's counter went while captures ran; None if that was not recorded."""
    before = host.counted_before(rule)
    return None if before is None or before > rule.packets else rule.packets - before


def acquitted(host: HostState, rule: Rule) -> bool:
    """Tell whether its counter shows that a rule stopped nothing: it did not move, or never counted."""
    if not rule.counts:
        return False
    # nft prints the counters that there are; iptables-save without -c makes zeros of all.
    counts = rule.native or any(one.packets for rules in host.rulesets for one in rules.rules())
    went = moved(host, rule)
    return counts and (rule.packets == 0 if went is None else went == 0)
