"""The recorded conntrack table tells another translation than the frames show."""

from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.told import Told
from analyzer.explain.turned import turned_connections
from analyzer.link.stated import Contradiction
from analyzer.model import Evidence, Role, Severity


def causes(case: Case) -> Iterator[Cause]:
    """Give each connection whose conntrack entry contradicts its frames."""
    for contradiction in case.contradictions:
        turned = contradiction.connection in case.once(turned_connections)
        if case.my_connections[contradiction.connection] and not turned and not _elsewhere(case, contradiction):
            number = int(case.numbers[case.context.packets_of(contradiction.connection)[0]])
            yield Cause([], partial(_tell, case, contradiction), key=(number, contradiction.entry))


def _elsewhere(case: Case, contradiction: Contradiction) -> bool:
    """
    Tell whether the host's own points show nothing but what its entry says.

    Then it was a container that translated once more, in its own namespace: a VPN's, or one with an engine in it.
    """
    context = case.context
    entry = case.hosts.everywhere.conntrack[contradiction.entry]
    said = {(entry.original.src, entry.original.dst), (entry.reply.dst, entry.reply.src),
            (entry.original.src, entry.reply.src)}  # fmt: skip
    inside = False
    for packet in context.packets_of(contradiction.connection).tolist():
        for row in context.rows_of(packet):
            if context.point(row).role is Role.CONTAINER:
                inside = True
                continue
            ends = context.src(row), context.dst(row)
            if (ends[::-1] if case.reply[packet] else ends) not in said:
                return False
    return inside


def _tell(case: Case, contradiction: Contradiction, _: list[int]) -> Told:
    connection = case.tracer.connection(contradiction.connection)
    entry = case.hosts.everywhere.conntrack[contradiction.entry]
    journey = case.tracer.journey(int(case.context.packets_of(contradiction.connection)[0]))
    return Told(
        {"connection": str(connection.original), "replies": str(connection.reply), "entry": str(entry.reply)},
        evidence=tuple(Evidence(hop.point, hop.frames[0]) for hop in journey.hops),
    )


HYPOTHESIS = Hypothesis(
    "conntrack-contradiction",
    Severity.WARNING,
    "captures, conntrack.txt",
    "The recorded conntrack table tells another translation than the frames show.",
    "Record the conntrack table on the same host, while the captures run.",
    causes,
)
