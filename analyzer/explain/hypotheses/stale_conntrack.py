"""A conntrack entry outlived the rules that made it: its packets still go the old way."""

import shlex
from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.fixes import ip_version
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.told import Facts, Told
from analyzer.explain.untranslated import leaving
from analyzer.link.sorting import first_places
from analyzer.model import Address, Basis, Connection, HostState, Role, Severity, endpoint
from analyzer.model.rules import Verdict, dump_of
from analyzer.state.path import translate
from analyzer.state.sysctl import BRIDGE_CALLS, sysctl, sysctl_line

MOST = 2_000
"""Connections of one client to one port that are compared with today's rules."""


def causes(case: Case) -> Iterator[Cause]:
    """Give unanswered connections that today's rules would translate otherwise."""
    if case.one_sided:
        return
    kept = leaving(case).get("stale")
    by_bridge: dict[str, list[int]] = {}
    for packet in kept.packets if kept is not None else ():
        by_bridge.setdefault(_settled_at(case, packet), []).append(packet)
    for bridge, left in by_bridge.items():
        told = partial(_settled, case, bridge) if bridge else partial(_tell, case, {}, ())
        yield Cause(left, told, Basis.STATED, (bridge,), also=case.troubled(left))
    yield from _before_the_rule(case)
    table = case.context.connections
    for number in case.few_connections(np.flatnonzero(case.target_moved & ~table["seen_reply"]), MOST).tolist():
        connection = case.tracer.connection(number)
        host = case.context.host_at(int(case.first_row[case.packets_of(number)[0]]))
        today = _today(host, connection)
        if today is not None:
            old = endpoint(connection.reply.src, connection.reply.sport)
            proof = (*_entry(case, number), f"{dump_of(today[1], connection.reply.src.version)}: {today[1]}")
            tell = partial(_tell, case, {"old": old, "today": today[0]}, proof)
            packets = case.packets_of(number)
            key = (int(case.numbers[packets[0]]),)
            gone = host.container_of_address(connection.reply.src) is None
            asked = case.vain_questions.get(connection.reply.src, ()) if gone else ()
            about = sorted({*packets.tolist(), *asked})
            yield Cause(about, tell, Basis.STATED, key, specific=Specific.ROOT)


def _settled_at(case: Case, packet: int) -> str:
    """
    Name the bridge whose iptables saw a packet before another one took it to be routed; empty if there is none.

    nat is asked once, where a connection's first packet passes POSTROUTING, and that is at the first bridge already
    (br_nf_post_routing of br_netfilter_hooks.c); that no rule fits there is decided, too (nf_nat_alloc_null_binding).
    """
    context, rows = case.context, case.context.rows_of(packet)
    ttl, host = context.value("ttl", rows[0]), case.host_of(packet)
    links = [case.link_at(context.point(row).name) for row in rows if context.value("ttl", row) == ttl]
    masters = dict.fromkeys(link.master for link in links if link is not None and link.master is not None)
    shown = sysctl(host, BRIDGE_CALLS[ip_version(case, packet)])
    return next(iter(masters)) if len(masters) > 1 and shown == 1 else ""


def _settled(case: Case, bridge: str, packets: list[int]) -> Told:
    packet = packets[0]
    version = ip_version(case, packet)
    rules = case.tracer.prover.translations(packet, case.context.rows_of(packet))
    rule = rules[0].rule.text if rules else ""
    where = case.context.point(int(case.last_row[packet])).name
    tool = "ip6tables" if version == 6 else "iptables"
    command = f"{tool} -t raw -I PREROUTING -i {shlex.quote(bridge)} -j CT --zone 1"
    return Told(
        {"settled_at": bridge, "rule": rule, "where": where, "commands": [command]},
        proof=(sysctl_line(case.host_of(packet), BRIDGE_CALLS[version]),),
    )


def _before_the_rule(case: Case) -> Iterator[Cause]:
    """Give connections from outside to the host itself that today's rules would send to a container."""
    table = case.context.connections
    outside = case.context.with_role(case.first_row, Role.UPLINK)
    begins = first_places(case.connection, len(table["proto"]))
    untouched = ~case.target_moved & ~case.source_moved & (begins >= 0)
    untouched &= np.append(outside, False)[begins]
    for number in case.few_connections(np.flatnonzero(untouched & ~case.answered_in_the_end), MOST).tolist():
        connection = case.tracer.connection(number)
        host = case.context.host_at(int(case.first_row[case.packets_of(number)[0]]))
        if not host.owns(connection.original.dst) or connection.protocol != "udp":
            continue
        today = _today(host, connection)
        if today is not None:
            old = endpoint(connection.original.dst, connection.original.dport)
            proof = (*_entry(case, number), f"{dump_of(today[1], connection.reply.src.version)}: {today[1]}")
            tell = partial(_tell, case, {"old": old, "today": today[0], "without": True}, proof)
            packets = case.packets_of(number, reply=False)
            key = int(case.numbers[packets[0]]), True
            yield Cause(packets.tolist(), tell, Basis.STATED, key, specific=Specific.ROOT)


def _entry(case: Case, number: int) -> Iterator[str]:
    """Give the conntrack entry that states a connection's mapping."""
    stated = int(case.context.connections["stated"][number])
    if stated >= 0:
        entry = case.hosts.everywhere.conntrack[stated]
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


def _tell(case: Case, facts: Facts, proof: tuple[str, ...], packets: list[int]) -> Told:
    connection = case.connection_of(packets[0])
    flow = connection.original if connection is not None else None
    delete = f"conntrack -D -p {flow.protocol} -s {flow.src} -d {flow.dst}" if flow is not None else "conntrack -D"
    ports = f" --sport {flow.sport} --dport {flow.dport}" if flow is not None and flow.sport is not None else ""
    return Told(facts | {"commands": [f"{delete}{ports}"]}, proof=proof)


HYPOTHESIS = Hypothesis(
    "stale-conntrack",
    Severity.ERROR,
    "iptables-save.txt, ip-route.json (conntrack.txt)",
    "Unanswered packets follow a conntrack entry that today's rules would make otherwise.",
    "Delete the entry with conntrack -D.",
    causes,
    Specific.SETTING,
    asks="conntrack -L: the connection's entry",
)
