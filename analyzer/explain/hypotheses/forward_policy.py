"""The policy of FORWARD drops what no rule accepts, and Docker's rules are not there to accept it."""

from collections.abc import Iterator

from analyzer.explain.case import Case
from analyzer.explain.host.asked import FORWARD, Host, asked_by
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.told import Told
from analyzer.model import Severity


def causes(_: Case) -> Iterator[Cause]:
    """Say nothing: captures show which packets it is."""
    yield from ()


def state(host: Host) -> Iterator[Told]:
    """Tell if it stops what networks send out."""
    for blocked in host.blocked.get("filtered-by-rule", ()):
        networks = list(dict.fromkeys(one.of.name for one in blocked.questions if one.of is not None))
        if blocked.cause.policy == FORWARD and networks:
            yield Told({"networks": networks, **asked_by(blocked)}, proof=blocked.cause.proof)


HYPOTHESIS = Hypothesis(
    "forward-policy-drop",
    Severity.ERROR,
    "dumps (hoptrace doctor)",
    "What containers send out meets no rule of the chain FORWARD that accepts it, so the policy DROP decides.",
    "systemctl restart docker, so that it adds its rules again (containers stop, unless live-restore is on); let the "
    "firewall keep the chains DOCKER* and DOCKER-USER.",
    causes,
    state=state,
)
