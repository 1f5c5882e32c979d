"""What rules see of a packet: values that are known, unknown or absent."""

from ipaddress import ip_address
from typing import Any

import pytest

from analyzer.model.question import ABSENT, Field, Missing, OneOf, Unknown
from analyzer.state.rules.packet import Packet
from tests.state.rules.judge import syn

SRC, DST = ip_address("172.17.0.2"), ip_address("8.8.8.8")
TRANSLATED = (SRC, DST, 40_000, None)
OF_CONNECTION = (
    Field.CT_DIRECTION, Field.CT_SNAT, Field.CT_DNAT, Field.CT_CONFIRMED, Field.CT_SEEN_REPLY, Field.CT_ASSURED,
    Field.CT_MARK, Field.CT_SRC, Field.CT_REPLY_DPORT,
)  # fmt: skip


def _unknown(field: Field) -> Unknown:
    return Unknown(Missing.FIELD, field)


@pytest.mark.parametrize(
    ("protocol", "fragment", "ports", "flags"),
    [
        (6, False, True, True), (17, False, True, False), (132, False, True, False), (33, False, True, False),
        (1, False, False, False), (47, False, False, False), (6, True, False, False), (6, None, True, True),
    ],
)  # fmt: skip
def test_ports_and_flags_are_of_their_protocols(protocol: int, fragment: bool | None, ports: bool, flags: bool) -> None:
    """Others have none, nor have later fragments; that is absent, not unknown."""
    packet = syn(protocol=protocol, fragment=fragment)

    assert [packet.look(field) for field in (Field.SPORT, Field.DPORT)] == ([40_000, 80] if ports else [ABSENT] * 2)
    assert packet.look(Field.TCP_FLAGS) == (2 if flags else ABSENT)


@pytest.mark.parametrize(("protocol", "here", "there"), [(1, (8, 0), ABSENT), (58, ABSENT, (8, 0))])
def test_icmp_is_of_its_ip_version(protocol: int, here: Any, there: Any) -> None:
    """A question for the other one's type finds nothing; a later fragment has no type."""
    packet = Packet(protocol, SRC, DST, icmp_type=8, icmp_code=0)
    of4 = packet.look(Field.ICMP_TYPE), packet.look(Field.ICMP_CODE)
    of6 = packet.look(Field.ICMP6_TYPE), packet.look(Field.ICMP6_CODE)

    assert (of4, of6) == tuple((ABSENT, ABSENT) if one is ABSENT else one for one in (here, there))
    assert Packet(protocol, SRC, DST, icmp_type=8, fragment=True).look(Field.ICMP_TYPE) is ABSENT
    assert Packet(1, SRC, DST).look(Field.ICMP_TYPE) == _unknown(Field.ICMP_TYPE)


def test_what_is_none_is_unknown_and_what_is_absent_is_not() -> None:
    """No mark is told, and a mark of 0 is a value."""
    packet = syn(dport=None, ttl=None, oif=ABSENT, mark=0)

    assert [packet.look(field) for field in (Field.DPORT, Field.TTL)] == [_unknown(Field.DPORT), _unknown(Field.TTL)]
    assert (packet.look(Field.OIF), packet.look(Field.MARK)) == (ABSENT, 0)
    assert syn(oif=None).look(Field.OIF) == _unknown(Field.OIF)
    assert packet.look(Field.WAY_BACK) == _unknown(Field.WAY_BACK)


@pytest.mark.parametrize("state", ["INVALID", "UNTRACKED"])
def test_packets_without_a_connection_have_nothing_of_one(state: str) -> None:
    """Though its values be known; only the state itself is."""
    packet = syn(ct_state=state, ct_mark=7, ct_original=TRANSLATED, ct_reply=True)

    assert [packet.look(field) for field in OF_CONNECTION] == [ABSENT] * len(OF_CONNECTION)
    assert packet.look(Field.CT_STATE) == state


@pytest.mark.parametrize(
    ("state", "reply", "confirmed", "seen", "assured", "direction"),
    [
        ("NEW", None, None, False, False, "original"),
        ("ESTABLISHED", None, True, True, None, None),
        ("ESTABLISHED", True, True, True, None, "reply"),
        ("ESTABLISHED", False, True, True, None, "original"),
        ("RELATED", None, None, None, None, None),
        (None, None, None, None, None, None),
    ],
)
def test_the_state_says_some_of_the_connection(
    state: str | None, reply: bool | None, confirmed: bool | None, seen: bool | None, assured: bool | None,
    direction: str | None,
) -> None:  # fmt: skip
    """What follows from it is known; a first packet may have been sent before, so its entry may be there."""
    packet = syn(ct_state=state, ct_reply=reply)
    fields = (Field.CT_CONFIRMED, Field.CT_SEEN_REPLY, Field.CT_ASSURED, Field.CT_DIRECTION)

    for field, value in zip(fields, (confirmed, seen, assured, direction), strict=True):
        assert packet.look(field) == (_unknown(field) if value is None else value)


def test_both_tuples_of_the_connection_are_told_by_place() -> None:
    """Source, destination and ports of its first packet and of the answers; what one lacks is unknown."""
    answers = (DST, ip_address("192.168.1.100"), 80, 50_000)
    packet = syn(ct_original=TRANSLATED, ct_answers=answers)
    names = ("SRC", "DST", "SPORT", "DPORT")

    assert [packet.look(Field[f"CT_{name}"]) for name in names] == [SRC, DST, 40_000, _unknown(Field.CT_DPORT)]
    assert [packet.look(Field[f"CT_REPLY_{name}"]) for name in names] == list(answers)
    assert syn().look(Field.CT_SRC) == _unknown(Field.CT_SRC)


@pytest.mark.parametrize(
    ("src", "dst", "version", "group"),
    [
        (SRC, DST, 4, False),
        (ip_address("fd00::2"), None, 6, False),
        (None, OneOf(ip_address("fd00::1"), ip_address("fd00::9")), 6, False),
        (None, None, 4, False),
        (SRC, ip_address("224.0.0.251"), 4, True),
        (ip_address("fd00::2"), ip_address("ff02::fb"), 6, True),
        (SRC, OneOf(ip_address("224.0.0.1"), ip_address("224.0.0.9")), 4, False),
    ],
)
def test_the_version_is_that_of_either_address(src: Any, dst: Any, version: int, group: bool) -> None:
    """Also of one of several; that it is for a group is said only of one address that is known."""
    packet = Packet(17, src, dst)

    assert (packet.version, packet.look(Field.VERSION), packet.dst_is_group) == (version, version, group)
