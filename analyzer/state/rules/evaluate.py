"""A packet's way through the hooks, tables and chains, in the kernel's order, to a verdict.

The order is that of hook priorities (linux/netfilter_ipv4.h): raw, conntrack, mangle, nat, filter; nat is asked for a
connection's first packet only. Where a rule cannot be decided, the verdict is unknown, and says why.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import ip_address
from typing import Any

from analyzer.model import Address
from analyzer.model.rules import Chain, NativeChain, NativeRule, NativeTable, Rule, Ruleset
from analyzer.state.rules import nft
from analyzer.state.rules.matches import Owner, matches
from analyzer.state.rules.packet import LOCAL, Packet

DEEPEST = 64
"""Jumps into each other; the kernel refuses loops."""
MOST_RULES_ASKED = 200_000
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, OverflowError)
"""What comes of dumps that hold something else than their commands print."""
_PASSING = """
    LOG NFLOG ULOG TCPMSS TRACE AUDIT CHECKSUM DSCP TOS TTL HL CLASSIFY ECN SECMARK CONNSECMARK RATEEST SET LED
"""
PASSING = frozenset(_PASSING.split())
"""Targets after which the next rule is asked (XT_CONTINUE)."""
WITHOUT_EFFECT = frozenset(("", "LOG", "NFLOG", "ULOG", "TRACE", "AUDIT", "RATEEST", "LED"))
PRIORITIES = {"raw": -300, "mangle": -150, "filter": 0, "security": 50}
"""Of iptables' tables in their hooks (linux/netfilter_ipv4.h)."""
DSTNAT, SRCNAT = -100, 100
_TABLES = {
    "PREROUTING": ("raw", "mangle", "nat"),
    "INPUT": ("mangle", "filter", "security", "nat"),
    "FORWARD": ("mangle", "filter", "security"),
    "OUTPUT": ("raw", "mangle", "nat", "filter", "security"),
    "POSTROUTING": ("mangle", "nat"),
}
CONNTRACK = -200
"""Before this priority, conntrack has not seen the packet."""

Router = Callable[[Packet], str | None]
"""Tells the interface that a packet leaves by, LOCAL, or None if there is no route."""


class Verdict(StrEnum):
    """What the host does with a packet."""

    ACCEPT = "accept"
    DROP = "drop"
    REJECT = "reject"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Translation:
    """What a rule of the nat table makes of a connection's end."""

    kind: str
    """``DNAT``, ``SNAT``, ``MASQUERADE`` or ``REDIRECT``."""
    rule: Rule
    to: str | None
    """As the rule says; None for the address of the interface."""


@dataclass(slots=True)
class Result:
    """How it went."""

    verdict: Verdict = Verdict.ACCEPT
    rule: Rule | None = None
    """The one that decided; None if a policy did, or nothing."""
    policy: str | None = None
    """``table chain`` of a policy that decided."""
    reason: str = ""
    """Why the verdict is unknown, or what else ended the way."""
    translations: list[Translation] = field(default_factory=list)
    matched: list[Rule] = field(default_factory=list)
    """All rules that counted it, in order."""
    packet: Packet | None = None
    """As it left."""


class _Stop(Exception):  # noqa: N818 - it is how a verdict is reached, no error
    """Carries the verdict out of the chains."""


