"""The manual pages are what --help says, and man reads them."""

import shutil
import subprocess

import pytest

from tests.docs.manual import FOLDER, pages


def test_they_are_current() -> None:
    """``python -m tests.docs.made`` makes them anew."""
    assert {path.name: path.read_text() for path in FOLDER.iterdir()} == pages()


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not here")
def test_they_are_roff() -> None:
    """Without a warning."""
    for name, text in pages().items():
        done = subprocess.run(
            ["groff", "-man", "-Tutf8", "-ww"], input=text, capture_output=True, text=True, check=True
        )
        assert done.stderr == "", name
        assert "EXAMPLES" in done.stdout or name == "hoptrace.1"
