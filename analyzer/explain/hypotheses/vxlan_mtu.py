"""Long packets of an overlay network vanish: with VXLAN's 50 bytes they are too long for the network below."""

from collections.abc import Iterator

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.long_packets import vanishing
from analyzer.model import Severity


def causes(case: Case) -> Iterator[Cause]:
    """Give flows inside tunnels."""
    return vanishing(case, tunnelled=True)


HYPOTHESIS = Hypothesis(
    "vxlan-mtu",
    Severity.ERROR,
    "captures",
    "Short packets of an overlay network arrive, long ones vanish: a link below does not take VXLAN's 50 bytes more.",
    "Create the network anew with --opt com.docker.network.driver.mtu=N, 50 less than the smallest link between the "
    "hosts takes.",
    causes,
    Specific.MECHANISM,
    asks="ping -M do -s LENGTH between the hosts, with growing lengths",
)
