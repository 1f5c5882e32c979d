"""What both ends of a TCP connection said first: whose words are read, and what protocol they are."""

from pathlib import Path

import pytest

from analyzer.decode.tls import is_alert, is_hello, server_name
from analyzer.explain import spoken
from analyzer.explain.spoken import MOST_SAID, asked_names, first_words, is_request
from tests.build import tcp, udp
from tests.explain.scene import INSIDE, INSIDE6, SERVER, SERVER6, Scene

SYN, SYN_ACK, PSH = 2, 0x12, 0x18
PORT = 40_000
REQUEST = b"GET / HTTP/1.1\r\n\r\n"


def _hello(*extensions: bytes, session: bytes = b"", record: int = 1) -> bytes:
    """Return a ClientHello (RFC 8446 section 4.1.2)."""
    told = b"".join(extensions)
    body = b"\3\3" + bytes(32) + bytes([len(session)]) + session + b"\0\4\x13\1\x13\2" + b"\1\0"
    body += len(told).to_bytes(2) + told
    return b"\x16\3" + bytes([record]) + (len(body) + 4).to_bytes(2) + b"\1" + len(body).to_bytes(3) + body


def _sni(name: bytes) -> bytes:
    return b"\0\0" + (len(name) + 5).to_bytes(2) + (len(name) + 3).to_bytes(2) + b"\0" + len(name).to_bytes(2) + name


OTHER = b"\0\x17\0\2ab"


def _talk(
    scene: Scene, number: int, asked: bytes = b"", answered: bytes = b"", src: str = INSIDE, dst: str = SERVER
) -> None:
    """Open a connection, in which each side says something."""
    port, ms, seq = PORT + number, 10 * number, 1000 * number
    masked = None if ":" in src else "192.168.1.100"
    scene.out(ms, 6, tcp(port, 80, seq + 1, 0, SYN), src=src, dst=dst, masked=masked)
    scene.back(ms + 1, 6, tcp(80, port, seq + 100, seq + 2, SYN_ACK), src=dst, dst=src, masked=masked)
    if asked:
        first = tcp(port, 80, seq + 2, seq + 101, PSH, asked, stamps=(1, 2))
        more = tcp(port, 80, seq + 2 + len(asked), seq + 101, PSH, b"later")
        scene.out(ms + 2, 6, first, src=src, dst=dst, masked=masked)
        scene.out(ms + 3, 6, more, src=src, dst=dst, masked=masked)
    if answered:
        body = tcp(80, port, seq + 101, seq + 2 + len(asked), PSH, answered)
        scene.back(ms + 4, 6, body, src=dst, dst=src, masked=masked)


@pytest.mark.parametrize(("src", "dst"), [(INSIDE, SERVER), (INSIDE6, SERVER6)], ids=["ipv4", "ipv6"])
def test_the_first_words_of_either_side_are_read(tmp_path: Path, src: str, dst: str) -> None:
    """Behind all headers, with their options; who said nothing has no packet, and no words."""
    scene = Scene(tmp_path)
    _talk(scene, 0, REQUEST, b"HTTP/1.1 400", src, dst)
    _talk(scene, 1, b"", b"220 hello", src, dst)
    _talk(scene, 2, src=src, dst=dst)
    scene.out(100, 17, udp(1, 2, b"x"))
    found = first_words(scene.case())

    assert {number: (said.asked, said.answered) for number, said in found.items()} == {
        0: (REQUEST, b"HTTP/1.1 400"),
        1: (b"", b"220 hello"),
    }
    assert [len(said.packets) for said in found.values()] == [2, 1]


def test_where_the_server_said_much_nothing_is_read(tmp_path: Path) -> None:
    """There nothing went wrong from the start; the limit itself is little."""
    scene = Scene(tmp_path)
    for number, more in enumerate((0, 1)):
        _talk(scene, number, REQUEST, bytes(1000))
        scene.back(10 * number + 5, 6, tcp(80, PORT + number, 1101, 20, PSH, bytes(MOST_SAID - 1000 + more)))

    assert list(first_words(scene.case())) == [0]


def test_of_one_client_and_port_the_first_ones_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than a number of them."""
    monkeypatch.setattr(spoken, "MOST", 2)
    scene = Scene(tmp_path)
    for number in range(3):
        _talk(scene, number, REQUEST, b"no")

    assert list(first_words(scene.case())) == [0, 1]


def test_names_are_those_of_connections_that_begin_with_tls(tmp_path: Path) -> None:
    """By the first words of who asked; others have none."""
    scene = Scene(tmp_path)
    _talk(scene, 0, _hello(_sni(b"a.example")))
    _talk(scene, 1, REQUEST, _hello(_sni(b"b.example")))
    _talk(scene, 2, _hello(OTHER))
    _talk(scene, 3)
    _talk(scene, 4, b"", _hello(_sni(b"c.example")))
    _talk(scene, 5, b"\x17" + _hello(_sni(b"d.example"))[1:])

    assert asked_names(scene.case(), list(range(6))) == {0: "a.example"}
    assert asked_names(scene.case(), [1]) == {}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (_hello(_sni(b"a.example")), "a.example"),
        (_hello(OTHER, _sni(b"a.example"), session=bytes(32)), "a.example"),
        (_hello(_sni(b"")), None),
        (_hello(_sni(b"a b")), None),
        (_hello(_sni(b"x" * 256)), None),
        (_hello(OTHER), None),
        (_hello(), None),
        (_hello(_sni(b"a.example"))[:-1], None),
        (_hello(_sni(b"a.example"))[:40], None),
    ],
    ids=["alone", "behind-others", "empty", "no-name", "too-long", "none", "no-extension", "cut", "cut-early"],
)
def test_a_hello_names_the_server_whole_or_not(text: bytes, name: str | None) -> None:
    """Wherever its extension stands; a part of a name would be another one."""
    assert server_name(text) == name


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (_hello(), (True, False, False)),
        (_hello(record=4), (True, False, False)),
        (_hello(record=5), (False, False, False)),
        (b"\x16\2\1\0\5\1", (False, False, False)),
        (b"\x16\3\1\0\5\2", (False, False, False)),
        (b"\x16\3\1\0\5", (False, False, False)),
        (b"\x15\3\3\0\2", (False, True, False)),
        (b"\x15\3\3\0", (False, False, False)),
        (REQUEST, (False, False, True)),
        (b"PATCH /x HTTP/1.0\n", (False, False, True)),
        (b"GET / HTTP/2\r\n", (False, False, False)),
        (b"get / HTTP/1.1\r\n", (False, False, False)),
        (b"x" + REQUEST, (False, False, False)),
    ],
)
def test_which_protocol_somebody_speaks(text: bytes, kinds: tuple[bool, bool, bool]) -> None:
    """A ClientHello, not a server's; an alert; a request of HTTP/1 with a whole first line."""
    assert (is_hello(text), is_alert(text), is_request(text)) == kinds
