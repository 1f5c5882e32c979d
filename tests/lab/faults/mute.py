"""A server that says nothing: ``mute.py close|reset|hang PORT``; and ``mute.py look``, which looks around by mDNS.

``close`` closes what it accepts at once, ``reset`` ends it after the first request, ``hang`` does neither.
"""

import socket
import struct
import sys
import time

MDNS = ("224.0.0.251", 5353)
QUESTION = bytes(4) + b"\0\1" + bytes(6) + b"\x05_http\x04_tcp\x05local\0\0\x0c\0\1"


def serve(how: str, port: str) -> None:
    """Accept for ever."""
    kept = []
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("", int(port)))
        listening.listen(16)
        while True:
            client, _ = listening.accept()
            if how == "reset":
                client.recv(1000)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if how == "hang":
                kept.append(client)
            else:
                client.close()


def look() -> None:
    """Ask who serves what."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _ in range(3):
            asking.sendto(QUESTION, MDNS)
            time.sleep(0.3)


if __name__ == "__main__":
    serve(*sys.argv[1:]) if sys.argv[2:] else look()
