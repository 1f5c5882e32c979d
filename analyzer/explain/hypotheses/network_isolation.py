"""Docker keeps its networks apart: a container used the address of one on another network."""

from collections.abc import Iterator

from analyzer.explain.case import Case
from analyzer.explain.fates import Stopped
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.stopped import by_cause
from analyzer.explain.told import Facts, Told
from analyzer.model import Container, Severity


def causes(case: Case) -> Iterator[Cause]:
    """Give what Docker's isolation chains drop."""
    yield from by_cause(case, HYPOTHESIS.name, _describe)


def _internal(case: Case, stopped: Stopped) -> str | None:
    """Return the internal network that packets were to leave, if it is that."""
    row = int(case.first_row[stopped.packets[0]])
    src, dst = case.context.src(row), case.context.dst(row)
    host = case.host_of(stopped.packets[0])
    networks = (n for n in host.networks if n.internal and n.holds(src))
    return next((n.name for n in networks if not n.holds(dst)), None)


def _describe(case: Case, stopped: Stopped) -> Told:
    facts: Facts = {}
    if (internal := _internal(case, stopped)) is not None:
        facts["internal"] = internal
    row = int(case.first_row[stopped.packets[0]])
    src, dst = _owners(case, stopped)
    if src is not None:
        facts["from_container"] = src.name
    if dst is not None:
        facts |= {"to_container": dst.name, "network": dst.network, "address": str(case.context.dst(row))}
    if src is not None and dst is not None:
        host = case.host_of(stopped.packets[0])
        shared = [c for c in host.containers if c.name == dst.name and c.network != dst.network and c.addresses]
        of = {c.network for c in host.containers if c.name == src.name}
        both = next((c for c in shared if c.network in of), None)
        if both is not None:
            facts |= {"both_on": both.network, "there": str(both.addresses[0])}
    if src is None and dst is not None:
        port = case.context.value("dport", row)
        facts |= {"outside": str(case.context.src(row)), "port": port}
        published = next((text for text in dst.published if text.rpartition("->")[2].startswith(f"{port}/")), None)
        if published is not None:
            facts["published"] = published
    return Told(facts)


def _owners(case: Case, stopped: Stopped) -> tuple[Container | None, Container | None]:
    """Return the containers that packets come from and go to; None of whoever is no container."""
    row = int(case.first_row[stopped.packets[0]])
    ends = case.context.src(row), case.context.dst(row)
    src, dst = (case.context.owner_of_address(ip, row) if ip is not None else None for ip in ends)
    return src, dst


HYPOTHESIS = Hypothesis(
    "network-isolation",
    Severity.ERROR,
    "iptables-save.txt or ip6tables-save.txt (docker-inspect.json)",
    "Docker's isolation of bridge networks drops what one container sends to another network.",
    "Connect both containers to one network (docker network connect), or use the published port.",
    causes,
    Specific.SETTING,
)
