"""iptables does not see what a bridge passes on, so networks are not isolated as Docker means it."""

from collections.abc import Iterator

from analyzer.explain.case import Case
from analyzer.explain.host.asked import Host
from analyzer.explain.host.networks import bridges
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.told import Told
from analyzer.model import Severity
from analyzer.model.engine import NO_ENGINE
from analyzer.state.sysctl import BRIDGE_CALLS, sysctl, sysctl_line

NAME = BRIDGE_CALLS[4]


def causes(_: Case) -> Iterator[Cause]:
    """Say nothing: captures show what comes of it."""
    yield from ()


def state(host: Host) -> Iterator[Told]:
    """Tell of bridge-nf-call-iptables = 0."""
    managed = any(network.engine != NO_ENGINE for network, _ in bridges(host.state))  # others do not count on it
    if sysctl(host.state, NAME) == 0 and managed:
        yield Told({"setting": NAME}, proof=(sysctl_line(host.state, NAME),))


HYPOTHESIS = Hypothesis(
    "bridge-netfilter-off",
    Severity.INFO,
    "dumps (hoptrace doctor)",
    "Packets between containers of one bridge do not pass iptables.",
    f"modprobe br_netfilter && sysctl -w {NAME}=1",
    causes,
    state=state,
)
