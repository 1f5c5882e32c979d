"""What shows that a packet arrived: an acknowledgement that covers it, or the answer of its number."""

import pytest

from analyzer.model import Role
from analyzer.packet.answers import find_answers
from analyzer.packet.arrived import arrivals
from tests.packet.tables import ECHO, TCP, Packet, at, connection, context, packet, seen

SYN, FIN, ACK = 2, 1, 16
POINTS = (at(0, "veth-c1", Role.VETH),)
FLOW = ("172.17.0.2", 4000, "8.8.8.8", 80)
ROW = connection(original=FLOW, reply=(*FLOW[2:], *FLOW[:2]))


def _arrivals(*packets: Packet) -> list[int]:
    for number, one in enumerate(packets):
        one.hops[0][0]["time_ns"] = number
    here = context(POINTS, packets, connections=[ROW])
    found: list[int] = arrivals(here, find_answers(here)).tolist()
    return found


def _segment(seq: int, length: int, ack: int = 0, flags: int = ACK, *, reply: bool = False, of: int = 0) -> Packet:
    frame = seen(0, 0, layers=TCP, seq=seq, payload_len=length, ack=ack, tcp_flags=flags)
    return packet(frame, connection=of, reply=reply)


def _ping(number: int, *, reply: bool = False, of: int = 0) -> Packet:
    return packet(seen(0, 0, layers=ECHO, proto=1, icmp_seq=number, seq=number), connection=of, reply=reply)


@pytest.mark.parametrize(
    ("ack", "shown"), [(149, [-1, -1]), (150, [2, -1]), (199, [2, -1]), (200, [2, 2])],
    ids=["neither", "first", "not-whole", "both"],
)  # fmt: skip
def test_an_acknowledgement_shows_all_that_it_covers_whole(ack: int, shown: list[int]) -> None:
    """What it covers less of may not have arrived; nor may what follows."""
    found = _arrivals(_segment(100, 50), _segment(150, 50), _segment(7, 0, ack=ack, reply=True), _segment(200, 10))

    assert found == [*shown, -1, -1]


@pytest.mark.parametrize(("flags", "ack", "arrived"), [(SYN, 101, 1), (FIN | ACK, 101, 1), (ACK, 101, -1)])
def test_what_takes_a_number_is_acknowledged(flags: int, ack: int, arrived: int) -> None:
    """SYN and FIN do, without any data; an acknowledgement does not."""
    assert _arrivals(_segment(100, 0, flags=flags), _segment(7, 0, ack=ack, reply=True))[0] == arrived


def test_of_what_was_sent_again_either_may_have_arrived() -> None:
    """So neither is shown to."""
    found = _arrivals(_segment(100, 50), _segment(100, 50), _segment(150, 9), _segment(7, 0, ack=159, reply=True))

    assert found == [-1, -1, 3, -1]


def test_a_ping_arrived_if_the_reply_of_its_number_came() -> None:
    """However many others there are."""
    found = _arrivals(_ping(1), _ping(2), _ping(3), _ping(3, reply=True), _ping(1, reply=True))

    assert found == [4, -1, 3, -1, -1]


@pytest.mark.parametrize(
    "pings",
    [
        (_ping(1), _ping(1), _ping(1, reply=True)),
        (_ping(1), _ping(1, reply=True), _ping(1, reply=True)),
        (_ping(1, reply=True), _ping(1)),
        (_ping(1, of=-1), _ping(1, reply=True, of=-1)),
        (_ping(1), _ping(2, reply=True)),
    ],
    ids=["asked-twice", "answered-twice", "answer-before", "no-connection", "other-number"],
)
def test_a_number_that_was_used_more_than_once_shows_nothing(pings: tuple[Packet, ...]) -> None:
    """Nor does an answer that came before, or to nobody known."""
    assert set(_arrivals(*pings)) == {-1}


def test_a_segment_without_a_connection_is_shown_by_nothing() -> None:
    """And where there are no packets, there is nothing to show."""
    assert _arrivals(_segment(100, 50, of=-1), _segment(7, 0, ack=150, reply=True, of=-1)) == [-1, -1]
    assert _arrivals() == []
