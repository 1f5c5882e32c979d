"""Reads ``docker inspect`` of containers and ``docker network inspect``."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

from analyzer.host.iproute import mac
from analyzer.model import Container, Network

BRIDGE_NAME = "com.docker.network.bridge.name"
MASQUERADE = "com.docker.network.bridge.enable_ip_masquerade"
SHORT_ID = 12


def parse_containers(dump: Any) -> tuple[Container, ...]:
    """Read ``docker inspect``; a container stands once for each of its networks."""
    found: list[Container] = []
    for container in dump:
        for network, end in (container["NetworkSettings"].get("Networks") or {}).items():
            texts = (end.get("IPAddress"), end.get("GlobalIPv6Address"))
            found.append(
                Container(
                    name=str(container["Name"]).lstrip("/"),
                    network=str(network),
                    mac=mac(end.get("MacAddress")),
                    addresses=tuple(ip_address(text) for text in texts if text),
                    published=tuple(_published(container["NetworkSettings"].get("Ports") or {})),
                )
            )
    return tuple(found)


def _published(ports: Any) -> Iterator[str]:
    for inside, bindings in ports.items():
        for binding in bindings or ():
            yield f"{binding.get('HostIp') or '0.0.0.0'}:{binding['HostPort']}->{inside}"


def parse_networks(dump: Any) -> tuple[Network, ...]:
    """Read ``docker network inspect``."""
    found: list[Network] = []
    for network in dump:
        driver = str(network.get("Driver"))
        config = (network.get("IPAM") or {}).get("Config") or ()
        named = (network.get("Options") or {}).get(BRIDGE_NAME)
        bridge = named or (f"br-{network['Id'][:SHORT_ID]}" if driver == "bridge" else None)
        found.append(
            Network(
                name=str(network["Name"]),
                id=str(network["Id"]),
                driver=driver,
                bridge=bridge,
                subnets=tuple(ip_network(c["Subnet"], strict=False) for c in config if c.get("Subnet")),
                internal=bool(network.get("Internal")),
                masquerades=(network.get("Options") or {}).get(MASQUERADE, "true") == "true",
                gateways=tuple(ip_address(c["Gateway"]) for c in config if c.get("Gateway")),
            )
        )
    return tuple(found)