class Evaluator:
    """Runs packets through one ruleset."""

    def __init__(
        self,
        rules: Ruleset,
        owner: Owner,
        router: Router,
        native: Sequence[NativeTable] = (),
        skip: Collection[Rule] = (),
    ) -> None:
        """
        Take rules.

        *owner* tells the types of addresses, *router* where packets go, *native* are nftables' own, and those in *skip*
        shall not match.
        """
        self._rules, self._owner, self._router, self._native = rules, owner, router, list(native)
        self._skip = {id(rule) for rule in skip}

    def received(self, packet: Packet) -> Result:
        """Run a packet that came in by ``iif``: to the host itself, or through it."""

        def way(result: Result, packet: Packet) -> Packet:
            packet = self._hook(result, packet, "PREROUTING")
            out = self._router(packet)
            if out is None:
                self._stop(result, Verdict.DROP, reason=f"no route to {packet.dst}")
            if out == LOCAL:
                packet = replace(packet, oif=None)
                return self._hook(result, packet, "INPUT")
            # ip_forward() takes one from the TTL before it asks the FORWARD hook.
            ttl = None if packet.ttl is None else packet.ttl - 1
            if ttl is not None and ttl < 1:
                self._stop(result, Verdict.DROP, reason="its TTL ends here")
            packet = replace(packet, oif=out, ttl=ttl)
            packet = self._hook(result, packet, "FORWARD")
            return self._hook(result, packet, "POSTROUTING")

        return self._run(packet, way)

    def bridged(self, packet: Packet) -> Result:
        """Run a packet that a bridge passes on, and br_netfilter shows to iptables (bridge-nf-call-iptables=1)."""

        def way(result: Result, packet: Packet) -> Packet:
            bridge = packet.iif
            packet = self._hook(result, packet, "PREROUTING")
            packet = replace(packet, oif=bridge, bridged=True)
            packet = self._hook(result, packet, "FORWARD")
            return self._hook(result, packet, "POSTROUTING")

        return self._run(packet, way)

    def sent(self, packet: Packet) -> Result:
        """Run a packet that a process of the host sends."""

        def way(result: Result, packet: Packet) -> Packet:
            packet = replace(packet, oif=_interface(self._router(packet)))
            packet = self._hook(result, packet, "OUTPUT")
            packet = replace(packet, oif=_interface(self._router(packet)))  # DNAT may have changed the way
            return self._hook(result, packet, "POSTROUTING")

        return self._run(packet, way)

    def _run(self, packet: Packet, way: Callable[[Result, Packet], Packet]) -> Result:
        if packet.ct_original is None and packet.ct_state == "NEW":
            packet = replace(packet, ct_original=(packet.src, packet.dst, packet.sport, packet.dport))
        result = Result(packet=packet)
        self._left = MOST_RULES_ASKED
        try:
            result.packet = way(result, packet)
        except _Stop:
            pass
        except UNREADABLE as error:  # a value that its option or statement cannot have
            result.verdict, result.reason = Verdict.UNKNOWN, f"a rule says {str(error)[:80] or type(error).__name__}"
        return result

    def _hook(self, result: Result, packet: Packet, hook: str) -> Packet:
        """Ask the chains of a hook, iptables' and nftables' own, in the order of their priorities."""
        chains: list[tuple[int, str, Chain | NativeChain]] = []
        translates = SRCNAT if hook in ("INPUT", "POSTROUTING") else DSTNAT
        own = ((table, self._rules.tables.get(table, {}).get(hook)) for table in _TABLES[hook])
        chains += [(PRIORITIES.get(table, translates), table, chain) for table, chain in own if chain is not None]
        native = nft.base_chains(self._native, self._rules.version, hook.lower())
        chains += [(base.priority, base.kind or "", base) for base in native]
        for priority, kind, chain in sorted(chains, key=lambda one: one[0]):
            if hook == "PREROUTING" and priority >= DSTNAT:
                packet = _as_known(packet)
            if kind == "nat" and (packet.ct_state != "NEW" or _translated_already(packet, hook)):
                continue
            state = packet.ct_state
            if priority < CONNTRACK:  # conntrack has not seen it yet, which xt_conntrack calls invalid
                packet = replace(packet, ct_state="INVALID")
            if isinstance(chain, Chain):
                packet, decided = self._chain(result, packet, kind, chain, 0)
                if not decided and chain.policy == "DROP":
                    self._stop(result, Verdict.DROP, policy=f"{kind} {chain.name}")
            else:
                packet, decided = self._native_chain(result, packet, chain, 0)
                if not decided and chain.policy == "drop":
                    self._stop(result, Verdict.DROP, policy=f"{chain.table.family} {chain.table.name} {chain.name}")
            if priority < CONNTRACK and packet.ct_state == "INVALID":
                packet = replace(packet, ct_state=state)
        return _as_known(packet) if hook == "PREROUTING" else packet

    def _native_chain(self, result: Result, packet: Packet, chain: NativeChain, depth: int) -> tuple[Packet, bool]:
        """Go through a chain of nftables' own; tell whether it accepted, else it returned."""
        if depth > DEEPEST:
            self._stop(result, Verdict.UNKNOWN, reason=f"chains that call each other: {chain.name}")
        for rule in chain.rules:
            if id(rule.shown) in self._skip:
                continue
            self._ask(result)
            for statement in rule.statements:
                packet, end = self._statement(result, packet, chain, rule, statement, depth)
                if end is _NEXT_RULE:
                    break
                if end is not _GO_ON:
                    return packet, bool(end)
        return packet, False

    def _statement(
        self, result: Result, packet: Packet, chain: NativeChain, rule: NativeRule, statement: Any, depth: int
    ) -> tuple[Packet, object]:
        """Do one statement; tell how it goes on: the next one, the next rule, accepted, or returned."""
        (kind, told), *_ = statement.items()
        if kind == "match":
            answer = nft.holds(told, packet, self._owner, chain.table)
            if answer is None:
                reason = f"cannot tell whether {rule.shown.text!r} matches"
                self._stop(result, Verdict.UNKNOWN, rule.shown, reason=reason)
            return packet, _GO_ON if answer else _NEXT_RULE
        if kind == "counter":
            result.matched.append(rule.shown)
            return packet, _GO_ON
        if kind == "vmap":
            found = nft.verdict_of(told, packet, self._owner, chain.table)
            if found is None:
                return packet, _NEXT_RULE
            return self._statement(result, packet, chain, rule, found, depth)
        if kind in ("jump", "goto"):
            packet, decided = self._native_chain(result, packet, chain.table.chains[told["target"]], depth + 1)
            return packet, True if decided else False if kind == "goto" else _GO_ON
        if kind in ("accept", "return", "continue"):
            return packet, {"accept": True, "return": False, "continue": _GO_ON}[kind]
        if kind in ("drop", "reject"):
            self._stop(result, Verdict(kind), rule.shown)
        if kind in ("dnat", "snat", "masquerade", "redirect"):
            to = _native_end(kind, told)
            result.translations.append(Translation(kind.upper(), rule.shown, to))
            return _translated(packet, kind.upper(), to), True
        if kind == "mangle" and told["key"] == {"meta": {"key": "mark"}} and isinstance(told["value"], int):
            return replace(packet, mark=told["value"]), _GO_ON
        if kind == "notrack":
            return replace(packet, ct_state="UNTRACKED"), _GO_ON
        if kind in ("log", "mangle", "comment"):
            return packet, _GO_ON
        self._stop(result, Verdict.UNKNOWN, rule.shown, reason=f"statement {kind} is not known")
        return packet, False

    def _chain(self, result: Result, packet: Packet, table: str, chain: Chain, depth: int) -> tuple[Packet, bool]:
        """Go through a chain; tell whether it decided (accepted in this table), else it returned."""
        if depth > DEEPEST:
            self._stop(result, Verdict.UNKNOWN, reason=f"chains that call each other: {chain.name}")
        for rule in chain.rules:
            if id(rule) in self._skip:
                continue
            self._ask(result)
            answer, unknown = matches(rule.options, packet, self._owner, self._rules)
            if answer is False:
                continue
            if unknown is not None and rule.target in WITHOUT_EFFECT:
                continue  # whether it only logs or counts is of no matter
            if unknown is not None:
                named = f"{'! ' if unknown.negated else ''}{unknown.name} {unknown.value}".strip()
                self._stop(result, Verdict.UNKNOWN, rule, reason=f"cannot tell whether {named!r} matches")
            result.matched.append(rule)
            if rule.target == "RETURN":
                return packet, False
            target = self._rules.tables[table].get(rule.target)
            if target is not None:
                packet, decided = self._chain(result, packet, table, target, depth + 1)
                if decided or rule.goto:
                    return packet, decided
                continue
            packet, decided = self._target(result, packet, rule)
            if decided:
                return packet, True
        return packet, False

    def _target(self, result: Result, packet: Packet, rule: Rule) -> tuple[Packet, bool]:
        """Do what a rule says; tell whether that ends the table."""
        name = rule.target
        if name == "ACCEPT":
            return packet, True
        if name == "DROP":
            self._stop(result, Verdict.DROP, rule)
        if name == "REJECT":
            self._stop(result, Verdict.REJECT, rule)
        if name in ("DNAT", "REDIRECT", "SNAT", "MASQUERADE"):
            to = rule.told("--to-destination") or rule.told("--to-source") or rule.told("--to-ports")
            result.translations.append(Translation(name, rule, to))
            return _translated(packet, name, to), True
        if name == "MARK":
            return _marked(packet, rule), False
        if name == "CT" and any(option.name.startswith("--zone") for option in rule.target_options):
            return self._stop(result, Verdict.UNKNOWN, rule, reason="conntrack zones are not followed")
        if name in ("CT", "NOTRACK"):
            untracked = name == "NOTRACK" or any(o.name == "--notrack" for o in rule.target_options)
            # notrack_tg() of xt_CT.c returns XT_CONTINUE: rules behind it are asked.
            return (replace(packet, ct_state="UNTRACKED") if untracked else packet), False
        if not name or name in PASSING:
            return packet, False
        if name == "CONNMARK" and rule.told("--restore-mark") is None:
            return packet, False
        return self._stop(result, Verdict.UNKNOWN, rule, reason=f"target {name} is not known")

    def _ask(self, result: Result) -> None:
        """Count the rules that are asked: chains that call others twice, and those others, are asked without end."""
        self._left -= 1
        if self._left < 0:
            self._stop(result, Verdict.UNKNOWN, reason=f"more than {MOST_RULES_ASKED:,} rules are asked")

    def _stop(
        self,
        result: Result,
        verdict: Verdict,
        rule: Rule | None = None,
        *,
        policy: str | None = None,
        reason: str = "",
    ) -> tuple[Packet, bool]:
        result.verdict, result.rule, result.policy, result.reason = verdict, rule, policy, reason
        raise _Stop


