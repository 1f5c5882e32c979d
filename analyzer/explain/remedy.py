"""Counterfactuals: changes are made to the recorded state until the same packet passes, and its answer."""

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analyzer.explain.case import Case
from analyzer.explain.confirmed import Change, helped
from analyzer.explain.told import Told
from analyzer.model import Address, HostState, Route, RoutingRule
from analyzer.model.rules import Chain, Rule, Table
from analyzer.state.rules.iptables import DUMPS, LEGACY, parse_rule
from analyzer.state.rules.owner import DOCKER_USER, owner
from analyzer.trace.text import summary
from analyzer.trace.way import Cause, Passed

Json = Any
MOST_CHANGES = 5
LOOSE = "2"
"""rp_filter that only asks whether there is any way back (RFC 3704)."""
HELPS, NOT_ENOUGH, UNDECIDED = "helps", "not-enough", "undecided"
"""Outcomes of trying: the packet passes; something stops it all the same; the recorded state does not decide."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A command, and what it changes in a recorded state."""

    command: str
    change: Change


def tried(case: Case, packet: int, change: Change, *, whole_way: bool = False, translated: bool = False) -> str | None:
    """
    Say what becomes of a packet after a change; None if it is stopped all the same, empty if that cannot be told.

    It goes on from where it was seen last, or *whole_way* from where it was seen first; with *translated* it only
    counts if it leaves with another source.
    """
    rows = case.context.rows_of(packet)
    rows = rows[:1] if whole_way else rows
    after = case.tracer.prover.tried(change(case.host_of(packet)), packet, rows)
    if isinstance(after, Cause) and after.unknown:
        return ""
    if not isinstance(after, Passed) or not (after.source_moved or not translated):
        return None
    return helped(case, packet, change, f"{summary(case.context, rows)} is then {after.text}")


def outcome(helps: str | None) -> str:
    """Name what ``tried()`` came to."""
    return NOT_ENOUGH if helps is None else HELPS if helps else UNDECIDED


def offered(fixes: Sequence[Fix], helps: str | None) -> Told:
    """Return changes that were tried, as facts."""
    return Told({"commands": [fix.command for fix in fixes], "outcome": outcome(helps)}, tried=helps)


def unblocked(case: Case, packet: int, first: Fix) -> Told:
    """
    Make changes, the first one and what else it takes, until a packet passes: one answer names all that block it.

    What stops it next is changed, too, if there is a change for that.
    """
    fixes = [first]
    while len(fixes) < MOST_CHANGES:
        stopped, of_answer = _next(case, packet, _all(fixes)(case.host_of(packet)))
        following = fix(case, packet, stopped, of_answer=of_answer) if stopped is not None else None
        if following is None or following.command in {one.command for one in fixes}:
            break
        fixes.append(following)
    helps = tried(case, packet, _all(fixes))
    stopped, of_answer = _next(case, packet, _all(fixes)(case.host_of(packet)))
    if stopped is not None and of_answer:
        helps = None
    return offered(fixes if helps else fixes[:1], helps)


def _next(case: Case, packet: int, host: HostState) -> tuple[Cause | None, bool]:
    """Return what stops a packet in a state, else what stops its answer, and whether that is it."""
    rows, prover = case.context.rows_of(packet), case.tracer.prover
    after = prover.tried(host, packet, rows)
    of_answer = isinstance(after, Passed)
    if of_answer:
        after = prover.way_back(host, packet, rows)
    return after if isinstance(after, Cause) and not after.unknown else None, of_answer


def answered(case: Case, packet: int, first: Fix) -> Told:
    """Make a change and see whether the host's answer to a packet then passes."""
    rows = case.context.rows_of(packet)
    stopped = case.tracer.prover.answer(packet, rows, first.change(case.host_of(packet)))
    helps = f"the answer to {summary(case.context, rows)} is then stopped by no rule" if stopped is None else None
    return offered([first], helps)


