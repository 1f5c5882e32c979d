"""Questions to name servers: which frames hold messages, and which answer is whose."""

from typing import Any

import numpy as np
import pytest

from analyzer.decode.dns import Message
from analyzer.model import Role
from analyzer.packet import questions as module
from analyzer.packet.context import Context
from analyzer.packet.questions import join_messages, message_of, message_rows
from analyzer.read.records import Interface
from analyzer.schema import Layer
from tests.build import C1, C2, ether, ipv4, tcp, udp
from tests.packet.tables import ECHO, TCP, UDP, Packet, at, connection, context, packet, seen

POINTS = (at(0, "veth-c1", Role.VETH), at(1, "docker0", Role.BRIDGE), at(2, "veth-c2", Role.VETH))
DOCKER = "127.0.0.11"
TEXT = b"0123456789ab-a question"


def _rows(*packets: Packet) -> list[int]:
    return message_rows(context(POINTS, packets)).tolist()


@pytest.mark.parametrize(
    ("columns", "holds"),
    [
        ({"dport": 53}, True),
        ({"sport": 53, "dport": 4000}, True),
        ({"dport": 54}, False),
        ({"dport": 40001, "dst": DOCKER}, True),
        ({"dport": 40001, "src": DOCKER}, False),
        ({"dport": 53, "layers": UDP | Layer.FRAGMENT}, False),
        ({"dport": 53, "layers": UDP, "proto": 132}, False),
        ({"dport": 53, "layers": TCP, "payload_len": 15}, True),
        ({"dport": 53, "layers": TCP, "payload_len": 14}, False),
        ({"dport": 53, "layers": ECHO, "proto": 1}, False),
    ],
)
def test_frames_that_hold_messages(columns: dict[str, Any], holds: bool) -> None:
    """Whole datagrams of port 53, or to Docker's own server; over TCP with more than a length and a header."""
    assert _rows(packet(seen(0, 5, **columns))) == ([0] if holds else [])


def test_a_message_is_read_where_it_was_seen_first() -> None:
    """Once a packet, in order of time."""
    assert _rows(packet(seen(2, 5), seen(1, 6)), packet(seen(0, 7)), packet(seen(0, 8, dport=80))) == [3, 0]


def test_so_many_messages_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ones; of those over TCP fewer."""
    monkeypatch.setattr(module, "MOST", 5)
    monkeypatch.setattr(module, "MOST_TCP", 2)
    kinds = (UDP, TCP, TCP, TCP, UDP, TCP, UDP, UDP)

    assert _rows(*(packet(seen(0, n, layers=layers)) for n, layers in enumerate(kinds))) == [0, 1, 2, 4, 6]


@pytest.mark.parametrize(
    ("layers", "data"),
    [
        (UDP, ether(C1, C2, ipv4("172.17.0.2", "8.8.8.8", 17, udp(4000, 53, TEXT)) + b"padding")),
        (TCP, ether(C1, C2, ipv4("172.17.0.2", "8.8.8.8", 6, tcp(4000, 53, 1, 1, 24, b"\0\x17" + TEXT)) + b"padding")),
        (
            UDP | Layer.VLAN,
            ether(C1, C2, ipv4("172.17.0.2", "8.8.8.8", 17, udp(4000, 53, TEXT)) + b"padding", vlans=(7,)),
        ),
    ],
    ids=["udp", "tcp", "vlan"],
)
def test_the_message_in_a_frame(layers: int, data: bytes) -> None:
    """Behind all headers, and before what the network card fills short frames up with."""
    size = len(TEXT) + (2 if layers & Layer.TCP else 0)
    length = len(data) - 7 - 14 - (4 if layers & Layer.VLAN else 0)
    here = context(POINTS, [packet(seen(0, 5, layers=layers, payload_len=size, ip_len=length))])

    assert message_of(here, 0, data, len(data), Interface(1, 0)) == TEXT


def test_the_message_in_a_cooked_frame() -> None:
    """Its header is another one than Ethernet's."""
    data = bytes(14) + b"\x08\0" + ipv4("172.17.0.2", "8.8.8.8", 17, udp(4000, 53, TEXT))
    here = context(POINTS, [packet(seen(0, 5, payload_len=len(TEXT), ip_len=28 + len(TEXT)))])

    assert message_of(here, 0, data, len(data), Interface(113, 0)) == TEXT


def _asks(time_ns: int, number: int = 0, point: int = 0, **columns: Any) -> Packet:
    return packet(seen(point, time_ns, **columns), connection=number)


def _tells(time_ns: int, number: int = 0, *points: int, **columns: Any) -> Packet:
    back = {"src": "8.8.8.8", "dst": "172.17.0.2", "sport": 53, "dport": 4000, **columns}
    return packet(*(seen(point, time_ns + n, **back) for n, point in enumerate(points or (0,))), connection=number)


