"""Programs on this machine and behind ssh: what they are given, what they say, and how they fail."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from analyzer.errors import ToolError
from analyzer.record import machine as module
from analyzer.record.machine import Deadline, Done, Machine, Remote, open_new

LAST_ARGUMENT = '#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n'
"""Behaves like ssh to this very host."""


class _Bare(Machine):
    """A machine on which nothing is installed."""

    def has(self, program: str) -> bool:
        return program == "sh"


def _program(path: Path, script: str) -> Path:
    path.write_text(script)
    path.chmod(0o755)
    return path


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remote:
    """A host that is reached by a program which takes ssh's place."""
    monkeypatch.setenv("HOPTRACE_SSH", str(_program(tmp_path / "ssh", LAST_ARGUMENT)))
    return Remote("user@host")


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo out; echo err >&2", Done(0, "out\n", "err\n")),
        ("exit 3", Done(3, "", "")),
        ("kill -KILL $$", Done(-9, "", "")),
        (r"printf '\377'; printf 'a\376' >&2", Done(0, "�", "a�")),
        ("cat", Done(0, "", "")),
    ],
    ids=["both streams", "exit code", "signal", "bytes that are no text", "nothing on stdin"],
)
def test_what_a_program_gives(script: str, expected: Done) -> None:
    """Its code and both streams as text; it cannot read anything."""
    assert Machine().run("sh", "-c", script) == expected


def test_a_program_that_does_not_run(tmp_path: Path) -> None:
    """Missing, not executable, or without an answer: each has the code that shells give."""
    plain = tmp_path / "plain"
    plain.write_text("")
    machine = Machine()

    assert machine.run("no-such-program", "-x") == Done(127, "", "no-such-program: not found")
    assert machine.run(str(plain), "-x") == Done(126, "", f"{plain}: Permission denied")
    assert machine.run("sleep", "60", timeout=0.01) == Done(124, "", "sleep: no answer in 0 s")


@pytest.mark.parametrize(
    ("done", "reason"),
    [
        (Done(1, "out\nlast\n", "first\nsecond\n\n"), "second"),
        (Done(1, "out\nlast\n", ""), "last"),
        (Done(7, "", "\n"), "exit 7"),
    ],
)
def test_the_reason_of_a_failure(done: Done, reason: str) -> None:
    """The last line on stderr, else on stdout, else the exit code."""
    assert done.reason == reason


def test_programs_of_root_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folders of root's programs follow those of the user; all else in the environment stays."""
    show = ("/bin/sh", "-c", 'echo "$PATH $KEPT"')
    monkeypatch.setenv("KEPT", "as it is")
    monkeypatch.delenv("PATH")
    without = Machine().run(*show)
    monkeypatch.setenv("PATH", "/one:/two")
    started = Machine().start(*show)

    assert without.out == ":/usr/sbin:/sbin as it is\n"
    assert Machine().run(*show).out == "/one:/two:/usr/sbin:/sbin as it is\n"
    assert started.stdout is not None
    assert started.stdout.read() == b"/one:/two:/usr/sbin:/sbin as it is\n"


def test_a_program_is_looked_for_in_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the user's own path has, and what only root's has, is there; nothing else is."""
    _program(tmp_path / "mine", "")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert [Machine().has(name) for name in ("mine", "ldconfig", "no-such-program")] == [True, True, False]


@pytest.mark.parametrize(
    ("programs", "problem"),
    [
        (("sh", "tcpdump", "ip"), "tcpdump is missing on this host: apt-get install tcpdump"),
        (("ip",), "ip is missing on this host: apt-get install iproute2"),
        (("other",), "other is missing on this host: apt-get install other"),
    ],
)
def test_a_program_that_is_needed(programs: tuple[str, ...], problem: str) -> None:
    """The first one that is missing is told, with the package that has it."""
    with pytest.raises(ToolError) as error:
        _Bare().need(*programs)

    assert str(error.value) == problem


def test_a_program_that_is_there_is_not_missed() -> None:
    """Nothing is raised."""
    _Bare().need("sh")
    _Bare().need()


def test_a_started_program_has_its_own_process_group() -> None:
    """Ctrl-C in the terminal does not reach it; it reads nothing, and both its streams can be read."""
    process = Machine().start("sh", "-c", "cat; echo out; echo err >&2")
    group = os.getpgid(process.pid)
    out, err = (stream.read() for stream in (process.stdout, process.stderr) if stream is not None)

    assert (out, err, process.wait()) == (b"out\n", b"err\n", 0)
    assert group == process.pid != os.getpgid(0)


def test_the_arguments_of_a_started_program() -> None:
    """They arrive as they are."""
    process = Machine().start("printf", "%s|", "a b", "$HOME", "'", "")
    assert process.stdout is not None

    assert process.stdout.read() == b"a b|$HOME|'||"


def test_a_program_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told by its name and the reason; what is not there ends at once, as shells have it."""
    missing = Machine().start("no-such-program", "-x")
    assert missing.stderr is not None
    said = missing.stderr.read()
    monkeypatch.setenv("HOPTRACE_SSH", "/nowhere/ssh")

    assert (missing.wait(30), b"no-such-program" in said) == (127, True)
    with pytest.raises(ToolError, match=r"^tcpdump: No such file or directory$"):
        Remote("user@host").start("tcpdump", "-x")


