"""docker-proxy ends clients' connections and opens its own: the container sees the host as its client."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.explain.case import SHOWN, Case
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.published import PROXY
from analyzer.explain.tally import Count
from analyzer.explain.told import Told
from analyzer.model import FlowTuple, Role, Severity, endpoint

RELAYS = (PROXY, "rootlesskit", "rootlessport", "rootlessport-chi", "gvproxy", "pasta", "pasta.avx2", "slirp4netns")
"""Programs of engines that relay published ports, as the kernel cuts their names (TASK_COMM_LEN)."""


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
        if onward.dst.is_loopback:
            continue  # what stands before a program in its own namespace
        if _of_another_program(case, number, flow):
            continue  # a reverse proxy of the host's own
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


def _of_another_program(case: Case, number: int, flow: FlowTuple) -> bool:
    """Tell whether somebody else listens there than who relays for engines."""
    host = case.host_of(int(case.context.packets_of(number)[0]))
    listener = host.listener(flow.protocol, flow.dst, flow.dport) if flow.dport is not None else None
    return listener is not None and listener.program is not None and listener.program not in RELAYS


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