def _all(fixes: Sequence[Fix]) -> Change:
    def change(host: HostState) -> HostState:
        for one in fixes:
            host = one.change(host)
        return host

    return change


def fix(
    case: Case, packet: int, cause: Cause, *, of_answer: bool = False, state: HostState | None = None
) -> Fix | None:
    """
    Return the narrowest change that takes away what stops a packet, None where there is none to offer.

    *state* is where that is, if it is not the host: a container's own namespace.
    """
    where = case.host_of(packet) if state is None else state
    version = ip_version(case, packet)
    if cause.policy is not None:
        return _answers(*cause.policy, version) if of_answer else _accept(case, packet, *cause.policy, version)
    if cause.rule is not None:
        return _unruled(case, packet, where, cause.rule, answer=of_answer or bool(case.reply[packet]))
    if cause.route is not None:
        return _unrouted(cause)
    if cause.settings:
        return setting(cause.settings, LOOSE if cause.check == "reverse-path-filtered" else "1")
    return None


UNTRACKED = ("netdev", "arp", "bridge")
"""Families whose chains may come before conntrack."""
INVALID = re.compile(r"\bINVALID\b|\binvalid\b")
"""A rule for what fits no connection: whoever lets such packets pass, lets them pass untranslated."""


def _unruled(case: Case, packet: int, host: HostState, rule: Rule, *, answer: bool) -> Fix | None:
    """
    Let just this pass before a rule that a person made; one that a program made has to be changed there.

    Rules have their reasons, so none is deleted if an exception will do.
    """
    if (rule.chain != DOCKER_USER and owner(rule, host) is not None) or INVALID.search(rule.text):
        return None
    version = ip_version(case, packet)
    if answer and rule.table.partition(" ")[0] not in UNTRACKED:
        return _answers(rule.table, rule.chain, version, _verdict(host, rule), _tool(rule, version))
    for words in _ends(case, packet, ports=not answer):
        found = _excepted(host, rule, words, version)
        after = case.tracer.prover.tried(found.change(host), packet, case.context.rows_of(packet))
        if not isinstance(after, Cause) or after.rule is not rule:
            return found
    command = f"{_tool(rule, version)} -t {shlex.quote(rule.table)} -D {for_shell(rule.text[3:])}"
    if rule.native:
        command = f"nft delete rule {for_shell(f'{rule.table} {rule.chain}')} handle {rule.handle}"
    return Fix(command, without_rule(rule))


def _tool(rule: Rule, version: int) -> str:
    return ("ip6tables" if version == 6 else "iptables") + ("-legacy" if rule.dump in LEGACY.values() else "")


def _verdict(host: HostState, rule: Rule) -> str:
    """Return what an exception does: chains that others jump to hand back to those, and those of hooks accept."""
    chains = (t.chains.get(rule.chain) for t in host.tables if (t.dump, t.label) == (rule.dump, rule.table))
    chain = next((one for one in chains if one is not None), None)
    return "ACCEPT" if chain is None or chain.hook is not None else "RETURN"


@dataclass(frozen=True, slots=True)
class _Words:
    """From whom to whom, and by what."""

    src: Address | None
    dst: Address | None
    protocol: str | None
    port: int | None

    @property
    def iptables(self) -> str:
        found = f"-s {self.src} -d {self.dst}" + (f" -p {self.protocol}" if self.protocol else "")
        return found + (f" --dport {self.port}" if self.port is not None else "")

    def expressions(self, version: int) -> list[Json]:
        """As ``nft -j`` has them."""
        family = "ip6" if version == 6 else "ip"
        ends = [(family, "saddr", str(self.src)), (family, "daddr", str(self.dst))]
        ports = [(self.protocol, "dport", self.port)] if self.port is not None else []
        return [
            {"match": {"op": "==", "left": {"payload": {"protocol": of, "field": name}}, "right": value}}
            for of, name, value in (*ends, *ports)
        ]

    def nft(self, version: int) -> str:
        family = "ip6" if version == 6 else "ip"
        found = f"{family} saddr {self.src} {family} daddr {self.dst}"
        return found + (f" {self.protocol} dport {self.port}" if self.port is not None else "")


