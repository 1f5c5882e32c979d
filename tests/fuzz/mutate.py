"""Changes bytes at random, in the ways in which files break and in those that hit what parsers believe."""

import struct
from collections.abc import Callable
from random import Random

INTERESTING = (0, 1, 2, 7, 8, 16, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 1 << 20, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
WORDS = (
    b"\0", b"-1", b"9" * 30, b"null", b"[]", b"{}", b'"', b"[" * 300, b"\xff\xfe", b"\x1b[31m", b"<script>", b"../../x",
    b"1e999", b"true", b",", b"0.0.0.0/0", b"::/0", b"-j DROP", b"=", b" ",
)  # fmt: skip
"""What texts are changed to."""


def _flip(data: bytearray, random: Random) -> None:
    for _ in range(random.randint(1, 8)):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _number(data: bytearray, random: Random) -> None:
    size = random.choice((1, 2, 4, 8))
    place = random.randrange(max(len(data) - size, 1))
    value = random.choice(INTERESTING) & ((1 << 8 * size) - 1)
    data[place : place + size] = value.to_bytes(size, random.choice(("little", "big")))


def _cut(data: bytearray, random: Random) -> None:
    del data[random.randrange(len(data)) :]


def _remove(data: bytearray, random: Random) -> None:
    place = random.randrange(len(data))
    del data[place : place + random.choice((1, 2, 4, 16, 100))]


def _repeat(data: bytearray, random: Random) -> None:
    place = random.randrange(len(data))
    data[place:place] = data[place : place + random.choice((1, 4, 16, 64))] * random.choice((1, 2, 50))


def _noise(data: bytearray, random: Random) -> None:
    place = random.randrange(len(data))
    data[place : place + 16] = random.randbytes(random.choice((1, 4, 16, 40)))


def _word(data: bytearray, random: Random) -> None:
    place = random.randrange(len(data))
    data[place : place + random.choice((0, 1, 5))] = random.choice(WORDS)


def _swap(data: bytearray, random: Random) -> None:
    one, two, size = random.randrange(len(data)), random.randrange(len(data)), random.choice((4, 16, 60))
    data[one : one + size], data[two : two + size] = data[two : two + size], data[one : one + size]


WAYS: tuple[Callable[[bytearray, Random], None], ...] = (
    _flip, _flip, _number, _number, _cut, _remove, _repeat, _noise, _word, _swap
)  # fmt: skip


def mutate(data: bytes, random: Random) -> bytes:
    """Return *data*, changed in one to four ways."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 4)):
        if changed:
            random.choice(WAYS)(changed, random)
    return bytes(changed)


def pcap_records(data: bytes) -> list[bytes]:
    """Return a pcap's file header and its records, so that what is changed in one does not hide the others."""
    pieces, place = [data[:24]], 24
    while place + 16 <= len(data):
        (length,) = struct.unpack_from("<I", data, place + 8)
        pieces.append(data[place : place + 16 + length])
        place += 16 + length
    return pieces
