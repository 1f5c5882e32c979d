"""A MAC is behind another port than before, or an address has another MAC."""

from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import SHOWN, Case
from analyzer.explain.claims import Claim, at_each_interface, claims, contested, shared_macs
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.told import Told
from analyzer.model import Address, Evidence, Severity, mac_text


def causes(case: Case) -> Iterator[Cause]:
    """Give moves that bridges saw, and addresses that were announced by another MAC."""
    moves: dict[int, list[Evidence]] = {}
    ports: dict[int, list[str]] = {}
    for entry in case.context.all.learnt:
        if entry.moved_from is not None:
            moves.setdefault(entry.mac, []).append(Evidence(entry.point, entry.frame))
            ports.setdefault(entry.mac, [entry.moved_from]).append(entry.point)
    shared = {mac for host in case.hosts.states for _, mac in shared_macs(host)}
    for mac, evidence in moves.items():
        if mac in shared:
            continue  # which is told as such
        moved = Told(
            {"mac": mac_text(mac), "from_point": ports[mac][0], "to_point": ports[mac][1], "moves": len(evidence)},
            evidence=tuple(evidence[:SHOWN]),
        )
        yield Cause([], lambda _, moved=moved: moved, key=(mac_text(mac),))  # type: ignore[misc]
    for ip, made in claims(case).items():
        if not contested(made) and not at_each_interface(case, made):
            yield Cause([], partial(_claimed, case, ip, made), key=(str(ip),))


def _claimed(case: Case, ip: Address, made: list[Claim], _: list[int]) -> Told:
    return Told(
        {"address": str(ip), "from_mac": mac_text(made[0].mac), "to_mac": mac_text(made[-1].mac)},
        evidence=tuple(case.shown(claim.row) for claim in made[:SHOWN]),
    )


HYPOTHESIS = Hypothesis(
    "mac-moved",
    Severity.WARNING,
    "captures",
    "A bridge learnt a MAC at another port, or an address was announced by another MAC.",
    "If nobody moved it: look for a loop, or for two machines with one MAC; ip neigh flush where the old one stays.",
    causes,
)