_GO_ON, _NEXT_RULE = object(), object()


def _as_known(packet: Packet) -> Packet:
    """Return a packet with the destination that conntrack gives it."""
    if packet.ct_to is None:
        return packet
    address, port = packet.ct_to
    return replace(packet, dst=address, dport=packet.dport if port is None else port, ct_to=None)


def _translated_already(packet: Packet, hook: str) -> bool:
    """Tell whether an earlier nat chain of the hook has translated it: the others are not asked."""
    return packet.ct_snat if hook in ("INPUT", "POSTROUTING") else packet.ct_dnat


def _native_end(kind: str, told: Any) -> str | None:
    """Return where a statement translates to, as iptables would say it."""
    if not isinstance(told, dict):
        return None
    address, port = told.get("addr", ""), told.get("port", "")
    if not isinstance(address, str) or not isinstance(port, int | str):
        return None
    if not address:
        return None if port == "" else f":{port}" if kind in ("dnat", "snat") else str(port)
    return address if port == "" else f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _interface(out: str | None) -> str | None:
    return "lo" if out == LOCAL else out


def _translated(packet: Packet, kind: str, to: str | None) -> Packet:
    """Return the packet with its new end, as far as the rule says it."""
    if kind in ("SNAT", "MASQUERADE"):
        address, port = _end(to) if kind == "SNAT" else (None, None)
        return replace(packet, src=address or packet.src, sport=port or packet.sport, ct_snat=True)
    address, port = _end(to if kind == "DNAT" else f":{to}" if to else None)
    new = replace(packet, dst=address or packet.dst, dport=port or packet.dport)
    # Where nothing changes, nf_nat_setup_info() does not call it translated.
    return replace(new, ct_dnat=True) if kind == "REDIRECT" or new != packet else packet


def target_of(translation: Translation) -> Address | None:
    """Return the address that a rule translates to, None if it does not say one."""
    return _end(translation.to)[0]


def _end(to: str | None) -> tuple[Address | None, int | None]:
    """Read ``172.17.0.2:80``, ``[fd00::2]:80``, an address alone, or ``:8080``; of ranges, the first."""
    if to is None:
        return None, None
    host, port = to, ""
    if to.startswith("["):
        host, _, port = to[1:].partition("]")
        port = port.lstrip(":")
    elif to.count(":") == 1:
        host, _, port = to.partition(":")
    first = host.split("-")[0]
    number = port.split("-")[0]
    return ip_address(first) if first else None, int(number) if number.isdigit() else None


def _marked(packet: Packet, rule: Rule) -> Packet:
    """Do as xt_mark does: clear the bits of the mask, then flip those of the value."""
    for name in ("--set-xmark", "--set-mark"):
        told = rule.told(name)
        if told is not None:
            value, _, mask = told.partition("/")
            cleared = packet.mark & ~int(mask or "0xffffffff", 0)
            return replace(packet, mark=(cleared ^ int(value, 0)) & 0xFFFF_FFFF)
    return packet
