"""A name server and a resolver: ``names.py serve ADDRESS`` and ``names.py ask SERVER NAME...``.

The first label of a name says what the server does: ``ok`` and everything else is answered with an address,
``servfail``, ``refused`` and ``nx`` with that error, ``web``, which is a container, as one that is not there,
``slow`` after more than a second, ``elsewhere`` from another address, ``six`` with an IPv6 address alone, ``none``
with none, ``blocked`` with 0.0.0.0, ``silent`` not at all. ``ask`` sends A and AAAA at once from one socket, as glibc
does, and waits for both; a name ``=other`` is asked for A alone.
"""

import socket
import struct
import sys
import time
from contextlib import suppress

ERRORS = {"servfail": 2, "nx": 3, "web": 3, "refused": 5}
ELSEWHERE = "198.51.100.54"
ANSWER = bytes([0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 51, 100, 80])
BLOCKED = ANSWER[:-4] + bytes(4)
ANSWER6 = bytes([0xC0, 12, 0, 28, 0, 1, 0, 0, 0, 60, 0, 16]) + socket.inet_pton(socket.AF_INET6, "2001:db8::80")
KINDS = {"A": 1, "AAAA": 28}
TIMEOUT_S, SLOW_S = 1.5, 1.3


def serve(address: str) -> None:
    """Answer for ever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind((address, 53))
        while True:
            data, sender = listening.recvfrom(4096)
            label = data[13 : 13 + data[12]].decode("ascii", "replace").lower()
            if label == "silent":
                continue
            if label == "slow":
                time.sleep(SLOW_S)
            end = data.index(0, 12) + 5
            code = ERRORS.get(label, 0)
            kind = data[end - 4 : end - 2]
            found = code == 0 and label != "none" and kind == (b"\0\x1c" if label == "six" else b"\0\1")
            head = data[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, int(found), 0, 0)
            record = {"six": ANSWER6, "blocked": BLOCKED}.get(label, ANSWER)
            answer = head + data[12:end] + (record if found else b"")
            if label == "elsewhere":
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                    other.bind((ELSEWHERE, 53))
                    other.sendto(answer, sender)
                continue
            listening.sendto(answer, sender)


def ask(server: str, *names: str) -> None:
    """Ask for each name."""
    for number, name in enumerate(names):
        kinds = ["A"] if name.startswith("=") else ["A", "AAAA"]
        labels = b"".join(bytes([len(part)]) + part.encode() for part in name.lstrip("=").split("."))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client, suppress(OSError):
            client.settimeout(TIMEOUT_S)
            client.connect((server, 53))
            for kind in kinds:
                head = struct.pack("!HHHHHH", 100 * number + KINDS[kind], 0x0100, 1, 0, 0, 0)
                client.send(head + labels + b"\0" + struct.pack("!HH", KINDS[kind], 1))
            for _ in kinds:
                client.recv(4096)


if __name__ == "__main__":
    {"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
