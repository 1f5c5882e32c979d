"""What ``make hostile`` tries, smaller: no input takes the machine, and none ends with a traceback."""

from pathlib import Path

import pytest

from tests.hostile.cases import CASES
from tests.hostile.run import analyse

SMALL = 0.02
"""Of the full size."""


@pytest.mark.process
@pytest.mark.sweep
@pytest.mark.parametrize("name", CASES)
def test_what_means_harm(tmp_path: Path, name: str) -> None:
    """Its exit code is one that is documented, and memory and time are within their limits."""
    done = analyse(CASES[name](tmp_path, SMALL))

    assert done.wrong == "", done.said
