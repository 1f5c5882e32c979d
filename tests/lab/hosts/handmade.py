"""A Docker host made by hand, for engines that cannot be installed: bridges, namespaces, and the rules of a version.

Its ``docker`` is a small program that answers as Docker does, from what was made. Rules are as moby documents them for
that version (integration/network/bridge, iptablesdoc and nftablesdoc).
"""

import json
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, ip_network
from pathlib import Path

from tests.lab.commands import inside, run
from tests.lab.engine import Lab


@dataclass(frozen=True, slots=True)
class Bridge:
    """A network."""

    name: str
    bridge: str
    subnet: str

    @property
    def net(self) -> IPv4Network:
        """Its addresses; the first is the gateway's."""
        return IPv4Network(self.subnet)


@dataclass(slots=True)
class Made:
    """A container: a namespace with one interface."""

    name: str
    network: Bridge
    number: int
    published: dict[int, int] = field(default_factory=dict)
    """Ports of the host, and its own."""
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def address(self) -> str:
        """Its own."""
        return str(self.network.net[self.number + 1])

    @property
    def mac(self) -> str:
        """As Docker makes it of the address."""
        return "02:42:" + ":".join(f"{int(part):02x}" for part in self.address.split("."))


Rules = Callable[[list[Bridge], list[Made]], str]
"""Makes a host's rules: a script for sh."""


