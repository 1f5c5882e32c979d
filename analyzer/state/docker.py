"""Reads ``docker inspect`` of containers and ``docker network inspect``."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

from msgspec import Struct, convert, field
from msgspec.json import decode

from analyzer.model import Container, Network, Status
from analyzer.model.engine import DOCKER, JOINED, NERDCTL, OnHost, Sidecar
from analyzer.state.iproute import mac

BRIDGE_NAME = "com.docker.network.bridge.name"
GATEWAY_MODE = "com.docker.network.bridge.gateway_mode_ipv{version}"
INHIBIT = "com.docker.network.bridge.inhibit_ipv4"
SERVICE = "com.docker.compose.service"
MASQUERADE = "com.docker.network.bridge.enable_ip_masquerade"
NERDCTLS = "nerdctl0"
"""The bridge of nerdctl's network ``bridge``."""
SHORT_ID = 12
USUAL_MODE = {"macvlan": "bridge", "ipvlan": "l2"}
"""Of drivers whose interfaces lie on one of the host's (libnetwork's drivers/macvlan and drivers/ipvlan)."""


class _End(Struct):
    address: str | None = field(default=None, name="IPAddress")
    address6: str | None = field(default=None, name="GlobalIPv6Address")
    mac: str | None = field(default=None, name="MacAddress")
    gateway: str | None = field(default=None, name="Gateway")
    gateway6: str | None = field(default=None, name="IPv6Gateway")
    aliases: list[str] | None = field(default=None, name="Aliases")


class _Binding(Struct):
    port: str = field(default="", name="HostPort")
    ip: str | None = field(default=None, name="HostIp")


class _Settings(Struct):
    networks: dict[str, _End] | None = field(default=None, name="Networks")
    ports: dict[str, list[_Binding] | None] | None = field(default=None, name="Ports")


class _Labels(Struct):
    labels: dict[str, str] | None = field(default=None, name="Labels")


class _Health(Struct):
    status: str | None = field(default=None, name="Status")


class _State(Struct):
    status: str | None = field(default=None, name="Status")
    exit_code: int | None = field(default=None, name="ExitCode")
    out_of_memory: bool = field(default=False, name="OOMKilled")
    error: str = field(default="", name="Error")
    health: _Health | None = field(default=None, name="Health")
    pid: int = field(default=0, name="Pid")


class _HostConfig(Struct):
    mode: str | None = field(default=None, name="NetworkMode")
    bindings: dict[str, list[_Binding] | None] | None = field(default=None, name="PortBindings")


class InspectedContainer(Struct):
    """What is read of a container that is inspected."""

    name: str = field(name="Name")
    settings: _Settings | None = field(default=None, name="NetworkSettings")
    """None of a container of nerdctl that does not run."""
    id: str = field(default="", name="Id")
    created: str = field(default="", name="Created")
    config: _Labels | None = field(default=None, name="Config")
    state: _State = field(default_factory=_State, name="State")
    host_config: _HostConfig = field(default_factory=_HostConfig, name="HostConfig")


class _Config(Struct):
    subnet: str | None = field(default=None, name="Subnet")
    gateway: str | None = field(default=None, name="Gateway")


class _Ipam(Struct):
    config: list[_Config] | None = field(default=None, name="Config")


class _Peer(Struct):
    ip: str | None = field(default=None, name="IP")


class InspectedNetwork(Struct):
    """What is read of a network that is inspected."""

    name: str = field(name="Name")
    id: str = field(name="Id")
    driver: str | None = field(default=None, name="Driver")
    ipam: _Ipam | None = field(default=None, name="IPAM")
    options: dict[str, str] | None = field(default=None, name="Options")
    internal: bool | None = field(default=None, name="Internal")
    peers: list[_Peer] | None = field(default=None, name="Peers")


class _Daemon(Struct):
    iptables: bool = True


def parse_makes_rules(text: str) -> bool:
    """Read from daemon.json whether dockerd makes rules of iptables: it does, unless it was told not to."""
    return not text.strip() or decode(text, type=_Daemon).iptables


