"""64-bit digests of bytes: of few by themselves, of spans of any lengths all at once.

Multiply-xor over four 64-bit lanes; bytes behind the payload count as zero, and the length goes in too.
A secret that is new in each run goes in as well, so nobody can craft payloads that collide. No result depends on it:
equal digests merely nominate frames for one packet, and nothing is sorted by them.
"""

import secrets
from contextvars import ContextVar
from functools import lru_cache
from hashlib import blake2b

import numpy as np

from analyzer.schema import Array, Bytes, Int64

DIGEST_BYTES = 32
LANES = DIGEST_BYTES // 8
MASK64 = (1 << 64) - 1
MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
FINAL = 0xFF51AFD7ED558CCD

WORDS = 256
"""Of eight bytes; a span of more is digested by itself."""
AT_A_TIME = 1 << 15
"""Words that are worked together: they stay in the processor's cache."""

KEYS = ContextVar("keys", default=tuple(secrets.randbits(64) for _ in range(LANES)))
"""Of this run; whoever works for it uses the same."""

_MASKS = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)
"""By number of bytes, the first of a word."""


def digest_spans(buffer: Bytes, begin: Int64, count: Int64) -> Int64:
    """
    Digest n spans of any lengths, by NH of UMAC (RFC 4418 section 5.2.2): products of keyed halves of words, added up.

    Two others of one length collide once in 2**32; they merely would not be told apart.

    Args:
        buffer: where they lie; seven bytes behind each are readable.
        begin: (n,) where each begins.
        count: (n,) how many bytes each has.
    """
    state = np.zeros(len(count), np.uint64)
    keys = word_keys(KEYS.get())
    words = np.minimum(-(-count // 8), WORDS + 1)
    order = np.argsort(words, kind="stable")
    ends = np.searchsorted(words[order], np.arange(WORDS + 2), side="right").tolist()
    for length in np.unique(words).tolist():
        rows = order[ends[length - 1] if length else 0 : ends[length]]
        if length > WORDS:
            state[rows] = [_digest_alone(buffer, at, size) for at, size in zip(begin[rows], count[rows], strict=True)]
            continue
        for some in np.array_split(rows, -(-len(rows) * length // AT_A_TIME) or 1):
            state[some] = _sum_of_products(buffer, begin[some], count[some], length, keys)
    return mix_rows(state, count.astype(np.uint64)).view(np.int64)


def _sum_of_products(buffer: Bytes, begin: Int64, count: Int64, length: int, keys: Array) -> Array:
    """Return it for spans of as many words each; bytes behind them count as zero."""
    if not length:
        return np.zeros(len(begin), np.uint64)
    width = 8 * length
    overlapping = np.lib.stride_tricks.as_strided(buffer, (len(buffer) - width + 1, width), (1, 1), writeable=False)
    words = overlapping[begin].view("<u8")
    words[:, -1] &= _MASKS[count - width + 8]
    halves = words.view("<u4") + keys[: 2 * length]
    found: Array = np.einsum("ij,ij->i", halves[:, ::2].astype(np.uint64), halves[:, 1::2].astype(np.uint64))
    return found


def _digest_alone(buffer: Bytes, begin: int, count: int) -> int:
    return int.from_bytes(blake2b(buffer[begin : begin + count].tobytes(), digest_size=8).digest(), "big")


@lru_cache(maxsize=4)
def word_keys(keys: tuple[int, ...]) -> Array:
    """Return the keys of the halves of words, made of a run's *keys*, which are those of now."""
    found = np.arange(WORDS, dtype=np.uint64)
    for lane in range(len(keys)):
        found = mix_rows(found, np.zeros(WORDS, np.uint64), lane)
    return found.view("<u4")


def mix_rows(state: Array, value: Array, lane: int = 0) -> Array:
    """Fold *value* into *state*; both (n,) uint64."""
    state = (state ^ value ^ np.uint64(KEYS.get()[lane])) * np.uint64(MULTIPLIERS[lane])
    state ^= state >> np.uint64(29)
    state *= np.uint64(FINAL)
    state ^= state >> np.uint64(32)
    return state


def digest_one(payload: bytes) -> int:
    """Digest one payload of at most DIGEST_BYTES; a signed 64-bit integer."""
    padded, keys = payload.ljust(DIGEST_BYTES, b"\0"), KEYS.get()
    state = len(payload)
    for lane in range(LANES):
        state ^= int.from_bytes(padded[8 * lane : 8 * lane + 8], "little") ^ keys[lane]
        state = state * MULTIPLIERS[lane] & MASK64
        state ^= state >> 29
        state = state * FINAL & MASK64
        state ^= state >> 32
    return state - (1 << 64) if state >> 63 else state
