"""Source validation drops packets whose sender would be answered by another interface (RFC 3704)."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.fates import Stopped
from analyzer.explain.fixes import LOOSE, setting
from analyzer.explain.host.asked import Host
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.remedy import NOT_ENOUGH, unblocked
from analyzer.explain.stopped import by_cause
from analyzer.explain.tally import Most
from analyzer.explain.told import Facts, Told
from analyzer.model import Basis, Finding, Severity
from analyzer.state.sysctl import reverse_path, sysctl_line

COUNTER = "TcpExtIPReversePathFilter"
OFF = "0"
STRICT = 1


def causes(case: Case) -> Iterator[Cause]:
    """Give what rp_filter drops, and what it dropped where no capture was."""
    yield from by_cause(case, HYPOTHESIS.name, _describe)
    seen = bool(case.stopped.get(HYPOTHESIS.name))
    for host in case.hosts.states:
        went = host.counted(COUNTER) or 0
        modes = {link.name: reverse_path(host, link.name) for link in host.links}
        strict = [name for name, mode in modes.items() if mode is not None and mode.value == STRICT]
        if went > 0 and strict:
            yield Cause((), partial(_unseen, went, strict, seen), Basis.STATED, (host.name,))


def _completed(finding: Finding) -> Finding | None:
    """Tell of what was dropped where no capture was only if that is all."""
    facts = dict(finding.facts)
    return None if facts.pop("seen", False) else replace(finding, facts=facts)


def _unseen(went: int, strict: list[str], seen: bool, _: list[int]) -> Told:
    return Told(
        {"counted": went, "strict": strict, "seen": Most(seen)},
        proof=(f"nstat.txt: {COUNTER} went up by {went}",),
        severity=Severity.WARNING,
    )


def state(host: Host) -> Iterator[Told]:
    """Tell of strict validation where two interfaces have routes by a gateway: answers may come in by either."""
    routes = [route for route in host.state.routes if route.gateway is not None and route.gateway.version == 4]
    links = [link for link in map(host.state.link, dict.fromkeys(r.dev for r in routes if r.dev)) if link is not None]
    modes = {link.name: reverse_path(host.state, link.name) for link in links}
    strict = {name: mode for name, mode in modes.items() if mode is not None and mode.value == STRICT}
    if len(links) > 1 and strict:
        names = list(dict.fromkeys(name for mode in strict.values() for name in mode.names))
        facts: Facts = {"strict": list(strict), "uplinks": len(links), "settings": names}
        lines = tuple(sysctl_line(host.state, name) for name in names)
        yield Told(facts, severity=Severity.WARNING, proof=lines)


def _describe(case: Case, stopped: Stopped) -> Told:
    """Try loose validation, then none."""
    names, told = stopped.cause.settings, Told()
    foreign = _not_its_own(case, stopped.packets[0])
    if foreign is not None and "on_network" not in foreign:
        return Told({"settings": list(names), **foreign})
    for value in (LOOSE, OFF) if names else ():
        told = unblocked(case, stopped.packets[0], setting(names, value))
        told.facts["value"] = value
        if told.facts["outcome"] != NOT_ENOUGH:
            break
    told.facts["settings"] = list(names)
    told.facts.update(foreign or {})
    return told


def _not_its_own(case: Case, packet: int) -> Facts | None:
    """
    Tell whether a container sends with an address that is not its own there.

    It may be that of another network of the container's, whose way out is not the one that it takes.
    """
    row = int(case.first_row[packet])
    src = case.context.src(row)
    owner = case.context.owner_of_mac(case.context.value("eth_src", row), row)
    if owner is None or src is None or src in owner.addresses:
        return None
    there = case.context.owner_of_address(src, row)
    if there is not None and there.name == owner.name:
        return {"sender": owner.name, "as_address": str(src), "on_network": there.network, "by_network": owner.network}
    return {"sender": owner.name, "as_address": str(src), "own": [str(ip) for ip in owner.addresses]}


HYPOTHESIS = Hypothesis(
    "reverse-path-filtered",
    Severity.ERROR,
    "sysctl.txt, ip-route.json",
    "rp_filter drops packets, for the way back to their source leaves by another interface.",
    "Give the host a route back to the source by the interface where its packets come in.",
    causes,
    Specific.SETTING,
    state=state,
    complete=_completed,
    asks="nstat TcpExtIPReversePathFilter before and after",
)