@pytest.mark.parametrize("where", ["here", "behind ssh"])
@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("echo up; exec sleep 60", 143),
        ("trap 'echo end; exit 3' TERM; echo up; while :; do sleep 0.01; done", 3),
        ("trap '' TERM; echo up; exec sleep 60", 137),
        ("(until grep -q stopped /proc/$$/status; do sleep 0.01; done; echo up) & kill -STOP $$", 137),
    ],
    ids=["it does not care", "in good order", "it does not listen", "it was stopped"],
)
def test_a_started_program_ends_when_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch, remote: Remote, where: str, script: str, code: int
) -> None:
    """By the end of its stdin; after a while it is killed."""
    monkeypatch.setattr(module, "KILL_AFTER_S", 0.2)
    process = (Machine() if where == "here" else remote).start("sh", "-c", script)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    process.stdin.close()

    assert process.wait(30) == code


def _runs(command: bytes) -> bool:
    """Tell whether a process has this command line; small hosts have no pgrep."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cmdline").read_bytes() == command:
                return True
    return False


@pytest.mark.process
@pytest.mark.parametrize("kind", ["start", "run"])
def test_no_program_outlives_hoptrace(kind: str) -> None:
    """Also where nothing can be done any more, because it was killed."""
    line = f"from analyzer.record.machine import Machine\nMachine().{kind}('sleep', '{os.getpid()}.5')\ninput()"
    parent = subprocess.Popen([sys.executable, "-c", line], stdin=subprocess.PIPE)
    command = f"sleep\0{os.getpid()}.5\0".encode()
    end = time.monotonic() + 30
    while not _runs(command) and time.monotonic() < end:
        time.sleep(0.02)
    there = _runs(command)
    parent.kill()
    parent.communicate()
    while _runs(command) and time.monotonic() < end:
        time.sleep(0.02)

    assert there
    assert not _runs(command)


@pytest.mark.parametrize(
    ("script", "seconds"),
    [("sleep 60", 0.2), ("sleep 60 & exit 0", 0.2), ("trap '' TERM INT; while :; do sleep 0.1; done", 0.2)],
    ids=["a child", "what a child leaves behind", "it does not listen"],
)
def test_whoever_does_not_answer_is_not_waited_for(script: str, seconds: float) -> None:
    """Nor is what it started, though that holds its pipes."""
    begin = time.monotonic()
    done = Machine().run("sh", "-c", script, timeout=seconds)

    assert done == Done(124, "", "sh: no answer in 0 s")
    assert time.monotonic() - begin < 10


def test_several_programs_share_a_deadline() -> None:
    """When it is over, or somebody is in a hurry, nobody is asked any more."""
    late, hurried = Deadline(0), Deadline(60, lambda: True)

    assert Machine().run("echo", "x", deadline=Deadline(60)) == Done(0, "x\n", "")
    for deadline in (late, hurried):
        assert Machine().run("echo", "x", deadline=deadline) == Done(
            124, "", "echo: not asked, or not waited for: time was up"
        )


def test_a_new_file_is_really_new(tmp_path: Path) -> None:
    """Others may read it; what is there already is neither written nor followed."""
    (tmp_path / "there").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    mask = os.umask(0o022)
    try:
        with os.fdopen(open_new(tmp_path / "new"), "wb") as new:
            new.write(b"abc")
    finally:
        os.umask(mask)
    for name in ("there", "link"):
        with pytest.raises(FileExistsError):
            open_new(tmp_path / name)

    assert (tmp_path / "new").read_bytes() == b"abc"
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "new", "there"]
    assert (tmp_path / "there").read_text() == "kept"


@pytest.mark.parametrize(
    ("program", "words"), [(None, ["ssh"]), ("ssh -p 22 -F 'my config'", ["ssh", "-p", "22", "-F", "my config"])]
)
def test_the_command_that_goes_through_ssh(
    monkeypatch: pytest.MonkeyPatch, program: str | None, words: list[str]
) -> None:
    """It asks no questions, waits ten seconds at most, and is quoted for the other side's shell."""
    if program is None:
        monkeypatch.delenv("HOPTRACE_SSH", raising=False)
    else:
        monkeypatch.setenv("HOPTRACE_SSH", program)
    options = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "user@host", "--"]

    assert Remote("user@host").name == "user@host"
    assert Remote("user@host").wrap(["ls", "a b"]) == [
        *words, *options, "PATH=$PATH:/usr/sbin:/sbin exec ls 'a b'"
    ]  # fmt: skip


def test_a_target_is_no_option_of_ssh() -> None:
    """ssh would take it for one, and run what it says."""
    with pytest.raises(ToolError, match=r"^--ssh -oProxyCommand=x: not a host$"):
        Remote("-oProxyCommand=x")


def test_programs_on_the_other_side(remote: Remote) -> None:
    """Its shell tells whether one is there; a name is one word, whatever it has in it."""
    assert remote.run("printf", "%s|", "a b", "$HOME") == Done(0, "a b|$HOME|", "")
    assert [remote.has(name) for name in ("sh", "no-such-program", "sh; true")] == [True, False, False]
    with pytest.raises(ToolError, match=r"^no-such-program is missing on user@host: apt-get install no-such-program$"):
        remote.need("no-such-program")


def test_what_is_run_is_noted(caplog: pytest.LogCaptureFixture) -> None:
    """As a shell would take it: for who asks what is done on a host."""
    with caplog.at_level("DEBUG", logger="analyzer"):
        Machine().run("echo", "a b")

    assert [one.getMessage() for one in caplog.records] == ["runs echo 'a b'"]
