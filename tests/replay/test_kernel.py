"""Rules, routes and packets that nobody chose: hoptrace's judge says what the kernel says, and meets the same rules."""

import pytest

from tests.replay.kernel import KINDS, asked, case, differences, read_vectors

SEEDS = 27
"""With 25 packets each, of three kinds: 2,000."""
SILENT = "the kernel said nothing of it"


@pytest.mark.replay
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_kernel(kind: str, seed: int) -> None:
    """Here and now: verdict, what decided, the way out, the addresses, and every rule that was met, in order."""
    one = case(kind, seed)
    found = list(differences(one, asked(one)))
    if any(SILENT in line for line in found):  # a machine that is busy may lose what the kernel traces
        found = list(differences(one, asked(one)))

    assert found == []


def test_vectors() -> None:
    """What a kernel said once, where there is none to be asked."""
    found = list(read_vectors())

    assert {one.kind for one, _ in found} == set(KINDS)
    assert [line for one, kernels in found for line in differences(one, kernels)] == []
