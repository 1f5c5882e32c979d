"""Which packet an ICMP error is about, where several look the same in its quote."""

import struct
from pathlib import Path
from typing import Any

import pytest

from analyzer import analyze
from analyzer.model import Journey, Role
from analyzer.packet.icmp_errors import Errors
from analyzer.schema import Layer
from tests.build import BRIDGE, C1, T0, Record, ether, ipv4, udp, write_pcap
from tests.packet.tables import ECHO, ERROR, Packet, at, connection, context, packet, seen

S = 1_000_000_000
ASKED = ipv4("172.17.0.2", "8.8.8.8", 17, udp(5000, 53, b"question"), ident=0)


def _question(time_ns: int) -> Record:
    """A datagram whose IP id says nothing: all of them are quoted alike."""
    return time_ns, ether(C1, BRIDGE, ASKED)


def _error(time_ns: int, kind: int, code: int, ident: int) -> Record:
    message = struct.pack("!BBHI", kind, code, 0, 0) + ASKED[:28]
    return time_ns, ether(BRIDGE, C1, ipv4("172.17.0.1", "172.17.0.2", 1, message, ident=ident))


def _journeys(tmp_path: Path, records: list[Record]) -> list[Journey]:
    return list(analyze([write_pcap(tmp_path / "veth-c1.pcap", sorted(records))]).journeys())


@pytest.mark.parametrize(("sent_ns", "rejected"), [(S - 1, True), (S, True), (S + 1, False)])
def test_an_error_ends_no_packet_that_is_sent_after_it(tmp_path: Path, sent_ns: int, rejected: bool) -> None:
    """The cause comes before the effect: of a packet that follows, the error says nothing."""
    journeys = _journeys(tmp_path, [_error(T0 + S, 3, 3, 9), _question(T0 + sent_ns)])
    (question,) = (journey for journey in journeys if journey.protocol == "udp")

    assert (question.rejected_by is not None) == rejected


def test_each_packet_has_the_first_error_after_it(tmp_path: Path) -> None:
    """Of two questions, each is answered by its own error, and a third by none."""
    records = [_question(T0), _error(T0 + 1_000, 3, 3, 1)]
    records += [_question(T0 + S), _error(T0 + S + 1_000, 3, 1, 2), _question(T0 + 2 * S)]
    journeys = _journeys(tmp_path, records)

    assert [journey.rejected_by for journey in journeys] == [1, None, 3, None, None]
    assert "port unreachable" in journeys[0].reason
    assert "host unreachable" in journeys[2].reason


@pytest.mark.parametrize(("kind", "code", "rejected"), [(3, 3, True), (11, 0, True), (12, 0, True), (4, 0, False)])
def test_errors_that_end_a_packet(tmp_path: Path, kind: int, code: int, rejected: bool) -> None:
    """Unreachable, time exceeded and parameter problem say that it went no further; source quench does not."""
    question, _ = _journeys(tmp_path, [_question(T0), _error(T0 + 1_000, kind, code, 1)])

    assert (question.rejected_by is not None) == rejected


POINTS = (at(0, "veth-c1", Role.VETH), at(1, "wlan0", Role.UPLINK))
SIX = ERROR & ~Layer.IPV4 | Layer.IPV6
FLOW = {"src": "172.17.0.2", "dst": "8.8.8.8", "sport": 4000, "dport": 53, "ip_id": 9}


def _message(time_ns: int, point: int = 0, kind: int = 3, layers: int = ERROR, **quote: Any) -> Packet:
    told = FLOW | {"proto": 17, **quote}
    return packet(seen(point, time_ns, layers=layers, src="8.8.8.8", ip_id=1, icmp_type=kind, quote=told))


def _about(*packets: Packet, number: int = 0) -> int | None:
    """Return the packet of the error that a packet died of."""
    here = context(POINTS, packets)
    row = Errors(here).about(here.rows_of(number))
    return None if row is None else int(here.packet_of_row[row])


@pytest.mark.parametrize(
    ("name", "value"),
    [("src", "172.17.0.3"), ("dst", "8.8.4.4"), ("src_hi", 1), ("dst_hi", 1), ("proto", 6), ("sport", 1), ("dport", 1),
     ("ip_id", 8), ("icmp_id", 1), ("icmp_seq", 1)],
)  # fmt: skip
def test_a_quote_is_of_one_packet(name: str, value: str | int) -> None:
    """All of it has to be the packet's: addresses, ports, ids."""
    sent = packet(seen(0, 10, **FLOW))

    assert _about(sent, _message(20)) == 1
    assert _about(sent, _message(20, **{name: value})) is None


