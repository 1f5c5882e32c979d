"""What podman says of its networks and containers, as its version 5.4 prints it."""

from ipaddress import ip_address, ip_network

from analyzer.model import Network
from analyzer.model.engine import PODMAN
from analyzer.state.docker import parse_containers
from analyzer.state.podman import parse_networks


def test_networks() -> None:
    """A bridge has the name that podman gave it; the interface of a macvlan network is its parent."""
    bridge = {
        "name": "appnet", "id": "48e3", "driver": "bridge", "network_interface": "podman1",
        "created": "2026-11-27T15:49:02.783289473Z",
        "subnets": [{"subnet": "10.89.0.0/24", "gateway": "10.89.0.1"}, {"subnet": "fd00:9::/64"}],
        "ipv6_enabled": True, "internal": True, "dns_enabled": True, "ipam_options": {"driver": "host-local"},
        "containers": {},
    }  # fmt: skip
    macvlan = {"name": "lan", "id": "ab", "driver": "macvlan", "network_interface": "eth0"}
    subnets = ip_network("10.89.0.0/24"), ip_network("fd00:9::/64")

    assert parse_networks([bridge, macvlan]) == (
        Network("appnet", "48e3", "bridge", "podman1", subnets, (ip_address("10.89.0.1"),), internal=True,
                engine=PODMAN),
        Network("lan", "ab", "macvlan", None, (), (), engine=PODMAN, parent="eth0", mode="bridge"),
    )  # fmt: skip


def test_containers() -> None:
    """As ``docker inspect`` tells them; the engine is noted."""
    told = {
        "Name": "web", "Id": "01", "State": {"Status": "running", "Pid": 7},
        "HostConfig": {"NetworkMode": "bridge"},
        "NetworkSettings": {
            "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]},
            "Networks": {"podman": {"IPAddress": "10.88.0.4", "MacAddress": "62:bb:19:59:57:90", "IPPrefixLen": 16}},
        },
    }  # fmt: skip
    (one,) = parse_containers([told], PODMAN)

    assert (one.name, one.network, one.engine) == ("web", "podman", "podman")
    assert one.addresses == (ip_address("10.88.0.4"),)
    assert one.published == ("0.0.0.0:8080->80/tcp",)
