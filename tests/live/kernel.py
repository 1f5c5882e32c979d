"""A router in three network namespaces, whose kernel says what rules do: packets in, counters and arrivals out."""

import re
import socket
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from types import TracebackType

from tests.build import ether, ipv4
from tests.lab.commands import inside, run

SENDER, ROUTER, RECEIVER = "ht-nf-a", "ht-nf-r", "ht-nf-b"
MACS = {"p0": "02:00:00:00:00:0a", "r0": "02:00:00:00:00:10", "r1": "02:00:00:00:00:11", "p1": "02:00:00:00:00:0b"}
LEFT, RIGHT = "10.77.0.1", "10.78.0.1"
"""The router's own addresses."""
BEHIND = ("10.78.0.2", "10.78.0.3")
SOURCES = ("10.77.0.2", "10.77.0.3", "10.77.9.9")
SEND = """
import socket, sys
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind(("p0", 0))
for line in sys.stdin:
    out.send(bytes.fromhex(line))
"""
SEND_ITSELF = """
import socket, sys
out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for line in sys.stdin:
    packet = bytes.fromhex(line)
    try:
        out.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))
    except PermissionError:
        pass
"""
RECEIVE = """
import socket, sys
into = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
into.bind(("p1", 0))
print("ready", flush=True)
while True:
    print(into.recv(2048).hex(), flush=True)
"""
OUTWARD = ("OUTPUT", "POSTROUTING")
ARRIVAL_S = 0.1
"""From here to there it takes microseconds."""


@dataclass(frozen=True)
class Sent:
    """One packet that is sent; its IP id is its number."""

    number: int
    proto: str
    src: str
    dst: str
    sport: int
    dport: int
    flags: int = 2
    icmp_type: int = 8
    tos: int = 0

    def frame(self, receiver: str = "r0") -> bytes:
        """Return its bytes, for a router's interface or for whoever is behind its bridge."""
        return ether(MACS["p0"], MACS[receiver], self.packet())

    def packet(self) -> bytes:
        """Return its bytes from the IP header on."""
        if self.proto == "icmp":
            body = struct.pack("!BBHHH", self.icmp_type, 0, 0, self.sport, 1)
            body = body[:2] + struct.pack("!H", _checksum(body)) + body[4:]
        elif self.proto == "udp":
            body = struct.pack("!HHHH", self.sport, self.dport, 8, 0)
        else:
            body = struct.pack("!HHIIBBHHH", self.sport, self.dport, 1, 0, 0x50, self.flags, 1000, 0, 0)
            pseudo = ip_address(self.src).packed + ip_address(self.dst).packed + struct.pack("!BBH", 0, 6, len(body))
            body = body[:16] + struct.pack("!H", _checksum(pseudo + body)) + body[18:]
        packet = ipv4(self.src, self.dst, {"tcp": 6, "udp": 17, "icmp": 1}[self.proto], body, ident=self.number)
        packet = packet[:1] + bytes([self.tos]) + packet[2:]
        return packet[:10] + struct.pack("!H", _checksum(packet[:20])) + packet[12:]


def _checksum(data: bytes) -> int:
    """RFC 1071."""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


