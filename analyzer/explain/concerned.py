"""Which packets concern containers, wherever they were seen: whose loss matters to somebody."""

from typing import TYPE_CHECKING

import numpy as np

from analyzer.model import PublishedPort, Role
from analyzer.schema import Addresses, Array

if TYPE_CHECKING:
    from analyzer.explain.case import Case

NEAR_CONTAINERS = (Role.CONTAINER, Role.VETH, Role.BRIDGE, Role.OVERLAY)
"""Roles of points that only containers' packets come to."""


def beside_containers(case: "Case") -> Array:
    """(packets,) bool: each was seen at a container's interface or bridge, or has a container's address."""
    context = case.context
    at = context.with_role(context.hops["row"], *NEAR_CONTAINERS)
    found: Array = np.logical_or.reduceat(at, context.packet_start[:-1]) if context.packets else np.zeros(0, bool)
    found |= _to_published(case) | _of_hosts_network(case) | _to_containers(case)
    concerned = np.unique(case.connection[found])
    return found | np.isin(case.connection, concerned[concerned >= 0])


def _to_containers(case: "Case") -> Array:
    """(packets,) bool: each is for, or from, a container's own address."""
    own = [int(ip) for host in case.hosts.states for c in host.containers for ip in c.addresses]
    ends = (Addresses.of(case.context.frames, end)[case.first_row].among(own) for end in ("src", "dst"))
    found: Array = np.logical_or(*ends)
    return found


def _of_hosts_network(case: "Case") -> Array:
    """(packets,) bool: each is from or to a host that has containers on its own network: it may be theirs."""
    found = np.zeros(case.context.packets, bool)
    for host in case.hosts.states:
        if any("host" in (c.network, c.mode) and c.status.answers for c in host.containers):
            own = [int(ip) for link in host.links for ip in link.addresses]
            for end in ("src", "dst"):
                found |= Addresses.of(case.context.frames, end)[case.first_row].among(own)
    return found


def _to_published(case: "Case") -> Array:
    """(packets,) bool: each goes to an address of the host, and a port that a container publishes, or was to."""
    found = np.zeros(case.context.packets, bool)
    for host in case.hosts.states:
        ports = {port for container in host.containers for port in container.published_ports()}
        wanted = (PublishedPort.parse(text) for container in host.containers for text in container.wanted)
        ports |= {(port.protocol, port.outside) for port in wanted if port is not None}
        numbers = np.array([port for _, port in sorted(ports)], np.int64)
        to_port = np.isin(case.first("dport"), numbers)
        own = (int(ip) for link in host.links for ip in link.addresses if ports)
        found |= to_port & Addresses.of(case.context.frames, "dst")[case.first_row].among(own)
    return found
