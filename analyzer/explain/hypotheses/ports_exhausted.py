"""A container has used up its local ports towards a server: what it wants to open then never becomes a packet."""

from collections.abc import Iterator

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.inside import within
from analyzer.explain.told import Told
from analyzer.model import Severity, endpoint
from analyzer.schema import Addresses

RANGE = "net.ipv4.ip_local_port_range"
USUAL = "32768 60999"
WIDE = 1_000
"""Ports from which on nobody runs out of them by a few connections."""
NEARLY = 0.9
ENDS = ("proto", "orig_dst_hi", "orig_dst", "orig_dport")


def causes(case: Case) -> Iterator[Cause]:
    """Compare the ports that a container may use with those that it has used towards one server."""
    table = case.context.connections
    for host in case.hosts.states:
        for container in host.containers:
            state = host.inside.get(container.name)
            low, high = _range(state.sysctls.get(RANGE, "") if state is not None else "")
            count = high - low + 1
            if not 0 < count <= WIDE:
                continue
            mine = Addresses.of(table, "orig_src").among([int(ip) for ip in container.addresses])
            mine &= np.isin(table["proto"], (6, 17)) & (table["orig_sport"] >= low) & (table["orig_sport"] <= high)
            chosen = np.flatnonzero(mine & case.my_connections).tolist()
            ends = {tuple(int(table[name][number]) for name in ENDS): number for number in chosen}
            for number in ends.values():
                same = mine & np.logical_and.reduce([table[name] == table[name][number] for name in ENDS])
                used = len(np.unique(table["orig_sport"][same]))
                if used >= NEARLY * count:
                    told = _tell(case, container.name, np.flatnonzero(same).tolist(), used, (low, high))
                    yield Cause.ready(told, host.name or "", container.name, str(told.facts["server"]))


def _tell(case: Case, container: str, numbers: list[int], used: int, ports: tuple[int, int]) -> Told:
    flow = case.tracer.connection(numbers[0]).original
    return Told(
        {
            "who": [container], "server": endpoint(flow.dst, flow.dport),
            "used": used, "count": ports[1] - ports[0] + 1,
            "commands": [within(container, f"sysctl -w {RANGE}='{USUAL}'")],
        },
        proof=(f"containers/{container}/sysctl.txt: {RANGE} = {ports[0]} {ports[1]}",),
        evidence=case.evidence([int(case.packets_of(number)[0]) for number in numbers[-3:]]),
    )  # fmt: skip


def _range(text: str) -> tuple[int, int]:
    words = text.split()
    return (int(words[0]), int(words[1])) if len(words) == 2 and all(map(str.isdecimal, words)) else (0, -1)


HYPOTHESIS = Hypothesis(
    "ports-exhausted",
    Severity.ERROR,
    "captures, containers/NAME/sysctl.txt",
    "A container has few local ports, and nine tenths of them were used towards one server: connecting then fails "
    "in it.",
    "Widen net.ipv4.ip_local_port_range, or keep connections open and use them again.",
    causes,
)
