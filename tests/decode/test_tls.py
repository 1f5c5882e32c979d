"""The first record of TLS: what it is, the name that it asks for, the version."""

import struct

import pytest

from analyzer.decode.tls import hello, is_alert, is_hello, record, server_name


def _extension(kind: int, data: bytes) -> bytes:
    return struct.pack("!HH", kind, len(data)) + data


def _name(name: bytes) -> bytes:
    return _extension(0, struct.pack("!HBH", len(name) + 3, 0, len(name)) + name)


def _client(*extensions: bytes) -> bytes:
    """Build a ClientHello."""
    every = b"".join(extensions)
    body = b"\3\3" + bytes(32) + b"\0" + b"\0\2\x13\1" + b"\1\0" + struct.pack("!H", len(every)) + every
    return b"\x16\3\1" + struct.pack("!H", len(body) + 4) + b"\1" + len(body).to_bytes(3) + body


def _server(*extensions: bytes) -> bytes:
    every = b"".join(extensions)
    body = b"\3\3" + bytes(32) + b"\0" + b"\x13\1\0" + struct.pack("!H", len(every)) + every
    return b"\x16\3\3" + struct.pack("!H", len(body) + 4) + b"\2" + len(body).to_bytes(3) + body


OFFERED = _extension(43, b"\4\3\4\3\3")


@pytest.mark.parametrize(
    ("data", "kind", "told"),
    [
        (_client(_name(b"db.example"), OFFERED), "ClientHello", " db.example 1.3"),
        (_client(OFFERED), "ClientHello", " 1.3"),
        (_client(_name(b"bad\nname")), "ClientHello", ""),
        (_server(_extension(43, b"\3\4")), "ServerHello", " 1.3"),
        (_server(), "ServerHello", " 1.2"),
        (b"\x15\3\3\0\2\2\x28", "alert", ""),
    ],
)
def test_the_first_record(data: bytes, kind: str, told: str) -> None:
    """Which it is, and what it says."""
    assert record(data) == kind
    assert (hello(data) if kind != "alert" else "") == told
    assert (is_hello(data), is_alert(data)) == (kind == "ClientHello", kind == "alert")


def test_what_is_cut_is_not_guessed() -> None:
    """A name that is not there whole is none; no beginning makes trouble."""
    whole = _client(_name(b"db.example"))
    names = {server_name(whole[:cut]) for cut in range(len(whole))}

    assert names == {None}
    assert server_name(whole) == "db.example"


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1", b"\x16\3", b"\x16\4\1\0\0\1", b"\x17\3\3\0\1\0"])
def test_other_bytes(data: bytes) -> None:
    """They are no TLS that begins."""
    assert record(data) is None
