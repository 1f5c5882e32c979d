"""Nobody answers a connection's first packet, not even by refusing it."""

from collections.abc import Iterator

from analyzer.diagnose.causes import affected, few, severity
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Disposition, Finding, Severity, endpoint
from analyzer.model.journey import ENDS
from analyzer.model.words import plural

VERBS = {
    Disposition.DELIVERED: "They arrived; the receiver drops them: its own firewall, or its queue is full (ss -ltn).",
    Disposition.LEFT_HOST: "They left this host: something beyond it drops them, or the answers.",
}

UNKNOWN = "What became of them behind that point was not captured."


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of each destination that keeps silent."""
    silent: dict[str, list[int]] = {}
    quoted = {int(subject.connection[e.quoted]) for e in subject.errors if e.quoted is not None}
    for number in subject.handshakes.unanswered():
        packets = subject.packets_of(number, reply=False)
        connection = subject.tracer.connection(number)
        explained = number in subject.claimed or number in quoted or connection.original.dst in subject.absent
        if not explained and subject.waited(int(packets[0])):
            target = endpoint(connection.original.dst, connection.original.dport)
            silent.setdefault(target, []).extend(packets.tolist())
    for target, syns in few(silent, "destinations").items():
        kind = ENDS[subject.tracer.ends[syns[0]]]
        last = subject.context.point(int(subject.last_row[syns[0]])).name
        yield CHECK.finding(
            f"no answer from {target}: {plural(len(syns), 'SYN')}, last seen at {last}",
            f"{_why(subject, syns[0], kind)} {affected(subject, syns)}",
            severity=severity(subject, syns, Severity.ERROR),
            evidence=subject.evidence(syns),
        )
        subject.claim(syns)


def _why(subject: Subject, packet: int, kind: Disposition) -> str:
    row = int(subject.last_row[packet])
    dst = subject.context.dst(row)
    owner = subject.context.owner_of_mac(subject.context.value("eth_dst", row), row)
    if kind is Disposition.DELIVERED and owner is not None and dst not in owner.addresses:
        return (
            f"They went into container {owner.name}, whose address {dst} is not: the sender has it for its "
            "gateway. See ip route in the sender."
        )
    return VERBS.get(kind, UNKNOWN)


CHECK = Check(
    "syn-unanswered",
    Severity.ERROR,
    "captures",
    "A TCP SYN got no answer for a second and more, and nothing else explains it.",
    "See whether a firewall at or before the server drops them, and whether its answers find a way back.",
    look,
)
