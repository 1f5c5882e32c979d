"""A rule of the firewall, or a chain's policy, stops packets."""

from collections.abc import Iterator

from analyzer.diagnose.causes import Remedy, affected, by_cause, severity
from analyzer.diagnose.changed import for_shell, offered, tried, tried_answer, with_policy, without_rule
from analyzer.diagnose.check import Check
from analyzer.diagnose.confirmed import Change
from analyzer.diagnose.subject import Stopped, Subject
from analyzer.model import Finding, Severity
from analyzer.model.words import plural
from analyzer.state.rules.owner import place

PROHIBITED = {(4, 3, 9), (4, 3, 10), (4, 3, 13), (6, 1, 1)}
"""Administratively prohibited: RFC 1812 section 5.2.7.1, RFC 4443 section 3.1."""


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of rules of this host, then of firewalls elsewhere that say what they are."""
    yield from by_cause(subject, CHECK, _explain, lambda stopped: _remedy(subject, stopped))
    by_source: dict[str, list[int]] = {}
    explained = {packet for causes in subject.stopped.values() for one in causes for packet in one.packets}
    for error in subject.errors:
        if error.kind in PROHIBITED and error.quoted is not None and error.quoted not in explained:
            by_source.setdefault(str(error.source), []).append(error.quoted)
    for source, packets in by_source.items():
        yield CHECK.finding(
            f"a firewall at {source} prohibits {plural(len(packets), 'packet')}",
            f"It answered that they are administratively prohibited. {affected(subject, packets)}",
            evidence=subject.evidence(packets),
            severity=severity(subject, packets, Severity.ERROR),
            remedy=f"Ask whoever runs {source} to let this traffic pass.",
        )
        subject.claim(packets)


def _explain(stopped: Stopped) -> str:
    rule = stopped.cause.rule
    where = f"It is {place(rule, stopped.host)}. " if rule is not None else ""
    if stopped.cause.past:
        return f"{where}It was there before the captures ran, and is not any more: the dump from then stops them."
    return f"{where}The recorded rules, run in the kernel's order, stop these packets there and nowhere before."


def _remedy(subject: Subject, stopped: Stopped) -> Remedy:
    cause, packet = stopped.cause, stopped.packets[0]
    tool = "ip6tables" if rule_version(subject, packet) == 6 else "iptables"
    if cause.past:
        return "See who adds and removes rules: a firewall that reloads, fail2ban, a deployment.", None
    if cause.policy is not None:
        table, chain = cause.policy
        helps = _helps(subject, stopped, with_policy(table, chain))
        accept = f"{tool} -t {for_shell(f'{table} -P {chain}')} ACCEPT"
        if " " in table:
            accept = f"nft chain {for_shell(f'{table} {chain}')} '{{ policy accept; }}'"
        return offered(f"{accept}, or a rule before it that accepts this traffic.", helps), helps
    rule = cause.rule
    if rule is None:
        return CHECK.remedy, None
    helps = _helps(subject, stopped, without_rule(rule))
    delete = f"{tool} -t {rule.table} -D {for_shell(rule.text[3:])}"
    if rule.native:
        delete = f"nft delete rule {for_shell(f'{rule.table} {rule.chain}')} handle {rule.handle}"
    return offered(f"{delete}, or a rule before it that accepts this traffic.", helps), helps


def _helps(subject: Subject, stopped: Stopped, change: Change) -> str | None:
    """Try it: the packet passes, or the answer to it does."""
    if not stopped.cause.of_answer:
        return tried(subject, stopped.packets[0], change)
    return tried_answer(subject, stopped.packets[0], change)


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
