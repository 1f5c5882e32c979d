"""What ``docker inspect`` and ``docker network inspect`` tell of containers and networks."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from analyzer.model import Container, Network
from analyzer.model.engine import OnHost, Sidecar
from analyzer.state.docker import parse_containers, parse_networks, parse_on_host, parse_sidecars

ID = "ba7d711c44b5fd0dedf51ba222fe392c"
OPTION = "com.docker.network.bridge"


def _container(networks: object, ports: object = None) -> list[dict[str, Any]]:
    return [{"Name": "/web", "NetworkSettings": {"Networks": networks, "Ports": ports}}]


def test_a_container_on_two_networks() -> None:
    """It stands once for each, with its addresses of both families there, and with all of its ports."""
    networks = {
        "bridge": {"IPAddress": "172.17.0.2", "GlobalIPv6Address": "", "MacAddress": "02:42:ac:11:00:02"},
        "app": {"IPAddress": "172.18.0.2", "GlobalIPv6Address": "fd00::2", "MacAddress": ""},
    }
    ports = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}
    published = ("0.0.0.0:8080->80/tcp",)

    assert parse_containers(_container(networks, ports)) == (
        Container("web", "bridge", 0x0242AC110002, (ip_address("172.17.0.2"),), published),  # type: ignore[arg-type]
        Container("web", "app", None, (ip_address("172.18.0.2"), ip_address("fd00::2")), published),
    )


@pytest.mark.parametrize(
    ("mode", "status", "owner"),
    [
        (f"container:{ID}", "running", "web"),
        ("container:web", "running", "web"),
        ("container:0123", "running", None),
        (f"container:{ID}", "exited", "nobody"),
        ("host", "running", "nobody"),
        (None, "running", "nobody"),
    ],
)
def test_who_shares_whose_network(mode: str | None, status: str, owner: str | None) -> None:
    """By ID or by name, or of one that is gone; only those that run."""
    side = {"Name": "/side", "NetworkSettings": {}, "HostConfig": {"NetworkMode": mode}, "State": {"Status": status}}
    web = {"Name": "/web", "Id": ID, "NetworkSettings": {}}

    assert parse_sidecars([web, side]) == (() if owner == "nobody" else (Sidecar("side", owner),))


@pytest.mark.parametrize("networks", [None, {}])
def test_a_container_without_networks(networks: object) -> None:
    """It has no place here; others have theirs."""
    other = {"Name": "/db", "NetworkSettings": {"Networks": {"app": {}}}}
    bare = {"Name": "/bare", "NetworkSettings": {}}

    assert parse_containers([*_container(networks), bare, other]) == (Container("db", "app", None, ()),)


@pytest.mark.parametrize(
    ("ports", "published"),
    [
        (None, ()),
        ({"80/tcp": None}, ()),
        ({"80/tcp": []}, ()),
        ({"80/tcp": [{"HostPort": "8080"}]}, ("0.0.0.0:8080->80/tcp",)),
        ({"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}, ("0.0.0.0:8080->80/tcp",)),
        ({"53/udp": [{"HostIp": "127.0.0.1", "HostPort": "53"}], "80/tcp": [{"HostIp": "::", "HostPort": "80"}]},
         ("127.0.0.1:53->53/udp", ":::80->80/tcp")),
        ({"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "80"}, {"HostIp": "::", "HostPort": "80"}]},
         ("0.0.0.0:80->80/tcp", ":::80->80/tcp")),
    ],
)  # fmt: skip
def test_published_ports(ports: object, published: tuple[str, ...]) -> None:
    """As ``docker ps`` prints them; a port that is only exposed is none."""
    (container,) = parse_containers(_container({"bridge": {}}, ports))

    assert container.published == published


def _network(**more: object) -> Network:
    (network,) = parse_networks([{"Name": "app", "Id": ID, "Driver": "bridge", **more}])
    return network


def test_a_network() -> None:
    """Its bridge is called after its id where it has no name; it masquerades unless an option says no."""
    config = [
        {"Subnet": "172.18.0.1/16", "Gateway": "172.18.0.1"},
        {"Subnet": "fd00::/64"},
        {"Gateway": "172.18.0.9"},
        {"Subnet": ""},
    ]

    peers = [{"Name": "h1", "IP": "192.168.1.100"}, {"Name": "h2"}]
    assert _network(IPAM={"Config": config}, Internal=True, Options={}, Peers=peers) == Network(
        name="app",
        id=ID,
        driver="bridge",
        bridge="br-ba7d711c44b5",
        subnets=(ip_network("172.18.0.0/16"), ip_network("fd00::/64")),
        gateways=(ip_address("172.18.0.1"), ip_address("172.18.0.9")),
        peers=(ip_address("192.168.1.100"),),
        internal=True,
        masquerades=True,
    )


@pytest.mark.parametrize("more", [{}, {"IPAM": None, "Options": None}, {"IPAM": {"Config": None}, "Internal": False}])
def test_a_network_of_which_little_is_told(more: dict[str, object]) -> None:
    """It has no subnets, and a way out."""
    assert _network(**more) == Network("app", ID, "bridge", "br-ba7d711c44b5", (), ())


@pytest.mark.parametrize(
    ("driver", "options", "bridge"),
    [
        ("bridge", {f"{OPTION}.name": "docker0"}, "docker0"),
        ("bridge", {}, "br-ba7d711c44b5"),
        ("overlay", {}, None),
        ("overlay", {f"{OPTION}.name": "x"}, "x"),
        (None, {}, None),
    ],
)
def test_the_bridge_of_a_network(driver: str | None, options: dict[str, str], bridge: str | None) -> None:
    """As an option names it; without, only a network of driver bridge has one."""
    network = _network(Driver=driver, Options=options)

    assert (network.driver, network.bridge) == (str(driver), bridge)


@pytest.mark.parametrize(
    ("options", "masquerades"),
    [({f"{OPTION}.enable_ip_masquerade": "true"}, True), ({f"{OPTION}.enable_ip_masquerade": "false"}, False),
     ({}, True), (None, True)],
)  # fmt: skip
def test_masquerading(options: object, masquerades: bool) -> None:
    """It is on unless an option says otherwise."""
    assert _network(Options=options).masquerades is masquerades


@pytest.mark.parametrize(("mode", "pid", "found"), [("host", 7, True), ("host", 0, False), ("bridge", 7, False)])
def test_who_is_on_the_hosts_network(mode: str, pid: int, found: bool) -> None:
    """By its mode, while it runs."""
    told = {"Name": "/edge", "Id": ID, "HostConfig": {"NetworkMode": mode}, "State": {"Pid": pid}}

    assert parse_on_host([told]) == ((OnHost("edge", ID, 7),) if found else ())
