"""Counts with their words."""

import pytest

from analyzer.model.words import plural


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 frames"), (1, "1 frame"), (2, "2 frames"), (21, "21 frames"), (1_234_567, "1,234,567 frames")],
)
def test_only_one_is_singular(count: int, text: str) -> None:
    """None are several; thousands are set apart."""
    assert plural(count, "frame") == text
