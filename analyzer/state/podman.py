"""Reads ``podman network inspect``; of containers podman tells what ``docker inspect`` does."""

from ipaddress import ip_address, ip_network
from typing import Any

from msgspec import Struct, convert

from analyzer.model import Network
from analyzer.model.engine import PODMAN
from analyzer.state.docker import USUAL_MODE


class _Subnet(Struct):
    subnet: str
    gateway: str | None = None


class InspectedNetwork(Struct):
    """What is read of a network that is inspected."""

    name: str
    id: str
    driver: str | None = None
    network_interface: str | None = None
    subnets: list[_Subnet] | None = None
    internal: bool | None = None
    options: dict[str, str] | None = None


def parse_networks(dump: Any) -> tuple[Network, ...]:
    """Read networks; of macvlan, the interface is the parent (containers-common's netavark)."""
    return tuple(
        Network(
            name=one.name,
            id=one.id,
            driver=str(one.driver),
            bridge=one.network_interface if one.driver == "bridge" else None,
            subnets=tuple(ip_network(subnet.subnet, strict=False) for subnet in one.subnets or ()),
            internal=bool(one.internal),
            gateways=tuple(ip_address(subnet.gateway) for subnet in one.subnets or () if subnet.gateway),
            engine=PODMAN,
            parent=one.network_interface if one.driver in USUAL_MODE else None,
            mode=(one.options or {}).get("mode", USUAL_MODE.get(str(one.driver))),
        )
        for one in convert(dump, list[InspectedNetwork])
    )
