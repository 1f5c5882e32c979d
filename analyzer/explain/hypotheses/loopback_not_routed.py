"""DNAT sends what comes from elsewhere to 127.0.0.1, and the kernel takes it for a martian (route_localnet)."""

from collections.abc import Iterator

from analyzer.explain.case import Case
from analyzer.explain.fates import Stopped
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.stopped import by_cause
from analyzer.explain.told import Told
from analyzer.model import Severity


def causes(case: Case) -> Iterator[Cause]:
    """Give what the kernel drops for its destination."""
    yield from by_cause(case, HYPOTHESIS.name, _describe)


def _describe(case: Case, stopped: Stopped) -> Told:
    row = case.context.rows_of(stopped.packets[0])[0]
    iif = case.tracer.prover.interface(case.context.point(row)) or ""
    rules = [one.rule.text for one in case.tracer.prover.translations(stopped.packets[0], [row])]
    own = next((link for link in stopped.host.links if link.name == iif), None)
    address = next((str(ip) for ip in own.addresses if ip.version == 4), "") if own is not None else ""
    return Told({"settings": list(stopped.cause.settings), "rules": rules[:1], "iif": iif, "address": address})


HYPOTHESIS = Hypothesis(
    "loopback-not-routed",
    Severity.ERROR,
    "iptables-save.txt or nft-ruleset.json, sysctl.txt",
    "A rule sends packets from another interface to 127.0.0.1, and the kernel drops them (route_localnet).",
    "Let the service listen on the address that is asked, and send nothing to 127.0.0.1.",
    causes,
    Specific.SETTING,
)
