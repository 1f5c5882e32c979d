"""A 64-bit digest of the first payload bytes, for all frames at once and for one.

Multiply-xor over four 64-bit lanes; bytes behind the payload count as zero, and the length goes in too.
A secret that is new in each run goes in as well, so nobody can craft payloads that collide. No result depends on it:
equal digests merely nominate frames for one packet, and nothing is sorted by them.
"""

import secrets
from contextvars import ContextVar

import numpy as np

from analyzer.schema import Array, Bytes, Int64

DIGEST_BYTES = 32
LANES = DIGEST_BYTES // 8
MASK64 = (1 << 64) - 1
MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
FINAL = 0xFF51AFD7ED558CCD

KEYS = ContextVar("keys", default=tuple(secrets.randbits(64) for _ in range(LANES)))
"""Of this run; whoever works for it uses the same."""

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
