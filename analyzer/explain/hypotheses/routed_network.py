"""A network whose containers are reached by their own addresses sends packets out, and no answer finds back."""

from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.told import Facts, Told
from analyzer.explain.untranslated import leaving, network_of
from analyzer.model import Basis, Severity


def causes(case: Case) -> Iterator[Cause]:
    """Give unanswered packets of routed networks: that they leave untranslated is meant so."""
    found = leaving(case).get("routed")
    if found is not None:
        yield Cause(found.packets, partial(_tell, case), Basis.INFERRED, also=case.troubled(found.packets))


def _tell(case: Case, packets: list[int]) -> Told:
    network, row = network_of(case, packets[0]), int(case.last_row[packets[0]])
    src, point = case.context.src(int(case.first_row[packets[0]])), case.context.point(row)
    facts: Facts = {"where": point.name, "as_address": str(src)}
    if network is not None:
        subnet = next((one for one in network.subnets if src is not None and src in one), None)
        facts |= {"network": network.name, "subnet": str(subnet)}
    link = case.link_at(point.name)
    own = next((ip for ip in link.addresses if src is not None and ip.version == src.version), None) if link else None
    if own is not None:
        facts["host_address"] = str(own)
    return Told(facts)


HYPOTHESIS = Hypothesis(
    "routed-network-unreachable",
    Severity.ERROR,
    "captures, docker-network-inspect.json",
    "Unanswered packets left with a container's own address, of a network in gateway mode routed.",
    "Give the routers outside a route to the network's subnet by this host.",
    causes,
    Specific.MECHANISM,
    asks="a capture at the router, or ip route get ADDRESS there",
    preview=True,
)
