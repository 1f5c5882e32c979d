"""Long packets vanish on a link that takes less, and nobody tells their sender."""

from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.long_packets import LONG, missing, vanishing
from analyzer.explain.tally import Count
from analyzer.explain.told import Told
from analyzer.model import Basis, Severity


def causes(case: Case) -> Iterator[Cause]:
    """Give flows outside tunnels, and connections of whose long segments none ever came."""
    yield from vanishing(case, tunnelled=False)
    by_point: dict[str, list[int]] = {}
    for packet, hole in case.once(missing).items():
        answers = case.packets_of(int(case.connection[packet]), reply=bool(case.reply[packet]))
        if hole >= LONG and case.first("ip_len")[answers].max() < LONG and len(answers) > 1:
            by_point.setdefault(case.context.point(int(case.first_row[packet])).name, []).append(packet)
    for point, packets in by_point.items():
        yield Cause(packets, partial(_never_came, case, point), Basis.INFERRED, (point, "never-came"))


def _never_came(case: Case, point: str, packets: list[int]) -> Told:
    holes = case.once(missing)
    return Told(
        {"missing": Count(sum(holes[packet] for packet in packets)), "where": point},
        evidence=case.evidence(packets, first=True),
    )


HYPOTHESIS = Hypothesis(
    "mtu-blackhole",
    Severity.ERROR,
    "captures",
    "Short packets of a flow are answered, long ones never, and no ICMP error says why.",
    'Let ICMP fragmentation needed and packet too big pass. Until then give the network a smaller MTU ("mtu" in '
    "daemon.json for the default bridge), or TCP a smaller segment size (-j TCPMSS --set-mss).",
    causes,
    Specific.MECHANISM,
    asks="ping -M do -s LENGTH with growing lengths (tracepath)",
)