class HandmadeLab(Lab):
    """The lab's host, with a Docker of some version made by hand."""

    def __init__(self, version: str, rules: Rules) -> None:
        super().__init__()
        self.version, self._rules = version, rules
        self.networks = [Bridge("bridge", "docker0", "172.17.0.0/16")]
        self.made: list[Made] = []
        self.programs = self.folder / "bin"

    def start(self) -> None:
        """Make the default bridge."""
        run(*inside(self.namespace, "sysctl", "-qw", "net.ipv4.ip_forward=1"))
        run(*inside(self.namespace, "sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=1"), check=False)
        self.programs.mkdir()
        shim = self.programs / "docker"
        shim.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name("shim.py")} {self.folder} "$@"\n')
        shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
        for network in self.networks:
            self._bridge(network)

    def stop(self) -> None:
        """End all containers."""
        for one in self.made:
            if one.process is not None:
                one.process.kill()
                one.process.wait()
        super().stop()

    def add_network(self, name: str, bridge: str, subnet: str) -> None:
        """Make one more network."""
        self.networks.append(Bridge(name, bridge, subnet))
        self._bridge(self.networks[-1])

    def _bridge(self, network: Bridge) -> None:
        gateway = f"{network.net[1]}/{network.net.prefixlen}"
        for words in (
            ("link", "add", network.bridge, "type", "bridge"), ("addr", "add", gateway, "dev", network.bridge),
            ("link", "set", network.bridge, "up"),
        ):  # fmt: skip
            run("ip", "-n", self.namespace, *words)

    def run_container(self, name: str, *options: str) -> None:
        """Make a container; *options* are a network's name, and ports that it publishes: ``8080:80``."""
        ports = dict(tuple(map(int, one.split(":"))) for one in options if ":" in one)
        of = next((one for one in options if ":" not in one), "bridge")
        network = next(one for one in self.networks if one.name == of)
        number = 1 + sum(one.network is network for one in self.made)
        one = Made(name, network, number, ports)
        one.process = subprocess.Popen(inside(self.namespace, "unshare", "-n", "sleep", "infinity"))
        time.sleep(0.2)
        pid = self._pid(one)
        self._containers[name] = pid
        veth = f"veth{pid:07x}"
        run("ip", "-n", self.namespace, "link", "add", veth, "type", "veth", "peer", "name", "eth0", "address", one.mac,
            "netns", str(pid))  # fmt: skip
        run("ip", "-n", self.namespace, "link", "set", veth, "master", network.bridge, "up")
        for words in (
            ("link", "set", "lo", "up"), ("addr", "add", f"{one.address}/{network.net.prefixlen}", "dev", "eth0"),
            ("link", "set", "eth0", "up"), ("route", "add", "default", "via", str(network.net[1])),
        ):  # fmt: skip
            self.exec(name, "ip", *words)
        self.made.append(one)

    @staticmethod
    def _pid(one: Made) -> int:
        assert one.process is not None
        children = Path(f"/proc/{one.process.pid}/task/{one.process.pid}/children").read_text().split()
        return int(children[0]) if children else one.process.pid

    def finish(self) -> None:
        """Load the rules, and tell ``docker`` what there is."""
        run(*inside(self.namespace, "sh", "-ec", self._rules(self.networks, self.made)))
        (self.folder / "state.json").write_text(json.dumps({
            "version": self.version, "containers": [self._told(one) for one in self.made],
            "networks": [self._network(one) for one in self.networks],
        }))  # fmt: skip

    def _told(self, one: Made) -> dict[str, object]:
        settings = {"MacAddress": one.mac, "IPAddress": one.address, "Gateway": str(one.network.net[1])}
        ports = {f"{own}/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(of)}] for of, own in one.published.items()}
        return {
            "Id": f"{one.name:0>64}", "Name": f"/{one.name}", "Created": "2026-11-27T00:00:00Z",
            "State": {"Status": "running", "Running": True, "Pid": self._containers[one.name]},
            "HostConfig": {"NetworkMode": one.network.name, "PortBindings": ports},
            "NetworkSettings": {"Ports": ports, "Networks": {one.network.name: settings}},
            "ResolvConfPath": "/etc/resolv.conf", "HostsPath": "/etc/hosts",
        }  # fmt: skip

    @staticmethod
    def _network(one: Bridge) -> dict[str, object]:
        config = [{"Subnet": one.subnet, "Gateway": str(one.net[1])}]
        return {
            "Name": one.name, "Id": f"{one.name:0>64}", "Driver": "bridge", "Scope": "local", "Internal": False,
            "IPAM": {"Config": config}, "Options": {"com.docker.network.bridge.name": one.bridge},
        }  # fmt: skip

    def remove_container(self, name: str) -> None:
        """Containers stay until the lab ends."""


def docker_28(networks: list[Bridge], made: list[Made]) -> str:
    """Return the rules of Docker 28 with iptables: forwarding by chains of its own, nothing direct from outside."""
    names = ("DOCKER", "DOCKER-BRIDGE", "DOCKER-CT", "DOCKER-FORWARD", "DOCKER-INTERNAL", "DOCKER-USER")
    chains = [f":{name} - [0:0]" for name in names]
    raw, filters, nat = [], ["-A FORWARD -j DOCKER-USER", "-A FORWARD -j DOCKER-FORWARD"], list[str]()
    for one in made:
        bridge = one.network.bridge
        for outside, own in one.published.items():
            port = f"-p tcp -m tcp --dport {own}"
            filters.append(f"-A DOCKER -d {one.address}/32 ! -i {bridge} -o {bridge} {port} -j ACCEPT")
            to = f"-j DNAT --to-destination {one.address}:{own}"
            nat.append(f"-A DOCKER ! -i {bridge} -p tcp -m tcp --dport {outside} {to}")
        raw.append(f"-A PREROUTING -d {one.address}/32 ! -i {bridge} -j DROP")
    for of in networks:
        filters += [
            f"-A DOCKER ! -i {of.bridge} -o {of.bridge} -j DROP", f"-A DOCKER-BRIDGE -o {of.bridge} -j DOCKER",
            f"-A DOCKER-CT -o {of.bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        ]  # fmt: skip
        nat.append(f"-A POSTROUTING -s {of.subnet} ! -o {of.bridge} -j MASQUERADE")
    filters += [f"-A DOCKER-FORWARD -j DOCKER-{name}" for name in ("CT", "INTERNAL", "BRIDGE")]
    filters += [f"-A DOCKER-FORWARD -i {of.bridge} -j ACCEPT" for of in networks]
    local = "-m addrtype --dst-type LOCAL -j DOCKER"
    nat += [f"-A PREROUTING {local}", f"-A OUTPUT ! -d 127.0.0.0/8 {local}"]
    lines = ["*raw", *raw, "COMMIT", "*filter", ":FORWARD DROP [0:0]", *chains, *filters, "COMMIT",
             "*nat", ":DOCKER - [0:0]", *nat, "COMMIT"]  # fmt: skip
    return "iptables-restore <<'EOF'\n" + "\n".join(lines) + "\nEOF\n"


def docker_29(networks: list[Bridge], made: list[Made]) -> str:
    """Return the rules of Docker 29 with nftables: a table of its own, bridges by verdict maps."""
    maps = {
        kind: ", ".join(f'"{of.bridge}" : jump {kind}__{of.bridge}' for of in networks)
        for kind in ("filter-forward-in", "filter-forward-out", "nat-postrouting-in", "nat-postrouting-out")
    }
    told = [f"map {kind}-jumps {{ type ifname : verdict; elements = {{ {of} }} }}" for kind, of in maps.items()]
    dnat, direct = [], []
    for one in made:
        bridge = one.network.bridge
        direct.append(f'ip daddr {one.address} iifname != "{bridge}" counter drop comment "DROP DIRECT ACCESS"')
        dnat += [
            f'iifname != "{bridge}" tcp dport {outside} counter dnat to {one.address}:{own} comment "DNAT"'
            for outside, own in one.published.items()
        ]
    hooks = {
        "filter-FORWARD": ("filter hook forward priority filter", [
            "oifname vmap @filter-forward-in-jumps", "iifname vmap @filter-forward-out-jumps"]),
        "nat-OUTPUT": ("nat hook output priority -100", [
            "ip daddr != 127.0.0.0/8 fib daddr type local counter jump nat-prerouting-and-output"]),
        "nat-POSTROUTING": ("nat hook postrouting priority srcnat", [
            "iifname vmap @nat-postrouting-out-jumps", "oifname vmap @nat-postrouting-in-jumps"]),
        "nat-PREROUTING": ("nat hook prerouting priority dstnat", [
            "fib daddr type local counter jump nat-prerouting-and-output"]),
        "raw-PREROUTING": ("filter hook prerouting priority raw", direct),
    }  # fmt: skip
    own: dict[str, list[str]] = {"nat-prerouting-and-output": dnat}
    for of in networks:
        ports = [
            f"ip daddr {one.address} tcp dport {port} counter accept"
            for one in made if one.network is of for port in one.published.values()
        ]  # fmt: skip
        known = "ct state established,related counter accept"
        own |= {
            f"filter-forward-in__{of.bridge}": [
                known, f'iifname "{of.bridge}" counter accept comment "ICC"', *ports,
                'counter drop comment "UNPUBLISHED PORT DROP"',
            ],
            f"filter-forward-out__{of.bridge}": [known, 'counter accept comment "OUTGOING"'],
            f"nat-postrouting-in__{of.bridge}": [],
            f"nat-postrouting-out__{of.bridge}": [
                f'oifname != "{of.bridge}" ip saddr {ip_network(of.subnet)} counter masquerade comment "MASQUERADE"'
            ],
        }  # fmt: skip
    whole = own | {name: [f"type {hook}; policy accept;", *rules] for name, (hook, rules) in hooks.items()}
    chains = ["\n".join([f"chain {name} {{", *rules, "}"]) for name, rules in whole.items()]
    return "nft -f - <<'EOF'\ntable ip docker-bridges {\n" + "\n".join([*chains, *told]) + "\n}\nEOF\n"
