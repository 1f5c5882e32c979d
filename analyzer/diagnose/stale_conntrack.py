"""A conntrack entry outlived the rules that made it: its packets still go the old way."""

from collections.abc import Iterator

import numpy as np

from analyzer.diagnose.causes import affected
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.diagnose.untranslated import leaving
from analyzer.model import Address, Basis, Connection, Finding, HostState, Severity, endpoint
from analyzer.model.rules import Verdict
from analyzer.model.words import plural
from analyzer.state.path import translate

MOST = 2_000
"""Connections that are compared with today's rules."""


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of unanswered connections that today's rules would translate otherwise."""
    if subject.one_sided:
        return
    found = leaving(subject).get("stale")
    if found is not None:
        yield _finding(subject, found.packets, "left untranslated, and today's rules would masquerade them")
    table = subject.context.connections
    for number in np.flatnonzero(subject.target_moved & ~table["seen_reply"])[:MOST].tolist():
        if number in subject.claimed:
            continue
        connection = subject.tracer.connection(number)
        host = subject.context.host_at(int(subject.first_row[subject.packets_of(number)[0]]))
        today = _today(host, connection)
        if today is not None:
            packets = subject.packets_of(number).tolist()
            old = endpoint(connection.reply.src, connection.reply.sport)
            what = f"went to {old}, and today's rules would send them to {today[0]}"
            yield _finding(subject, packets, what, *_entry(subject, number), f"iptables-save.txt: {today[1]}")


def _entry(subject: Subject, number: int) -> Iterator[str]:
    """Give the conntrack entry that states a connection's mapping."""
    stated = int(subject.context.connections["stated"][number])
    if stated >= 0:
        entry = subject.hosts.everywhere.conntrack[stated]
        yield f"conntrack.txt: {entry.original}, reply {entry.reply} {' '.join(entry.flags)}".rstrip()


def _today(host: HostState, connection: Connection) -> tuple[str, str] | None:
    """Return where which rule would send a connection now, if that is somewhere else."""
    result = translate(host, connection.original)
    if result is None or result.verdict is not Verdict.ACCEPT or result.packet is None or not result.translations:
        return None
    there = result.packet
    if (there.dst, there.dport) == (connection.reply.src, connection.reply.sport):
        return None
    if not isinstance(there.dst, Address) or (there.dport is not None and not isinstance(there.dport, int)):
        return None  # which one of several the kernel would choose today
    return endpoint(there.dst, there.dport), result.translations[0].rule.text


def _finding(subject: Subject, packets: list[int], what: str, *proof: str) -> Finding:
    subject.claim(packets)
    connection = subject.connection_of(packets[0])
    flow = connection.original if connection is not None else None
    delete = f"conntrack -D -p {flow.protocol} -s {flow.src} -d {flow.dst}" if flow is not None else "conntrack -D"
    ports = f" --sport {flow.sport} --dport {flow.dport}" if flow is not None and flow.sport is not None else ""
    return CHECK.finding(
        f"{plural(len(packets), 'packet')} {what}",
        "nat rules are asked for a connection's first packet only. This one's entry is older than the rules, and every "
        f"packet keeps it alive. {affected(subject, packets)}",
        basis=Basis.STATED,
        evidence=subject.evidence(packets),
        remedy=f"{delete}{ports}",
        proof=proof,
    )


CHECK = Check(
    "stale-conntrack",
    Severity.ERROR,
    "iptables-save.txt, ip-route.json (conntrack.txt)",
    "Unanswered packets follow a conntrack entry that today's rules would make otherwise.",
    "Delete the entry with conntrack -D.",
    look,
)
