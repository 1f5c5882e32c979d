"""Connections as conntrack has them: who asked, both tuples, and what is counted of each."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analyzer import analyze
from analyzer.link.nat import Mapping
from analyzer.packet.connections import Doubts
from analyzer.run import Trace
from tests.build import BRIDGE, C1, GATEWAY, T0, UPLINK, Record, echo, ether, ipv4, tcp, udp, write_pcap

INSIDE, HOST, SERVER = "172.17.0.2", "192.168.1.100", "8.8.8.8"
SYN, RST, ACK = 2, 4, 16
Ends = tuple[str, int | None, str, int | None]


def _there(proto: int, body: bytes, ms: int = 0, ident: int = 1) -> Record:
    """Let the container's packet be seen at its veth."""
    return T0 + ms * 1_000_000, ether(C1, BRIDGE, ipv4(INSIDE, SERVER, proto, body, ident=ident))


def _back(proto: int, body: bytes, ms: int = 0, ident: int = 2) -> Record:
    """Let an answer be seen there."""
    return T0 + ms * 1_000_000, ether(BRIDGE, C1, ipv4(SERVER, INSIDE, proto, body, ident=ident, ttl=54))


def _trace(folder: Path, *records: Record, uplink: tuple[Record, ...] = ()) -> Trace:
    paths = [write_pcap(folder / "veth-c1.pcap", list(records))] if records else []
    if uplink:
        paths.append(write_pcap(folder / "wlan0.pcap", list(uplink)))
    return analyze(paths)


def _ends(trace: Trace) -> tuple[Ends, Ends]:
    found = trace.connection(0)
    original, reply = ((str(one.src), one.sport, str(one.dst), one.dport) for one in (found.original, found.reply))
    return original, reply


@pytest.mark.parametrize(
    ("records", "asked"),
    [
        ([_back(6, tcp(8080, 4000, 7, 1, ACK)), _there(6, tcp(4000, 8080, 1, 7, ACK), 1)], SERVER),
        ([_back(6, tcp(80, 4000, 7, 1, ACK)), _there(6, tcp(4000, 80, 1, 7, ACK), 1)], INSIDE),
        ([_back(6, tcp(4000, 80, 7, 1, ACK)), _there(6, tcp(80, 4000, 1, 7, ACK), 1)], SERVER),
        ([_back(6, tcp(80, 443, 7, 1, ACK)), _there(6, tcp(443, 80, 1, 7, ACK), 1)], SERVER),
        ([_back(6, tcp(80, 4000, 7, 0, SYN)), _there(6, tcp(4000, 80, 1, 8, SYN | ACK), 1)], SERVER),
        ([_back(6, tcp(4000, 80, 7, 2, SYN | ACK)), _there(6, tcp(80, 4000, 2, 8, ACK), 1)], INSIDE),
        ([_back(17, udp(53, 4000, b"a")), _there(17, udp(4000, 53, b"b"), 1)], SERVER),
        ([_back(1, echo(0, 7, 1)), _there(1, echo(8, 7, 2), 1)], INSIDE),
    ],
    ids=["first", "well-known-source", "well-known-target", "both-well-known", "handshake", "answer-of-a-handshake",
         "datagram", "ping"],
)  # fmt: skip
def test_who_asked(tmp_path: Path, records: list[Record], asked: str) -> None:
    """A handshake tells it, else of TCP a server's port, of pings their kind; else who was seen first."""
    assert str(_trace(tmp_path, *records).connection(0).original.src) == asked


MASKED: Any = {
    "question": (T0 + 30_000, ether(UPLINK, GATEWAY, ipv4(HOST, SERVER, 17, udp(4001, 53, b"ask"), ttl=63))),
    "answer": (T0 + 5_000_000, ether(GATEWAY, UPLINK, ipv4(SERVER, HOST, 17, udp(53, 4001, b"told"), ident=2, ttl=55))),
}  # fmt: skip
QUESTION, ANSWER = _there(17, udp(4000, 53, b"ask")), _back(17, udp(53, 4000, b"told"), 6)
PLAIN = (INSIDE, 4000, SERVER, 53), (SERVER, 53, INSIDE, 4000)
HIDDEN = (INSIDE, 4000, SERVER, 53), (SERVER, 53, HOST, 4001)


