"""Nobody answers a connection's first packet, not even by refusing it."""

from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.stopped import few, severity
from analyzer.explain.symptoms import silent_connections
from analyzer.explain.told import Told
from analyzer.model import Disposition, Severity, endpoint
from analyzer.model.finding import Fact
from analyzer.model.journey import ENDS


def causes(case: Case) -> Iterator[Cause]:
    """Give each destination that keeps silent."""
    silent: dict[str, list[int]] = {}
    for number in silent_connections(case):
        connection = case.tracer.connection(number)
        target = endpoint(connection.original.dst, connection.original.dport)
        silent.setdefault(target, []).extend(case.packets_of(number, reply=False).tolist())
    for target, packets in few(silent).items():
        yield Cause(sorted(packets), partial(_tell, case, target, len(silent)))


def _tell(case: Case, target: str, targets: int, packets: list[int]) -> Told:
    packet = packets[0]
    facts: dict[str, Fact] = {
        "end": ENDS[case.tracer.ends[packet]].value,
        "last": case.context.point(int(case.last_row[packet])).name,
    }
    facts |= {"target": target} if target else {"targets": targets}
    row = int(case.last_row[packet])
    dst, owner = case.context.dst(row), case.context.owner_of_mac(case.context.value("eth_dst", row), row)
    delivered = facts["end"] == Disposition.DELIVERED.value
    if delivered and owner is not None and dst not in owner.addresses:
        facts |= {"into": owner.name, "address": str(dst)}
    return Told(facts, severity=severity(case, packets, Severity.ERROR))


HYPOTHESIS = Hypothesis(
    "syn-unanswered",
    Severity.ERROR,
    "captures",
    "A TCP SYN got no answer for a second and more, and nothing else explains it.",
    "See whether a firewall at or before the server drops them, and whether its answers find a way back.",
    causes,
    Specific.SILENCE,
)
