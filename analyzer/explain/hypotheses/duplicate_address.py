"""Two machines have one address."""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial

from analyzer.explain.cards import Claim, claims, contested
from analyzer.explain.case import SHOWN, Case
from analyzer.explain.host.asked import Host
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.told import Told
from analyzer.model import Address, HostState, Severity, mac_text


def causes(case: Case) -> Iterator[Cause]:
    """Give addresses for which two MACs answer."""
    for ip, made in claims(case).items():
        if contested(made):
            yield Cause([], partial(_tell, case, ip, made), key=(str(ip),))
    for state in case.hosts.states:
        for number, told in enumerate(_same_mac(state)):
            yield Cause.ready(told, state.name or "", number)


def _tell(case: Case, ip: Address, made: list[Claim], _: list[int]) -> Told:
    macs = {claim.mac: claim.row for claim in reversed(made)}
    owners = [_owner(case, mac, row) for mac, row in list(reversed(macs.items()))[:SHOWN]]
    return Told(
        {"address": str(ip), "machines": len(macs), "owners": owners},
        evidence=tuple(case.shown(claim.row) for claim in made[:SHOWN]),
    )


def _owner(case: Case, mac: int, row: int) -> str:
    container = case.context.owner_of_mac(mac, row)
    return f"{mac_text(mac)} ({container.name})" if container is not None else mac_text(mac)


def state(host: Host) -> Iterator[Told]:
    """Compare the MACs of each network's containers: the bridge sends to either, by turns."""
    yield from _same_mac(host.state)


def _same_mac(state: HostState) -> Iterator[Told]:
    owners: dict[tuple[str, int], list[str]] = defaultdict(list)
    for container in state.containers:
        if container.mac is not None:
            owners[container.network, container.mac].append(container.name)
    for (network, mac), names in owners.items():
        if len(names) > 1:
            proof = (f"docker-inspect.json: {name} MacAddress {mac_text(mac)}" for name in names)
            yield Told({"containers": names, "network": network}, proof=tuple(proof))


HYPOTHESIS = Hypothesis(
    "duplicate-address",
    Severity.ERROR,
    "captures (docker-inspect.json)",
    "Two MAC addresses answer for one IP address at the same time, or take turns.",
    "Give one of them another address; outside Docker's own addresses, look for it in the LAN and in DHCP.",
    causes,
    state=state,
)