@pytest.mark.parametrize(
    ("inside", "outside", "ends"),
    [
        ([QUESTION], [], PLAIN),
        ([QUESTION, ANSWER], [], PLAIN),
        ([QUESTION], ["question"], HIDDEN),
        ([QUESTION, ANSWER], ["question", "answer"], HIDDEN),
        ([QUESTION, ANSWER], ["question"], HIDDEN),
    ],
    ids=["question", "answered", "translated", "translated-and-answered", "answer-inside-alone"],
)
def test_the_reply_tuple_is_how_answers_look_before_theirs(
    tmp_path: Path, inside: list[Record], outside: list[str], ends: tuple[Ends, Ends]
) -> None:
    """As an answer shows it; else the inverse of the question's last sighting."""
    trace = _trace(tmp_path, *inside, uplink=tuple(MASKED[name] for name in outside))

    assert _ends(trace) == ends
    assert bool(trace.connections["seen_reply"].iloc[0]) is (ANSWER in inside)


@pytest.mark.parametrize(("outside", "reply"), [(False, (SERVER, 80, INSIDE, 4000)), (True, (SERVER, 80, HOST, 4001))])
def test_of_answers_alone_the_original_tuple_is_their_inverse(tmp_path: Path, outside: bool, reply: Ends) -> None:
    """The question was not captured: it is the inverse of the answer's last sighting, behind what translates it."""
    before = ether(GATEWAY, UPLINK, ipv4(SERVER, HOST, 6, tcp(80, 4001, 7, 2, SYN | ACK), ident=2, ttl=55))
    uplink = ((T0 - 30_000, before),) if outside else ()
    trace = _trace(tmp_path, _back(6, tcp(80, 4000, 7, 2, SYN | ACK)), uplink=uplink)

    assert _ends(trace) == ((INSIDE, 4000, SERVER, 80), reply)
    assert trace.connections["seen_reply"].tolist() == [True]


def test_the_packet_that_went_furthest_shows_the_translation(tmp_path: Path) -> None:
    """The first question got lost."""
    trace = _trace(tmp_path, _there(17, udp(4000, 53, b"lost"), -1, ident=9), QUESTION, uplink=(MASKED["question"],))

    assert _ends(trace) == HIDDEN


@pytest.mark.parametrize("answered", [True, False])
def test_a_pings_identifier_and_kind_stand_for_ports(tmp_path: Path, answered: bool) -> None:
    """256 times the type, and the code; the answer's is the opposite one."""
    replies = [_back(1, echo(0, 7, 1), 1)] if answered else []
    row = _trace(tmp_path, _there(1, echo(8, 7, 1)), *replies).connections.iloc[0]

    assert (row["orig_sport"], row["orig_dport"]) == (7, 8 * 256)
    assert (row["reply_sport"], row["reply_dport"]) == (7, 0)


def test_what_is_counted(tmp_path: Path) -> None:
    """Packets, their frames at all points, the times of the first and the last; a RST of either side is noted."""
    reset = _back(6, tcp(80, 4001, 0, 2, RST | ACK), 9, ident=9)
    records = [QUESTION, ANSWER, _there(6, tcp(4001, 80, 1, 0, SYN), 8), reset]
    found = _trace(tmp_path, *records, uplink=(MASKED["question"],)).connections

    assert found["packets"].tolist() == [2, 2]
    assert found["frames"].tolist() == [3, 2]
    assert found["first_ns"].tolist() == [T0, T0 + 8_000_000]
    assert found["last_ns"].tolist() == [T0 + 6_000_000, T0 + 9_000_000]
    assert found["reset"].tolist() == [False, True]
    assert found["version"].tolist() == [4, 4]


def _mapping(*connection: int, rivals: list[tuple[int, int]], doubts: list[tuple[int, int]]) -> Mapping:
    known = np.array(connection, np.int64)
    return Mapping(known, known < 0, known < 0, rivals, doubts)


def test_doubts_are_told_by_connections_in_both_directions() -> None:
    """By the numbers that these have; not of one and the same, nor of one that has no packets."""
    mapping = _mapping(5, 5, 6, 7, 8, rivals=[(0, 2), (1, 3), (0, 1), (0, 4)], doubts=[(2, 3)])
    found = Doubts.of(mapping, np.array([7, 5, 6]))

    assert found.candidates == {1: {2, 0}, 2: {1}, 0: {1}}
    assert found.maybe == {2: {0}, 0: {2}}
    assert Doubts.of(_mapping(5, rivals=[], doubts=[]), np.array([5])) == Doubts()
