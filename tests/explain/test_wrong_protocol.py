"""Clients and servers that speak different protocols: what both said first."""

from pathlib import Path

import pytest

from tests.build import tcp
from tests.explain.scene import SERVER, Scene
from tests.explain.state import dumps

HYPOTHESIS = "wrong-protocol"
SYN, SYN_ACK, PSH, FIN = 0x02, 0x12, 0x18, 0x11
PORT = 40_000
HELLO = b"\x16\3\1\0\x2a\1\0\0\x26\3\3" + bytes(36)
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
ALERT = b"\x15\3\1\0\2\2\x46"
REFUSED = b"HTTP/1.1 400 Bad Request\r\n\r\n"
TO_TLS = b"HTTP/1.1 400 Bad Request\r\n\r\nThe plain HTTP request was sent to HTTPS port"


def _talk(scene: Scene, asked: bytes, answered: bytes, *, sport: int = PORT, dport: int = 8443, at: float = 0) -> None:
    scene.out(at, 6, tcp(sport, dport, 1, 0, SYN))
    scene.back(at + 1, 6, tcp(dport, sport, 100, 2, SYN_ACK))
    if asked:
        scene.out(at + 2, 6, tcp(sport, dport, 2, 101, PSH, payload=asked))
    if answered:
        scene.back(at + 3, 6, tcp(dport, sport, 101, 2 + len(asked), PSH, payload=answered))


@pytest.mark.parametrize(
    ("asked", "answered", "kinds"),
    [
        (HELLO, REFUSED, ["tls"]),
        (HELLO, b"HTTP/1.0 400 Bad Request\r\n\r\n", ["tls"]),
        (HELLO, b"<!DOCTYPE HTML>\n<html>Error 400", ["tls"]),
        (HELLO, b"SSH-2.0-OpenSSH_9.6\r\n", []),
        (HELLO, ALERT, []),
        (REQUEST, ALERT, ["plain"]),
        (REQUEST, TO_TLS, ["plain"]),
        (REQUEST, TO_TLS.replace(b"400 Bad Request", b"200 OK"), []),
        (REQUEST, REFUSED, []),
        (b"QUIT\r\n", ALERT, []),
        (HELLO, b"", []),
        (b"", REFUSED, []),
    ],
    ids=["tls-to-http", "old-http", "a-page-alone", "tls-to-ssh", "tls-refused", "http-to-tls", "http-told-so",
         "a-page-about-https", "http-refused", "neither", "not-answered", "not-asked"],
)  # fmt: skip
def test_what_both_said_first_tells_which_protocols_they_speak(
    tmp_path: Path, asked: bytes, answered: bytes, kinds: list[str]
) -> None:
    """Two that speak the same may well disagree; that is another matter."""
    scene = Scene(tmp_path, dumps=dumps())
    _talk(scene, asked, answered)

    assert [one.facts["kind"] for one in scene.findings(HYPOTHESIS)] == kinds


def test_only_the_first_words_count(tmp_path: Path) -> None:
    """A connection that began well changes its protocol with both ends' consent."""
    scene = Scene(tmp_path, dumps=dumps())
    _talk(scene, REQUEST, b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    scene.out(10, 6, tcp(PORT, 8443, 2 + len(REQUEST), 137, PSH, payload=HELLO))
    scene.back(11, 6, tcp(8443, PORT, 137, 2 + len(REQUEST + HELLO), PSH, payload=ALERT))

    assert scene.findings(HYPOTHESIS) == []


def test_each_server_and_kind_is_told_once(tmp_path: Path) -> None:
    """With how many connections there were, and the frames of what was said."""
    scene = Scene(tmp_path, dumps=dumps())
    for number, (asked, answered, dport) in enumerate(
        ((HELLO, REFUSED, 8443), (HELLO, REFUSED, 8443), (REQUEST, ALERT, 8443), (HELLO, REFUSED, 9443))
    ):
        _talk(scene, asked, answered, sport=PORT + number, dport=dport, at=100 * number)
    found = {(one.facts["server"], one.facts["kind"]): one for one in scene.findings(HYPOTHESIS)}

    assert {key: (one.facts["count"], len(one.evidence)) for key, one in found.items()} == {
        (f"{SERVER}:8443", "tls"): (2, 4), (f"{SERVER}:8443", "plain"): (1, 2), (f"{SERVER}:9443", "tls"): (1, 2),
    }  # fmt: skip


def test_a_server_that_then_closes_is_not_accused_of_that(tmp_path: Path) -> None:
    """It did not understand, so its reset or silence follows from that."""
    scene = Scene(tmp_path, dumps=dumps())
    _talk(scene, HELLO, REFUSED)
    scene.back(4, 6, tcp(8443, PORT, 101 + len(REFUSED), 2 + len(HELLO), 0x14))
    scene.out(9000, 17, b"\0\7\0\7\0\x08\0\0", dst="9.9.9.9")

    assert [one.check for one in scene.findings() if one.severity == "error"] == [HYPOTHESIS]
