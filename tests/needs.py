"""What groups of tests need beside Python, and why a group cannot run here.

A test says its group by a marker of that name. The programs stand in ``packages.txt``.
"""

import os
import shutil
import sysconfig
from functools import lru_cache
from pathlib import Path

from analyzer.errors import ToolError
from analyzer.replay.box import unshared

PACKAGES = Path(__file__).with_name("packages.txt")
GROUPS = ("corpus", "tshark", "browser", "tools", "replay", "live", "podman", "cni")
"""Markers of tests that not every machine can run; pyproject.toml says what each is."""
CORPUS = os.environ.get("HOPTRACE_CORPUS")
"""Folder of outside captures."""
LIBRARIES = Path("/usr/lib")
SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def programs(group: str) -> dict[str, str]:
    """Return the programs and libraries of a group, each with Debian's package of it."""
    rows = (line.split() for line in PACKAGES.read_text().splitlines() if not line.startswith("#"))
    return {command: package for of, command, package in rows if of == group}


def missing_programs(group: str) -> list[str]:
    """Return the programs and libraries of a group that are not there."""
    return [name for name in programs(group) if not _there(name)]


def _there(name: str) -> bool:
    if ".so." in name:
        return any((LIBRARIES / place / name).exists() for place in (".", *LIBRARIES.glob("*-linux-gnu*")))
    return shutil.which(name, path=SBIN) is not None


def why_not_compiled() -> str | None:
    """Say why nothing can be compiled here; None if it can."""
    if shutil.which("cc") is None:
        return "cc missing: apt-get install gcc"
    header = Path(sysconfig.get_paths()["include"], "Python.h")
    return None if header.exists() else f"{header} missing: apt-get install python3-dev"


def why_not(group: str) -> str | None:
    """Say why a group cannot run here; None if it can."""
    if group == "corpus":
        return None if CORPUS else "HOPTRACE_CORPUS names no folder of outside captures"
    if group == "live" and os.geteuid() != 0:
        return "network namespaces need root"
    if found := missing_programs(group):
        packages = sorted({programs(group)[command] for command in found})
        return f"{', '.join(found)} missing: apt-get install {' '.join(packages)}"
    return _no_namespaces() if group == "replay" else None


@lru_cache(maxsize=1)
def _no_namespaces() -> str | None:
    """Say why no host can be built here."""
    try:
        unshared()
    except ToolError as error:
        return str(error)
    return None
