"""By which interface packets leave, or would leave, that come to nothing."""

from collections.abc import Callable, Iterator

from analyzer.explain.case import Case
from analyzer.model import Disposition, HostState
from analyzer.model.finding import Symptom
from analyzer.model.journey import CODES
from analyzer.packet.stops import Passed
from analyzer.state.routing import Chosen

LEFT = CODES[Disposition.LEFT_HOST]
MOST = 2_000
"""Packets of one client to one port whose way is asked for."""


def onward(
    case: Case, of: Callable[[HostState, str], bool], *kinds: Symptom
) -> Iterator[tuple[int, str, Chosen | None]]:
    """
    Give each packet with a symptom, the interface that it is sent to, and the route, where *of* wants that interface.

    Nothing is asked where no host has such an interface.
    """
    if not any(of(host, link.name) for host in case.hosts.states for link in host.links):
        return
    prover = case.tracer.prover
    for packet in case.few_packets(case.with_symptom(*kinds), MOST).tolist():
        host, rows = case.host_of(packet), case.context.rows_of(packet)
        point, dst = case.context.point(rows[-1]), case.context.dst(rows[-1])
        dev = point.interface or point.name
        if case.tracer.ends[packet] == LEFT and dst is not None:
            if of(host, dev):
                yield packet, dev, case.context.route_to(dst, rows[-1])
            continue
        passed = prover.tried(host, packet, rows) if prover.able(rows[-1]) else None
        if isinstance(passed, Passed) and passed.out is not None and of(host, passed.out):
            yield packet, passed.out, passed.route
