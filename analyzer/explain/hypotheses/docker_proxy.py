"""docker-proxy ends clients' connections and opens its own: the container sees the host as its client."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.explain.case import SHOWN, Case
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.tally import Count
from analyzer.explain.told import Told
from analyzer.model import Role, Severity, endpoint


def causes(case: Case) -> Iterator[Cause]:
    """Give relayed connections by the port that they came for."""
    table = case.context.connections
    by_port: dict[str, list[int]] = {}
    for number in np.flatnonzero((table["relayed_to"] >= 0) & case.my_connections).tolist():
        if _of_a_container(case, int(table["relayed_to"][number])):
            continue  # a reverse proxy
        flow, onward = (case.tracer.connection(n).original for n in (number, int(table["relayed_to"][number])))
        if {flow.src, flow.dst} == {onward.src, onward.dst}:
            continue  # a user-mode network, which hides nobody
        if (flow.dst, flow.dport) == (onward.dst, onward.dport):
            continue  # a transparent proxy
        by_port.setdefault(endpoint(flow.dst, flow.dport), []).append(number)
    for port, numbers in by_port.items():
        yield Cause([], partial(_tell, case, port, numbers), key=(port,))


def _tell(case: Case, port: str, numbers: list[int], _: list[int]) -> Told:
    inner = case.tracer.connection(int(case.context.connections["relayed_to"][numbers[0]])).original
    packets = [int(case.context.packets_of(number)[0]) for number in numbers[:SHOWN]]
    return Told(
        {
            "port": port,
            "inner": endpoint(inner.dst, inner.dport),
            "client": str(inner.src),
            "relayed": Count(len(numbers)),
        },
        evidence=case.evidence(packets, first=True),
    )


def _of_a_container(case: Case, connection: int) -> bool:
    """Tell whether a container opened a connection: it was first seen at its port."""
    first = case.first_row[case.context.packets_of(connection)[:1]]
    return bool(case.context.with_role(first, Role.VETH, Role.CONTAINER)[0])


HYPOTHESIS = Hypothesis(
    "docker-proxy-in-path",
    Severity.INFO,
    "captures",
    "docker-proxy relays connections, so the client's address is hidden from the container.",
    'Use the container\'s name on a network of its own, or "userland-proxy": false in daemon.json.',
    causes,
)
