"""Where faults happen: one Docker host with a client and a server on each of its networks."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.lab.commands import inside, run
from tests.lab.engine import GATEWAY, HOST, INTERNET, SERVER6, Lab

RESOLVER = "198.51.100.53"
ELSEWHERE = "198.51.100.54"
"""Another address of the same machine."""
"""Answers to names; what it answers, the name says."""
NOBODY = "192.0.2.9"
"""Documentation address (RFC 5737); only faults lead anywhere near it."""


@dataclass(frozen=True)
class Net:
    """One of the host's networks, and who is on it."""

    name: str
    client: str
    server: str
    client_ip: str
    server_ip: str
    gateway: str
    subnet: str
    bridge: str
    remote: str
    """Server of the internet: pings, TCP echo on 7, HTTP on 80, UDP on 53."""
    host: str
    """The host's address on the uplink."""
    port: int
    """Published on the host, for the server's port 80."""
    tables: str
    """``iptables`` or ``ip6tables``."""
    ping: str
    family: str


BRIDGE = Net(
    "bridge", "c1", "web", "172.17.0.2", "172.17.0.3", "172.17.0.1", "172.17.0.0/16", "docker0", "198.51.100.80",
    "192.168.1.100", 8080, "iptables", "-4", "ip",
)  # fmt: skip
USER = replace(
    BRIDGE, name="user", client="app", server="db", client_ip="10.20.0.2", server_ip="10.20.0.3",
    gateway="10.20.0.1", subnet="10.20.0.0/24", bridge="br-appnet", port=8081,
)  # fmt: skip
IPV6 = Net(
    "ipv6", "six", "seven", "fd00:d::2", "fd00:d::3", "fd00:d::1", "fd00:d::/64", "br-v6net", SERVER6,
    "fd00:1::100", 8082, "ip6tables", "-6", "ip6",
)  # fmt: skip
OVERLAY = replace(
    BRIDGE, name="overlay", client="o1", server="o2", client_ip="10.30.0.11", server_ip="10.30.0.12",
    gateway="", subnet="10.30.0.0/24", bridge="",
)  # fmt: skip
NETS = (BRIDGE, USER, IPV6)
OTHER = {BRIDGE: USER, USER: BRIDGE, IPV6: USER, OVERLAY: BRIDGE}
"""On which network healthy traffic goes meanwhile."""
OVERLAY_NAME = "ovnet"
ON = {"bridge": (), "user": ("--network", "appnet"), "ipv6": ("--network", "v6net")}
"""By network, what ``docker run`` is told of it."""


