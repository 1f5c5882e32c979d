"""Somebody asks for a neighbour's MAC, and nobody answers."""

import re
from collections.abc import Iterator
from functools import partial
from ipaddress import ip_address
from shlex import quote

import numpy as np

from analyzer.explain.absent import Why, of_host, why
from analyzer.explain.case import PATIENCE_NS, Case
from analyzer.explain.concerned import NEAR_CONTAINERS
from analyzer.explain.edits import for_shell
from analyzer.explain.fates import Stopped
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.parties import name_of
from analyzer.explain.told import Facts, Told
from analyzer.model import Address, ArpExchange, Basis, Evidence, HostState, Severity
from analyzer.model.rules import dump_of
from analyzer.schema import Addresses

DNAT = " dnat "
ENOUGH = 3
"""Questions after which the kernel gives up (net.ipv4.neigh.default.mcast_solicit)."""


def causes(case: Case) -> Iterator[Cause]:
    """Give addresses that containers or the host asked for in vain."""
    by_target: dict[str, list[ArpExchange]] = {}
    vain = [one for one in case.exchanges if one.answer_mac is None]
    answered = (one for one in case.exchanges if one.answer_mac is not None) if vain else ()
    known = {(one.asker, one.asked_ip) for one in answered}
    known -= {(one.asker, one.asked_ip) for one in vain if one.answered_at is not None}
    for exchange in vain:
        open_ = exchange.asker_ip is not None and (exchange.asker, exchange.asked_ip) not in known
        if open_ and (_ours(case, exchange) or _own(case, exchange)) and _gave_up(case, exchange):
            by_target.setdefault(str(exchange.asked_ip), []).append(exchange)
    failed = {str(one.cause.next_hop): one for one in case.stopped.get(HYPOTHESIS.name, ())}
    for asked in dict.fromkeys([*by_target, *failed]):
        questions, stopped = by_target.get(asked, []), failed.get(asked)
        packets = set(stopped.packets) if stopped is not None else set()
        packets |= {packet for number in _foreign(case, questions) for packet in case.packets_of(number).tolist()}
        targets = {exchange.asked_ip for exchange in questions}
        packets |= {*case.towards(targets), *_sent_on(case, targets), *_by_hops(case, targets)}
        packets |= {case.asking[one.point, one.request_frame] for one in questions}
        if questions:
            reason = why(case, _host(case, questions[0]), questions[0])
        else:
            reason = of_host(stopped.host, ip_address(asked)) if stopped is not None else None
        if questions and _foreign(case, questions):
            reason = None
        elif sent := _rule_to(case, targets):
            reason = sent
        if questions and reason is None and stopped is None and not any(_ours(case, one) for one in questions):
            continue
        found = reason is not None and reason.facts["why"] != "nobody"  # which is what nobody answers for means
        sure = found or not questions
        yield Cause(
            sorted(packets), partial(_tell, case, asked, questions, stopped, reason),
            Basis.STATED if sure else Basis.OBSERVED, (asked,),
            specific=Specific.SETTING if found else None, also=_cut_off(case, questions, reason),
        )  # fmt: skip


def _cut_off(case: Case, questions: list[ArpExchange], reason: Why | None) -> list[int]:
    """Return what is wrong with packets to somebody whose gateway does not answer: answers cannot leave, either."""
    if reason is None or reason.facts["why"] not in ("not-proxied", "wrong-gateway"):
        return []
    return case.towards({one.asker_ip for one in questions if one.asker_ip is not None})


