"""Memory that was freed serves the next columns, where the C library can be told so."""

import ctypes
import subprocess
import sys

import pytest

from analyzer.process import suit_columns

AGAIN = """
from analyzer.process import suit_columns
suit_columns()
import resource
import numpy as np
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(8_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
PAGES = 64_000_000 // 4096


def test_a_second_column_needs_no_new_pages() -> None:
    """glibc would have given the first one's back."""
    done = subprocess.run([sys.executable, "-c", AGAIN], capture_output=True, text=True, check=True)

    assert int(done.stdout) < PAGES // 10


@pytest.mark.parametrize("libc", [object(), OSError("no such library")])
def test_other_libraries_do_no_harm(monkeypatch: pytest.MonkeyPatch, libc: object) -> None:
    """musl has no mallopt, and not every Python can load its own program."""

    def load(_: object) -> object:
        if isinstance(libc, OSError):
            raise libc
        return libc

    monkeypatch.setattr(ctypes, "CDLL", load)

    suit_columns()
