"""A router in three network namespaces, whose kernel says what rules do: packets in, counters and arrivals out."""

import random
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


RECEIVED = (("raw", ("PREROUTING",)), ("mangle", ("PREROUTING", "FORWARD")), ("nat", ("PREROUTING", "POSTROUTING")),
            ("filter", ("INPUT", "FORWARD")))  # fmt: skip
SENT = (("raw", ("OUTPUT",)), ("mangle", ("OUTPUT", "POSTROUTING")), ("nat", ("OUTPUT", "POSTROUTING")),
        ("filter", ("OUTPUT",)))  # fmt: skip
BRIDGED = (("raw", ("PREROUTING",)), ("mangle", ("PREROUTING", "FORWARD", "POSTROUTING")), ("filter", ("FORWARD",)))
Hooks = tuple[tuple[str, tuple[str, ...]], ...]


def random_rules(seed: int, where: Hooks = RECEIVED) -> str:
    """Invent a ruleset for iptables-restore, with rules in some hooks."""
    choose = random.Random(seed)

    def ports() -> str:
        low = choose.choice((53, 80, 443, 1000))
        return choose.choice((f"{low}", f"{low}:{low + 400}"))

    def match(hook: str) -> list[str]:
        proto = choose.choice(("tcp", "udp", "icmp"))
        no = choose.choice(("", "", "! "))
        kinds = [
            f"{no}-s {choose.choice(('10.77.0.2/32', '10.77.0.0/24', '10.0.0.0/8', '10.77.9.9/32'))}",
            f"{no}-d {choose.choice(('10.78.0.2/32', '10.78.0.0/24', LEFT + '/32'))}",
            f"{no}-i {choose.choice(('r0', 'r1', 'r+', 'lo', 'br0'))}" if hook not in OUTWARD else f"{no}-o r1",
            f"{no}-p {proto}",
            f"-p tcp -m tcp {no}--dport {ports()}",
            f"-p udp -m udp {no}--sport {ports()}",
            f"-p tcp -m multiport {no}--dports 53,80,{choose.choice((443, '1000:2000'))}",
            f"-p tcp -m multiport {no}--ports 80,443",
            f"-m conntrack {no}--ctstate {choose.choice(('NEW', 'ESTABLISHED,RELATED', 'NEW,INVALID', 'DNAT'))}",
            f"-m addrtype {no}--src-type {choose.choice(('LOCAL', 'UNICAST'))}",
            f"-m addrtype {no}--dst-type {choose.choice(('LOCAL', 'UNICAST', 'LOCAL,MULTICAST'))}",
            f"-m mark {no}--mark {choose.choice(('0x1', '0x2/0x2', '0x0'))}",
            '-m comment --comment "it is \\"quoted\\""',
            f"-p icmp -m icmp {no}--icmp-type {choose.choice(('8', '0', '3/1'))}",
            f"-p tcp -m tcp {no}--tcp-flags FIN,SYN,RST,ACK SYN",
            f"-m length {no}--length {choose.choice(('20:40', '28', '40:100'))}",
            f"-m ttl --ttl-{choose.choice(('eq', 'lt', 'gt'))} {choose.choice((63, 64))}",
            f"-m iprange {no}--src-range 10.77.0.2-10.77.0.3",
        ]
        if hook == "FORWARD":
            kinds.append(f"{no}-o {choose.choice(('r0', 'r1', 'br0'))}")
            if where is BRIDGED:
                kinds += [f"-m physdev {no}--physdev-is-bridged", f"-m physdev {no}--physdev-in r0",
                          f"-m physdev {no}--physdev-out r1 --physdev-is-bridged"]  # fmt: skip
        picked = choose.sample(kinds, choose.choice((0, 1, 1, 2)))
        return picked if sum("-p " in one for one in picked) < 2 else picked[:1]

    lines: list[str] = []
    for table, hooks in where:
        user = ("U1", "U2") if table in ("mangle", "filter") else ()
        lines.append(f"*{table}")
        for hook in hooks:
            policy = choose.choice(("ACCEPT", "ACCEPT", "DROP")) if table == "filter" else "ACCEPT"
            lines.append(f":{hook} {policy} [0:0]")
        lines += [f":{name} - [0:0]" for name in user]
        if table == "filter":  # without any rule that needs it, conntrack is off, and nat is never asked
            lines += [] if "OUTPUT" in hooks else [":OUTPUT ACCEPT [0:0]"]
            lines.append("-A OUTPUT -m conntrack --ctstate NEW")
        for chain in (*hooks, *user):
            for _ in range(choose.randrange(1, 5)):
                targets = ["", "-j ACCEPT", "-j RETURN"]
                words = match(chain)
                if table == "filter":
                    targets += ["-j DROP", "-j DROP"]
                    if where is RECEIVED:  # elsewhere the error itself passes the rules, and is counted
                        targets.append("-j REJECT --reject-with icmp-port-unreachable")
                if table == "mangle":
                    targets += ["-j MARK --set-xmark 0x1/0xffffffff", "-j MARK --set-xmark 0x2/0x2"]
                if table == "nat" and chain in ("PREROUTING", "OUTPUT"):
                    words = [one for one in words if "-p " not in one] + ["-p tcp"]
                    targets += ["-j DNAT --to-destination 10.78.0.3:80", "-j DNAT --to-destination 10.78.0.2"]
                if table == "nat" and chain == "POSTROUTING":
                    targets += ["-j MASQUERADE", f"-j SNAT --to-source {RIGHT}"]
                if chain in hooks and user:
                    targets += [f"-j {choose.choice(user)}", f"-g {choose.choice(user)}"]
                elif chain == "U1":
                    targets += ["-j U2", "-g U2"]
                lines.append(" ".join(["-A", chain, *words, choose.choice(targets)]).strip())
        lines.append("COMMIT")
    return "\n".join(lines) + "\n"


