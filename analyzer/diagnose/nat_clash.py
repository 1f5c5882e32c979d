"""NAT finds no free port, or two packets race for one entry: the kernel drops the one that comes second."""

from collections.abc import Iterator

from analyzer.diagnose.causes import affected
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Basis, Disposition, Finding, HostState, Severity
from analyzer.model.question import Constant, OneOf
from analyzer.model.rules import Translate
from analyzer.model.words import plural

FAILED = "conntrack.insert_failed"


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of first packets that are lost behind an SNAT rule with few ports, or while entries clashed."""
    for host in subject.hosts.states:
        yield from _on(subject, host)


def _on(subject: Subject, host: HostState) -> Iterator[Finding]:
    failed = host.counted(FAILED)
    if not failed and not any(_few(rule.nat) for rule in host.rules()):
        return
    lost = subject.unclaimed(subject.tracer.ended(Disposition.LOST, Disposition.NOT_OBSERVABLE)).tolist()
    first = [packet for packet in lost if subject.host_of(packet) is host and _begins(subject, packet)]
    by_rule: dict[str, list[int]] = {}
    for packet in first if host.tables else ():
        rows = subject.context.rows_of(packet)
        for translation in subject.tracer.prover.translations(packet, rows):
            if translation.kind.of_source and (_few(translation.rule.nat) or failed):
                by_rule.setdefault(translation.rule.text, []).append(packet)
    for rule, packets in by_rule.items():
        proof = [f"iptables-save.txt: {rule}"]
        if failed:
            same = ", just the packets that are missing" if failed == len(packets) else ""
            proof.append(f"conntrack-stats.txt: insert_failed went up by {failed}{same}")
        yield CHECK.finding(
            f"{plural(len(packets), 'packet')} lost where SNAT had no free port",
            "Connections to one server need a source port each. When all that the rule may use are taken, the entry "
            f"cannot be made and the packet is dropped. {affected(subject, packets)}",
            basis=Basis.STATED if failed else Basis.INFERRED,
            evidence=subject.evidence(packets),
            proof=tuple(proof),
        )
        subject.claim(packets)


def _begins(subject: Subject, packet: int) -> bool:
    number = int(subject.connection[packet])
    return number >= 0 and not subject.context.connections["seen_reply"][number]


FEW = 1_000


def _few(nat: Translate | None) -> bool:
    """Tell whether the source ports that a rule may use can run out."""
    if nat is None or not nat.kind.of_source or nat.port is None:
        return False
    if isinstance(nat.port, OneOf) and isinstance(nat.port.low, int) and isinstance(nat.port.high, int):
        return nat.port.high - nat.port.low < FEW
    return isinstance(nat.port, Constant)


CHECK = Check(
    "nat-clash",
    Severity.ERROR,
    "captures, iptables-save.txt, ip-route.json (conntrack-stats.txt before and after)",
    "First packets vanish behind an SNAT rule whose ports are taken, or while conntrack could not insert entries.",
    "Give the rule more ports, or more addresses: --to-source ADDRESS without ports, or --random-fully.",
    look,
)
