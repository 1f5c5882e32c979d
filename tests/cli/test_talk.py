"""How commands talk: colours, the pager, quiet; and what is answered to who types what other tools take."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analyzer.cli import main
from analyzer.cli.talk import HABITS, habit

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"
FAULT = Path(__file__).parents[1] / "faults" / "docker-user.bridge.tar.zst"
RED = "\x1b["


def _run(*words: object, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(main, [str(word) for word in words], color=True)


@pytest.mark.parametrize(
    ("words", "environment", "coloured"),
    [
        ((), {}, False),
        (("--color", "always"), {}, True),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {"CLICOLOR_FORCE": "1"}, False),
        ((), {"CLICOLOR_FORCE": "1"}, True),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"CLICOLOR_FORCE": "0"}, False),
        ((), {"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False),
        ((), {"CLICOLOR": "0", "CLICOLOR_FORCE": "1"}, False),
    ],
)
def test_colours(words: tuple[str, ...], environment: dict[str, str], coloured: bool) -> None:
    """In a pipe only where they are demanded; and lines are as long as they are."""
    plain = _run("analyze", FAULT, NO_COLOR="1").stdout
    told = _run("analyze", FAULT, *words, **environment).stdout

    assert (RED in told) == coloured
    assert len(told.splitlines()) == len(plain.splitlines())


def test_quiet_says_only_what_fails() -> None:
    """Notes are left out, errors are not."""
    loud, quiet = _run("show", FAULT), _run("show", FAULT, "-q")

    assert loud.stderr.startswith("hoptrace: J2, which the first finding is about")
    assert quiet.stderr == ""
    assert quiet.stdout == loud.stdout
    assert "no journey J99" in _run("show", FAULT, "J99", "-q").stderr


@pytest.mark.process
def test_long_text_is_shown_in_a_pager() -> None:
    """Where both ends are terminals; whose colours it gets."""
    own, other = pty.openpty()
    environment = {**os.environ, "PAGER": "wc -l", "TERM": "xterm"}
    words = [sys.executable, "-m", "analyzer", "analyze", str(SEED)]
    subprocess.run(words, stdin=other, stdout=other, env=environment, check=True, timeout=60)
    paged = os.read(own, 1 << 16).decode()
    subprocess.run([*words, "--no-pager", "-n", "0"], stdin=other, stdout=other, env=environment, check=True)
    shown = os.read(own, 1 << 16).decode()
    os.close(own)
    os.close(other)

    assert paged.strip().isdecimal()
    assert "c3 reaches 8.8.8.8" in shown


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("analyze", "-w", "x.pcap", SEED), "No such option '-w'. Here: -o FILE writes a report"),
        (("analyze", "-e", SEED), "Here: MACs stand at every hop"),
        (("anlyze", SEED), "did you mean analyze? There are: analyze, anonymise, capture,"),
        ((SEED,), "but a file: hoptrace analyze"),
        (("checks", "filtered-by-rul"), "did you mean filtered-by-rule?"),
        (("checks", "zzz"), "hoptrace checks lists them"),
        (("show", "J3"), "J3 of what? Give a capture or a bundle, too"),
        (("analyze", SEED, "-o", "-"), "--format says as what"),
        (("analyze", SEED, "-o", "-", "--format", "json", "--json"), "two reports for stdout"),
        (("analyze", SEED, "-o", "-", "--format", "parquet"), "Parquet is two files"),
    ],
)
def test_what_may_be_meant(words: tuple[object, ...], answer: str) -> None:
    """It is said in a line, with the exit code for usage."""
    told = _run(*words)

    assert (told.exit_code, answer in " ".join(told.stderr.split())) == (2, True)


def test_habits_name_what_is_there() -> None:
    """Commands and options of theirs."""
    options = {option for command in main.commands.values() for one in command.params for option in one.opts}

    assert {word for text in HABITS.values() for word in text.split() if word.startswith("-") and len(word) > 1} <= {
        *options, "-br"
    }  # fmt: skip
    assert (habit("-s0"), habit("--what"), habit("-w")) == (None, None, HABITS["-w"])


def test_a_file_as_tcpdump_has_it() -> None:
    """-r is what a PATH is."""
    assert _run("analyze", "-r", SEED).stdout == _run("analyze", SEED).stdout


@pytest.mark.parametrize("form", ["json", "ndjson", "html"])
def test_reports_on_stdout(form: str, tmp_path: Path) -> None:
    """The same as in a file, and nothing else."""
    told = _run("analyze", SEED, "-o", "-", "--format", form)
    _run("analyze", SEED, "-o", tmp_path / f"x.{form}")
    _run("analyze", SEED, "-o", tmp_path / "x.other", "--format", form)

    assert told.stdout == (tmp_path / f"x.{form}").read_text() == (tmp_path / "x.other").read_text()


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("show", SEED, "J3"), "journeys"), (("checks",), "checks"),
        (("checks", "--rules"), "What of rules is evaluated"),
        (("doctor", "--host", SEED / "host"), "findings"), (("demo",), "journeys"), (("fields",), "fields"),
    ],
)  # fmt: skip
def test_every_command_has_json(words: tuple[object, ...], key: str) -> None:
    """For other programs."""
    assert key in json.loads(_run(*words, "--json").stdout)


def test_verbose_says_what_is_read_and_how_long_it_took() -> None:
    """On stderr, until the command ends; of a name nothing acts on the terminal."""
    told, quiet = (_run("show", SEED, "J3", *more) for more in (("-v",), ()))

    lines = told.stderr.splitlines()
    assert [line for line in lines if line.endswith("docker0.pcap")] == [f"hoptrace: reads {SEED / 'docker0.pcap'}"]
    assert re.fullmatch(r"hoptrace: took \d+\.\d s", lines[-1])
    assert quiet.stderr == ""
    assert told.stdout == quiet.stdout


@pytest.mark.parametrize("name", sorted(set(main.commands) - {"mcp", "completion", "shell"}))
def test_every_command_may_say_more(name: str) -> None:
    """Or less."""
    told = _run(name, "--help").stdout

    assert "-v, --verbose" in told
    assert "-q, --quiet" in told


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_help_has_an_example(name: str) -> None:
    """Which is a line that the command takes."""
    told = _run(name, "--help").stdout.partition("Examples:")[2]

    assert any(line.split()[:2] in (["hoptrace", name], ["sudo", "hoptrace"]) for line in told.splitlines())


@pytest.mark.process
def test_a_line_that_is_written_anew(tmp_path: Path) -> None:
    """Only where stderr is a terminal; what is said stands on lines of its own."""
    script = (
        "from analyzer.cli.talk import StatusLine\n"
        "with StatusLine() as line:\n"
        "    print(line.seen)\n"
        "    line.show('1 s'); line.say('hello'); line.show('2 s')\n"
    )
    own, other = pty.openpty()
    done = subprocess.run([sys.executable, "-c", script], stderr=other, capture_output=False, stdout=subprocess.PIPE,
                          check=True)  # fmt: skip
    told = os.read(own, 1 << 12).decode()
    os.close(own)
    os.close(other)

    assert done.stdout == b"True\n"
    assert told == "\r1 s\x1b[K\r\x1b[Khoptrace: hello\r\n\r2 s\x1b[K\r\x1b[K"
    assert subprocess.run([sys.executable, "-c", script.replace("line.show", "print")], capture_output=True,
                          check=True).stdout.startswith(b"False")  # fmt: skip
