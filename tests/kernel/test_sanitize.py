"""What is compiled touches no bytes but its own, whatever the frames are."""

from pathlib import Path

import pytest

from tests.kernel.sanitize import RUNTIMES, main, runtime
from tests.needs import why_not_compiled

SOME = 100_000


@pytest.fixture
def decoder() -> None:
    """What is decoded with is compiled here."""


@pytest.mark.sweep
@pytest.mark.process
def test_frames_that_were_changed_at_random() -> None:
    """With AddressSanitizer and UndefinedBehaviorSanitizer; ``make sanitize`` tries a hundred times as many."""
    if reason := why_not_compiled():
        pytest.skip(reason)
    if not all(Path(runtime(name)).is_absolute() for name in RUNTIMES):
        pytest.skip("libasan or libubsan missing: apt-get install gcc")

    assert main(SOME) == 0