class World(Lab):
    """A lab with all of that running."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[subprocess.Popen[bytes]] = []

    def open(self) -> None:
        """Start networks, containers and their servers."""
        for address in (RESOLVER, ELSEWHERE):
            run("ip", "-n", INTERNET, "addr", "add", f"{address}/32", "dev", "lo")
            run("ip", "-n", GATEWAY, "route", "add", address, "via", "100.64.0.2")
        self.start_script(inside(INTERNET), "names.py", "serve", RESOLVER)
        name = "com.docker.network.bridge.name"
        self.docker("network", "create", "--subnet", USER.subnet, "-o", f"{name}={USER.bridge}", "appnet")
        subnets = ("--subnet", "10.66.0.0/24", "--subnet", IPV6.subnet)
        self.docker("network", "create", "--ipv6", *subnets, "-o", f"{name}={IPV6.bridge}", "v6net")
        for net, options in (
            (BRIDGE, ()),
            (USER, (*ON[USER.name], "--dns", RESOLVER)),
            (IPV6, ON[IPV6.name]),
        ):
            self.run_container(net.client, *options)
            self.run_container(net.server, *options, "-p", f"{net.port}:80", *self._udp(net))
            self.serve(net)

    @staticmethod
    def _udp(net: Net) -> tuple[str, ...]:
        return ("-p", "5353:53/udp") if net is BRIDGE else ()

    def serve(self, net: Net) -> None:
        """Start the server container's services: TCP and UDP echo."""
        self.start_server(self.in_container(net.server), "tcp", "80")
        self.start_server(self.in_container(net.server), "udp", "53")

    def start_script(self, where: tuple[str, ...], script: str, *arguments: str) -> None:
        """Start a script beside this one; it runs until the lab ends, or its container does."""
        path = str(Path(__file__).with_name(script))
        self._world.append(subprocess.Popen([*where, "python3", path, *arguments], stdin=subprocess.DEVNULL))

    def script(self, where: tuple[str, ...], script: str, *arguments: str) -> None:
        """Run a script beside this one to its end."""
        run(*where, "python3", str(Path(__file__).with_name(script)), *arguments, check=False)

    def background(self, where: tuple[str, ...], script: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a script beside this one; it is killed with the fault."""
        path = str(Path(__file__).with_name(script))
        process = subprocess.Popen([*where, "python3", path, *arguments], stdin=subprocess.DEVNULL)
        self.meanwhile.append(process)
        return process

    def quieten(self) -> None:
        """Kill what faults started, and let its last packets pass."""
        for process in self.meanwhile:
            process.kill()
            process.wait()
        self.meanwhile.clear()
        for name in self.containers():
            self.exec(name, "ip", "-4", "route", "flush", "cache")
            self.exec(name, "ip", "-6", "route", "flush", "cache")

    @staticmethod
    def sleep(seconds: float) -> None:
        """Let packets pass."""
        time.sleep(seconds)

    @staticmethod
    def signal_proxy(port: int, signal: str) -> None:
        """Send docker-proxy of a published port a signal, e.g. STOP."""
        run("pkill", f"-{signal}", "-f", f"docker-proxy.*-host-port {port}")

    def run_on(self, net: Net, name: str, *options: str) -> None:
        """Start one more container on a network."""
        self.run_container(name, *ON[net.name], *options)

    def address_of(self, container: str, net: Net) -> str:
        """Return a container's address on one of its networks."""
        key = "bridge" if net is BRIDGE else ON[net.name][1]
        at = f'{{{{(index .NetworkSettings.Networks "{key}").IPAddress}}}}'
        return self.docker("inspect", "-f", at, container).strip()

    def ping(self, container: str, address: str, count: int = 3, *options: str) -> None:
        """Ping, whether or not anybody answers."""
        self.exec(
            container, "ping", "-n", "-c", str(count), "-i", "0.3", "-W", "1", *options, address, check=False
        )  # fmt: skip

    def chat(self, container: str, kind: str, address: str, port: int, *options: str) -> None:
        """Talk, whether or not anybody answers."""
        self.chat_from(self.in_container(container), kind, address, port, *options)

    def chat_from(self, where: tuple[str, ...], kind: str, address: str, port: int, *options: str) -> None:
        """Talk from any place."""
        peers = str(Path(__file__).parent.with_name("peers.py"))
        run(*where, "python3", peers, "talk", kind, address, str(port), "abort=1", *options, check=False)

    def overlay(self) -> None:
        """Start an overlay network over two hosts, with a container on each."""
        other = self.second()
        self.docker("network", "create", "-d", "overlay", "--attachable", "--subnet", OVERLAY.subnet, OVERLAY_NAME)
        self.run_container(OVERLAY.client, "--network", OVERLAY_NAME, "--ip", OVERLAY.client_ip)
        other.run_container(OVERLAY.server, "--network", OVERLAY_NAME, "--ip", OVERLAY.server_ip)
        for service in (("tcp", "80"), ("udp", "53")):
            other.start_server(other.in_container(OVERLAY.server), *service)


Act = Callable[[World, Net], None]


def nothing(world: World, net: Net) -> None:
    """Change nothing."""


@dataclass(frozen=True)
class Fault:
    """One way to break a host, and what must be said of it."""

    name: str
    about: str
    expect: frozenset[str]
    """Checks that must report it."""
    act: Act
    """What containers try, while captures run."""
    setup: Act = nothing
    warm: Act = nothing
    """Done last before captures start, after caches were emptied."""
    teardown: Act = nothing
    also: frozenset[str] = frozenset()
    """Checks that may report a consequence as well."""
    nets: tuple[Net, ...] = field(default=(BRIDGE, USER))
    capture: tuple[str, ...] = ()
    """Further options of ``hoptrace capture``."""
    third: bool = False
    """A third container, ``twin``, is there; it is not captured, unless *capture* says so."""
    spoil: Callable[[Path], None] | None = None
    """Damages the recording afterwards; takes the bundle's folder."""


def at(namespace: str, *command: str, check: bool = True) -> None:
    """Run a program in one of the lab's hosts."""
    run(*inside(namespace, *command), check=check)


def host(*command: str, check: bool = True) -> None:
    """Run a program on the Docker host."""
    at(HOST, *command, check=check)


def nft_at(namespace: str, hook: str, rule: str, *, family: str = "inet", priority: int = 0) -> None:
    """Add a rule of nftables' own, in table ``fault``."""
    at(namespace, "nft", f"add table {family} fault")
    at(namespace, "nft", f"add chain {family} fault {hook} {{ type filter hook {hook} priority {priority}; }}")
    at(namespace, "nft", f"add rule {family} fault {hook} {rule}")


def nft_gone(namespace: str, family: str = "inet") -> None:
    """Remove table ``fault``."""
    at(namespace, "nft", f"delete table {family} fault", check=False)
