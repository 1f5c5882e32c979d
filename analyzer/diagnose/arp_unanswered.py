"""Somebody asks for a neighbour's MAC, and nobody answers."""

from collections.abc import Iterator

import numpy as np

from analyzer.diagnose.causes import affected
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import NEAR_CONTAINERS, PATIENCE_NS, Subject
from analyzer.model import ArpExchange, Basis, Evidence, Finding, HostState, Severity
from analyzer.model.words import plural

ENOUGH = 3
"""Questions after which the kernel gives up (net.ipv4.neigh.default.mcast_solicit)."""


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of addresses that containers or the host asked for in vain."""
    by_target: dict[str, list[ArpExchange]] = {}
    known = {exchange.asked_ip for exchange in subject.exchanges if exchange.answer_mac is not None} | subject.elsewhere
    for exchange in subject.exchanges:
        vain = exchange.answer_mac is None and exchange.asker_ip is not None and exchange.asked_ip not in known
        if vain and _ours(subject, exchange) and _gave_up(subject, exchange):
            by_target.setdefault(str(exchange.asked_ip), []).append(exchange)
    failed = {one.cause.text.split(" ")[0]: one for one in subject.stopped.get("arp-unanswered", ())}
    for asked in dict.fromkeys([*by_target, *failed]):
        questions, stopped = by_target.get(asked, []), failed.get(asked)
        packets = list(stopped.packets) if stopped is not None else []
        subject.absent.update(exchange.asked_ip for exchange in questions)
        count = sum(exchange.requests for exchange in questions)
        where = questions[0].point if questions else subject.context.point(int(subject.last_row[packets[0]])).name
        foreign = _foreign(subject, questions)
        packets += [packet for number in foreign for packet in subject.packets_of(number).tolist()]
        who = f"{questions[0].asker_ip} asked {plural(count, 'time')} at {where}. " if questions else ""
        yield CHECK.finding(
            f"nobody answers for {asked}" + (f" at {where}" if questions else ""),
            f"{who}{_why(subject, questions, foreign=bool(foreign))} {affected(subject, packets)}",
            basis=Basis.OBSERVED if questions else Basis.STATED,
            evidence=tuple(Evidence(e.point, e.request_frame) for e in questions[:5]) or subject.evidence(packets),
            proof=stopped.cause.proof if stopped is not None else tuple(_silencer(subject, questions)),
        )
        subject.claim(packets)


def _host(subject: Subject, exchange: ArpExchange) -> HostState:
    """Return the host on which somebody asks."""
    return subject.hosts[subject.point_named(exchange.point).host]


def _why(subject: Subject, questions: list[ArpExchange], *, foreign: bool) -> str:
    if foreign:
        return "SNAT gives packets this source, which the host does not have: nobody takes the answers."
    if questions and (known := _parted(subject, questions[0])):
        return known
    if questions and _host(subject, questions[0]).owns(questions[0].asked_ip):
        return (
            "It is this host's own address: something keeps it from answering, such as rp_filter, arp_ignore, "
            "arptables, or with IPv6 a rule of INPUT."
        )
    return (
        "Without the MAC address nothing can be sent to it: it does not exist there, is down, or is in another VLAN "
        "or subnet."
    )


def _parted(subject: Subject, question: ArpExchange) -> str:
    """Say what is known to part two that are both there: isolated ports, or a macvlan and its parent."""
    host = _host(subject, question)
    owner = host.container_of_address(question.asked_ip)
    isolated = [port.dev for port in host.ports if port.isolated]
    if owner is not None and len(isolated) > 1:
        return f"It is container {owner.name}; isolated ports do not exchange frames: {', '.join(sorted(isolated))}."
    networks = {n.name for n in host.networks if n.driver in ("macvlan", "ipvlan")}
    asker = host.container_of_mac(question.asker)
    ends = {c.network for c in (owner, asker) if c is not None}
    if ends & networks and (host.owns(question.asked_ip) or asker is None):
        return "A macvlan or ipvlan container and its host's own interface do not reach each other, by design."
    return ""


def _silencer(subject: Subject, questions: list[ArpExchange]) -> Iterator[str]:
    """Give the rule that keeps this host from hearing a neighbour solicitation for its own address."""
    asked = questions[0] if questions else None
    if asked is None or asked.protocol != "ndp" or asked.asker_ip is None:
        return
    if not _host(subject, asked).owns(asked.asked_ip):
        return
    stopped = subject.tracer.prover.solicited(asked.asker_ip, asked.asked_ip)
    if stopped is not None and not stopped.unknown:
        yield from stopped.proof


def _foreign(subject: Subject, questions: list[ArpExchange]) -> list[int]:
    """Return the connections to which SNAT gives an address that is asked for in vain, and not the host's."""
    table = subject.context.connections
    if not questions or _host(subject, questions[0]).owns(questions[0].asked_ip):
        return []
    asked = int(questions[0].asked_ip)
    given = (table["reply_dst"] == asked & (1 << 64) - 1) & (table["reply_dst_hi"] == asked >> 64)
    found: list[int] = np.flatnonzero(given & subject.source_moved).tolist()
    return found


def _ours(subject: Subject, exchange: ArpExchange) -> bool:
    """Tell whether a container asks, or the host itself: what others look for in their LAN is their business."""
    near = subject.point_named(exchange.point).role in NEAR_CONTAINERS
    host = exchange.asker in subject.context.host_macs or (
        exchange.asker_ip is not None and _host(subject, exchange).owns(exchange.asker_ip)
    )
    return near or host or bool(_foreign(subject, [exchange]))


def _gave_up(subject: Subject, exchange: ArpExchange) -> bool:
    waited = subject.end_ns - exchange.request_ns >= PATIENCE_NS
    return exchange.requests >= ENOUGH or (exchange.requests > 1 and waited)


CHECK = Check(
    "arp-unanswered",
    Severity.ERROR,
    "captures (ip-neigh.json)",
    "A container or the host asked for an address by ARP or NDP again and again, and nobody answered.",
    "See whether the address is right and its owner is up, on the same segment: ip neigh, docker network inspect.",
    look,
)
