"""A server with a short word and a long answer, and its client: ``big.py serve PORT`` and ``big.py ask HOST PORT``."""

import socket
import sys
from contextlib import suppress

HEAD, BODY = b"here it comes\n", bytes(60_000)
PATIENCE_S = 2.5


def serve(port: str) -> None:
    """Answer one client after the other, for ever."""
    with socket.create_server(("", int(port))) as listening:
        while True:
            client, _ = listening.accept()
            with client, suppress(OSError):
                client.recv(1000)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.sendall(HEAD)
                client.sendall(BODY)


def ask(host: str, port: str) -> None:
    """Take what comes, and give up when nothing does."""
    with suppress(OSError), socket.create_connection((host, int(port)), PATIENCE_S) as client:
        client.sendall(b"send all\n")
        while client.recv(65536):
            pass


if __name__ == "__main__":
    serve(sys.argv[2]) if sys.argv[1] == "serve" else ask(*sys.argv[2:])