class Kernel:
    """Namespaces a, router r with interfaces r0 and r1, and b; a context manager that removes them."""

    def __enter__(self) -> "Kernel":
        self._remove()
        for namespace in (SENDER, ROUTER, RECEIVER):
            run("ip", "netns", "add", namespace)
            run("ip", "-n", namespace, "link", "set", "lo", "up")
            run(*inside(namespace, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"))
        for space, name, peer in ((SENDER, "p0", "r0"), (RECEIVER, "p1", "r1")):
            run("ip", "-n", space, "link", "add", name, "address", MACS[name], "type", "veth",
                "peer", "name", peer, "address", MACS[peer], "netns", ROUTER)  # fmt: skip
            # Without multicast there are no membership reports, which rules would count, too.
            run("ip", "-n", space, "link", "set", name, "multicast", "off", "up")
            run("ip", "-n", ROUTER, "link", "set", peer, "multicast", "off", "up")
        run("ip", "-n", ROUTER, "addr", "add", f"{LEFT}/16", "dev", "r0")
        run("ip", "-n", ROUTER, "addr", "add", f"{RIGHT}/24", "dev", "r1")
        run(*inside(ROUTER, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0"))
        for ip in SOURCES:
            run("ip", "-n", ROUTER, "neigh", "add", ip, "lladdr", MACS["p0"], "dev", "r0")
        for ip in BEHIND:  # b has no address, so nothing is ever answered
            run("ip", "-n", ROUTER, "neigh", "add", ip, "lladdr", MACS["p1"], "dev", "r1")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def _remove(self) -> None:
        for namespace in (SENDER, ROUTER, RECEIVER):
            run("ip", "netns", "del", namespace, check=False)

    def load(self, rules: str) -> str:
        """Load a ruleset; return it as ``iptables-save`` prints it."""
        run(*inside(ROUTER, "nft", "flush", "ruleset"))
        subprocess.run(inside(ROUTER, "iptables-restore"), input=rules, text=True, check=True, capture_output=True)
        run(*inside(ROUTER, "conntrack", "-F"), check=False)
        return run(*inside(ROUTER, "iptables-save"))

    def load_native(self, rules: str) -> str:
        """Load rules of nftables' own, and nothing else; return them as JSON."""
        text = f"flush ruleset\n{rules}"
        subprocess.run(inside(ROUTER, "nft", "-f", "-"), input=text, text=True, check=True, capture_output=True)
        run(*inside(ROUTER, "conntrack", "-F"), check=False)
        return self.native()

    @staticmethod
    def native() -> str:
        """Return the rules of nftables as JSON, with what they counted."""
        return run(*inside(ROUTER, "nft", "-j", "list", "ruleset"))

    def bridge(self) -> None:
        """Make the router a bridge, whose packets iptables sees."""
        for command in (
            ("ip", "link", "add", "br0", "multicast", "off", "type", "bridge", "mcast_snooping", "0"),
            ("ip", "addr", "flush", "dev", "r0"),
            ("ip", "addr", "flush", "dev", "r1"),
            ("ip", "link", "set", "r0", "master", "br0"),
            ("ip", "link", "set", "r1", "master", "br0"),
            ("ip", "link", "set", "br0", "multicast", "off", "up"),
            ("sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=1"),
        ):
            run(*inside(ROUTER, *command))

    def send(
        self, packets: list[Sent], *, receiver: str = "r0", itself: bool = False
    ) -> tuple[dict[int, tuple[str, str, int, int]], str]:
        """
        Send packets to a *receiver*, or let the router send them itself.

        Returns those that arrived by number, with addresses and ports, and the counters.
        """
        behind = subprocess.Popen(inside(RECEIVER, sys.executable, "-c", RECEIVE), stdout=subprocess.PIPE, text=True)
        assert behind.stdout is not None
        behind.stdout.readline()
        bytes_of = [packet.packet() if itself else packet.frame(receiver) for packet in packets]
        where, program = (ROUTER, SEND_ITSELF) if itself else (SENDER, SEND)
        lines = "".join(one.hex() + "\n" for one in bytes_of)
        subprocess.run(inside(where, sys.executable, "-c", program), input=lines, text=True, check=True)
        time.sleep(ARRIVAL_S)
        behind.terminate()
        arrived = {}
        for line in behind.communicate()[0].splitlines():
            frame = bytes.fromhex(line)
            ident, proto = struct.unpack("!H", frame[18:20])[0], frame[23]
            src, dst = (str(IPv4Address(frame[at : at + 4])) for at in (26, 30))
            sport, dport = struct.unpack("!HH", frame[34:38]) if proto in (6, 17) else (0, 0)
            arrived[ident] = src, dst, sport, dport
        return arrived, run(*inside(ROUTER, "iptables-save", "-c"))


def counters(saved: str) -> list[tuple[str, int]]:
    """Return each rule with how many packets it counted."""
    return [(m[2], int(m[1])) for m in re.finditer(r"^\[(\d+):\d+\] (-A .*)$", saved, re.MULTILINE)]


def can_filter() -> bool:
    """Tell whether namespaces and iptables can be had."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
    except OSError:
        return False
    return True
