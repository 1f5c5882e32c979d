"""Peers that misbehave, one function each.

``odd.py stall PORT``, ``odd.py push ADDRESS PORT``, ``odd.py reset SRC DST SPORT DPORT``,
``odd.py flow ADDRESS PORT SOURCE COUNT``, ``odd.py slow ADDRESS PORT COUNT``, ``odd.py two ADDRESS PORT``,
``odd.py crowd ADDRESS PORT COUNT``, ``odd.py overshoot SOURCE PORT``,
``odd.py trace ADDRESS``.
"""

import socket
import struct
import sys
import time
from contextlib import suppress

WAIT_S = 3
ETH_P_ALL, OUTGOING = 3, 4
"""Of linux/if_ether.h and linux/if_packet.h; only who takes all protocols sees what goes out."""


ABORT = b"\1\0\0\0\0\0\0\0"
"""struct linger: close with RST at once, so that nothing of this fault is seen in the next one."""


def connect(address: str, port: str) -> socket.socket:
    """Open a connection that ends with RST."""
    client = socket.create_connection((address, int(port)), WAIT_S)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    return client


def stall(port: str) -> None:
    """Accept, and never read."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listening.bind(("", int(port)))
        listening.listen(4)
        kept = []
        while True:
            kept.append(listening.accept())


def push(address: str, port: str) -> None:
    """Send until nobody takes any more."""
    with suppress(OSError), connect(address, port) as client:
        client.settimeout(WAIT_S)
        while True:
            client.sendall(b"." * 20_000)


def reset(src: str, dst: str, sport: str, dport: str) -> None:
    """Send the RST that a host sends long after it has forgotten a connection."""
    tcp = struct.pack("!HHIIBBHHH", int(sport), int(dport), 1_000_000, 0, 5 << 4, 0x04, 0, 0, 0)
    pseudo = socket.inet_aton(src) + socket.inet_aton(dst) + struct.pack("!BBH", 0, 6, len(tcp))
    total = _sum(pseudo + tcp)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as out:
        out.sendto(tcp[:16] + struct.pack("!H", total) + tcp[18:], (dst, 0))


def flow(address: str, port: str, source: str, count: str) -> None:
    """Send datagrams from one port and take what is answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.5)
        client.bind(("", int(source)))
        for number in range(int(count)):
            client.sendto(b"datagram %d" % number, (address, int(port)))
            with suppress(OSError):
                client.recv(2048)


def slow(address: str, port: str, count: str) -> None:
    """Send small messages with pauses."""
    with suppress(OSError), connect(address, port) as client:
        client.settimeout(1)
        for number in range(int(count)):
            client.sendall(b"message %d" % number)
            with suppress(OSError):
                client.recv(2048)
            time.sleep(0.3)


def two(address: str, port: str) -> None:
    """Send a small message, then a large one."""
    with suppress(OSError), connect(address, port) as client:
        client.settimeout(5)
        client.sendall(b"small")
        client.recv(2048)
        client.sendall(b"x" * 6000)
        client.recv(65536)


def crowd(address: str, port: str, count: str) -> None:
    """Open connections, use each once, so that conntrack takes them for assured, and keep them."""
    kept = []
    for _ in range(int(count)):
        with suppress(OSError):
            client = connect(address, port)
            kept.append(client)
            client.settimeout(0.5)
            client.sendall(b"here")
            client.recv(100)
    time.sleep(30)


def overshoot(source: str, port: str) -> None:
    """Wait for a connection's first data from a server of this host, and send more, far out of the window."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL)) as tap:
        while True:
            packet, where = tap.recvfrom(65535)
            header = (packet[0] & 15) * 4
            tcp = packet[header:]
            from_server = where[2] == OUTGOING and packet[9] == socket.IPPROTO_TCP
            if not from_server or packet[12:16] != socket.inet_aton(source) or tcp[:2] != struct.pack("!H", int(port)):
                continue
            if struct.unpack_from("!H", packet, 2)[0] > header + (tcp[12] >> 4) * 4:
                break
    sequence = (struct.unpack_from("!I", tcp, 4)[0] + 100_000_000) % (1 << 32)
    target = packet[16:20]
    data = tcp[:4] + struct.pack("!I", sequence) + tcp[8:12] + b"\x50\x18" + tcp[14:16] + b"\0\0\0\0" + b"too far"
    total = _sum(socket.inet_aton(source) + target + struct.pack("!BBH", 0, 6, len(data)) + data)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), 1, 0, 64, 6, 0) + socket.inet_aton(source) + target
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as out:
        out.sendto(ip + data[:16] + struct.pack("!H", total) + data[18:], (socket.inet_ntoa(target), 0))


def trace(address: str) -> None:
    """Send datagrams with a TTL from 1 on, to ports that nobody listens on, as traceroute does."""
    for ttl in range(1, 5):
        for probe in range(2):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client, suppress(OSError):
                client.settimeout(0.3)
                client.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
                client.connect((address, 33434 + ttl * 2 + probe))
                client.send(b"probe")
                client.recv(100)


def _sum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


if __name__ == "__main__":
    {function.__name__: function for function in (stall, push, reset, flow, slow, two, crowd, overshoot, trace)}[
        sys.argv[1]
    ](*sys.argv[2:])
