"""A packet is longer than a link takes, and its sender is told: path MTU discovery (RFC 1191, RFC 8201)."""

from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.concerned import NEAR_CONTAINERS
from analyzer.explain.fates import IcmpError
from analyzer.explain.fixes import fix
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.long_packets import TOO_LONG
from analyzer.explain.remedy import unblocked
from analyzer.explain.stopped import by_cause
from analyzer.explain.tally import Count, Most
from analyzer.explain.told import Facts, Told
from analyzer.model import Basis, Role, Severity
from analyzer.schema import Layer


def causes(case: Case) -> Iterator[Cause]:
    """Give links of this host, then what routers said."""
    told: dict[tuple[str, int, bool], list[int]] = {}
    for error in case.errors:
        if error.kind in TOO_LONG and error.quoted is not None:
            adapts = _adapts(case, error.quoted)
            told.setdefault((str(error.source), error.mtu, adapts), []).append(error.quoted)
    quoted = {packet for packets in told.values() for packet in packets}
    for cause in by_cause(case, HYPOTHESIS.name, lambda *_: Told()):
        cause.packets = [packet for packet in cause.packets if packet not in quoted]
        if cause.packets:
            yield cause
    for (source, mtu, adapts), packets in told.items():
        # What TCP adapts to is harmless, and explains nothing but these packets.
        also = () if adapts else case.troubled(packets)
        unheard = [] if adapts else _unheard(case, set(packets))
        yield Cause(
            sorted({*packets, *(error.packet for error in unheard)}),
            partial(_tell, case, (source, mtu, adapts), unheard), Basis.STATED if unheard else Basis.OBSERVED,
            (source, mtu, adapts), also=also, specific=Specific.ROOT if unheard else None,
        )  # fmt: skip


def _tell(case: Case, key: tuple[str, int, bool], unheard: list[IcmpError], packets: list[int]) -> Told:
    source, mtu, adapts = key
    long = [packet for packet in packets if packet not in {error.packet for error in unheard}]
    longest = int(max(case.first("ip_len")[long or packets]))
    facts: Facts = {"longest": Most(longest), "told_by": source, "mtu": mtu, "adapts": adapts, "long": Count(len(long))}
    if unheard:
        return _stopped(case, facts, unheard[0].packet)
    if not adapts and (where := _never_heard(case, packets)) is not None:
        facts["heard_at"] = where
    return Told(facts, severity=Severity.INFO if adapts else Severity.ERROR)


def _unheard(case: Case, packets: set[int]) -> list[IcmpError]:
    """Return the errors about packets that the recorded rules of this host stop."""
    found = [error for error in case.errors if error.kind in TOO_LONG and error.quoted in packets]
    return [error for error in found if _rules_stop(case, error.packet)]


def _rules_stop(case: Case, packet: int) -> bool:
    cause = case.tracer.outcome(packet).cause
    return cause is not None and cause.check == "filtered-by-rule"


def _stopped(case: Case, facts: Facts, error: int) -> Told:
    """Say what stops an error on its way to who sent too much, and what it takes to let it pass."""
    cause, row = case.tracer.outcome(error).cause, int(case.last_row[error])
    facts = {**facts, "heard_at": case.context.point(row).name}
    if cause is None:
        return Told(facts)
    if cause.rule is not None:
        facts |= {"chain": cause.rule.chain, "number": cause.rule.number or 0, "rule": cause.rule.text}
    elif cause.policy is not None:
        facts["policy_of"] = " ".join(cause.policy)
    first = fix(case, error, cause, of_answer=True)
    told = unblocked(case, error, first) if first is not None else Told()
    return Told(facts | told.facts, proof=cause.proof, tried=told.tried, severity=Severity.ERROR)


def _never_heard(case: Case, packets: list[int]) -> str | None:
    """Return where the errors were seen last, if that is an uplink, and what they are about came from a container."""
    errors = [error for error in case.errors if error.kind in TOO_LONG and error.quoted in packets]
    near = case.context.with_role(case.first_row[[e.quoted for e in errors if e.quoted is not None]], *NEAR_CONTAINERS)
    last = [case.context.point(int(case.last_row[error.packet])) for error in errors]
    if not errors or not near.all() or any(point.role is not Role.UPLINK for point in last):
        return None
    return last[0].name


def _adapts(case: Case, packet: int) -> bool:
    """Tell whether a TCP connection went on after it had been told."""
    number = int(case.connection[packet])
    if number < 0 or not case.context.layers(int(case.first_row[packet])) & Layer.TCP:
        return False
    way = bool(case.reply[packet])
    later = case.packets_of(number, reply=not way)
    acked = case.first("ack")[later[later > packet]]
    seq = int(case.first("seq")[packet])
    return any((int(ack) - seq) % (1 << 32) - 1 < 1 << 31 for ack in acked.tolist() if int(ack) != seq)


HYPOTHESIS = Hypothesis(
    "mtu-exceeded",
    Severity.ERROR,
    "captures (ip-addr.json, ip-route.json)",
    "Packets are too long for a link, and ICMP tells their sender (info, where TCP adapts).",
    "Give the Docker network the smallest MTU on the way.",
    causes,
    Specific.SETTING,
)
