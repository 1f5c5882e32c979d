"""Programs on this machine and behind ssh: what they are given, what they say, and how they fail."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from analyzer.errors import ToolError
from analyzer.record.machine import Done, Machine, Remote, announced, announcing, open_new

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
    assert started.communicate()[0] == b"/one:/two:/usr/sbin:/sbin as it is\n"


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
    process = Machine().start("sh", "-c", "cat; echo out; echo err >&2; read wait")
    group = os.getpgid(process.pid)

    assert process.communicate() == (b"out\n", b"err\n")
    assert group == process.pid != os.getpgid(0)


def test_the_stderr_of_a_started_program_may_go_elsewhere() -> None:
    """To where the caller says."""
    process = Machine().start("sh", "-c", "echo out; echo err >&2", stderr=subprocess.STDOUT)

    assert process.communicate()[0] == b"out\nerr\n"
    assert process.stderr is None


def test_a_program_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told by its name and the reason."""
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(ToolError, match=r"^no-such-program: No such file or directory$"):
        Machine().start("no-such-program", "-x")


def test_a_started_program_ends_with_hoptrace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where setpriv is there, the kernel interrupts the program when its parent dies."""
    _program(tmp_path / "setpriv", '#!/bin/sh\necho "$*"\n')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    process = Machine().start("tcpdump", "-w", "-")

    assert process.communicate() == (b"--pdeathsig INT -- tcpdump -w -\n", b"")


@pytest.mark.parametrize("where", ["here", "behind ssh"])
def test_a_running_program_is_interrupted(where: str, remote: Remote) -> None:
    """By SIGINT; once it has ended, its number may be another program's, which is left alone."""
    machine = Machine() if where == "here" else remote
    local = Machine()
    other, ended = local.start("sleep", "60"), local.start("true")
    ended.communicate()
    machine.interrupt(ended, other.pid)
    spared = other.poll()
    machine.interrupt(other, other.pid)
    other.communicate(timeout=30)

    assert spared is None
    assert other.returncode == -signal.SIGINT


def test_the_other_side_has_no_program_called_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remote: Remote
) -> None:
    """As on Debian's smallest hosts: the shell's own does it."""
    other = Machine().start("sleep", "60")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(programs))
    remote.interrupt(other, other.pid)
    other.communicate(timeout=30)

    assert other.returncode == -signal.SIGINT


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("pid 12\n", 12),
        (" pid 345 ", 345),
        ("pid", None),
        ("pid x", None),
        ("pid 1 2", None),
        ("rapid 12", None),
        ("12", None),
        ("", None),
    ],
)
def test_a_line_that_announces_a_process(line: str, number: int | None) -> None:
    """The word and a number, and nothing else."""
    assert announced(line) == number


def test_an_announced_program_is_the_process_itself() -> None:
    """Its number comes first on stderr, and its arguments arrive as they were."""
    process = Machine().start(*announcing("printf", "%s|", "a b", "$HOME", "'"))
    out, err = process.communicate()

    assert out == b"a b|$HOME|'|"
    assert announced(err.decode()) == process.pid


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
