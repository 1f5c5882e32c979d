"""Rules, routes and packets that nobody chose: hoptrace's judge says what the kernel says, and meets the same rules."""

import pytest

from tests.replay.kernel import KINDS, asked, case, differences, read_vectors

SEEDS = 27
"""With 25 packets each, of three kinds: 2,000."""


@pytest.mark.replay
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_kernel(kind: str, seed: int) -> None:
    """Here and now: verdict, what decided, the way out, the addresses, and every rule that was met, in order."""
    one = case(kind, seed)

    assert list(differences(one, asked(one))) == []


def test_vectors() -> None:
    """What a kernel said once, where there is none to be asked."""
    found = list(read_vectors())

    assert {one.kind for one, _ in found} == set(KINDS)
    assert [line for one, kernels in found for line in differences(one, kernels)] == []
