"""Questions and answers of a connection use different uplinks."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.concerned import NEAR_CONTAINERS
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.tally import Count
from analyzer.explain.told import Facts, Told
from analyzer.link.sorting import distinct_rows
from analyzer.model import Role, Severity
from analyzer.model.question import ABSENT
from analyzer.state.routing import Chosen, Sought, choose


def causes(case: Case) -> Iterator[Cause]:
    """Give pairs of uplinks of one host, by connections that use one each way."""
    context, hops = case.context, case.context.hops
    uplinks = [point.id for point in context.points if point.role is Role.UPLINK]
    if len(uplinks) < 2:
        return
    point = context.frames["point"][hops["row"]].astype(np.int64)
    at = np.isin(point, uplinks) & (hops["connection"] >= 0)
    numbers, used = hops["connection"][at].astype(np.int64), point[at]
    ways: list[dict[int, set[int]]] = [{}, {}]
    for number, reply, uplink in distinct_rows(numbers, hops["reply"][at], used):
        ways[reply].setdefault(number, set()).add(uplink)
    by_pair: dict[tuple[int, int], list[int]] = {}
    for number in ways[0].keys() & ways[1].keys():
        out, back = min(ways[0][number]), min(ways[1][number])
        apart = not ways[0][number] & ways[1][number]
        if apart and context.points[out].host == context.points[back].host:
            by_pair.setdefault((out, back), []).append(number)
    for (out, back), connections in sorted(by_pair.items()):
        facts: dict[str, str] = {"out": context.points[out].name, "back": context.points[back].name}
        of = np.isin(case.connection, connections)
        troubled = np.unique(case.connection[of & (case.symptom >= 0)])
        ill = np.flatnonzero(of & (case.symptom >= 0)).tolist()
        packets = [int(context.packets_of(n)[0]) for n in sorted(set(connections).difference(troubled.tolist()))]
        if ill:
            tell = partial(_tell, case, facts, Severity.ERROR)
            yield Cause(ill, tell, specific=Specific.MECHANISM, key=(*facts.values(), True))
        if packets:
            yield Cause(packets, partial(_tell, case, facts, Severity.INFO), key=(*facts.values(), False))


def _tell(case: Case, facts: dict[str, str], severity: Severity, packets: list[int]) -> Told:
    count = Count(len(set(case.connection[packets].tolist())))
    chosen = _sends_back(case, int(case.connection[packets[0]]))
    found: Facts = {**facts, "count": count, "works": severity is Severity.INFO}
    found["table"] = _table_of(case, packets[0], facts["out"])
    if chosen is None or chosen.route.dev != facts["back"]:
        return Told(found, severity=severity)
    rule, route = chosen.rule, chosen.route
    proof = (f"ip-rule.json: {rule.text}", f"ip-route.json: {route.text} table {route.table}")
    found |= {"rule": rule.text if route.table != "main" else "", "route": route.text}
    return Told(found, severity=severity, proof=proof if route.table != "main" else (f"ip-route.json: {route.text}",))


def _table_of(case: Case, packet: int, out: str) -> str:
    """Return the table, other than main, that has a default route by an interface; empty if none has."""
    routes = case.host_of(packet).routes
    own = (r.table for r in routes if r.dst.prefixlen == 0 and r.dev == out and r.table not in ("main", "local"))
    return next(own, "")


def _sends_back(case: Case, number: int) -> Chosen | None:
    """Return what routes a connection's answers: for the container's own address, before NAT gives it another one."""
    answers = case.packets_of(number, reply=True)
    if not len(answers):
        return None
    row, connection = int(case.first_row[answers[0]]), case.tracer.connection(number)
    point, flow = case.context.point(row), connection.reply
    came = case.tracer.prover.interface(point) if point.role in NEAR_CONTAINERS else ABSENT
    return choose(case.context.host_at(row), Sought(flow.dst, flow.src, iif=came))


HYPOTHESIS = Hypothesis(
    "asymmetric-path",
    Severity.WARNING,
    "captures of two uplinks",
    "A connection's two directions use different uplinks.",
    "Route answers back by the interface that the question came in by: ip rule with a table for each uplink.",
    causes,
)
