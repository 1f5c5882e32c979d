"""Payloads, of which nothing is left but what protocol they are of."""

import struct
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.anonymise.addresses import Addresses
from analyzer.anonymise.key import Key
from analyzer.anonymise.messages import Messages
from analyzer.anonymise.payload import Payloads, _usual_names, alike
from analyzer.anonymise.words import Words
from analyzer.decode import tls
from analyzer.decode.offsets import PROTO_TCP, PROTO_UDP
from analyzer.decode.said import said

KEY = Key(b"secret")
ADDRESSES = Addresses(KEY)
PAYLOADS = Payloads(KEY, ADDRESSES, Messages(ADDRESSES, Words(KEY, ADDRESSES)))


def _extension(kind: int, data: bytes) -> bytes:
    return struct.pack("!HH", kind, len(data)) + data


def _client(name: bytes) -> bytes:
    named = _extension(0, struct.pack("!HBH", len(name) + 3, 0, len(name)) + name)
    every = named + _extension(43, b"\4\3\4\3\3") + _extension(51, b"secret" * 6)
    body = b"\3\3" + b"secret!!" * 4 + b"\x08sessions" + b"\0\2\x13\1" + b"\1\0" + struct.pack("!H", len(every)) + every
    return b"\x16\3\1" + struct.pack("!H", len(body) + 4) + b"\1" + len(body).to_bytes(3) + body


HELLO = _client(b"payroll.acme.example")


@given(st.binary(max_size=1500), st.integers(0, 1500))
def test_what_was_cut_begins_as_what_was_not(data: bytes, kept: int) -> None:
    """Points keep different lengths of one packet."""
    whole = PAYLOADS.replaced(data, PROTO_UDP, len(data), (1000, 2000))

    assert len(whole) == len(data)
    assert PAYLOADS.replaced(data[:kept], PROTO_UDP, len(data), (1000, 2000)) == whole[:kept]


@given(st.binary(min_size=40, max_size=600), st.integers(0, 599), st.integers(1, 255))
def test_nothing_of_it_is_left_and_other_payloads_are_other_ones(data: bytes, place: int, change: int) -> None:
    """But for what differs in the last block alone."""
    other = bytearray(data)
    other[place % len(data)] ^= change
    found = PAYLOADS.opaque(data)

    if place % len(data) < 32:
        assert PAYLOADS.opaque(bytes(other)) != found
    assert all(data[at : at + 8] not in found for at in range(0, len(data) - 8, 8) if any(data[at : at + 8]))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"GET /payroll/secret?token=hunter2 HTTP/1.1\r\nHost: intra.acme.example\r\n\r\n", "HTTP GET /"),
        (b"HTTP/1.1 502 Bad Gateway\r\nServer: acme\r\n\r\n", "HTTP 502 Bad Gateway"),
        (b"HTTP/1.1 200 Acme Says Yes\r\n\r\n", "HTTP 200 "),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nsecretsecret", "HTTP/2 preface"),
        (b"SSH-2.0-OpenSSH_9.2p1 acmehost\r\n", "SSH "),
        (b"*2\r\n$4\r\nAUTH\r\n$7\r\nhunter2\r\n", "Redis AUTH"),
        (b"\0\0\0\x29\0\x03\0\0user\0payroll\0database\0secret\0\0", "Postgres startup"),
        (b"\x4a\0\0\0\x0a8.0.36-acme\0" + b"secret" * 8, "MySQL "),
        (HELLO, "TLS ClientHello "),
        (b"\x15\x03\x03\0\x02\x02\x28", "TLS alert"),
    ],
)
def test_what_protocol_it_is_of_is_told_and_nothing_else(data: bytes, told: str) -> None:
    """As an analysis names it."""
    found = PAYLOADS.replaced(data, PROTO_TCP, len(data), (40000, 8080))

    assert len(found) == len(data)
    assert (said(found, PROTO_TCP, 40000, 8080) or "").startswith(told)
    assert not [word for word in (b"acme", b"Acme", b"payroll", b"hunter2", b"secret") if word in found]


def test_a_mail_server_greets_with_its_code_and_no_name() -> None:
    """RFC 5321."""
    found = PAYLOADS.replaced(b"220 mail.acme.example ESMTP ready\r\n", PROTO_TCP, 35, (25, 40000))

    assert found.startswith(b"220 ")
    assert found.endswith(b"\r\n")
    assert b"acme" not in found
    assert (said(found, PROTO_TCP, 25, 40000) or "").startswith("SMTP 220 ")


@pytest.mark.parametrize("kept", range(20, 60, 3))
def test_a_request_that_was_cut_begins_as_the_whole_one(kept: int) -> None:
    """Wherever its first line was cut."""
    data = b"GET /payroll/secret HTTP/1.1\r\nHost: intra.acme.example\r\n\r\n"
    whole = PAYLOADS.replaced(data, PROTO_TCP, len(data), (40000, 80))

    assert PAYLOADS.replaced(data[:kept], PROTO_TCP, len(data), (40000, 80)) == whole[:kept]


def test_protocols_that_somebody_made_up_are_not_named() -> None:
    """Of ALPN, the usual ones stay."""
    names = b"\x02h2\x06secret\x08http/1.1"
    content = len(names).to_bytes(2) + names

    assert _usual_names(content) == content.replace(b"secret", b"xxxxxx")
    assert _usual_names(content[:8]) == content[:5] + b"\x06xx"
    assert _usual_names(b"") == b""


def test_a_hello_asks_for_the_name_that_dns_was_asked_for(new: SimpleNamespace) -> None:
    """With what it offers, and without what it is recognised by."""
    data = HELLO

    found = new.payloads.replaced(data, PROTO_TCP, len(data), (40000, 443))

    assert tls.server_name(found) == new.messages.host_name(b"payroll.acme.example").decode()
    assert tls.hello(found).endswith(tls.hello(data)[-4:])
    assert found[11:43] != data[11:43]


@pytest.mark.parametrize(
    ("data", "port", "told"),
    [
        (bytes((0x23,)) + b"secret" * 8, 123, "NTP client"),
        (b"\xc3\0\0\0\x01\x08secretsecretsecret", 443, "QUIC Initial"),
    ],
)
def test_datagrams_say_as_much(data: bytes, port: int, told: str) -> None:
    """Of NTP and QUIC."""
    found = PAYLOADS.replaced(data, PROTO_UDP, len(data), (40000, port))

    assert said(found, PROTO_UDP, 40000, port) == told
    assert b"secretsecret" not in found


def test_alike() -> None:
    """As far as both go."""
    assert [alike(*pair) for pair in ((b"abc", b"abd"), (b"ab", b"abd"), (b"", b"a"), (b"abdx", b"abd"))] == [
        2,
        2,
        0,
        3,
    ]
