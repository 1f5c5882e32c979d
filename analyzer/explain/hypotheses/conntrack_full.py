"""conntrack's table is full: new connections are dropped."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.host.asked import Host
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.told import Facts, Moved, Told
from analyzer.model import Basis, Disposition, HostState, Severity
from analyzer.state.sysctl import sysctl, sysctl_line

DROPPED = "conntrack.drop"
COUNT, MOST = "net.netfilter.nf_conntrack_count", "net.netfilter.nf_conntrack_max"
NEARLY = 0.9
NETFILTER = "NETFILTER_DROP"
"""What the kernel calls it when a hook drops a packet (include/net/dropreason-core.h): conntrack's does, too."""
MANY = 0.5
"""Of all entries: whoever has so many is named."""


def causes(case: Case) -> Iterator[Cause]:
    """Compare the table with its limit, and the drops that it counted with the packets that are missing."""
    for host in case.hosts.states:
        drops = host.counted(DROPPED) or 0
        for told in state(Host(host)):
            yield Cause(_missing(case, host) if drops else [], partial(_tell, told, drops), Basis.STATED,
                        (host.name,), counted=bool(drops))  # fmt: skip


def state(host: Host) -> Iterator[Told]:
    """Compare the number of entries with the limit."""
    count, most = sysctl(host.state, COUNT), sysctl(host.state, MOST)
    if count is None or not most or count < NEARLY * most:
        return
    yield Told(
        {"entries": count, "limit": most, "commands": [f"sysctl -w {MOST}={2 * most}"], **_holder(host.state)},
        proof=(sysctl_line(host.state, COUNT), sysctl_line(host.state, MOST)),
        severity=Severity.ERROR if count >= most else Severity.WARNING,
    )


def _holder(host: HostState) -> Facts:
    """Name who holds most of the entries."""
    sources = Counter(entry.original.src for entry in host.conntrack)
    if not sources:
        return {}
    source, held = sources.most_common(1)[0]
    if held < MANY * len(host.conntrack):
        return {}
    owner = next((one.name for one in host.containers if source in one.addresses), str(source))
    return {"holder": owner, "held": held}


def _missing(case: Case, host: HostState) -> list[int]:
    """Return the packets of a host that went no further, of connections that nobody answered: they had no entry."""
    drops = (packet for packet, drop in case.tracer.drops.items() if drop.reason == NETFILTER)
    gone = np.union1d(case.tracer.ended(Disposition.LOST, Disposition.NOT_OBSERVABLE), np.fromiter(drops, np.int64))
    table = case.context.connections
    first = gone[~np.append(table["seen_reply"], True)[case.connection[gone]]]
    return [packet for packet in first.tolist() if case.host_of(packet) is host]


def _tell(told: Told, drops: int, _: list[int]) -> Told:
    moved = Moved("conntrack-stats.txt: drop", 0, drops) if drops else None
    return replace(told, severity=Severity.ERROR if drops else told.severity, moved=moved)


HYPOTHESIS = Hypothesis(
    "conntrack-full",
    Severity.ERROR,
    "sysctl.txt (conntrack-stats.txt before and after)",
    "conntrack holds as many entries as it may; a warning from nine tenths on.",
    "Raise net.netfilter.nf_conntrack_max.",
    causes,
    Specific.MECHANISM,
    state=state,
    asks="conntrack -S before and after (drop), and sysctl net.netfilter.nf_conntrack_count",
)
