"""Ends that speak HTTP and TLS: ``spoken.py serve PORT``, ``spoken.py tls|plain ADDRESS PORT``.

``serve`` is a server of plain HTTP, which answers what it does not understand with 400, as all do.
"""

import socket
import ssl
import sys
from contextlib import suppress

REQUEST = b"GET / HTTP/1.1\r\nHost: hook\r\nConnection: close\r\n\r\n"
WAIT_S = 3


def serve(port: str) -> None:
    """Answer for ever."""
    with socket.create_server(("", int(port))) as listening:
        while True:
            client, _ = listening.accept()
            with client:
                asked = client.recv(2000)
                status = b"200 OK" if asked.startswith(b"GET ") else b"400 Bad Request"
                client.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")
                client.settimeout(WAIT_S)
                with suppress(OSError):
                    client.recv(2000)


def talk(how: str, address: str, port: str) -> None:
    """Ask once, by TLS or without."""
    with suppress(OSError), socket.create_connection((address, int(port)), WAIT_S) as client:
        if how == "plain":
            client.sendall(REQUEST)
            client.recv(2000)
            return
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.wrap_socket(client, server_hostname="hook")


if __name__ == "__main__":
    serve(sys.argv[2]) if sys.argv[1] == "serve" else talk(*sys.argv[1:])
