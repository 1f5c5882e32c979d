"""NAT finds no free port, or two packets race for one entry: the kernel drops the one that comes second."""

from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.fixes import ip_version
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.told import Moved, Told
from analyzer.model import Basis, Disposition, HostState, Severity
from analyzer.model.question import Constant, OneOf
from analyzer.model.rules import Translate, dump_of

FAILED = "conntrack.insert_failed"
FEW = 1_000


def causes(case: Case) -> Iterator[Cause]:
    """Give first packets that are lost behind an SNAT rule with few ports, or while entries clashed."""
    for host in case.hosts.states:
        yield from _on(case, host)


def _on(case: Case, host: HostState) -> Iterator[Cause]:
    failed = host.counted(FAILED) or 0
    if not host.tables or (not failed and not any(has_few_ports(rule.nat) for rule in host.rules())):
        return
    lost = case.tracer.ended(Disposition.LOST, Disposition.NOT_OBSERVABLE).tolist()
    first = [packet for packet in lost if case.host_of(packet) is host and _begins(case, packet)]
    by_rule: dict[str, list[int]] = {}
    for packet in first:
        rows = case.context.rows_of(packet)
        for translation in case.tracer.prover.translations(packet, rows):
            if translation.kind.of_source and (has_few_ports(translation.rule.nat) or failed):
                by_rule.setdefault(translation.rule.text, []).append(packet)
    for rule, packets in by_rule.items():
        basis = Basis.STATED if failed else Basis.INFERRED
        yield Cause(packets, partial(_tell, case, rule, failed), basis, (host.name, rule), counted=bool(failed))


def _tell(case: Case, rule: str, failed: int, packets: list[int]) -> Told:
    moved = Moved("conntrack-stats.txt: insert_failed", 0, failed) if failed else None
    proof = f"{dump_of(rule, ip_version(case, packets[0]))}: {rule}"
    return Told(evidence=case.evidence(packets), proof=(proof,), moved=moved)


def _begins(case: Case, packet: int) -> bool:
    number = int(case.connection[packet])
    return number >= 0 and not case.context.connections["seen_reply"][number]


def has_few_ports(nat: Translate | None) -> bool:
    """Tell whether the source ports that a rule may use can run out."""
    if nat is None or not nat.kind.of_source or nat.port is None:
        return False
    if isinstance(nat.port, OneOf) and isinstance(nat.port.low, int) and isinstance(nat.port.high, int):
        return nat.port.high - nat.port.low < FEW
    return isinstance(nat.port, Constant)


HYPOTHESIS = Hypothesis(
    "nat-clash",
    Severity.ERROR,
    "captures, iptables-save.txt, ip-route.json (conntrack-stats.txt before and after)",
    "First packets vanish behind an SNAT rule whose ports are taken, or while conntrack could not insert entries.",
    "Give the rule more ports, or more addresses: --to-source ADDRESS without ports.",
    causes,
    Specific.SETTING,
    asks="conntrack -S before and after (insert_failed)",
)
