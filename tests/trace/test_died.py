"""Which packet an ICMP error is about, where several look the same in its quote."""

import struct
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.model import Journey
from tests.build import BRIDGE, C1, T0, Record, ether, ipv4, udp, write_pcap

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
