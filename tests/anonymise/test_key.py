"""Digests under a secret."""

from hypothesis import given
from hypothesis import strategies as st

from analyzer.anonymise.key import Key


def test_a_digest_depends_on_the_key_on_the_kind_and_on_all_bytes() -> None:
    """And on nothing else."""
    one, other = Key(b"one"), Key(b"other")

    told = {key.digest(kind, data, 8) for key in (one, other) for kind in (b"a", b"b") for data in (b"x", b"xy")}

    assert len(told) == 8
    assert one.digest(b"a", b"x", 8) == Key(b"one").digest(b"a", b"x", 8)


def test_a_long_secret_is_all_used() -> None:
    """Its end, too."""
    assert Key(b"x" * 100).digest(b"a", b"", 8) != Key(b"x" * 99 + b"y").digest(b"a", b"", 8)


@given(st.binary(max_size=40), st.binary(max_size=8), st.binary(max_size=8))
def test_what_begins_alike_is_replaced_by_what_begins_alike(start: bytes, one: bytes, other: bytes) -> None:
    """And by no more than that."""
    key = Key(b"secret")
    first, second = key.prefixes(b"p", start + one), key.prefixes(b"p", start + other)

    assert len(first) == len(start + one)
    assert first[: len(start)] == second[: len(start)]