def _tell(
    case: Case,
    asked: str,
    questions: list[ArpExchange],
    stopped: Stopped | None,
    reason: Why | None,
    packets: list[int],
) -> Told:
    facts: Facts = {"asked": asked}
    if questions and not (case.connection[packets] >= 0).any():
        row = int(case.first_row[packets[0]])
        facts |= {
            "who": [name_of(case, ip, row) for ip in [questions[0].asker_ip] if ip is not None],
            "what": [name_of(case, questions[0].asked_ip, row)],
        }
    if not questions:
        facts |= reason.facts if reason is not None else {}
        known = reason.proof if reason is not None else ()
        return Told(facts, proof=(*known, *(stopped.cause.proof if stopped is not None else ())))
    first, host = questions[0], _host(case, questions[0])
    proof = [*stopped.cause.proof] if stopped is not None else [*_silencer(case, first)]
    facts |= {"where": first.point, "asker": str(first.asker_ip), "questions": sum(one.requests for one in questions)}
    if foreign := _foreign(case, questions):
        facts["foreign_source"] = True
        rules = {nat.rule for number in foreign for nat in case.tracer.connection(number).nat if nat.rule}
        proof += [f"{dump_of(rule, first.asked_ip.version)}: {rule}" for rule in sorted(rules)]
    elif host.owns(first.asked_ip):
        facts["own_address"] = True
    asker = host.container_of_address(first.asker_ip) if first.asker_ip is not None else None
    resolving = [c.name for c in host.containers if first.asked_ip in getattr(host.inside.get(c.name), "resolvers", ())]
    if resolving and (asker is None or asker.name in resolving):
        facts["resolver_of"] = sorted(set(resolving))
    if reason is not None:
        facts |= reason.facts
        proof = [*reason.proof, *proof]
    return Told(
        facts | _parted(case, first),
        evidence=tuple(Evidence(e.point, e.request_frame) for e in questions[:5]),
        proof=tuple(dict.fromkeys(proof)),
    )


def _host(case: Case, exchange: ArpExchange) -> HostState:
    """Return the host on which somebody asks."""
    return case.hosts[case.point_named(exchange.point).host]


def _parted(case: Case, question: ArpExchange) -> Facts:
    """Say what is known to part two that are both there: a macvlan and its parent."""
    host = _host(case, question)
    owner = host.container_of_address(question.asked_ip)
    networks = {n.name for n in host.networks if n.on_parent}
    asker = host.container_of_mac(question.asker)
    ends = {c.network for c in (owner, asker) if c is not None}
    if not ends & networks or not (host.owns(question.asked_ip) or asker is None):
        return {}
    parent = host.link_of_mac(question.asker)
    shims = (one for one in host.links if one.kind == "macvlan" and parent is not None and one.lower == parent.name)
    shim = next((one for one in shims if one.addresses), None)
    if owner is None or shim is None or question.asker_ip is None:
        return {"macvlan": True}
    ip = question.asked_ip
    return {
        "macvlan": True, "shim": shim.name, "parent": shim.lower or "",
        "commands": [f"ip{' -6' if ip.version == 6 else ''} route add {ip} dev {quote(shim.name)}"],
    }  # fmt: skip


def _silencer(case: Case, asked: ArpExchange) -> Iterator[str]:
    """Give the rule that keeps this host from hearing a neighbour solicitation for its own address."""
    if asked.protocol != "ndp" or asked.asker_ip is None or not _host(case, asked).owns(asked.asked_ip):
        return
    stopped = case.tracer.prover.solicited(asked.asker_ip, asked.asked_ip)
    if stopped is not None and not stopped.unknown:
        yield from stopped.proof


def _foreign(case: Case, questions: list[ArpExchange]) -> list[int]:
    """Return the connections to which SNAT gives an address that is asked for in vain, and not the host's."""
    table = case.context.connections
    if not questions or _host(case, questions[0]).owns(questions[0].asked_ip):
        return []
    given = Addresses.of(table, "reply_dst").are(int(questions[0].asked_ip))
    found: list[int] = np.flatnonzero(given & case.source_moved).tolist()
    return found


