"""Captures are carried to laptops: what only Linux has is hidden, and all that analyses tells the same without it."""

import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from analyzer.cli.base import need_linux
from analyzer.errors import ToolError

SEED = Path(__file__).parents[1] / "sample_pcaps" / "seed"
HIDDEN = """
import os, signal, sys
for name in ("fcntl", "grp", "pwd", "resource", "termios", "tty", "pty"):
    sys.modules[name] = None
for name in ("O_CLOEXEC", "O_NOFOLLOW", "fork", "getuid", "geteuid", "killpg", "posix_fallocate", "pread", "preadv",
             "sched_getaffinity", "setsid", "statvfs"):
    delattr(os, name)
for name in ("SIGHUP", "SIGKILL", "SIGQUIT", "pthread_sigmask"):
    delattr(signal, name)
"""
RUN = "from analyzer.__main__ import run; sys.exit(run())"


def _run(hidden: str, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{hidden}\n{RUN}", *words], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("analyze", str(SEED)),
        ("analyze", str(SEED), "--json"),
        ("analyze", str(SEED), "--json", "--memory", "1GiB", "--parts", "3"),
        ("analyze", str(SEED), "-o", "-", "--format", "html"),
        ("show", str(SEED), "J3"),
        ("doctor", "--host", str(SEED / "host")),
        ("checks",),
        ("fields",),
        ("demo",),
    ],
    ids=" ".join,
)
def test_what_is_told_is_the_same(words: tuple[str, ...]) -> None:
    """On stdout; nothing fails."""
    code, out, err = _run(HIDDEN, *words)

    assert (code, out) == _run("", *words)[:2], err
    assert "Traceback" not in err


def test_files_are_written(tmp_path: Path) -> None:
    """Whole, and nothing is left beside them."""
    names = [f"x.{kind}" for kind in ("html", "json", "ndjson", "parquet")]
    code, _, err = _run(
        HIDDEN, "analyze", str(SEED), *(word for name in names for word in ("-o", str(tmp_path / name)))
    )

    assert code == 0, err
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([*names, "x.connections.parquet"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("capture", "--all"), "capture needs Linux: let it record another host (--ssh HOST), or run it there"),
        (("capture",), "capture needs Linux"),
        (
            ("doctor",),
            "doctor needs Linux: let it ask another host (--ssh HOST), or give what was recorded (--host DIR)",
        ),
        (("replay", str(SEED)), "replay needs Linux: the recorded host is built in its network namespaces"),
        (("shell", str(SEED)), "shell needs Linux"),
        (("analyze", str(SEED), "--replay"), "--replay needs Linux"),
    ],
)
def test_what_only_linux_can_is_said(words: tuple[str, ...], told: str) -> None:
    """In a line, before anything is done."""
    code, out, err = _run(f"{HIDDEN}\nsys.platform = 'darwin'", *words)

    assert (code, out) == (3, "")
    assert err.startswith(f"hoptrace: {told}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("platform", "target", "can"),
    [("linux", None, True), ("linux", "host", True), ("darwin", None, False), ("darwin", "host", True),
     ("win32", None, False), ("win32", "host", False)],
)  # fmt: skip
def test_another_host_is_asked_from_every_unix(
    monkeypatch: pytest.MonkeyPatch, platform: str, target: str | None, can: bool
) -> None:
    """By ssh."""
    monkeypatch.setattr(sys, "platform", platform)
    with nullcontext() if can else pytest.raises(ToolError, match="capture needs Linux"):
        need_linux("capture", "not here", target)
