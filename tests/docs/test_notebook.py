"""The notebook to start with: its cells run, one after the other, and have no outputs in them."""

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "notebook.ipynb"
CELLS: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text())["cells"]


def test_its_cells_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the project's folder; each shows something."""
    monkeypatch.chdir(ROOT)
    known: dict[str, Any] = {}
    shown = []
    for cell in (cell for cell in CELLS if cell["cell_type"] == "code"):
        *lines, last = "".join(cell["source"]).splitlines()
        exec("\n".join(lines), known)
        shown.append(eval(last, known))

    trace, findings, table, reason, counts, size = shown
    assert "DOCKER-USER" in trace._repr_html_()
    assert findings[0][0] == "filtered-by-rule"
    assert set(table["point"]) == {"veth-c1", "docker0"}
    assert "DOCKER-USER" in reason
    assert counts.sum().sum() == len(trace.frames)
    assert size > 100_000


def test_it_has_no_outputs() -> None:
    """They would be of another day."""
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in CELLS)
