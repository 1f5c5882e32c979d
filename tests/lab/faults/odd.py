"""Peers that misbehave, one function each.

``odd.py stall PORT``, ``odd.py push ADDRESS PORT``, ``odd.py reset SRC DST SPORT DPORT``,
``odd.py flow ADDRESS PORT SOURCE COUNT``, ``odd.py slow ADDRESS PORT COUNT``, ``odd.py two ADDRESS PORT``,
``odd.py crowd ADDRESS PORT COUNT``.
"""

import socket
import struct
import sys
import time
from contextlib import suppress

WAIT_S = 3


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
    with socket.create_connection((address, int(port)), WAIT_S) as client, suppress(OSError):
        client.settimeout(WAIT_S)
        while True:
            client.sendall(b"." * 20_000)


def reset(src: str, dst: str, sport: str, dport: str) -> None:
    """Send the RST that a host sends long after it has forgotten a connection."""
    tcp = struct.pack("!HHIIBBHHH", int(sport), int(dport), 1_000_000, 0, 5 << 4, 0x04, 0, 0, 0)
    pseudo = socket.inet_aton(src) + socket.inet_aton(dst) + struct.pack("!BBH", 0, 6, len(tcp))
    total = sum(struct.unpack(f"!{len(pseudo + tcp) // 2}H", pseudo + tcp))
    total = (total & 0xFFFF) + (total >> 16)
    total = ~(total + (total >> 16)) & 0xFFFF
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
    with socket.create_connection((address, int(port)), WAIT_S) as client, suppress(OSError):
        client.settimeout(1)
        for number in range(int(count)):
            client.sendall(b"message %d" % number)
            with suppress(OSError):
                client.recv(2048)
            time.sleep(0.3)


def two(address: str, port: str) -> None:
    """Send a small message, then a large one."""
    with socket.create_connection((address, int(port)), WAIT_S) as client, suppress(OSError):
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
            client = socket.create_connection((address, int(port)), 0.5)
            kept.append(client)
            client.settimeout(0.5)
            client.sendall(b"here")
            client.recv(100)
    time.sleep(30)


if __name__ == "__main__":
    {function.__name__: function for function in (stall, push, reset, flow, slow, two, crowd)}[sys.argv[1]](
        *sys.argv[2:]
    )
