"""Packets vanish between two points of one host, and no recorded rule, route or setting says why."""

from collections.abc import Iterator

from analyzer.diagnose.causes import affected, severity
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Basis, Disposition, Finding, HostState, Role, Severity
from analyzer.model.words import plural

DROPS = (
    "IpInDiscards",
    "IpOutDiscards",
    "IpOutNoRoutes",
    "IpReasmFails",
    "Ip6InDiscards",
    "Ip6OutDiscards",
    "Ip6OutNoRoutes",
    "conntrack.drop",
    "conntrack.early_drop",
    "conntrack.insert_failed",
    "conntrack.invalid",
)
"""Counters of drops, nstat's and conntrack's."""


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of each place where packets vanish."""
    by_place: dict[str, list[int]] = {}
    for packet in subject.unclaimed(subject.tracer.ended(Disposition.LOST)).tolist():
        if subject.between_hosts(packet):
            continue
        by_place.setdefault(subject.tracer.outcome(packet).reason, []).append(packet)
    for why, packets in by_place.items():
        yield CHECK.finding(
            f"{plural(len(packets), 'packet')} lost inside the host: {why}",
            f"{_unknown(subject, packets[0])} {affected(subject, packets)}",
            basis=Basis.INFERRED,
            severity=severity(subject, packets, Severity.ERROR),
            evidence=subject.evidence(packets),
            proof=tuple(_went_up(subject.host_of(packets[0]))),
        )
        subject.claim(packets)


def _went_up(host: HostState) -> Iterator[str]:
    """Give the counters of drops that went up meanwhile: one of them may be this."""
    for name in DROPS:
        if count := host.counted(name):
            file, _, counter = name.rpartition(".")
            yield f"{'conntrack-stats.txt' if file else 'nstat.txt'}: {counter} went up by {count}"


def _unknown(subject: Subject, packet: int) -> str:
    prover, host = subject.tracer.prover, subject.host_of(packet)
    if not host.tells:
        return "Without dumps of the host's state nothing can be said about why."
    last = subject.context.point(int(subject.last_row[packet])).name
    ports = [port for name in (last, *subject.tracer.outcome(packet).onward) for port in _broken(subject, packet, name)]
    if ports:
        return " ".join(ports)
    cause = prover.why(packet, subject.context.rows_of(packet), lost=True)
    if cause is not None and cause.unknown:
        rule = f", of rule “{cause.rule.text}”" if cause.rule is not None else ""
        return f"The recorded rules do not decide: {cause.text}{rule}."
    return "No recorded rule, route or setting stops them: a queue may be full, or a rule was there only for a while."


def _broken(subject: Subject, packet: int, name: str) -> Iterator[str]:
    """Say what is wrong with the interface at a point, as the dump from after the captures has it."""
    link = subject.link_at(name)
    if link is not None and link.down:
        yield f"{link.name} is down, as ip-addr.json has it."
    elif link is not None and subject.point_named(name).role is Role.VETH and link.master is None:
        yield f"{link.name} is no port of any bridge, as ip-addr.json has it."
    length = subject.context.value("ip_len", int(subject.last_row[packet]))
    if link is not None and link.mtu is not None and length > link.mtu:
        yield f"{link.name} takes {link.mtu} bytes, as ip-addr.json has it; the first of these packets has {length}."


CHECK = Check(
    "loss-inside-host",
    Severity.ERROR,
    "captures (iptables-save.txt, ip-route.json, sysctl.txt, nstat.txt)",
    "Packets were seen at one point of the host and not at the next, which was recording, for no known reason.",
    "Compare the drop counters of both interfaces and of netfilter: ip -s link, tc -s qdisc, nstat -az, dropwatch.",
    look,
)
