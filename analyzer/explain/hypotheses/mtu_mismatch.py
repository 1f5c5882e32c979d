"""A bridge whose packets may be larger than what the uplink carries."""

from collections.abc import Iterator

from analyzer.explain.case import Case
from analyzer.explain.host.asked import Host
from analyzer.explain.host.networks import bridges, uplinks
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.told import Told
from analyzer.model import Severity
from analyzer.model.finding import Fact


def causes(_: Case) -> Iterator[Cause]:
    """Say nothing: captures show whether packets are too long."""
    yield from ()


def state(host: Host) -> Iterator[Told]:
    """Compare the MTU of each bridge with that of the best uplink."""
    ways = uplinks(host.state)
    limit = ways[0].mtu if ways else None
    if limit is None:
        return
    for network, bridge in bridges(host.state):
        if bridge.mtu is not None and bridge.mtu > limit:
            lines = (f"ip-addr.json: {link.name} mtu {link.mtu}" for link in (bridge, ways[0]))
            facts: dict[str, Fact] = {
                "network": network.name,
                "mtu": bridge.mtu,
                "uplink": ways[0].name,
                "limit": limit,
            }
            yield Told(facts, proof=tuple(lines))


HYPOTHESIS = Hypothesis(
    "mtu-mismatch",
    Severity.WARNING,
    "dumps (hoptrace doctor)",
    "A Docker network's MTU is larger than the uplink's.",
    "Give the network the uplink's MTU.",
    causes,
    state=state,
)
