"""Data flows one way: a layer imports only layers above it."""

import ast
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "analyzer"
LAYERS = ("errors", "process", "model", "schema", "kernel", "read", "state", "record", "decode", "link", "packet",
          "points", "journey", "explain", "replay", "report", "anonymise", "run", "cli")  # fmt: skip
REPORT_MAY_IMPORT = {"errors", "process", "model", "schema", "report"}
MAX_LINES = 500
FILES = sorted(PACKAGE.rglob("*.py"))


def _imports(path: Path) -> set[str]:
    """Return the layers that a file imports, at any depth."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "analyzer":
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("analyzer.")}
    return found & set(LAYERS)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_import_points_downwards(path: Path) -> None:
    """The order is the one in LAYERS."""
    layer = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if layer not in LAYERS:
        return  # __init__ and __main__ stand outside

    allowed = REPORT_MAY_IMPORT if layer == "report" else set(LAYERS[: LAYERS.index(layer) + 1])
    assert _imports(path) <= allowed


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_are_small_and_named_for_what_they_do(path: Path) -> None:
    """Nothing is called utils, and nobody has to scroll for ever."""
    assert path.stem not in ("utils", "helpers", "common", "misc")
    assert len(path.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_whatever_does_something_has_a_test_file_of_its_name(path: Path) -> None:
    """Below the tests of its room; what only says what things are has none."""
    tree = ast.parse(path.read_text())
    if path.stem in ("__init__", "__main__") or not any(isinstance(node, ast.FunctionDef) for node in ast.walk(tree)):
        return
    *room, _ = path.relative_to(PACKAGE).parts

    assert list(TESTS.joinpath(*room[:1]).glob(f"**/test_{path.stem}.py"))


def test_the_model_is_standard_library_only() -> None:
    """So that reports and other programs can use it without NumPy."""
    for path in (PACKAGE / "model").glob("*.py"):
        modules = {
            (node.module or "").split(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom)
        }
        assert modules <= {"analyzer", "collections", "dataclasses", "enum", "functools", "ipaddress", "typing"}, (
            path.name
        )


def test_users_type_checkers_see_the_types() -> None:
    """PEP 561: the marker is in the package that is installed."""
    assert resources.files("analyzer").joinpath("py.typed").is_file()


def test_the_lint_rules_are_alive() -> None:
    """What is banned is reported: a rule that is not selected says nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--output-format", "concise", "--stdin-filename", "analyzer/x.py", "-"],
        input='"""Read."""\n\nimport pandas\n\npandas.read_csv("x")\n',
        cwd=PACKAGE.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "TID251" in done.stdout