def parse_containers(dump: Any, engine: str = DOCKER) -> tuple[Container, ...]:
    """Read ``docker inspect``, or another *engine*'s; a container stands once for each of its networks."""
    return tuple(
        Container(
            name=container.name.lstrip("/"),
            network=network,
            mac=mac(end.mac),
            addresses=tuple(ip_address(text) for text in (end.address, end.address6) if text),
            gateways=tuple(ip_address(text) for text in (end.gateway, end.gateway6) if text),
            published=tuple(_published(settings.ports or {})),
            service=_service(container.config),
            status=_status(container.state),
            mode=container.host_config.mode,
            wanted=tuple(_published(container.host_config.bindings or {})),
            aliases=tuple(end.aliases or ()),
            created=container.created,
            engine=engine,
        )
        for container in convert(dump, list[InspectedContainer])
        if (settings := container.settings) is not None
        for network, end in (settings.networks or {}).items()
    )


def parse_sidecars(dump: Any) -> tuple[Sidecar, ...]:
    """Read which containers of ``docker inspect`` run and were started in another one's network namespace."""
    containers = convert(dump, list[InspectedContainer])
    names = {one.id: one.name.lstrip("/") for one in containers}
    running = (one for one in containers if one.state.status == "running")
    joined = ((one, (one.host_config.mode or "").partition(JOINED)) for one in running)
    return tuple(
        Sidecar(
            one.name.lstrip("/"),
            names.get(of) or (of if of in names.values() else None),
            _service(one.config),
            one.created,
        )
        for one, (before, mark, of) in joined
        if mark and not before
    )


def parse_on_host(dump: Any) -> tuple[OnHost, ...]:
    """Read which containers of ``docker inspect`` run on the host's network."""
    running = (
        one for one in convert(dump, list[InspectedContainer]) if one.host_config.mode == "host" and one.state.pid
    )
    return tuple(OnHost(one.name.lstrip("/"), one.id, one.state.pid) for one in running)


def _published(ports: dict[str, list[_Binding] | None]) -> Iterator[str]:
    for inside, bindings in ports.items():
        for binding in bindings or ():
            yield f"{binding.ip or '0.0.0.0'}:{binding.port}->{inside}"


def _status(state: _State) -> Status:
    health = state.health.status if state.health is not None and state.health.status != "none" else None
    return Status(state.status, state.exit_code, state.out_of_memory, state.error, health)


def _service(config: _Labels | None) -> str | None:
    return (config.labels or {}).get(SERVICE) if config is not None else None


def parse_networks(dump: Any, engine: str = DOCKER) -> tuple[Network, ...]:
    """Read ``docker network inspect``, or another *engine*'s; nerdctl tells no driver."""
    found: list[Network] = []
    for network in convert(dump, list[InspectedNetwork]):
        options = network.options or {}
        config = (network.ipam.config if network.ipam is not None else None) or ()
        named = options.get(BRIDGE_NAME) or (NERDCTLS if (engine, network.name) == (NERDCTL, "bridge") else None)
        driver = network.driver or ("bridge" if engine == NERDCTL else "None")
        bridge = named or (f"br-{network.id[:SHORT_ID]}" if driver == "bridge" else None)
        found.append(
            Network(
                name=network.name,
                id=network.id,
                driver=driver,
                bridge=bridge,
                subnets=tuple(ip_network(one.subnet, strict=False) for one in config if one.subnet),
                internal=bool(network.internal),
                masquerades=options.get(MASQUERADE, "true") == "true",
                inhibited=options.get(INHIBIT) == "true",
                routed=tuple(v for v in (4, 6) if options.get(GATEWAY_MODE.format(version=v)) == "routed"),
                gateways=tuple(ip_address(one.gateway) for one in config if one.gateway),
                peers=tuple(ip_address(one.ip) for one in network.peers or () if one.ip),
                parent=options.get("parent"),
                mode=options.get(f"{driver}_mode", USUAL_MODE.get(driver)),
                engine=engine,
            )
        )
    return tuple(found)
