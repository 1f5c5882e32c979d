"""Options and small blocks of pcapng: what is read of them, and what is passed over."""

import struct

import pytest

from analyzer.read.options import (
    interface_description,
    interface_statistics,
    name_resolution,
    options_of,
    text,
)
from analyzer.read.records import Interface
from tests.build import option

ORDERS = pytest.mark.parametrize("order", ["<", ">"])


@ORDERS
def test_options_follow_each_other_at_four_bytes(order: str) -> None:
    """Values are padded; an empty one counts, and none has to say that it is the last."""
    data = option(2, b"abcde", order) + option(300, b"", order) + option(3, b"four", order)

    assert list(options_of(data, order)) == [(2, b"abcde"), (300, b""), (3, b"four")]


@pytest.mark.parametrize(
    "rest",
    [
        option(0, b"") + option(3, b"not read"),
        struct.pack("<HH", 3, 5) + b"four",
        struct.pack("<HH", 3, 5)[:3],
        b"",
    ],
    ids=["end of options", "cut value", "cut header", "nothing"],
)
def test_options_end(rest: bytes) -> None:
    """At code 0, or where one is not all there."""
    assert list(options_of(option(2, b"ab") + rest, "<")) == [(2, b"ab")]


def test_the_last_value_may_lack_its_padding() -> None:
    """Its bytes are all there."""
    assert list(options_of(struct.pack("<HH", 3, 3) + b"abc", "<")) == [(3, b"abc")]


@pytest.mark.parametrize(("value", "expected"), [("hällo".encode(), "hällo"), (b"a\xff\0\0", "a�"), (b"\0a", "\0a")])
def test_text(value: bytes, expected: str) -> None:
    """UTF-8, without zero bytes at its end."""
    assert text(value) == expected


@ORDERS
def test_an_interface_without_options(order: str) -> None:
    """It counts microseconds, and has no name, no checksum and no offset."""
    found = interface_description(struct.pack(f"{order}HHI", 113, 0xFFFF, 262_144), order)

    assert found == Interface(113, 262_144, None, None, 0, None, 1_000_000, 0)


@ORDERS
@pytest.mark.parametrize(
    ("code", "value", "field", "expected"),
    [
        (2, b"eth0\0", "name", "eth0"),
        (3, b"a card", "description", "a card"),
        (9, b"\x09", "units_per_second", 1_000_000_000),
        (9, b"\x00", "units_per_second", 1),
        (9, b"\x13", "units_per_second", 10**19),
        (9, b"\x7f", "units_per_second", 10**19),
        (9, b"\x80", "units_per_second", 1),
        (9, b"\x8a", "units_per_second", 1024),
        (9, b"\xbf", "units_per_second", 2**63),
        (9, b"\xff", "units_per_second", 2**63),
        (9, b"\x09\x00", "units_per_second", 1_000_000),
        (9, b"", "units_per_second", 1_000_000),
        (13, b"\x04", "fcs_len", 4),
        (13, b"\x04\x00", "fcs_len", 0),
    ],
)
def test_options_of_an_interface(order: str, code: int, value: bytes, field: str, expected: object) -> None:
    """Each sets one thing, and nothing where its length is wrong; time units stay within what 64 bits can count."""
    body = struct.pack(f"{order}HHI", 1, 0, 96) + option(code, value, order)
    plain = Interface(1, 96)
    setattr(plain, field, expected)

    assert interface_description(body, order) == plain


@ORDERS
@pytest.mark.parametrize(("size", "expected"), [(8, -3600), (4, 0)])
def test_an_offset_may_be_negative(order: str, size: int, expected: int) -> None:
    """It has eight bytes and a sign; options before it do not matter."""
    offset = struct.pack(f"{order}q", -3600)[:size]
    body = struct.pack(f"{order}HHI", 1, 0, 0) + option(12, b"Linux", order) + option(14, offset, order)

    assert interface_description(body, order).offset_s == expected


@ORDERS
@pytest.mark.parametrize(
    ("drops", "expected"),
    [
        ([], None),
        ([(4, 8, 100)], None),
        ([(5, 8, 0)], 0),
        ([(5, 8, 3)], 3),
        ([(7, 8, 4)], 4),
        ([(5, 8, 3), (6, 8, 50), (7, 8, 1 << 40)], 3 + (1 << 40)),
        ([(5, 4, 9), (7, 8, 4)], 4),
    ],
)
def test_drops_of_an_interface(order: str, drops: list[tuple[int, int, int]], expected: int | None) -> None:
    """What it dropped itself and what the system dropped, together; None where neither is told."""
    body = struct.pack(f"{order}III", 0, 0, 0)
    body += b"".join(
        option(code, struct.pack(f"{order}{'Q' if size == 8 else 'I'}", value), order) for code, size, value in drops
    )

    assert interface_statistics(body, order) == expected


@ORDERS
def test_names_of_addresses(order: str) -> None:
    """The first name of each address; what is no address of a known kind, or has no name, is passed over."""
    ipv6 = bytes.fromhex("20010db8000000000000000000000001")
    records = [
        (9, b"unknown kind"),
        (1, bytes((10, 0, 0, 1)) + b"web\0www\0"),
        (1, bytes((10, 0, 0, 1)) + b"later\0"),
        (1, bytes((10, 0, 0, 2))),
        (1, bytes((10, 0, 0, 3)) + b"\0second\0"),
        (1, bytes((10, 0, 0, 4)) + b"x"),
        (2, ipv6 + b"six\0"),
        (2, ipv6[:15] + b"\x02"),
    ]
    body = b"".join(option(kind, value, order) for kind, value in records)

    assert name_resolution(body, order) == {"10.0.0.1": "web", "10.0.0.4": "x", "2001:db8::1": "six"}
