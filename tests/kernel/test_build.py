"""Wheels: with what was compiled, for one platform and every Python; without a compiler, for all of them."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.needs import why_not_compiled

ROOT = Path(__file__).parents[2]
LIBRARY = "analyzer/kernel/compiled.abi3.so"


@pytest.fixture
def decoder() -> None:
    """Nothing is decoded here."""


@pytest.mark.process
@pytest.mark.parametrize("compiler", ["cc", "false"])
def test_a_wheel(compiler: str, tmp_path: Path) -> None:
    """What could not be compiled is left out, and the tag says so; pip keeps a wheel by its tag."""
    if compiler == "cc" and (reason := why_not_compiled()):
        pytest.skip(reason)
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "analyzer", tree / "analyzer", ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    shutil.copytree(ROOT / "sample_pcaps" / "seed", tree / "sample_pcaps" / "seed")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", "..", "."]
    done = subprocess.run(command, cwd=tree, env={**os.environ, "CC": compiler}, capture_output=True, check=False)
    wheels = list(tmp_path.glob("*.whl"))

    assert done.returncode == 0, done.stderr.decode()
    assert len(wheels) == 1
    assert (LIBRARY in zipfile.ZipFile(wheels[0]).namelist()) is (compiler == "cc")
    assert wheels[0].name.endswith("-py3-none-any.whl") is (compiler == "false")
    assert ("-cp311-abi3-linux" in wheels[0].name) is (compiler == "cc")
