"""The documentation as a site: it builds without a warning, and every page is reached."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.made import DOCS


@pytest.mark.process
def test_it_builds(tmp_path: Path) -> None:
    """Links within it lead somewhere, or Sphinx warns."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "-d", str(tmp_path / "trees")]
    done = subprocess.run([*command, DOCS, tmp_path / "site"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    pages = {path.stem for path in DOCS.glob("*.md")}
    assert pages <= {path.stem for path in (tmp_path / "site").glob("*.html")}
    start = (tmp_path / "site" / "index.html").read_text()
    assert all(f'href="{page}.html"' in start for page in pages - {"index"})
    reference = (tmp_path / "site" / "reference.html").read_text()
    assert all(f'id="{name}"' in reference for name in ("analyzer.analyze", "analyzer.Trace.filter"))


def test_no_page_is_forgotten() -> None:
    """The start names all of them."""
    named = re.findall(r"^([a-z-]+)$", (DOCS / "index.md").read_text(), re.MULTILINE)

    assert sorted(named) == sorted(path.stem for path in DOCS.glob("*.md") if path.stem != "index")