def _ends(case: Case, packet: int, *, ports: bool = True) -> Iterator[_Words]:
    """Give a packet's ends as it was seen last, and as they are behind DNAT."""
    row, context = int(case.last_row[packet]), case.context
    protocol = {1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp", 132: "sctp"}.get(context.value("proto", row))
    port = context.value("dport", row) if protocol in ("tcp", "udp", "sctp") and ports else None
    yield _Words(context.src(row), context.dst(row), protocol, port)
    connection = case.connection_of(packet)
    sent = case.tracer.prover.sent_on(packet, context.rows_of(packet))
    if sent is not None:
        inner = connection.reply.sport if connection is not None and connection.reply.src == sent else None
        yield _Words(context.src(row), sent, protocol, inner)


def _excepted(host: HostState, rule: Rule, words: _Words, version: int) -> Fix:
    verdict = _verdict(host, rule)
    text = f"{shlex.quote(rule.chain)} {words.iptables} -j {verdict}"
    if rule.native:
        chain = for_shell(f"{rule.table} {rule.chain}")
        native = _first_native(rule.table, rule.chain, f"-A {text}", words.expressions(version), verdict)
        return Fix(f"nft insert rule {chain} {words.nft(version)} {verdict.lower()}", native)
    change = _first_in(rule.table, rule.chain, f"-A {text}")
    return Fix(f"{_tool(rule, version)} -t {shlex.quote(rule.table)} -I {text}", change)


def _accept(case: Case, packet: int, table: str, chain: str, version: int) -> Fix:
    """Accept just what goes from here to there, before a policy decides; a policy for all is nobody's remedy."""
    words = next(_ends(case, packet))
    if " " in table:
        command = f"nft insert rule {for_shell(f'{table} {chain}')} {words.nft(version)} accept"
        text = f"-A {shlex.quote(chain)} {words.iptables} -j ACCEPT"
        return Fix(command, _first_native(table, chain, text, words.expressions(version), "ACCEPT"))
    tool, text = "ip6tables" if version == 6 else "iptables", f"{shlex.quote(chain)} {words.iptables}"
    return Fix(f"{tool} -t {shlex.quote(table)} -I {text} -j ACCEPT", _first_in(table, chain, f"-A {text} -j ACCEPT"))


def _answers(table: str, chain: str, version: int, verdict: str = "ACCEPT", tool: str = "") -> Fix:
    """Accept answers, which come back by another rule than questions leave by."""
    text = f"{shlex.quote(chain)} -m conntrack --ctstate RELATED,ESTABLISHED -j {verdict}"
    if " " in table:
        command = f"nft insert rule {for_shell(f'{table} {chain}')} ct state established,related {verdict.lower()}"
        return Fix(command, _first_native(table, chain, f"-A {text}", ANSWERS, verdict))
    change = _first_in(table, chain, f"-A {text}")
    return Fix(f"{tool or ('ip6tables' if version == 6 else 'iptables')} -t {shlex.quote(table)} -I {text}", change)


def _unrouted(cause: Cause) -> Fix | None:
    chosen = cause.route
    if chosen is None:
        return None
    if chosen.rule.action is not None:
        return Fix(f"ip rule del priority {chosen.rule.priority}", without_routing_rule(chosen.rule))
    route = chosen.route
    if route.table != "main" and route.dst.prefixlen == 0:
        return None  # it is there so that nothing leaves by another way while a tunnel is down
    table = f" table {shlex.quote(route.table)}" if route.table != "main" else ""
    prefix = "default" if route.dst.prefixlen == 0 else str(route.dst)
    return Fix(f"ip route del {route.kind} {prefix}{table}", without_route(route))


def setting(names: Sequence[str], value: str) -> Fix:
    """Set sysctls."""
    command = "sysctl -w " + " ".join(f"{name}={value}" for name in names)
    return Fix(command, with_settings(dict.fromkeys(names, value)))


def ip_version(case: Case, packet: int) -> int:
    """Return a packet's IP version."""
    dst = case.context.dst(int(case.first_row[packet]))
    return dst.version if dst is not None else 4


def for_shell(words: str) -> str:
    """Quote what a dump says, so that a shell takes it as it stands there: people paste remedies."""
    try:
        return shlex.join(shlex.split(words))
    except ValueError:
        return shlex.quote(words)


Edit = Callable[[Table, Chain], Chain]


def without_rule(rule: Rule) -> Change:
    """Delete a rule."""
    return lambda host: _edited(host, lambda _, chain: replace(chain, rules=_others(chain.rules, rule)))


def with_rule(table: str, text: str, version: int = 4) -> Change:
    """Append a rule to one of iptables' tables, given as ``-A CHAIN ...``."""

    def edit(of: Table, chain: Chain) -> Chain:
        if (of.dump, of.name) != (DUMPS[version], table) or not text.startswith(f"-A {chain.name} "):
            return chain
        return replace(chain, rules=[*chain.rules, parse_rule(text, of)])

    return lambda host: _edited(host, edit)


def _first_in(table: str, name: str, text: str) -> Change:
    """Put a rule, given as ``-A CHAIN ...``, before all others of a chain."""

    def edit(of: Table, chain: Chain) -> Chain:
        if (of.label, chain.name) != (table, name):
            return chain
        return replace(chain, rules=[parse_rule(text, of), *chain.rules])

    return lambda host: _edited(host, edit)


INSERTED = 1 << 60
"""The handle of a rule that is tried; no kernel gives so high a number."""
ANSWERS: list[Json] = [{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}]


def _first_native(label: str, name: str, text: str, expressions: list[Json], verdict: str) -> Change:
    """Put a rule before all others of a chain of nftables' own, given as ``-A CHAIN ...`` and as ``nft -j`` has it."""

    def inserted(table: Table) -> Table:
        if not table.native or table.label != label or name not in table.chains:
            return table
        chain = table.chains[name]
        rule = replace(parse_rule(text, table), handle=INSERTED)
        made = {"family": table.family, "table": table.name, "chain": name, "handle": INSERTED,
                "expr": [*expressions, {verdict.lower(): None}]}  # fmt: skip
        place = next(
            (n for n, one in enumerate(table.told) if one.get("rule", {}).get("chain") == name), len(table.told)
        )
        told = [*table.told[:place], {"rule": made}, *table.told[place:]]
        return replace(table, chains={**table.chains, name: replace(chain, rules=[rule, *chain.rules])}, told=told)

    return lambda host: replace(host, tables=tuple(inserted(table) for table in host.tables))


def _edited(host: HostState, edit: Edit) -> HostState:
    """Edit every chain; *edit* takes its table as well."""
    tables = (
        replace(table, chains={name: edit(table, chain) for name, chain in table.chains.items()})
        for table in host.tables
    )
    return replace(host, tables=tuple(tables))


def _others(rules: list[Rule], rule: Rule) -> list[Rule]:
    """Leave out one rule, once."""
    place = next((n for n, one in enumerate(rules) if one is rule), None)
    return rules if place is None else rules[:place] + rules[place + 1 :]


def without_route(route: Route) -> Change:
    """Delete a route."""
    return lambda host: replace(host, routes=tuple(one for one in host.routes if one is not route))


def without_routing_rule(rule: RoutingRule) -> Change:
    """Delete a rule of ``ip rule``."""
    return lambda host: replace(host, routing_rules=tuple(one for one in host.routing_rules if one is not rule))


def with_settings(settings: dict[str, str]) -> Change:
    """Set sysctls."""
    return lambda host: replace(host, sysctls={**host.sysctls, **settings})
