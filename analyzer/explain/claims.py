"""Which MACs claim an address: by answers and announcements (RFC 826, RFC 5227, RFC 4861), in order of time."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analyzer.explain.case import Case
from analyzer.model import Address, HostState, Mac, address
from analyzer.packet.onward import tunnel_at
from analyzer.schema import Layer


@dataclass(frozen=True, slots=True)
class Claim:
    """A MAC said that it has an address."""

    row: int
    time_ns: int
    mac: Mac


def claims(case: Case) -> dict[Address, list[Claim]]:
    """Return all claims by address, each sender's repetitions left out."""
    context, table = case.context, case.context.neighbours
    rows = table["row"]
    said = (table["op"] == 2) | ((table["peer"] == table["asked"]) & (table["peer_hi"] == table["asked_hi"]))
    chosen = np.flatnonzero(said & (table["mac"] != 0))
    found: dict[Address, list[Claim]] = {}
    for place in chosen[np.argsort(context.frames["time_ns"][rows[chosen]], kind="stable")].tolist():
        row = int(rows[place])
        if tunnel_at(context, context.point(row)) is not None:
            continue  # a program answers there, whatever is asked, and nobody else is on that segment
        version = 4 if context.layers(row) & Layer.ARP else 6
        ip = address(version, int(table["asked_hi"][place]), int(table["asked"][place]))
        known = found.setdefault(ip, [])
        mac = Mac(int(table["mac"][place]))
        if not known or known[-1].mac != mac:
            known.append(Claim(row, context.value("time_ns", row), mac))
    return {ip: made for ip, made in found.items() if len(made) > 1}


def shared_macs(host: HostState) -> dict[tuple[str, Mac], list[str]]:
    """Return the MACs that several containers of a network have, and which those are."""
    owners: dict[tuple[str, Mac], list[str]] = {}
    for container in host.containers:
        if container.mac is not None:
            owners.setdefault((container.network, container.mac), []).append(container.name)
    return {key: names for key, names in owners.items() if len(names) > 1}


def at_each_interface(case: Case, made: list[Claim]) -> bool:
    """Tell whether one host answers for it at each of its interfaces, with the MAC of each (ip-sysctl: arp_filter)."""
    macs = {claim.mac for claim in made}
    return any(macs <= {link.mac for link in host.links} for host in case.hosts.states)


ANSWERS_NS = 50_000_000
"""Within this time, answers are to one question."""


def contested(made: list[Claim]) -> bool:
    """Tell whether two have the address at once: both answer one question, or they take turns."""
    together = any(b.time_ns - a.time_ns < ANSWERS_NS for a, b in pairwise(made))
    return together or len(made) > len({claim.mac for claim in made})
