"""FTP's data connections, whose ends are named in what is said on port 21."""

from pathlib import Path
from typing import Any

import pytest

from analyzer.model import Finding
from tests.build import C1, tcp
from tests.explain.scene import HOST, INSIDE, SERVER, Scene
from tests.explain.state import dumps

HYPOTHESIS = "ftp-data-unreachable"
SYN, SYN_ACK, PSH, FIN, RST = 0x02, 0x12, 0x18, 0x11, 0x14
CLIENT, PORT, DATA = "203.0.113.9", 40_000, 30_000
PORT_COMMAND = b"PORT 172,17,0,2,117,48\r\n"
PASV = b"227 Entering Passive Mode (172,17,0,2,117,48).\r\n"
EPSV = b"229 Entering Extended Passive Mode (|||30000|)\r\n"


class _Ftp:
    """A control connection, from a container outwards, or from outside to a container's published port."""

    def __init__(self, folder: Path, *, inwards: bool, ports: dict[str, Any] | None = None) -> None:
        server: dict[str, Any] = {
            "Name": "/c2", "NetworkSettings": {"Networks": {"bridge": {"IPAddress": INSIDE, "MacAddress": C1}},
                                               "Ports": ports or {"21/tcp": [{"HostPort": "21"}]}},
        }  # fmt: skip
        self.scene = Scene(folder, dumps=dumps(docker_inspect=[server]))
        self.inwards, self.at, self.sequence = inwards, 0, [1, 1]
        for flags in (SYN, SYN_ACK):
            self.send(flags == SYN_ACK, b"", flags)

    def send(self, reply: bool, text: bytes = b"", flags: int = PSH, *, rewritten: bytes = b"") -> None:
        """Let the client, or the server, say something; a helper may rewrite it on its way out."""
        self.at += 10
        ends = (21, PORT) if reply else (PORT, 21)
        said = [tcp(*ends, self.sequence[reply], self.sequence[not reply], flags, body) for body in (text, rewritten)]
        self.sequence[reply] += max(len(text), 1)
        leaves = reply == self.inwards
        far = CLIENT if self.inwards else SERVER
        if leaves and rewritten:
            self.scene.out(self.at, 6, said[0], dst=far, until="docker0")
            self.scene.out(self.at + 0.1, 6, said[1], src=HOST, dst=far, masked=None, veth="wlan0", until="wlan0")
        elif leaves:
            self.scene.out(self.at, 6, said[0], dst=far)
        else:
            self.scene.back(self.at, 6, said[0], src=far)

    def told(self, *, waits: bool = False) -> list[Finding]:
        """Return what is told, with captures that end at once, or later."""
        if waits:
            self.scene.out(9000, 17, b"\0" * 8, dst="1.1.1.1")
        return self.scene.findings(HYPOTHESIS)


def _says(ftp: _Ftp, *lines: tuple[bool, bytes]) -> None:
    for reply, text in lines:
        ftp.send(reply, text)


@pytest.mark.parametrize(
    ("command", "answers", "codes"),
    [
        (PORT_COMMAND, [b"200 yes\r\n", b"425 no\r\n"], ["425"]),
        (b"EPRT |1|172.17.0.2|30000|\r\n", [b"500 no\r\n"], ["500"]),
        (b"eprt |1|172.17.0.2|30000|\r\n", [b"522 no\r\n"], ["522"]),
        (PORT_COMMAND, [b"200 yes\r\n", b"150 here\r\n", b"226 done\r\n"], []),
        (PORT_COMMAND, [b"200 yes\r\n"], []),
        (b"PORT 192,168,1,100,117,48\r\n", [b"425 no\r\n"], []),
        (b"PORT 172,17,0,999,117,48\r\n", [b"501 no\r\n"], []),
        (b"PORT 172,17,0,2\r\n", [b"501 no\r\n"], []),
        (b"LIST\r\n", [b"425 no\r\n"], []),
    ],
    ids=["refused", "extended", "in-small-letters", "works", "not-over", "right-address", "no-address", "too-short",
         "nothing-named"],
)  # fmt: skip
def test_active_mode(tmp_path: Path, command: bytes, answers: list[bytes], codes: list[str]) -> None:
    """An address that only the client's side knows, and a server that cannot connect to it."""
    ftp = _Ftp(tmp_path, inwards=False)
    _says(ftp, (True, b"220 ready\r\n"), (False, command), *((True, answer) for answer in answers))

    assert [one.facts["code"] for one in ftp.told()] == codes


def test_what_a_helper_rewrites_is_right(tmp_path: Path) -> None:
    """Outside another address is named than inside."""
    ftp = _Ftp(tmp_path, inwards=False)
    ftp.send(False, PORT_COMMAND, rewritten=b"PORT 192,168,1,100,117,48\r\n")
    ftp.send(True, b"425 no\r\n")

    assert not ftp.told()


@pytest.mark.parametrize(("ends", "waits", "told"), [(True, False, 1), (False, True, 1), (False, False, 0)])
def test_passive_mode(tmp_path: Path, ends: bool, waits: bool, told: int) -> None:
    """The server names its own address; the client says no more, ends, or the recording does."""
    ftp = _Ftp(tmp_path, inwards=True)
    _says(ftp, (False, b"PASV\r\n"), (True, PASV))
    if ends:
        ftp.send(False, flags=FIN)

    assert [one.facts["why"] for one in ftp.told(waits=waits)] == ["inner-address"] * told


@pytest.mark.parametrize(
    ("ports", "answer", "reasons"),
    [
        ({"21/tcp": [{"HostPort": "21"}]}, RST, ["port-not-published"]),
        ({"21/tcp": [{"HostPort": "21"}], "30000/tcp": [{"HostPort": "30000"}]}, RST, []),
        ({"21/tcp": [{"HostPort": "21"}]}, SYN_ACK, []),
    ],
    ids=["unpublished", "published", "answers"],
)
def test_a_passive_port(tmp_path: Path, ports: dict[str, Any], answer: int, reasons: list[str]) -> None:
    """The client connects to the host at that port, which leads to nobody; whoever answers there is right."""
    ftp = _Ftp(tmp_path, inwards=True, ports=ports)
    _says(ftp, (False, b"EPSV\r\n"), (True, EPSV))
    ends = {"src": CLIENT, "dst": HOST, "masked": None, "until": "wlan0"}
    ftp.scene.back(500, 6, tcp(PORT + 1, DATA, 1, 0, SYN), **ends)  # type: ignore[arg-type]
    body = tcp(DATA, PORT + 1, 1, 2, answer)
    ftp.scene.out(501, 6, body, src=HOST, dst=CLIENT, masked=None, veth="wlan0", until="wlan0", mac="3c:22:fb:10:20:30")

    found = ftp.told()
    assert [one.facts["why"] for one in found] == reasons
    assert all(one.facts["connections_tried"] == 1 for one in found)
