"""What the pages for developers name is there: rooms in their order, files, and targets of make."""

import re

import pytest

from tests.docs.made import ROOT
from tests.test_architecture import LAYERS, MAX_LINES, REPORT_MAY_IMPORT

GUIDES = {name: (ROOT / "docs" / f"{name}.md").read_text() for name in ("architecture", "contributing")}


def test_rooms_stand_in_their_order() -> None:
    """All of them."""
    assert tuple(re.findall(r"^\| `(\w+)` \|", GUIDES["architecture"], re.MULTILINE)) == LAYERS
    assert f"past {MAX_LINES} lines" in GUIDES["architecture"]
    assert {"`errors`", "`process`", "`model`", "`schema`"} == {f"`{one}`" for one in REPORT_MAY_IMPORT - {"report"}}


@pytest.mark.parametrize("name", GUIDES)
def test_what_is_named_is_there(name: str) -> None:
    """Files, modules and targets."""
    text = " ".join(GUIDES[name].split())
    files = re.findall(r"`((?:analyzer|tests|docs)/[\w./-]*)`|`(\w+\.md)`|\]\((\w+\.md)\)", text)
    modules = re.findall(r"python -m (tests[\w.]+)", text)
    targets = re.findall(r"make (demo|test|faults|kernel)\b", text)

    for path in filter(None, (one for found in files for one in found)):
        assert any((folder / path).exists() for folder in (ROOT, ROOT / "docs")), path
    for module in modules:
        assert (ROOT / f"{module.replace('.', '/')}.py").exists(), module
    makefile = (ROOT / "Makefile").read_text()
    assert all(f"\n{target}:" in makefile for target in targets)
    assert files
    assert targets
