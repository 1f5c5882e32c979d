"""A rule of the firewall, or a chain's policy, stops packets."""

from collections.abc import Iterator

from analyzer.diagnose.causes import Remedy, affected, by_cause, severity
from analyzer.diagnose.changed import offered, tried, with_policy, without_rule
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Stopped, Subject
from analyzer.model import Finding, Severity

PROHIBITED = {(4, 3, 9), (4, 3, 10), (4, 3, 13), (6, 1, 1)}
"""Administratively prohibited: RFC 1812 section 5.2.7.1, RFC 4443 section 3.1."""


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of rules of this host, then of firewalls elsewhere that say what they are."""
    yield from by_cause(subject, CHECK, _explain, lambda stopped: _remedy(subject, stopped))
    by_source: dict[str, list[int]] = {}
    for error in subject.errors:
        mine = error.quoted is not None and subject.connection[error.quoted] in subject.claimed
        if error.kind in PROHIBITED and error.quoted is not None and not mine:
            by_source.setdefault(str(error.source), []).append(error.quoted)
    for source, packets in by_source.items():
        yield CHECK.finding(
            f"a firewall at {source} prohibits {len(packets)} packets",
            f"It answered that they are administratively prohibited. {affected(subject, packets)}",
            evidence=subject.evidence(packets),
            severity=severity(subject, packets, Severity.ERROR),
            remedy=f"Ask whoever runs {source} to let this traffic pass.",
        )
        subject.claim(packets)


def _explain(stopped: Stopped) -> str:
    chain = stopped.cause.rule.chain if stopped.cause.rule is not None else None
    where = f"The rule is in chain {chain}. " if chain else ""
    return f"{where}The recorded rules, run in the kernel's order, stop these packets there and nowhere before."


def _remedy(subject: Subject, stopped: Stopped) -> Remedy:
    rule, packet = stopped.cause.rule, stopped.packets[0]
    if rule is None:
        table, chain = stopped.cause.text.removeprefix("policy DROP of ").split(" ", 1)
        accept = f"iptables -t {table} -P {chain} ACCEPT, or a rule before it that accepts this traffic."
        helps = tried(subject, packet, with_policy(table, chain))
        return offered(accept, helps), helps
    helps = tried(subject, packet, without_rule(rule))
    delete = f"{'ip6tables' if rule_version(subject, packet) == 6 else 'iptables'} -t {rule.table} -D {rule.text[3:]}"
    if not rule.text.startswith("-A "):
        delete = f"nft delete rule, of “{rule.text}”"
    return offered(f"{delete}, or a rule before it that accepts this traffic.", helps), helps


def rule_version(subject: Subject, packet: int) -> int:
    """Return the packet's IP version."""
    dst = subject.context.dst(int(subject.first_row[packet]))
    return dst.version if dst is not None else 4


CHECK = Check(
    "filtered-by-rule",
    Severity.ERROR,
    "iptables-save.txt, ip6tables-save.txt or nft-ruleset.json (sysctl.txt, ip-route.json; host-before for counters)",
    "A firewall rule or a chain's policy drops or rejects packets, here or where an ICMP error says so.",
    "Delete the rule, or accept the traffic before it.",
    look,
)
