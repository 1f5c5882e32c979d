"""The narrowest change that takes away what stops a packet: an exception before a rule, a route less, a setting."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analyzer.explain.case import Case
from analyzer.explain.edits import (
    Fix,
    Json,
    first_in,
    first_native,
    for_shell,
    with_settings,
    without_route,
    without_routing_rule,
    without_rule,
)
from analyzer.model import Address, HostState
from analyzer.model.rules import Rule
from analyzer.packet.stops import Cause
from analyzer.schema import Layer
from analyzer.state.rules.iptables import DUMPS, LEGACY
from analyzer.state.rules.owner import DOCKER_USER, owner

LOOSE = "2"
"""rp_filter that only asks whether there is any way back (RFC 3704)."""
ANSWERS: list[Json] = [{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}]


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
        dump = _dump_of(where, *cause.policy, version)
        if of_answer:
            return _answers(*cause.policy, version, dump, to=_asker(case, packet))
        return _accept(case, packet, *cause.policy, version, dump)
    if cause.rule is not None:
        return _unruled(case, packet, where, cause.rule, of_answer=of_answer)
    if cause.route is not None:
        return _unrouted(cause)
    if cause.settings:
        return setting(cause.settings, LOOSE if cause.check == "reverse-path-filtered" else "1")
    return None


UNTRACKED = ("netdev", "arp", "bridge")
"""Families whose chains may come before conntrack."""
INVALID = re.compile(r"\bINVALID\b|\binvalid\b")
"""A rule for what fits no connection: whoever lets such packets pass, lets them pass untranslated."""


def _unruled(case: Case, packet: int, host: HostState, rule: Rule, *, of_answer: bool) -> Fix | None:
    """
    Let just this pass before a rule that a person made; one that a program made has to be changed there.

    Rules have their reasons, so none is deleted if an exception will do.
    """
    if (rule.chain != DOCKER_USER and owner(rule, host) is not None) or INVALID.search(rule.text):
        return None
    version, answer = ip_version(case, packet), of_answer or bool(case.reply[packet])
    if answer and rule.table.partition(" ")[0] not in UNTRACKED:
        asker = _asker(case, packet) if of_answer else None
        return _answers(rule.table, rule.chain, version, rule.dump, _verdict(host, rule), to=asker)
    for words in ends(case, packet, ports=not answer):
        found = _excepted(host, rule, words, version)
        after = case.tracer.prover.tried(found.change(host), packet, case.context.rows_of(packet))
        if not isinstance(after, Cause) or after.rule is not rule:
            return found
    command = f"{_tool(rule.dump, version)} -t {shlex.quote(rule.table)} -D {for_shell(rule.text[3:])}"
    if rule.native:
        command = f"nft delete rule {for_shell(f'{rule.table} {rule.chain}')} handle {rule.handle}"
    return Fix(command, without_rule(rule))


def _tool(dump: str, version: int) -> str:
    return ("ip6tables" if version == 6 else "iptables") + ("-legacy" if dump in LEGACY.values() else "")


def _dump_of(host: HostState, table: str, chain: str, version: int) -> str:
    """Return which dump has the chain whose policy stops packets."""
    of = (one for one in host.tables if one.label == table and version in one.versions and chain in one.chains)
    found = (one.dump for one in of if one.chains[chain].policy not in (None, "ACCEPT"))
    return next(found, DUMPS[version])


def _verdict(host: HostState, rule: Rule) -> str:
    """Return what an exception does: chains that others jump to hand back to those, and those of hooks accept."""
    chains = (t.chains.get(rule.chain) for t in host.tables if (t.dump, t.label) == (rule.dump, rule.table))
    chain = next((one for one in chains if one is not None), None)
    return "ACCEPT" if chain is None or chain.hook is not None else "RETURN"


@dataclass(frozen=True, slots=True)
class Words:
    """From whom to whom, and by what."""

    src: Address | None
    dst: Address | None
    protocol: str | None
    port: int | None

    @property
    def iptables(self) -> str:
        """As iptables takes them."""
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
        """As nft takes them."""
        family = "ip6" if version == 6 else "ip"
        found = f"{family} saddr {self.src} {family} daddr {self.dst}"
        return found + (f" {self.protocol} dport {self.port}" if self.port is not None else "")


def ends(case: Case, packet: int, *, ports: bool = True) -> Iterator[Words]:
    """Give a packet's ends as it was seen last, and as they are behind DNAT."""
    row, context = int(case.last_row[packet]), case.context
    protocol = {1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp", 132: "sctp"}.get(context.value("proto", row))
    port = context.value("dport", row) if protocol in ("tcp", "udp", "sctp") and ports else None
    yield Words(context.src(row), context.dst(row), protocol, port)
    connection = case.connection_of(packet)
    sent = case.tracer.prover.sent_on(packet, context.rows_of(packet))
    if sent is not None:
        inner = connection.reply.sport if connection is not None and connection.reply.src == sent else None
        published = (p for c in case.host_of(packet).containers if sent in c.addresses for p in c.ports)
        inner = inner or next((p.inside for p in published if (p.outside, p.protocol) == (port, protocol)), None)
        inner = inner or (
            case.tracer.prover.sent_on_port(packet, context.rows_of(packet)) if port is not None else None
        )
        yield Words(context.src(row), sent, protocol, inner)


def _excepted(host: HostState, rule: Rule, words: Words, version: int) -> Fix:
    verdict = _verdict(host, rule)
    text = f"{shlex.quote(rule.chain)} {words.iptables} -j {verdict}"
    if rule.native:
        chain = for_shell(f"{rule.table} {rule.chain}")
        native = first_native(rule.table, rule.chain, f"-A {text}", words.expressions(version), verdict)
        return Fix(f"nft insert rule {chain} {words.nft(version)} {verdict.lower()}", native)
    change = first_in(rule.table, rule.chain, f"-A {text}", rule.dump)
    return Fix(f"{_tool(rule.dump, version)} -t {shlex.quote(rule.table)} -I {text}", change)


def _accept(case: Case, packet: int, table: str, chain: str, version: int, dump: str) -> Fix:
    """Accept just what goes from here to there, before a policy decides; a policy for all is nobody's remedy."""
    *_, words = ends(case, packet)  # what was translated comes to a policy as it is behind that
    if " " in table:
        command = f"nft insert rule {for_shell(f'{table} {chain}')} {words.nft(version)} accept"
        text = f"-A {shlex.quote(chain)} {words.iptables} -j ACCEPT"
        return Fix(command, first_native(table, chain, text, words.expressions(version), "ACCEPT"))
    text = f"{shlex.quote(chain)} {words.iptables} -j ACCEPT"
    change = first_in(table, chain, f"-A {text}", dump)
    return Fix(f"{_tool(dump, version)} -t {shlex.quote(table)} -I {text}", change)


def _asker(case: Case, packet: int) -> Address | None:
    """Return to whom the answer to a packet goes, if that is the host's own; None if somebody else answers."""
    row, rows = int(case.last_row[packet]), case.context.rows_of(packet)
    dst = case.context.dst(row)
    own = dst is not None and case.host_of(packet).owns(dst) and case.tracer.prover.sent_on(packet, rows) is None
    about_others = case.context.layers(row) & Layer.QUOTE  # an error is sent on to whom it is about
    return case.context.src(row) if own and not about_others else None


def _answers(
    table: str, chain: str, version: int, dump: str, verdict: str = "ACCEPT", *, to: Address | None = None
) -> Fix:
    """
    Accept answers, which come back by another rule than questions leave by.

    The host's own only *to* whom they are for: what stops all that it sends may be there for when a tunnel is down.
    """
    text = f"-m conntrack --ctstate RELATED,ESTABLISHED -j {verdict}"
    text = f"{shlex.quote(chain)} {text if to is None else f'-d {to} {text}'}"
    if " " in table:
        family, only = "ip6" if version == 6 else "ip", []
        if to is not None:
            left: Json = {"payload": {"protocol": family, "field": "daddr"}}
            only = [{"match": {"op": "==", "left": left, "right": str(to)}}]
        words = "ct state established,related" if to is None else f"{family} daddr {to} ct state established,related"
        command = f"nft insert rule {for_shell(f'{table} {chain}')} {words} {verdict.lower()}"
        return Fix(command, first_native(table, chain, f"-A {text}", [*only, *ANSWERS], verdict))
    change = first_in(table, chain, f"-A {text}", dump)
    return Fix(f"{_tool(dump, version)} -t {shlex.quote(table)} -I {text}", change)


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
