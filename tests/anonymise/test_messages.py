"""DNS and DHCP."""

import struct
from ipaddress import ip_address
from types import SimpleNamespace

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.anonymise.addresses import Addresses
from analyzer.anonymise.key import Key
from analyzer.anonymise.messages import Messages
from analyzer.anonymise.words import Words
from analyzer.decode.dns import parse

KEY = Key(b"secret")
ADDRESSES = Addresses(KEY)
MESSAGES = Messages(ADDRESSES, Words(KEY, ADDRESSES))


def _name(text: str) -> bytes:
    return b"".join(bytes((len(label),)) + label.encode() for label in text.split(".")) + b"\0"


def _message(name: str, kind: int, *records: bytes, flags: int = 0x8180) -> bytes:
    return (
        struct.pack(">6H", 7, flags, 1, len(records), 0, 0)
        + _name(name)
        + struct.pack(">HH", kind, 1)
        + b"".join(records)
    )


def _record(kind: int, data: bytes, name: bytes = b"\xc0\x0c") -> bytes:
    return name + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def test_an_answer_is_as_long_with_other_names_and_addresses() -> None:
    """Pointers lead where they led, by which a name is spelt once."""
    alias = _record(5, _name("db7.payroll")[:-1] + b"\xc0\x18")
    data = _message("api.payroll.acme.org", 1, alias, _record(1, bytes((9, 9, 9, 9)), b"\xc0\x32"))

    found = MESSAGES.dns(data)

    message = parse(found)
    assert message is not None
    assert len(found) == len(data)
    assert (message.outcome, message.kind, message.answers) == ("NOERROR", "A", 2)
    assert not [word for word in (b"payroll", b"acme", bytes((9, 9, 9, 9))) if word in found]
    assert message.name == MESSAGES.host_name(b"api.payroll.acme.org").decode()
    assert ADDRESSES.packed(bytes((9, 9, 9, 9))) in found


def test_a_name_is_the_same_in_any_case_of_letters() -> None:
    """Resolvers mix it, and answers repeat it."""
    one, other = MESSAGES.host_name(b"PaYroll.ACME.example"), MESSAGES.host_name(b"payroll.acme.example")

    assert one.lower() == other
    assert one != other


@pytest.mark.parametrize(
    ("ip", "name"),
    [
        ("192.0.2.77", "77.2.0.192.in-addr.arpa"),
        ("2001:db8::7", "7" + ".0" * 23 + ".8.b.d.0.1.0.0.2.ip6.arpa"),
    ],
)
def test_the_name_of_an_address_is_that_of_the_new_one(ip: str, name: str) -> None:
    """As far as its digits have room for it."""
    found = MESSAGES.host_name(name.encode())

    told = ADDRESSES.ip(ip_address(ip)).reverse_pointer
    assert len(found) == len(name)
    if ":" in ip:
        assert found.decode() == told
    else:
        assert [int(one) % 10 for one in found.split(b".")[:4]] == [int(one) % 10 for one in told.split(".")[:4]]


def test_other_records_keep_their_lengths_and_tell_nothing() -> None:
    """Texts, keys, and what a client says of itself (RFC 7871)."""
    records = (
        _record(16, b"\x06secret"), _record(6, _name("ns.acme.example") + _name("boss.acme.example") + bytes(20)),
        _record(15, b"\0\x0a" + _name("mail.acme.example")), _record(33, bytes(6) + _name("sip.acme.example")),
        _record(41, b"\0\x08\0\x07\0\x01\x18\0\x09\x09\x09", b"\0"),
    )  # fmt: skip
    data = _message("acme.example", 255, *records)

    found = MESSAGES.dns(data)

    assert len(found) == len(data)
    assert not [word for word in (b"acme", b"secret", b"boss", b"\x09\x09\x09") if word in found]
    assert [one.type for one in dpkt.dns.DNS(found).an] == [16, 6, 15, 33, 41]


@given(st.binary(max_size=120))
def test_what_is_no_message_is_as_long_and_nothing_of_it_is_shown(data: bytes) -> None:
    """Behind its header."""
    found = MESSAGES.dns(data)

    assert len(found) == len(data)


def test_a_pointer_that_leads_to_itself_ends_it() -> None:
    """As in messages that mean harm."""
    data = struct.pack(">6H", 7, 0, 1, 0, 0, 0) + b"\xc0\x0c" + b"\0\x01\0\x01secret"

    assert b"secret" not in MESSAGES.dns(data)


def test_dhcp_keeps_what_it_is_and_no_host_name(new: SimpleNamespace) -> None:
    """Addresses of who asks, who offers and who routes are those of the packets."""
    options = (
        (53, b"\x02"), (50, bytes((192, 168, 1, 77))), (54, bytes((192, 168, 1, 1))), (3, bytes((192, 168, 1, 1))),
        (12, b"payroll"), (61, b"\x01" + bytes.fromhex("00163e112233")), (60, b"acme-os"), (1, b"\xff\xff\xff\0"),
    )  # fmt: skip
    fixed = bytes((2, 1, 6, 0)) + bytes(12) + bytes((192, 168, 1, 77)) + bytes(8) + bytes.fromhex("00163e112233")
    data = fixed.ljust(236, b"\0") + b"\x63\x82\x53\x63"
    data += b"".join(bytes((kind, len(value))) + value for kind, value in options) + b"\xff\0\0\0"

    found = new.messages.dhcp(data)

    told = dpkt.dhcp.DHCP(found)
    told_options = dict(told.opts)
    offered = new.addresses.packed(bytes((192, 168, 1, 77)))
    mac = new.addresses.mac(bytes.fromhex("00163e112233"))
    assert len(found) == len(data)
    assert told.yiaddr == int.from_bytes(offered)
    assert told_options[50] == offered
    assert told_options[61] == b"\x01" + mac
    assert told.chaddr[:6] == mac
    assert (told_options[53], told_options[1], told_options[60]) == (b"\x02", b"\xff\xff\xff\0", bytes(7))
    assert b"payroll" not in found


@given(st.binary(max_size=400))
def test_what_is_no_dhcp_is_as_long(data: bytes) -> None:
    """Whatever it is."""
    assert len(MESSAGES.dhcp(data)) == len(data)