def random_native(seed: int) -> str:
    """Invent rules for ``nft -f``."""
    choose = random.Random(seed)

    def match(hook: str) -> str:
        no = choose.choice(("", "", "!= "))
        sources = ("10.77.0.2", "10.77.0.0/24", "{ 10.77.0.2, 10.77.9.9 }", "10.77.0.2-10.77.0.3")
        kinds = [
            "",
            f"ip saddr {no}{choose.choice(sources)}",
            f"ip daddr {no}{choose.choice(('@behind', '10.78.0.0/24', LEFT))}",
            f"iifname {no}{choose.choice(('r0', 'lo', '{ r0, r1 }'))}" if hook != "postrouting" else 'oifname "r1"',
            f"meta l4proto {no}{choose.choice(('tcp', 'udp', '{ tcp, icmp }'))}",
            f"tcp dport {no}{choose.choice(('80', '{ 53, 443 }', '1000-1300'))}",
            f"udp sport {no}{choose.choice(('@low', '53'))}",
            f"ct state {choose.choice(('new', 'established,related', 'invalid'))}",
            f"meta mark {no}{choose.choice(('0x1', '0x0'))}",
            f"fib daddr type {no}{choose.choice(('local', 'unicast'))}",
            f"icmp type {no}{choose.choice(('echo-request', '13'))}",
            f"ip ttl {choose.choice(('64', '< 64', '> 63'))}",
            "tcp flags & (fin | syn | rst | ack) == syn",
            "ip saddr . tcp dport { 10.77.0.2 . 80, 10.77.0.3 . 443 }",
        ]
        return choose.choice(kinds)

    def rules(hook: str, *targets: str) -> str:
        lines = []
        for _ in range(choose.randrange(1, 5)):
            target = choose.choice(("", "accept", "return", *targets))
            lines.append(f"    {match(hook)} counter {target}".rstrip())
        return "\n".join(lines)

    policy = choose.choice(("accept", "accept", "drop"))
    dispatch = choose.choice(("tcp dport vmap { 80 : jump user, 443 : drop }", "ct state vmap { new : goto user }", ""))
    return f"""
table inet one {{
  set behind {{ type ipv4_addr; elements = {{ {choose.choice(BEHIND)} }}; }}
  set low {{ type inet_service; flags interval; elements = {{ 53, 1000-12000 }}; }}
  chain user {{
{rules("forward", "drop", "meta mark set 0x1")}
  }}
  chain before {{
    type filter hook prerouting priority mangle; policy accept;
{rules("prerouting", "meta mark set 0x1", "drop")}
  }}
  chain forward {{
    type filter hook forward priority filter; policy {policy};
    ct state new counter
    {dispatch}
{rules("forward", "drop", "jump user", "goto user", "reject")}
  }}
  chain input {{
    type filter hook input priority filter; policy accept;
{rules("input", "drop", "jump user")}
  }}
}}
table ip two {{
  set behind {{ type ipv4_addr; elements = {{ {choose.choice(BEHIND)} }}; }}
  set low {{ type inet_service; elements = {{ 53 }}; }}
  chain translate_dst {{
    type nat hook prerouting priority dstnat; policy accept;
{rules("prerouting", "dnat to 10.78.0.3", "dnat to 10.78.0.2")}
  }}
  chain forward {{
    type filter hook forward priority 10; policy accept;
{rules("forward", "drop")}
  }}
  chain translate_src {{
    type nat hook postrouting priority srcnat; policy accept;
{rules("postrouting", "masquerade", f"snat to {RIGHT}")}
  }}
}}
"""


def random_packets(seed: int, count: int) -> list[Sent]:
    """Invent packets, each of a connection of its own."""
    choose = random.Random(seed)
    return [
        Sent(
            number=number,
            proto=choose.choice(("tcp", "udp", "icmp")),
            src=choose.choice(SOURCES),
            dst=choose.choice((*BEHIND, *BEHIND, LEFT)),
            sport=choose.choice((53, 80, 1100)) + 10_000 * (number % 5) + number,
            dport=choose.choice((53, 80, 443, 1000, 1200, 9000)),
            icmp_type=choose.choice((8, 8, 13)),
        )
        for number in range(1, count + 1)
    ]


def can_filter() -> bool:
    """Tell whether namespaces and iptables can be had."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
    except OSError:
        return False
    return True
