"""Two machines have one address."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.explain.case import SHOWN, Case
from analyzer.explain.claims import Claim, at_each_interface, claims, contested, shared_macs
from analyzer.explain.host.asked import Host
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.told import Facts, Told
from analyzer.model import Address, Basis, HostState, Severity, address, mac_text
from analyzer.schema import Addresses, Int64, Layer


def causes(case: Case) -> Iterator[Cause]:
    """Give addresses for which two MACs answer."""
    for ip, made in claims(case).items():
        if (contested(made) and not at_each_interface(case, made)) or _of_another(case, made):
            owner, packets = _astray(case, ip, made)
            yield Cause(
                packets, partial(_tell, case, ip, made, owner), Basis.STATED if owner else Basis.OBSERVED, (str(ip),),
                specific=Specific.ROOT if packets else None,
            )  # fmt: skip
    ill = np.flatnonzero(case.symptom >= 0)
    for state in case.hosts.states:
        for mac, told in _same_mac(state):
            packets = _of_both(case, ill, mac)
            key = state.name or "", mac_text(mac)
            tell = partial(_ready, told)
            yield Cause(packets, tell, Basis.STATED, key, specific=Specific.ROOT if packets else None)


def _of_both(case: Case, ill: Int64, mac: int) -> list[int]:
    """Return what fails of a MAC that two have: what is for it, what it sends, and what it asks for in vain."""
    ends = [case.context.frames[end][case.last_row[ill]] == mac for end in ("eth_src", "eth_dst")]
    asked = {case.asking[q.point, q.request_frame] for q in case.exchanges if q.answer_mac is None and q.asker == mac}
    return sorted({*ill[ends[0] | ends[1]].tolist(), *asked})


def _ready(told: Told, _: list[int]) -> Told:
    return told


def _of_another(case: Case, made: list[Claim]) -> bool:
    """Tell whether another container claims what Docker gave to one that runs."""
    row = made[0].row
    table = case.context.neighbours
    place = int(np.flatnonzero(table["row"] == row)[0])
    version = 4 if case.context.layers(row) & Layer.ARP else 6
    owner = case.context.owner_of_address(
        address(version, int(table["asked_hi"][place]), int(table["asked"][place])), row
    )
    if owner is None or owner.mac is None:
        return False
    others = (case.context.owner_of_mac(claim.mac, claim.row) for claim in made if claim.mac != owner.mac)
    return any(one is not None and one.name != owner.name for one in others)


def _astray(case: Case, ip: Address, made: list[Claim]) -> tuple[str, list[int]]:
    """Return whose the address is as Docker gave it, and the packets for it that fail, and went to another MAC."""
    row = made[0].row
    owner = case.context.owner_of_address(ip, row)
    if owner is None or owner.mac is None:
        return "", []
    ill = np.array(case.towards([ip]), np.int64)
    dst = Addresses.of(case.context.frames, "dst")[case.last_row[ill]].are(int(ip))
    macs = case.context.frames["eth_dst"][case.last_row[ill]]
    other = np.isin(macs, [claim.mac for claim in made if claim.mac != owner.mac])
    return owner.name, ill[dst & other].tolist()


def _tell(case: Case, ip: Address, made: list[Claim], owner: str, packets: list[int]) -> Told:
    macs = {claim.mac: claim.row for claim in reversed(made)}
    owners = [_owner(case, mac, row) for mac, row in list(reversed(macs.items()))[:SHOWN]]
    return Told(
        {"address": str(ip), "machines": len(macs), "owners": owners, "owner": owner, **_taker(case, packets)},
        evidence=tuple(case.shown(claim.row) for claim in made[:SHOWN]),
    )


def _taker(case: Case, packets: list[int]) -> Facts:
    """Name who got what was for the owner."""
    if not packets:
        return {}
    row = int(case.last_row[packets[0]])
    return {"taker": _owner(case, case.context.value("eth_dst", row), row)}


def _owner(case: Case, mac: int, row: int) -> str:
    container = case.context.owner_of_mac(mac, row)
    return f"{mac_text(mac)} ({container.name})" if container is not None else mac_text(mac)


def state(host: Host) -> Iterator[Told]:
    """Compare the MACs of each network's containers: the bridge sends to either, by turns."""
    yield from (told for _, told in _same_mac(host.state))


def _same_mac(state: HostState) -> Iterator[tuple[int, Told]]:
    for (network, mac), names in shared_macs(state).items():
        proof = (f"docker-inspect.json: {name} MacAddress {mac_text(mac)}" for name in names)
        yield mac, Told({"containers": names, "network": network}, proof=tuple(proof))


HYPOTHESIS = Hypothesis(
    "duplicate-address",
    Severity.ERROR,
    "captures (docker-inspect.json)",
    "Two MAC addresses answer for one IP address at the same time, or take turns.",
    "Give one of them another address; outside Docker's own addresses, look for it in the LAN and in DHCP.",
    causes,
    state=state,
)