def _joined(packets: list[Packet], *messages: Message) -> list[tuple[int, int | None, int | None]]:
    """Return journey, answer and latency of each question; each packet has the message of its number."""
    ends = ("172.17.0.2", 4000, "8.8.8.8", 53)
    rows = [connection(original=ends, reply=(*ends[2:], *ends[:2])) for _ in range(3)]
    here = context(POINTS, packets, connections=rows)
    told = join_messages(here, reversed(list(zip(_first_rows(here), messages, strict=True))))
    return [(query.journey, query.answer, query.latency_ns) for query in told]


def _first_rows(here: Context) -> list[int]:
    found: list[int] = here.hops["row"][here.packet_start[:-1]].tolist()
    return found


def _question(number: int = 7, name: str = "a.example", kind: str = "A") -> Message:
    return Message(number, response=False, name=name, kind=kind, outcome="NOERROR", records=())


def _answer(number: int = 7, name: str = "a.example", kind: str = "A") -> Message:
    return Message(number, response=True, name=name, kind=kind, outcome="NXDOMAIN", records=("192.0.2.1",))


@pytest.mark.parametrize(
    ("answer", "connection_of_answer", "joined"),
    [
        (_answer(), 0, True),
        (_answer(name="A.Example"), 0, True),
        (_answer(8), 0, False),
        (_answer(name="b.example"), 0, False),
        (_answer(kind="AAAA"), 0, False),
        (_answer(), 1, False),
    ],
)
def test_an_answer_is_its_questions(answer: Message, connection_of_answer: int, joined: bool) -> None:
    """By id, name in whatever case (RFC 4343), type and connection."""
    found = _joined([_asks(10), _tells(25, connection_of_answer)], _question(), answer)

    assert found == ([(0, 1, 15)] if joined else [(0, None, None)])


def test_a_question_that_is_sent_again_waits_for_its_own_answer() -> None:
    """The first answer is the oldest question's; what nobody asked, or was answered, is not told."""
    packets = [_tells(5), _asks(10), _asks(20), _tells(25), _tells(37), _tells(40)]
    messages = [_answer(), _question(), _question(), _answer(), _answer(), _answer()]

    assert _joined(packets, *messages) == [(1, 3, 15), (2, 4, 17)]


def test_what_is_told_of_a_question() -> None:
    """Asker and server as the question had them, name and type as it was asked; outcome and records of the answer."""
    ends = ("172.17.0.2", 4000, "8.8.8.8", 53)
    rows = [connection(original=ends, reply=(*ends[2:], *ends[:2]))]
    here = context(POINTS, [_asks(10), _tells(25), _asks(50)], connections=rows)
    asked = [(0, _question(name="A.example")), (1, _answer()), (2, _question(9, "b.example", "PTR"))]
    first, second = join_messages(here, asked)

    assert (first.name, first.kind, str(first.asker), str(first.server), first.asked_ns) == (
        "A.example", "A", "172.17.0.2", "8.8.8.8", 10,
    )  # fmt: skip
    assert (first.outcome, first.records) == ("NXDOMAIN", ("192.0.2.1",))
    assert (second.name, second.kind, second.asked_ns, second.outcome, second.records) == (
        "b.example", "PTR", 50, None, (),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("points", "latency_ns"), [((0,), 15), ((2, 1, 0), 17), ((0, 1), 15), ((1, 2), None), ((0, 0), 16)]
)
def test_an_answer_is_back_where_the_question_began(points: tuple[int, ...], latency_ns: int | None) -> None:
    """The time until the first point of the question saw it last; None if it did not."""
    assert _joined([_asks(10), _tells(25, 0, *points)], _question(), _answer()) == [(0, 1, latency_ns)]


@pytest.mark.parametrize(
    ("port", "point", "joined"), [(4000, 0, True), (4001, 0, False), (4000, 1, False)], ids=["same", "port", "point"]
)
def test_dockers_own_server_is_known_by_the_askers_port(port: int, point: int, joined: bool) -> None:
    """Rules translate both ends inside the container: the answer is not of the question's connection."""
    packets = [_asks(10, 0, dst=DOCKER), _tells(25, 1, point, src=DOCKER, sport=40001, dport=port)]

    assert _joined(packets, _question(), _answer()) == [(0, 1 if joined else None, 15 if joined else None)]


def test_messages_of_no_address_are_passed_over() -> None:
    """As where a capture kept too little of a frame."""
    here = context(POINTS, [packet(seen(0, 5, layers=Layer.MAC_SRC)), _asks(10)], connections=[])

    assert [query.journey for query in join_messages(here, [(0, _question()), (1, _question())])] == [1]
    assert message_rows(here).dtype == np.int64
