"""Servers and clients whose packets are all different, so that tests can tell which is which.

``peers.py serve http|tcp|udp PORT [ADDRESS]`` and ``peers.py talk tcp|udp ADDRESS PORT [key=value]...`` with
``source=PORT``, ``count=N``, ``size=BYTES``, ``same=1`` (equal payloads), ``reuse=N`` (connections one after
the other on one port), ``answer=BYTES`` (how much to wait for), ``lossy=1`` (mind neither loss nor refusal),
``abort=1`` (end with RST, so that nothing lingers), ``rest=MS`` (before each message but the first).
``peers.py flood ADDRESS PORT COUNT`` sends equal datagrams from so many ports, IP id 0.
"""

import socket
import sys
import threading
import time
from contextlib import nullcontext, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TIMEOUT_S = 3
IP_MTU_DISCOVER, IP_PMTUDISC_DO = 10, 2
"""Of linux/in.h; the socket module does not name them."""


class Page(BaseHTTPRequestHandler):
    """One small page."""

    def do_GET(self) -> None:
        """Answer every path alike."""
        body = b"<title>hoptrace</title>" + b"<p>hello from the internet</p>" * 40
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class Server6(ThreadingHTTPServer):
    """Serves both families."""

    address_family = socket.AF_INET6


def serve(kind: str, port: int, address: str = "::") -> None:
    """Serve for ever; a UDP server of a host with several addresses needs one, to answer from it."""
    if kind == "http":
        pages = Server6((address, port), Page)
        print("ready", flush=True)
        pages.serve_forever()
    udp = kind == "udp"
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        if udp:
            print("ready", flush=True)
            _answer_datagrams(listening)
        listening.listen(64)
        print("ready", flush=True)
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=_echo, args=(connection,), daemon=True).start()


def _answer_datagrams(listening: socket.socket) -> None:
    while True:
        data, sender = listening.recvfrom(65535)
        listening.sendto(b"answer to " + data[:1200], sender)


def _echo(connection: socket.socket) -> None:
    with connection, suppress(ConnectionError):
        while data := connection.recv(65536):
            connection.sendall(b"answer to " + data)


def talk(kind: str, address: str, port: int, options: dict[str, int]) -> None:
    """Send ``count`` numbered messages and wait for each answer."""
    for turn in range(options.get("reuse", 1)):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM) as client:
            client.settimeout(TIMEOUT_S)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if options.get("source"):
                client.bind(("", options["source"]))
            if kind == "tcp" and (options.get("reuse") or options.get("abort")):
                # An RST instead of FIN frees the port at once, so that the next connection can have it.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.connect((address, port))
            for number in range(options.get("count", 5)):
                time.sleep(options.get("rest", 0) / 1000 if number else 0)
                label = "same" if options.get("same") else f"{turn}.{number} from {client.getsockname()[1]} "
                client.sendall(label.encode().ljust(options.get("size", 64), b"."))
                with suppress(OSError) if options.get("lossy") else nullcontext():
                    _receive(client, options.get("answer", 1))


def flood(address: str, port: int, count: int) -> None:
    """Send one datagram each from *count* ports, then take the answers; unconnected, so the IP id is 0 (DF is set)."""
    clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for client in clients:
        client.settimeout(TIMEOUT_S)
        client.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
        client.sendto(b"equal everywhere", (address, port))
    for client in clients:
        client.recv(2048)
        client.close()


def _receive(client: socket.socket, least: int) -> None:
    """Wait for an answer of at least so many bytes."""
    while least > 0 and (data := client.recv(65536)):
        least -= len(data)


def main(arguments: list[str]) -> None:
    """Run a server or a client."""
    if arguments[0] == "serve":
        serve(arguments[1], int(arguments[2]), *arguments[3:])
        return
    if arguments[0] == "flood":
        flood(arguments[1], int(arguments[2]), int(arguments[3]))
        return
    options = {key: int(value) for key, value in (text.split("=") for text in arguments[4:])}
    talk(arguments[1], arguments[2], int(arguments[3]), options)


if __name__ == "__main__":
    main(sys.argv[1:])
