"""Long packets vanish on a link that takes less, and nobody tells their sender."""

from collections.abc import Iterator

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.long_packets import vanishing
from analyzer.model import Severity


def causes(case: Case) -> Iterator[Cause]:
    """Give flows outside tunnels."""
    return vanishing(case, tunnelled=False)


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
