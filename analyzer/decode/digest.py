"""A 64-bit digest of bytes, for all frames at once and for one.

Multiply-xor over four 64-bit lanes; bytes behind the payload count as zero, and the length goes in too.
A secret that is new in each run goes in as well, so nobody can craft payloads that collide. No result depends on it:
equal digests merely nominate frames for one packet, and nothing is sorted by them.
"""

import secrets
from contextvars import ContextVar
from hashlib import blake2b

import numpy as np

from analyzer.schema import Array, Bytes, Int64

DIGEST_BYTES = 32
LANES = DIGEST_BYTES // 8
MASK64 = (1 << 64) - 1
MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
FINAL = 0xFF51AFD7ED558CCD

LONG = 2048
"""Bytes from which on a span is digested by itself."""

KEYS = ContextVar("keys", default=tuple(secrets.randbits(64) for _ in range(LANES)))
"""Of this run; whoever works for it uses the same."""

_MASKS = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)
"""By number of bytes, the first of a word."""
_KEEP = np.array(
    [[(1 << (8 * max(0, min(8, count - 8 * lane)))) - 1 for lane in range(LANES)] for count in range(33)],
    np.uint64,
)


def digest_rows(payload: Bytes, count: Array) -> Int64:
    """
    Digest n payloads.

    Args:
        payload: (n, DIGEST_BYTES) bytes, contiguous; those from *count* on are ignored.
        count: (n,) bytes to take in, 0 to DIGEST_BYTES.
    """
    lanes = payload.view("<u8") & _KEEP[count]
    state: Array = count.astype(np.uint64)
    for lane in range(LANES):
        state = mix_rows(state, lanes[:, lane], lane)
    return state.view(np.int64)


def digest_spans(buffer: Bytes, begin: Int64, count: Int64) -> Int64:
    """
    Digest n spans of any lengths.

    Args:
        buffer: where they lie; seven bytes behind each are readable.
        begin: (n,) where each begins.
        count: (n,) how many bytes each has.
    """
    words = np.ndarray((len(buffer) - 7,), "<u8", buffer.data, strides=(1,))
    order = np.argsort(-count, kind="stable")
    place, left = begin[order], count[order]
    state = left.astype(np.uint64)
    single = int(np.searchsorted(-left, -LONG))
    for at in range(0, int(left[single]) if single < len(left) else 0, 8):
        here = slice(single, int(np.searchsorted(-left, -at)))  # those that go on
        word = words[place[here] + at] & _MASKS[np.minimum(left[here] - at, 8)]
        state[here] = mix_rows(state[here], word, at // 8 % LANES)
    for row in range(single):
        data = buffer[place[row] : place[row] + left[row]].tobytes()
        state[row] = int.from_bytes(blake2b(data, digest_size=8).digest(), "big")
    found = np.empty(len(order), np.int64)
    found[order] = state.view(np.int64)
    return found


def mix_rows(state: Array, value: Array, lane: int = 0) -> Array:
    """Fold *value* into *state*; both (n,) uint64."""
    state = (state ^ value ^ np.uint64(KEYS.get()[lane])) * np.uint64(MULTIPLIERS[lane])
    state ^= state >> np.uint64(29)
    state *= np.uint64(FINAL)
    state ^= state >> np.uint64(32)
    return state


def digest_one(payload: bytes) -> int:
    """Digest one payload of at most DIGEST_BYTES; a signed 64-bit integer, as :func:`digest_rows` gives."""
    padded, keys = payload.ljust(DIGEST_BYTES, b"\0"), KEYS.get()
    state = len(payload)
    for lane in range(LANES):
        state ^= int.from_bytes(padded[8 * lane : 8 * lane + 8], "little") ^ keys[lane]
        state = state * MULTIPLIERS[lane] & MASK64
        state ^= state >> 29
        state = state * FINAL & MASK64
        state ^= state >> 32
    return state - (1 << 64) if state >> 63 else state
