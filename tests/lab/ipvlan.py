"""Makes ``sample_pcaps/ipvlan`` and ``ipvlan-l3`` by hand: ``python -m tests.lab.ipvlan``.

The kernel of the lab has no ipvlan. Frames are as drivers/net/ipvlan/ipvlan_core.c makes them, dumps as iproute2 and
Docker print them: in l2 a container resolves addresses itself, with its parent's MAC; in l3 its interface has NOARP,
the frame is for that MAC, too, and the host's routes send the packet on without counting its TTL down.
"""

import json
import random
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import dpkt

from tests.build import T0, mac, write_pcap

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
PARENT, ROUTER = "3c:22:fb:10:20:30", "00:1d:aa:01:02:03"
HOST, GATEWAY, SERVER = "192.168.1.100", "192.168.1.1", "8.8.8.8"
READ_ME = """# {name}

Two things that a container on an ipvlan of the uplink does in mode {mode}: a ping, and a TCP connection to 8.8.8.8.

Made by hand, frame by frame: the lab's kernel has no ipvlan. What its interface and its parent show is as the kernel's
drivers/net/ipvlan makes it, the dumps are as iproute2 and Docker print them.

Make it again: `python -m tests.lab.ipvlan`
"""


class Sample:
    """Both points, and what is seen there."""

    def __init__(self, name: str, mode: str, address: str) -> None:
        self.name, self.mode, self.address = name, mode, address
        self._inside: list[tuple[int, bytes]] = []
        self._outside: list[tuple[int, bytes]] = []
        self._ns, self._ident = T0, random.Random(mode)

    def ask(self) -> None:
        """Resolve the gateway's address: by the container in l2, by the host in l3."""
        points = [self._outside] if self.mode == "l3" else [self._inside, self._outside]
        asker = HOST if self.mode == "l3" else self.address
        question = self._arp(1, PARENT, asker, "00:00:00:00:00:00", GATEWAY)
        answer = self._arp(2, ROUTER, GATEWAY, PARENT, asker)
        self._see(points, dpkt.ethernet.Ethernet(src=mac(PARENT), dst=b"\xff" * 6, type=0x0806, data=question))
        self._see(points[::-1], dpkt.ethernet.Ethernet(src=mac(ROUTER), dst=mac(PARENT), type=0x0806, data=answer))

    @staticmethod
    def _arp(op: int, sha: str, spa: str, tha: str, tpa: str) -> dpkt.arp.ARP:
        ends = {"sha": mac(sha), "spa": ip_address(spa).packed, "tha": mac(tha), "tpa": ip_address(tpa).packed}
        return dpkt.arp.ARP(op=op, **ends)

    def send(self, proto: int, data: Any, *, back: bool = False) -> None:
        """Let a packet pass, out or back."""
        src, dst = (SERVER, self.address) if back else (self.address, SERVER)
        packet = dpkt.ip.IP(
            src=ip_address(src).packed, dst=ip_address(dst).packed, p=proto, ttl=63 if back else 64, df=1,
            id=self._ident.randrange(1 << 16), data=data,
        )  # fmt: skip
        packet.len = len(packet)
        out = dpkt.ethernet.Ethernet(src=mac(PARENT), dst=mac(ROUTER), data=packet)
        if back:
            came = dpkt.ethernet.Ethernet(src=mac(ROUTER), dst=mac(PARENT), data=packet)
            self._see([self._outside, self._inside], came)
        elif self.mode == "l3":
            self._see([self._inside], dpkt.ethernet.Ethernet(src=mac(PARENT), dst=mac(PARENT), data=packet))
            self._see([self._outside], out)
        else:
            self._see([self._inside, self._outside], out)

    def _see(self, points: list[list[tuple[int, bytes]]], frame: Any) -> None:
        for point in points:
            self._ns += 4_000 + self._ident.randrange(4_000)
            point.append((self._ns, bytes(frame)))

    def wait(self, ns: int) -> None:
        """Let time pass."""
        self._ns += ns

    def write(self) -> None:
        """Write the captures, and the dumps."""
        folder = SAMPLES / self.name
        inside = folder / "host" / "containers" / "web"
        inside.mkdir(parents=True, exist_ok=True)
        (folder / "README.md").write_text(READ_ME.format(name=self.name, mode=self.mode))
        write_pcap(folder / "ct-web.pcap", self._inside)
        write_pcap(folder / "wlan0.pcap", self._outside)
        subnet = "192.168.1.0/24" if self.mode == "l2" else "192.168.50.0/24"
        options = {"parent": "wlan0", "ipvlan_mode": self.mode}
        config = [{"Subnet": subnet, **({"Gateway": GATEWAY} if self.mode == "l2" else {})}]
        networks = [{"Name": "ipnet", "Id": "1b" * 32, "Driver": "ipvlan", "Scope": "local", "Internal": False,
                     "IPAM": {"Config": config}, "Options": options}]  # fmt: skip
        end = {"IPAddress": self.address, "Gateway": GATEWAY if self.mode == "l2" else "", "MacAddress": ""}
        container = {"Id": "ab" * 32, "Name": "/web", "State": {"Status": "running", "Running": True, "Pid": 4711},
                     "HostConfig": {"NetworkMode": "ipnet"}, "Created": "2026-11-27T00:00:00Z",
                     "NetworkSettings": {"Ports": {}, "Networks": {"ipnet": end}}}  # fmt: skip
        eth0 = self._link(7, "eth0", self.address, link_index=2, kind="ipvlan", data={"mode": self.mode})
        noarp = [{**eth0, "flags": ["NOARP", *eth0["flags"]]}] if self.mode == "l3" else [eth0]
        way = {"dst": "default", "dev": "eth0", **({"gateway": GATEWAY} if self.mode == "l2" else {"scope": "link"})}
        dumps = {
            "docker-inspect.json": [container], "docker-network-inspect.json": networks,
            "ip-addr.json": [self._link(2, "wlan0", HOST)],
            "ip-route.json": [{"dst": "default", "gateway": GATEWAY, "dev": "wlan0"},
                              {"dst": "192.168.1.0/24", "dev": "wlan0", "protocol": "kernel", "scope": "link"}],
            "containers/web/ip-addr.json": noarp, "containers/web/ip-route.json": [way],
        }  # fmt: skip
        for file, told in dumps.items():
            (folder / "host" / file).write_text(json.dumps(told, indent=1) + "\n")

    @staticmethod
    def _link(index: int, name: str, address: str, link_index: int | None = None, kind: str = "",
              data: dict[str, str] | None = None) -> dict[str, Any]:  # fmt: skip
        of = {"link_index": link_index, "link_netnsid": 0} if link_index is not None else {}
        info = {"linkinfo": {"info_kind": kind, "info_data": data or {}}} if kind else {}
        flags, told = (
            ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"],
            {"family": "inet", "local": address, "prefixlen": 24},
        )
        return {"ifindex": index, **of, "ifname": name, "flags": flags, "mtu": 1500, "operstate": "UP",
                "link_type": "ether", "address": PARENT, **info, "addr_info": [told]}  # fmt: skip


