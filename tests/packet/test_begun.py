"""TCP connections as they left: which segments count, what they are seen as, and parts put together."""

from dataclasses import fields
from ipaddress import ip_address

import pytest

from analyzer.model import Role
from analyzer.packet.begun import Begun
from tests.packet.tables import TCP, UDP, Frame, Packet, at, connection, context, packet, seen

SYN, ACK = 2, 16
POINTS = (at(0, "veth-c1", Role.VETH), at(1, "wlan0", Role.UPLINK))
FLOW = ("172.17.0.2", 4000, "8.8.8.8", 80)


def _row(*, answered: bool) -> Frame:
    return connection(original=FLOW, reply=(*FLOW[2:], *FLOW[:2]), proto=6, seen_reply=answered)


ROWS = (_row(answered=True), _row(answered=False))


def _begins(time_ns: int, *, of: int = 0, flags: int = SYN, reply: bool = False, layers: int = TCP) -> Packet:
    usual = {"layers": layers, "tcp_flags": flags if layers & TCP else 0}
    frames = seen(0, time_ns, **usual), seen(1, time_ns + 5, **usual, ttl=63, dst="2001:db8::1")
    return packet(*frames, connection=of, reply=reply)


def _begun(*packets: Packet) -> Begun:
    return Begun.of(context(POINTS, packets, connections=ROWS))


def test_a_segment_is_told_as_it_was_seen_last() -> None:
    """Its TTL and destination are those with which it left; and whether its connection was answered."""
    found = _begun(_begins(10), _begins(20, of=1))
    whole = int(ip_address("2001:db8::1"))

    assert (found.packet.tolist(), found.connection.tolist()) == ([0, 1], [0, 1])
    assert (found.point.tolist(), found.ttl.tolist()) == ([1, 1], [63, 63])
    assert [int(high) << 64 | int(low) for high, low in zip(found.dst_hi, found.dst, strict=True)] == [whole, whole]
    assert found.answered.tolist() == [True, False]


@pytest.mark.parametrize(
    ("one", "counts"),
    [
        (_begins(0), True),
        (_begins(0, flags=SYN | ACK), True),
        (_begins(0, flags=ACK), False),
        (_begins(0, flags=SYN | ACK, reply=True), False),
        (_begins(0, of=-1), False),
        (_begins(0, layers=UDP), False),
    ],
    ids=["syn", "of-the-original", "later", "answer", "no-connection", "datagram"],
)
def test_what_begins_a_connection(one: Packet, counts: bool) -> None:
    """A SYN of the direction that asked."""
    assert len(_begun(one).packet) == counts


def test_those_that_were_seen_last_at_a_point() -> None:
    """Whatever stopped before it is not among them."""
    stopped = packet(seen(0, 30, layers=TCP, tcp_flags=SYN), connection=1)
    found = _begun(_begins(10), stopped)

    assert found.at(1).packet.tolist() == [0]
    assert found.at(0).packet.tolist() == [1]
    assert found.at(0).connection.tolist() == [1]


def test_parts_are_put_together_in_order_of_packets() -> None:
    """Each row whole, whatever order the parts come in."""
    whole = _begun(_begins(10), _begins(20, of=1))
    one, other = (Begun(*(getattr(whole, field.name)[rows] for field in fields(Begun))) for rows in ([0], [1]))

    for parts in ([one, other], [other, one]):
        together = Begun.together(parts)
        assert together.packet.tolist() == [0, 1]
        assert (together.connection.tolist(), together.answered.tolist()) == ([0, 1], [True, False])
