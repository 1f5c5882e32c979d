"""FTP through NAT: ``ftp.py serve PORT NAMED LOW HIGH`` and ``ftp.py list HOST PORT active|passive``.

The server names the address *NAMED* in passive mode, ``-`` for that of the connection itself, and one of its ports
*LOW* to *HIGH*, 0 for any.
"""

import ftplib
import socket
import sys
from contextlib import suppress

PATIENCE_S = 1.0


def serve(port: str, named: str, low: str, high: str) -> None:
    """Serve one client after the other, for ever."""
    with socket.create_server(("", int(port))) as listening:
        while True:
            client, _ = listening.accept()
            with client, suppress(OSError):
                _Session(client, named, range(int(low), int(high) + 1)).run()


class _Session:
    def __init__(self, client: socket.socket, named: str, ports: range) -> None:
        self.client, self.ports = client, ports
        self.named = client.getsockname()[0] if named == "-" else named
        self.far: tuple[str, int] | None = None
        self.waiting: socket.socket | None = None

    def say(self, text: str) -> None:
        self.client.sendall(f"{text}\r\n".encode())

    def run(self) -> None:
        self.say("220 ready")
        for line in self.client.makefile("rb"):
            word, _, rest = line.decode().strip().partition(" ")
            if word in ("USER", "PASS"):
                self.say("331 and?" if word == "USER" else "230 welcome")
            elif word == "TYPE":
                self.say("200 as you like")
            elif word == "PORT":
                numbers = rest.split(",")
                self.far = ".".join(numbers[:4]), int(numbers[4]) << 8 | int(numbers[5])
                self.say("200 there, then")
            elif word == "PASV":
                self._passive()
            elif word in ("LIST", "NLST"):
                self._transfer()
            else:
                self.say("221 bye" if word == "QUIT" else "502 no")

    def _passive(self) -> None:
        for port in self.ports:
            with suppress(OSError):
                self.waiting = socket.create_server(("", port))
                break
        assert self.waiting is not None
        self.waiting.settimeout(PATIENCE_S)
        port = self.waiting.getsockname()[1]
        self.say(f"227 Entering Passive Mode ({self.named.replace('.', ',')},{port >> 8},{port & 255}).")

    def _transfer(self) -> None:
        try:
            if self.waiting is not None:
                data, _ = self.waiting.accept()
            else:
                assert self.far is not None
                data = socket.create_connection(self.far, PATIENCE_S)
        except OSError:
            self.say("425 no data connection")
            return
        self.say("150 here it comes")
        with data:
            data.sendall(b"one\r\ntwo\r\n")
        self.say("226 that was it")


def listed(host: str, port: str, mode: str) -> None:
    """Ask for the names of files."""
    with suppress(OSError, EOFError, ftplib.Error), ftplib.FTP(timeout=PATIENCE_S * 3) as client:
        client.connect(host, int(port))
        client.login("somebody", "something")
        client.set_pasv(mode != "active")
        client.trust_server_pasv_ipv4_address = mode == "trusting"
        print(client.nlst())


if __name__ == "__main__":
    {"serve": serve, "list": listed}[sys.argv[1]](*sys.argv[2:])