def tell(sample: Sample) -> None:
    """Let a container ping, ask and be answered."""
    sample.ask()
    for seq in (1, 2):
        for back in (False, True):
            echo = dpkt.icmp.ICMP.Echo(id=77, seq=seq, data=b"hoptrace" * 7)
            sample.send(1, dpkt.icmp.ICMP(type=0 if back else 8, data=echo), back=back)
        sample.wait(200_000_000)
    turns = [
        (False, 0x02, 0, 0, b""), (True, 0x12, 0, 1, b""), (False, 0x10, 1, 1, b""),
        (False, 0x18, 1, 1, b"GET / HTTP/1.0\r\n\r\n"), (True, 0x18, 1, 19, b"HTTP/1.0 200 OK\r\n\r\nhello"),
        (False, 0x11, 19, 25, b""), (True, 0x11, 25, 20, b""), (False, 0x10, 20, 26, b""),
    ]  # fmt: skip
    for back, flags, seq, ack, data in turns:
        ports = (80, 45_000) if back else (45_000, 80)
        numbers = (2_000_000 + seq, 1_000_000 + ack) if back else (1_000_000 + seq, 2_000_000 + ack if ack else 0)
        segment = dpkt.tcp.TCP(sport=ports[0], dport=ports[1], seq=numbers[0], ack=numbers[1], flags=flags, win=501)
        segment.data = data
        sample.send(6, segment, back=back)
    sample.write()


if __name__ == "__main__":
    tell(Sample("ipvlan", "l2", "192.168.1.50"))
    tell(Sample("ipvlan-l3", "l3", "192.168.50.2"))
