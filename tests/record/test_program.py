"""A program that runs meanwhile: what it says, how it ends, and how it is ended."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from analyzer.record import program as module
from analyzer.record.machine import Machine
from analyzer.record.program import Program


class _Broken(Machine):
    """A machine on which nothing that is started hears that it shall end, as behind a way that is broken."""

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        pipe = subprocess.PIPE
        return subprocess.Popen(["sleep", "60"], stdin=pipe, stdout=pipe, stderr=pipe, process_group=0)


def _program(script: str, machine: Machine | None = None) -> tuple[Program, list[str]]:
    heard: list[str] = []
    return Program(machine or Machine(), "sh", "-c", script, heard=heard.append), heard


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 3", 3), ("exit 128", 128), ("kill -TERM $$", -15), ("kill -KILL $$", -9)],
)
def test_the_exit_code_says_whether_a_signal_ended_it(script: str, code: int) -> None:
    """Negative, with the signal's number; other codes are as they are."""
    program, _ = _program(script)

    assert program.wait() == code
    assert program.code == code
    program.close()


def test_what_it_says_is_heard_line_by_line_and_kept() -> None:
    """Also what is no text, and a last line without an end; its output is something else."""
    program, heard = _program(r"echo out; printf 'one\ntwo \377\nthree' >&2")
    program.wait()

    assert heard == ["one\n", "two \ufffd\n", "three"]
    assert program.said == "one\ntwo \ufffd\nthree"
    assert os.read(program.stdout, 100) == b"out\n"
    program.close()


def test_only_the_end_of_what_it_says_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line was heard nevertheless."""
    monkeypatch.setattr(module, "MOST_SAID", 10)
    program, heard = _program("for n in 1 2 3 4; do echo line$n >&2; done")
    program.wait()

    assert program.said == "ne3\nline4\n"
    assert len(heard) == 4
    program.close()


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("12 packets captured", 12),
        ("tcpdump: listening\\n0 packets captured\\n3 packets dropped", 0),
        ("about 12 packets captured", None),
        ("12 packets received", None),
        ("", None),
    ],
)
def test_a_number_that_it_said(said: str, number: int | None) -> None:
    """At the beginning of a line, before the words that are asked for; what was not said is not 0."""
    program, _ = _program(f"printf '{said}\\n' >&2")
    program.wait()

    assert program.count("packets captured") == number
    program.close()


def test_it_ends_when_it_is_told_to_and_may_say_something_still() -> None:
    """Until then it runs, and has no exit code."""
    program, heard = _program("trap 'echo end >&2; exit 5' TERM; echo begun >&2; while :; do sleep 0.01; done")
    until = time.monotonic() + 5
    while not heard and time.monotonic() < until:
        time.sleep(0.01)
    before = program.code, program.told_to_end
    program.end()

    assert before == (None, False)
    assert (program.wait(), program.told_to_end, heard) == (5, True, ["begun\n", "end\n"])
    program.end()
    program.close()


def test_what_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time that the machine gives it, and some more."""
    monkeypatch.setattr(module, "KILL_AFTER_S", 0.2)
    monkeypatch.setattr(module, "PATIENCE_S", 0.2)
    program, _ = _program("", _Broken())
    begun = time.monotonic()
    program.end()

    assert program.wait() == -9
    assert 0.4 <= time.monotonic() - begun < 3
    program.close()


def test_what_was_not_told_to_end_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes."""
    monkeypatch.setattr(module, "KILL_AFTER_S", 0)
    monkeypatch.setattr(module, "PATIENCE_S", 0.05)
    program, _ = _program("sleep 0.3; exit 4")

    assert program.wait() == 4
    program.close()


def test_its_pipes_are_given_back() -> None:
    """Once each, also if it was told to end before."""
    program, _ = _program("exit 0")
    stdout = program.stdout
    program.end()
    program.wait()
    program.close()
    program.close()

    assert not Path(f"/proc/self/fd/{stdout}").exists()
