"""Digests: of all frames at once as of one, of what they should cover and of nothing else."""

import numpy as np
import pytest

from analyzer.decode.batch import decode
from analyzer.decode.digest import DIGEST_BYTES, KEYS, WORDS, digest_one, digest_spans
from analyzer.read.records import Interface
from analyzer.schema import Int64
from tests.build import BRIDGE, C1, ether, ipv4, udp
from tests.decode.agree import pack

LONG = 8 * WORDS
NOISE = np.random.default_rng(7).integers(1, 256, 3 * LONG, np.uint8)


def _rows(*payloads: bytes) -> list[int]:
    """Digest payloads of frames that lie in noise."""
    frames = [ether(C1, BRIDGE, ipv4("172.17.0.2", "8.8.8.8", 17, udp(1, 2, payload))) for payload in payloads]
    found = decode(pack([(frame, len(frame)) for frame in frames]), [Interface(1, 0)])
    return [int(one) for one in found.frames["digest"]]


def _spans(*spans: bytes) -> list[int]:
    """Digest spans that lie behind each other, each with other noise behind it."""
    places, data = list[int](), b""
    for number, span in enumerate(spans):
        places.append(len(data))
        data += span + NOISE[number * 13 : number * 13 + 13].tobytes()
    begin: Int64 = np.array(places, np.int64)
    found = digest_spans(np.frombuffer(data, np.uint8), begin, np.array([len(span) for span in spans]))
    return [int(one) for one in found]


def test_all_at_once_as_one_by_one() -> None:
    """Of every length, whatever lies behind the payload."""
    payloads = [NOISE[count : 2 * count].tobytes() for count in range(DIGEST_BYTES + 1)]

    assert _rows(*payloads) == [digest_one(payload) for payload in payloads]
    assert len(set(_rows(*payloads))) == len(payloads)


def test_the_length_goes_in() -> None:
    """Zeros at the end are no padding."""
    assert len(set(_rows(b"", b"\0", b"\0\0", bytes(32)))) == 4
    assert len(set(_spans(b"", b"\0", b"\0\0", bytes(40), bytes(LONG), bytes(LONG + 1)))) == 6


@pytest.mark.parametrize("length", [1, 7, 8, 9, 32, 33, 100, LONG - 1, LONG, LONG + 9])
def test_every_byte_of_a_span_counts(length: int) -> None:
    """Those at the ends of words as well as the last one; two that change places are seen, too."""
    span = NOISE[:length].tobytes()
    others = [
        span[:at] + bytes([span[at] ^ 1]) + span[at + 1 :] for at in {0, length // 2, max(length - 2, 0), length - 1}
    ]
    if length > 8:
        others.append(span[8:16] + span[:8] + span[16:])

    assert _spans(span)[0] not in _spans(*others)


def test_a_span_is_digested_alone_as_among_others() -> None:
    """Long and short ones together keep their order, and nothing of the bytes around them goes in."""
    lengths = (5, LONG + 100, 0, 64, LONG, 5, LONG - 1, 1)
    spans = [NOISE[count : 2 * count].tobytes() for count in lengths]

    assert _spans(*spans) == [_spans(span)[0] for span in spans]
    assert _spans(*reversed(spans)) == _spans(*spans)[::-1]


def test_nobody_can_tell_a_digest_beforehand() -> None:
    """With another secret, all are other ones."""
    before = [digest_one(b"same"), *_rows(b"same"), *_spans(b"same")]
    token = KEYS.set((1, 2, 3, 4))
    try:
        after = [digest_one(b"same"), *_rows(b"same"), *_spans(b"same")]
    finally:
        KEYS.reset(token)

    assert all(one != other for one, other in zip(before, after, strict=True))
    assert after[0] == after[1]
