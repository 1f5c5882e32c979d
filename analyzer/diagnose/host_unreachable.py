"""No way to the destination: a route is missing or forbids it, or a router says so."""

from collections.abc import Iterator

from analyzer.diagnose.causes import Remedy, affected, by_cause, few, severity
from analyzer.diagnose.changed import offered, tried, without_route, without_routing_rule
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import IcmpError, Stopped, Subject
from analyzer.model import Finding, Severity
from analyzer.model.words import plural

UNREACHABLE = {(4, 3, code) for code in (0, 1, 5, 6, 7, 8, 11, 12)} | {(6, 1, code) for code in (0, 2, 3)}
"""Network and host unreachable, and what says the same (RFC 1812 section 5.2.7.1, RFC 4443 section 3.1)."""


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of routes of this host, then of what routers said."""
    own = {packet for one in subject.stopped.get(CHECK.name, ()) for packet in one.packets}
    yield from by_cause(subject, CHECK, _explain, lambda stopped: _remedy(subject, stopped))
    by_source: dict[str, list[int]] = {}
    for error in subject.errors:
        if error.kind not in UNREACHABLE or _gone(subject, error) or error.quoted in own:
            continue  # one that routers are allowed to say seldom (RFC 1812 section 4.3.2.8) is about all packets
        if error.quoted is not None and subject.connection[error.quoted] not in subject.claimed:
            by_source.setdefault(f"{_who(subject, error)} has no way to {error.target}", []).append(error.quoted)
    subject.absent.update(error.target for error in subject.errors if error.kind in UNREACHABLE)
    for title, packets in few(by_source, "destinations cannot be reached").items():
        yield CHECK.finding(
            title,
            f"It said so of {plural(len(packets), 'packet')}. {affected(subject, packets)}",
            severity=severity(subject, packets, Severity.ERROR),
            evidence=subject.evidence(packets),
            remedy="Look at the routes there (ip route get ADDRESS), and whether the destination's segment is up.",
        )
        subject.claim(packets)


def _gone(subject: Subject, error: IcmpError) -> bool:
    """Tell whether nobody answers for the target, or for where NAT sends what is for it."""
    if error.target in subject.absent or error.quoted is None:
        return error.target in subject.absent
    of = subject.connection_of(error.quoted)
    if of is None:
        return False
    sent_on = subject.tracer.prover.sent_on(error.quoted, subject.context.hop_rows(error.quoted))
    return not subject.absent.isdisjoint({of.reply.src, sent_on})


def _who(subject: Subject, error: IcmpError) -> str:
    """Name who says so; what the host says of a translated packet comes from the address that was asked."""
    own = error.source == error.target or subject.host_of(error.packet).owns(error.source)
    return "this host" if own else str(error.source)


def _remedy(subject: Subject, stopped: Stopped) -> Remedy:
    chosen = stopped.cause.route
    if chosen is None:
        return CHECK.remedy, None
    if chosen.rule.action is not None:
        helps = tried(subject, stopped.packets[0], without_routing_rule(chosen.rule))
        return offered(f"ip rule del priority {chosen.rule.priority}", helps), helps
    route = chosen.route
    helps = tried(subject, stopped.packets[0], without_route(route))
    table = f" table {route.table}" if route.table != "main" else ""
    prefix = "default" if route.dst.prefixlen == 0 else str(route.dst)
    return offered(f"ip route del {route.kind} {prefix}{table}", helps), helps


def _explain(stopped: Stopped) -> str:
    return "The recorded routes lead nowhere for this destination."


CHECK = Check(
    "host-unreachable",
    Severity.ERROR,
    "captures (ip-route.json, ip-rule.json)",
    "No route leads to a destination, or a router answers that it cannot be reached.",
    "ip route get ADDRESS shows which route it is; add the right one, or remove the one that forbids it.",
    look,
)