def test_pings_are_quoted_by_their_numbers() -> None:
    """As datagrams are by their ports."""
    ping = {"layers": ECHO, "proto": 1, "icmp_id": 7, "icmp_seq": 3, "sport": 0, "dport": 0, "ip_id": 9}
    quote = {"proto": 1, "sport": 0, "dport": 0, "icmp_id": 7, "icmp_seq": 3}

    assert _about(packet(seen(0, 10, **ping)), _message(20, **quote)) == 1
    assert _about(packet(seen(0, 10, **ping | {"icmp_seq": 4})), _message(20, **quote)) is None


@pytest.mark.parametrize(
    ("kind", "layers", "ends"),
    [(3, ERROR, True), (4, ERROR, False), (5, ERROR, False), (11, ERROR, True), (12, ERROR, True), (1, ERROR, False),
     (1, SIX, True), (2, SIX, True), (3, SIX, True), (4, SIX, True), (5, SIX, False), (11, SIX, False)],
)  # fmt: skip
def test_each_version_has_its_own_errors(kind: int, layers: int, ends: bool) -> None:
    """The same number is another message."""
    assert (_about(packet(seen(0, 10, **FLOW)), _message(20, kind=kind, layers=layers)) == 1) == ends


def test_any_sighting_may_be_quoted() -> None:
    """Of several errors the first one behind the packet's first sighting counts, wherever it was seen."""
    sent = packet(seen(0, 50, **FLOW), seen(1, 51, **FLOW | {"src": "192.168.1.100"}))
    outside = {"src": "192.168.1.100"}

    assert _about(sent, _message(60, 1, **outside), _message(70)) == 1
    assert _about(sent, _message(90, 1, **outside), _message(70)) == 2
    assert _about(sent, _message(40, 1, **outside), _message(49), _message(80), _message(70)) == 4
    assert _about(sent, _message(50)) == 1


def test_each_error_is_about_the_first_that_it_quotes() -> None:
    """Two packets that look the same in the quote have one error; it is told with the first."""
    here = context(
        POINTS, [packet(seen(0, 10, **FLOW)), packet(seen(0, 11, **FLOW)), _message(20), _message(30, ip_id=5)]
    )

    assert Errors(here).quoted == {2: 0}


@pytest.mark.parametrize(
    ("reply", "number", "related"), [(False, 0, (0, True)), (True, 0, (0, False)), (False, -1, None)]
)
def test_of_which_connection_an_error_is(reply: bool, number: int, related: tuple[int, bool] | None) -> None:
    """Of that of what it quotes, against it; a packet of a connection is of its own."""
    ends = ("172.17.0.2", 4000, "8.8.8.8", 53)
    rows = (connection(original=ends, reply=(*ends[2:], *ends[:2])),)
    sent = packet(seen(0, 10, **FLOW), connection=number, reply=reply)
    here = context(POINTS, [sent, _message(20)], connections=rows)
    errors = Errors(here)

    assert errors.stream_of(0) == (number, reply)
    assert errors.stream_of(1) == (related or (-1, False))


def test_which_packets_an_error_may_be_about() -> None:
    """By the IP id, of any sighting; without errors none."""
    sent = [
        packet(seen(0, n, ip_id=ip_id), seen(1, n + 1, ip_id=other))
        for n, ip_id, other in ((1, 9, 9), (3, 8, 9), (5, 8, 8))
    ]
    here, quiet = context(POINTS, [*sent, _message(20)]), context(POINTS, sent)

    assert Errors(here).may_be_about().tolist() == [True, True, False, False]
    assert Errors(quiet).may_be_about().tolist() == [False, False, False]
    assert (Errors(quiet).quoted, Errors(quiet).about([0])) == ({}, None)


def test_how_much_fits() -> None:
    """By the error's row; 0 where it does not say."""
    here = context(POINTS, [_message(20, mtu=1400), _message(30)])

    assert Errors(here).mtu == {0: 1400, 1: 0}
