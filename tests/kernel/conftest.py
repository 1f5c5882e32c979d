"""Every rule of decoding holds for what is compiled and for the reference."""

import pytest


@pytest.fixture(autouse=True)
def decoder(either_way: None) -> None:
    """Decode with one, then with the other."""
