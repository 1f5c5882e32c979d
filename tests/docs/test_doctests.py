"""What docstrings show is what happens."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import analyzer

ROOT = Path(__file__).parents[2]
MODULES = ["analyzer", *(one.name for one in pkgutil.walk_packages(analyzer.__path__, "analyzer."))]
SHOWN = [name for name in MODULES if name != "analyzer.__main__"]


@pytest.mark.parametrize("name", [one for one in SHOWN if ">>> " in (importlib.import_module(one).__doc__ or "")])
def test_examples(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the project's folder, with what the module gives."""
    monkeypatch.chdir(ROOT)
    module = importlib.import_module(name)

    tried = doctest.testmod(module, extraglobs={"analyze": analyzer.analyze})
    assert tried.failed == 0
    assert tried.attempted > 0


def test_there_are_some() -> None:
    """The first that anybody reads is tried."""
    assert ">>> " in (analyzer.__doc__ or "")
