"""A published port's clients are masqueraded, too: the container does not see who they are."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.explain.case import SHOWN, Case
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.tally import Count
from analyzer.explain.told import Facts, Told
from analyzer.explain.turned import turned_connections
from analyzer.model import Severity
from analyzer.model.rules import dump_of
from analyzer.schema import Addresses


def causes(case: Case) -> Iterator[Cause]:
    """Give connections of which both ends are translated."""
    table = case.context.connections
    # A container that reaches itself needs the mask: from its own address it would take nothing.
    itself = Addresses.of(table, "orig_src").same(Addresses.of(table, "reply_src"))
    by_mask: dict[str, list[int]] = {}
    for number in np.flatnonzero(case.source_moved & case.target_moved & ~itself & case.my_connections).tolist():
        if number in case.once(turned_connections):
            continue  # the router has changed the destination, not this host
        if _of_container(case, number):
            continue
        by_mask.setdefault(str(case.tracer.connection(number).reply.dst), []).append(number)
    for mask, numbers in by_mask.items():
        yield Cause([], partial(_tell, case, mask, numbers), key=(mask,))


def _of_container(case: Case, number: int) -> bool:
    """Tell whether a container asks: whatever leaves its network is masked, and answers inside it need that."""
    host = case.host_of(int(case.context.packets_of(number)[0]))
    client = case.tracer.connection(number).original.src
    return host.container_of_address(client) is not None or any(one.holds(client) for one in host.networks)


def _tell(case: Case, mask: str, numbers: list[int], _: list[int]) -> Told:
    connection = case.tracer.connection(numbers[0])
    version = connection.reply.src.version
    facts: Facts = {}
    if any("KUBE-POSTROUTING" in (nat.rule or "") for nat in connection.nat):
        facts["by_kube_proxy"] = True
    return Told(
        facts
        | {
            "hidden": Count(len(numbers)), "mask": mask, "server": str(connection.reply.src),
            "client": str(connection.original.src),
        },
        evidence=case.evidence([int(case.context.packets_of(n)[0]) for n in numbers[:SHOWN]]),
        proof=tuple(f"{dump_of(nat.rule, version)}: {nat.rule}" for nat in connection.nat if nat.rule),
    )  # fmt: skip


HYPOTHESIS = Hypothesis(
    "client-address-hidden",
    Severity.INFO,
    "captures (iptables-save.txt)",
    "Both ends of a connection are translated: its server sees the host's address as the client's.",
    "Restrict the SNAT or MASQUERADE rule, e.g. to -s the container's own network (hairpins need it).",
    causes,
)
