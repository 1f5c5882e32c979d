"""A container looks for services by multicast or broadcast, which its bridge network keeps to itself."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.decode.offsets import PROTO_UDP
from analyzer.explain.case import Case
from analyzer.explain.concerned import NEAR_CONTAINERS
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.tally import Count
from analyzer.explain.told import Told
from analyzer.model import Severity
from analyzer.packet.context import Context

SERVICES = {67: "DHCP", 1900: "SSDP", 3702: "WS-Discovery", 5353: "mDNS", 5355: "LLMNR"}
"""What looks for others in its own segment, by destination port."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each container on a bridge network that looks for others so."""
    context = case.context
    asks = (case.first("proto") == PROTO_UDP) & np.isin(case.first("dport"), list(SERVICES)) & case.mine
    asks &= context.with_role(case.first_row, *NEAR_CONTAINERS)
    found: dict[tuple[str, str, str], list[int]] = {}
    for packet in np.flatnonzero(asks).tolist():
        row = int(case.first_row[packet])
        owner = context.owner_of_mac(context.value("eth_src", row), row)
        network = context.host_at(row).network_of(owner) if owner is not None else None
        if owner is None or network is None or network.driver != "bridge" or not _to_a_group(context, row):
            continue
        service = SERVICES[context.value("dport", row)]
        found.setdefault((owner.name, network.name, service), []).append(packet)
    for key, packets in found.items():
        yield Cause((), partial(_tell, case, key, packets), key=key)


def _to_a_group(context: Context, row: int) -> bool:
    dst = context.dst(row)
    return dst is not None and (dst.is_multicast or str(dst) == "255.255.255.255")


def _tell(case: Case, key: tuple[str, str, str], packets: list[int], _: list[int]) -> Told:
    container, network, service = key
    return Told(
        {"container": container, "network": network, "service": service, "count": Count(len(packets))},
        evidence=case.evidence(packets),
    )


HYPOTHESIS = Hypothesis(
    "multicast-stays-inside",
    Severity.INFO,
    "captures, docker-inspect.json, docker-network-inspect.json",
    "A container on a bridge network asks for services by mDNS, SSDP, DHCP or the like, which no router passes on.",
    "Put it on the host's network or on a macvlan, or run a reflector (avahi-daemon, mdns-repeater) on the host.",
    causes,
)
