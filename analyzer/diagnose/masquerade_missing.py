"""Packets leave the host with a container's address, for no rule masquerades them."""

import shlex
from collections.abc import Iterator

from analyzer.diagnose.causes import affected, severity
from analyzer.diagnose.changed import for_shell, offered, tried, with_rule, without_rule
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.diagnose.untranslated import leaving
from analyzer.model import Basis, Finding, Network, Severity
from analyzer.model.rules import Rule
from analyzer.model.words import plural
from analyzer.trace.prove import Translated


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of unanswered packets that no rule would translate."""
    found = leaving(subject).get("missing")
    if found is None:
        return
    packet = found.packets[0]
    src = subject.context.src(int(subject.first_row[packet]))
    point = subject.context.point(int(subject.last_row[packet])).name
    untracked = subject.tracer.prover.untracked(packet, subject.context.rows_of(packet))
    if untracked is not None:
        yield _not_tracked(subject, found.packets, untracked, f"{src} by {point}")
        return
    network = _network(subject, packet)
    known = found.translated is Translated.NO
    rule = f"-A POSTROUTING -s {_subnet(network, packet, subject)} ! -o {_bridge(network)} -j MASQUERADE"
    advice = f"iptables -t nat {rule}; Docker adds it itself when it starts (systemctl restart docker)."
    helps = tried(subject, packet, with_rule("nat", rule), whole_way=True, translated=True) if known else None
    yield CHECK.finding(
        f"{plural(len(found.packets), 'packet')} left by {point} as {src}, untranslated",
        "Nobody outside knows a way back to a container's address, so no answer comes. "
        + ("No rule of table nat translates them. " if known else "")
        + affected(subject, found.packets),
        basis=Basis.STATED if known else Basis.INFERRED,
        severity=severity(subject, found.packets, Severity.ERROR),
        evidence=subject.evidence(found.packets),
        remedy=offered(advice, helps) if known else advice,
        tried=helps,
        proof=("iptables-save.txt: no rule of *nat POSTROUTING matches",) if known else (),
    )
    subject.claim(found.packets)


def _not_tracked(subject: Subject, packets: list[int], rule: Rule, way: str) -> Finding:
    """Report packets that a rule takes out of connection tracking: nat is never asked for them."""
    subject.claim(packets)
    helps = tried(subject, packets[0], without_rule(rule), whole_way=True, translated=True)
    return CHECK.finding(
        f"{plural(len(packets), 'packet')} left as {way}, untranslated: a rule takes them out of connection tracking",
        "What is not tracked is not translated, so no answer finds its way back. " + affected(subject, packets),
        basis=Basis.STATED,
        evidence=subject.evidence(packets),
        proof=(f"iptables-save.txt: {rule.text}",),
        remedy=offered(f"iptables -t {rule.table} -D {for_shell(rule.text[3:])}", helps),
        tried=helps,
    )


def _network(subject: Subject, packet: int) -> Network | None:
    src = subject.context.src(int(subject.first_row[packet]))
    networks = subject.host_of(packet).networks
    return next((n for n in networks if src is not None and any(src in s for s in n.subnets)), None)


def _subnet(network: Network | None, packet: int, subject: Subject) -> str:
    src = subject.context.src(int(subject.first_row[packet]))
    found = next((s for s in network.subnets if src in s), None) if network is not None else None
    return str(found if found is not None else src)


def _bridge(network: Network | None) -> str:
    return shlex.quote(network.bridge or "docker0") if network is not None else "docker0"


CHECK = Check(
    "masquerade-missing",
    Severity.ERROR,
    "captures (iptables-save.txt, ip-route.json)",
    "Unanswered packets left the host with a container's address, and no rule translates it.",
    "Add the MASQUERADE rule of the network.",
    look,
)