def _rule_to(case: Case, targets: set[Address]) -> Why | None:
    """Return the rule by which DNAT sends packets to whom nobody answers for, if no container has that address."""
    for packet in _sent_on(case, targets):
        found = case.tracer.prover.translations(packet, case.context.hop_rows(packet))
        rule = next((one.rule for one in found), None)
        if rule is not None and not any(case.host_of(packet).container_of_address(ip) for ip in targets):
            tool = "ip6tables" if rule.dump.startswith("ip6") else "iptables"
            commands = [] if rule.native else [f"{tool} -t {quote(rule.table)} -D {for_shell(rule.text[3:])}"]
            facts: Facts = {"why": "dnat", "rule": rule.text, "chain": rule.chain,
                                      "number": rule.number or 0, "commands": commands}  # fmt: skip
            return Why(facts, (f"{rule.dump}: {rule.text}",))
    return _choice_of(case, targets)


def _choice_of(case: Case, targets: set[Address]) -> Why | None:
    """Return a rule that sends packets now here, now there, where one of these is whom nobody answers for."""
    for host in case.hosts.states:
        for ip in targets if host.containers else ():
            named = re.compile(rf"(?<![\d.:]){re.escape(str(ip))}(?![\d.:])")
            found = (r for r in host.rules() if r.native and DNAT in r.text and " map {" in r.text)
            rule = next((r for r in found if named.search(r.text.partition(DNAT)[2])), None)
            if rule is not None and host.container_of_address(ip) is None:
                facts: Facts = {"why": "choice", "rule": rule.text, "chain": rule.chain}
                return Why(facts, (f"{rule.dump}: {rule.text}",))
    return None


def _sent_on(case: Case, targets: set[Address]) -> Iterator[int]:
    """Give the packets that the host called undeliverable, where DNAT sends them to whom nobody answers for."""
    for error in case.errors if targets else ():
        if error.quoted is not None and error.target not in targets:
            there = case.tracer.prover.sent_on(error.quoted, case.context.hop_rows(error.quoted))
            if there in targets:
                yield error.quoted


def _by_hops(case: Case, targets: set[Address]) -> Iterator[int]:
    """Give the packets that the host called undeliverable, where one of several next hops does not answer."""
    for error in case.errors if targets else ():
        if error.quoted is None or not case.host_of(error.packet).owns(error.source):
            continue
        chosen = case.context.route_to(error.target, int(case.last_row[error.quoted]))
        if chosen is not None and targets & {ip for _, ip in chosen.route.nexthops}:
            yield error.quoted


def _ours(case: Case, exchange: ArpExchange) -> bool:
    """Tell whether it is a container, the host, or an address to publish on: what others look for is their business."""
    near = case.point_named(exchange.point).role in NEAR_CONTAINERS
    host = exchange.asker in case.context.host_macs or (
        exchange.asker_ip is not None and _host(case, exchange).owns(exchange.asker_ip)
    )
    published = any(exchange.asked_ip == p.address for c in _host(case, exchange).containers for p in c.ports)
    return near or host or published or bool(_foreign(case, [exchange]))


def _own(case: Case, exchange: ArpExchange) -> bool:
    """Tell whether somebody else asks for the host, which may have answered where nobody captured: at another one."""
    return _host(case, exchange).owns(exchange.asked_ip)


def _gave_up(case: Case, exchange: ArpExchange) -> bool:
    waited = case.end_ns - exchange.request_ns >= PATIENCE_NS
    return exchange.requests >= ENOUGH or (exchange.requests > 1 and waited)


HYPOTHESIS = Hypothesis(
    "arp-unanswered",
    Severity.ERROR,
    "captures (ip-neigh.json, ip-addr.json, bridge-link.json, containers/NAME/)",
    "A container or the host asked for an address by ARP or NDP again and again, and nobody answered.",
    "See whether the address is right and its owner is up, on the same segment: ip neigh, docker network inspect.",
    causes,
    Specific.MECHANISM,
    asks="ip neigh on the host, and arping ADDRESS",
)
