"""What is told to a built host and what comes back, with a small program in place of the host."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.errors import ToolError
from analyzer.replay import box as module
from analyzer.replay.box import FORBIDDEN, Box, environment, interpreter, unshared
from analyzer.replay.plan import Plan

PLAN = Plan(peers={"docker0": "p0", "wlan0": "p1"})
HEAD = """
import json, os, sys, time
lines = os.fdopen(int(sys.argv[1]))
out = os.fdopen(int(sys.argv[2]), "w")
def say(told):
    print(json.dumps(told), file=out, flush=True)
plan = json.loads(next(lines))
"""
BUILT = 'say({"failed": ["x"], "interfaces": {"7": "docker0"}, "handles": [[["ip", "filter", "FORWARD"], [3, 4]]]})\n'
ECHOES = """
for line in lines:
    told = json.loads(line)
    say({"traces": [told], "out": [["p1", told["frame"]], ["p9", ""]], "counters": {"IpInDelivers": 1}})
"""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program is that takes the host's place; no namespace is made."""
    path = tmp_path / "inside.py"
    monkeypatch.setattr(module, "INSIDE", path)
    monkeypatch.setattr(module, "unshared", lambda: ("env",))
    monkeypatch.setattr(module, "END_S", 5)
    return path


def test_a_host_is_built_and_asked(host: Path) -> None:
    """Packets come in by the outer end of an interface, and leave by names that the recorded host has."""
    host.write_text(HEAD + BUILT + ECHOES)
    with Box(PLAN) as box:
        came, own, lost = box.send(b"\1\2", "wlan0"), box.send(b"\3", None), box.send(b"\4", "eth9")

    assert (box.failed, box.interfaces, box.handles) == (["x"], {7: "docker0"}, {("ip", "filter", "FORWARD"): [3, 4]})
    assert came.events == [{"frame": "0102", "peer": "p1", "own": False}]
    assert (came.out, came.counters, came.problem) == ([("wlan0", b"\1\2"), ("p9", b"")], {"IpInDelivers": 1}, "")
    assert own.events == [{"frame": "03", "peer": None, "own": True}]
    assert (lost.problem, lost.events) == ("eth9 was not built", [])


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (HEAD + 'say({"problem": "no room"})', "the host cannot be built here: no room"),
        ("import sys; sys.exit('unshare: failed\\nmore')", "the host cannot be built: unshare: failed"),
        ("import sys; sys.exit('unshare failed: Operation not permitted')", FORBIDDEN),
        ("", "the host cannot be built: it ended without a word"),
        (HEAD + "print('no JSON', file=out, flush=True)", "the host cannot be built: "),
    ],
)
def test_why_no_host_can_be_built(host: Path, script: str, why: str) -> None:
    """In its own words, the first line of them; where namespaces are forbidden it is told what to do."""
    host.write_text(script)

    with pytest.raises(ToolError, match=f"^{why.replace('(', '[(]').replace(')', '[)]')}"), Box(PLAN):
        pass


@pytest.mark.parametrize("silent", ["time.sleep(60)", "out.write('{'); out.flush(); time.sleep(60)"])
def test_whoever_does_not_answer_is_not_waited_for(host: Path, monkeypatch: pytest.MonkeyPatch, silent: str) -> None:
    """Neither while it is built, nor for a packet; then it is gone."""
    monkeypatch.setattr(module, "END_S", 0.1)
    monkeypatch.setattr(module, "PACKET_S", 0.3)
    begun = time.monotonic()
    host.write_text(HEAD + BUILT + f"next(lines)\n{silent}")
    with pytest.raises(ToolError, match="the built host does not answer"), Box(PLAN) as box:
        box.send(b"\1", "wlan0")
    assert box._process.poll() is not None

    monkeypatch.setattr(module, "BUILD_S", 0.1)
    host.write_text(HEAD + silent)
    with pytest.raises(ToolError, match="the built host does not answer"), Box(PLAN):
        pass
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("script", "patience_s", "code"), [("for line in lines: pass\nsys.exit(5)", 5, 5), ("time.sleep(60)", 0.1, -9)]
)
def test_it_ends_with_its_questions_or_is_ended(
    host: Path, monkeypatch: pytest.MonkeyPatch, script: str, patience_s: float, code: int
) -> None:
    """A program that ignores the end of its questions is killed."""
    monkeypatch.setattr(module, "END_S", patience_s)
    host.write_text(HEAD + BUILT + script)
    with Box(PLAN) as box:
        pass

    assert box._process.returncode == code


def test_programs_inside_know_nothing_of_this_process(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not its environment; the interpreter is the file itself, not an environment's link to it."""
    monkeypatch.setenv("TOKEN", "secret")
    host.write_text(HEAD + BUILT + 'next(lines); say({"traces": [sorted(os.environ)]})')
    with Box(PLAN) as box:
        (names,) = box.send(b"", None).events

    assert "TOKEN" not in names
    assert environment().keys() <= set(names)
    assert interpreter() == str(Path(sys.executable).resolve())


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of programs, in which unshare fails for what stands in the file ``forbidden``."""
    for name in ("ip", "nft", "iptables-restore", "unshare"):
        (tmp_path / name).write_text(
            '#!/bin/sh\nfor word; do grep -qx -- "$word" "${0%/*}/forbidden" && exit 1; done\n:\n'
        )
        (tmp_path / name).chmod(0o755)
    (tmp_path / "forbidden").write_text("")
    monkeypatch.setattr(module, "PATH", f"{tmp_path}:/usr/bin:/bin")
    unshared.cache_clear()
    yield tmp_path
    unshared.cache_clear()


@pytest.mark.parametrize(
    ("forbidden", "user", "user_space", "own_processes"),
    [
        ("", 1000, True, True),
        ("", 0, True, True),
        ("--pid", 1000, True, False),
        ("--user", 0, False, True),
        ("--user\n--pid", 0, False, False),
    ],
)
def test_namespaces_of_a_user_are_taken_where_that_is_possible(
    programs: Path, monkeypatch: pytest.MonkeyPatch, forbidden: str, user: int, user_space: bool, own_processes: bool
) -> None:
    """Root's own only for root, and processes of their own where they may have that."""
    (programs / "forbidden").write_text(f"{forbidden}\n")
    monkeypatch.setattr(os, "geteuid", lambda: user)
    words = unshared()

    assert ("--user" in words, "--pid" in words) == (user_space, own_processes)
    assert {"--net", "--mount"} <= set(words)


@pytest.mark.parametrize("user", [0, 1000])
def test_where_namespaces_are_forbidden_it_is_told_what_to_do(
    programs: Path, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    """Somebody who is not root is not given root's namespaces."""
    (programs / "forbidden").write_text("--net\n" if user == 0 else "--user\n")
    monkeypatch.setattr(os, "geteuid", lambda: user)

    with pytest.raises(ToolError, match="user namespaces are forbidden here: run it as root"):
        unshared()


def test_a_program_that_is_missing_is_named_with_its_packages(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is tried."""
    monkeypatch.setattr(module, "PATH", str(programs))
    (programs / "nft").unlink()
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("something was tried"))

    with pytest.raises(ToolError, match=r"^nft is missing: apt-get install .*nftables"):
        unshared()
