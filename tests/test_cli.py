"""The command line: exit codes, messages, formats."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analyzer.cli import main
from tests.bench.generate import write_captures
from tests.build import BRIDGE, C1, T0, ether, ipv4, pcap, section, udp, write_pcap

SEED = Path(__file__).parents[1] / "sample_pcaps" / "seed"


def _run(*arguments: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], input=stdin)


def test_analyze_three_captures() -> None:
    """The main job."""
    result = _run("analyze", SEED / "veth-c3.pcap", SEED / "docker0.pcap", SEED / "wlan0.pcap")

    assert result.exit_code == 0
    assert "3 points" in result.stdout
    assert "SNAT 172.17.0.4 → 192.168.1.100" in result.stdout


def test_demo_and_output_file(tmp_path: Path) -> None:
    """A report's folder is made, and it is valid JSON."""
    result = _run("demo", "-o", tmp_path / "new" / "seed.json")

    assert result.exit_code == 0
    assert json.loads((tmp_path / "new" / "seed.json").read_text())["schema"] == "hoptrace/1"
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["seed.json"]


def test_json_on_stdout() -> None:
    """Nothing but the document."""
    assert json.loads(_run("analyze", SEED, "--json").stdout)["points"][0]["name"] == "docker0"


def test_show_one_journey() -> None:
    """With or without the J; with what only --full tells."""
    assert _run("show", SEED, "J3").stdout == _run("show", SEED, "3").stdout
    assert "ip id" in _run("show", SEED, "J3").stdout


def test_stdin() -> None:
    """A capture may come through a pipe."""
    result = _run("analyze", "-", stdin=(SEED / "wlan0.pcap").read_bytes())

    assert result.exit_code == 0
    assert "stdin" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("analyze",), 2, "PATH"),
        (("analyze", "missing.pcap"), 3, "missing.pcap: No such file or directory"),
        (("analyze", __file__), 3, "neither pcap nor pcapng"),
        (("analyze", SEED, "-o", "x.docx"), 2, "x.docx"),
        (("analyze", SEED, "--point", "nonsense"), 2, "NAME=FILE"),
        (("analyze", SEED, "--point", f"a={SEED}/wlan0.pcap,role=king"), 2, "king"),
        (("analyze", SEED, "--host", "nowhere"), 3, "nowhere"),
        (("show", SEED, "J9999"), 2, "J9999"),
        (("show", SEED, "Jx"), 2, "Jx"),
        (("show", SEED, "J" + "9" * 5000), 2, "J999"),
        (("show", SEED, "\u00b2"), 2, "\u00b2"),
        (("frobnicate",), 2, "frobnicate"),
    ],
)
def test_errors_are_one_line_and_an_exit_code(arguments: tuple[object, ...], code: int, message: str) -> None:
    """Never a traceback."""
    result = _run(*arguments)

    assert result.exit_code == code
    assert message in result.stderr
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_damage_is_told_and_the_rest_is_used(tmp_path: Path) -> None:
    """File, offset, what was wrong, how much was kept; exit 4 only under --strict."""
    damaged = tmp_path / "docker0.pcap"
    damaged.write_bytes(pcap([(T0, b"x" * 60)] * 3)[:-10])

    assert _run("analyze", damaged).exit_code == 0
    result = _run("analyze", "--strict", damaged)
    assert result.exit_code == 4
    assert result.stderr == "hoptrace: docker0.pcap: at byte 176: record cut: 66 bytes left of it; 2 frames kept\n"


def test_a_capture_without_interfaces_is_empty_not_broken(tmp_path: Path) -> None:
    """A pcapng may consist of a section header alone."""
    path = tmp_path / "empty.pcapng"
    path.write_bytes(section())
    result = _run("analyze", path)

    assert result.exit_code == 0, result.output
    assert "\n0 points, 0 frames" in result.stdout


def test_one_unusable_file_does_not_stop_the_others(tmp_path: Path) -> None:
    """In a folder it is named, and the exit code is 0 unless --strict; where it was asked for, it is 3."""
    shutil.copy(SEED / "wlan0.pcap", tmp_path)
    bad = tmp_path / "bad.pcap"
    bad.write_bytes(b"not a capture")

    assert _run("analyze", tmp_path).exit_code == 0
    result = _run("analyze", "--strict", tmp_path)
    assert result.exit_code == 4
    assert "bad.pcap" in result.stderr
    for named in ((bad,), ("--point", f"x={bad}")):
        result = _run("analyze", SEED / "wlan0.pcap", *named)
        assert (result.exit_code, "\n1 point" in result.stdout) == (3, True)
        assert "bad.pcap" in result.stderr


@pytest.mark.parametrize("name", ["x.json", "x.html", "x.ndjson", "x.parquet"])
def test_a_report_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    """Its own exit code, and words that do not blame the input; nothing half-written stays."""
    (tmp_path / "file").write_text("")
    inside = _run("analyze", SEED, "-o", tmp_path / "file" / name)
    full = tmp_path / name
    full.symlink_to("/dev/full")
    device = _run("analyze", SEED, "-o", full)

    for result in (inside, device):
        assert result.exit_code == 5, result.stderr
        assert "cannot be written" in result.stderr
    assert Path("/dev/full").is_char_device()
    assert {path.name for path in tmp_path.iterdir()} <= {"file", name, "x.connections.parquet"}


def test_a_report_goes_into_a_pipe_or_device_that_is_there(tmp_path: Path) -> None:
    """It is written to, not replaced by a file."""
    target = tmp_path / "x.json"
    target.symlink_to("/dev/null")

    assert _run("analyze", SEED, "-o", target).exit_code == 0
    assert Path("/dev/null").is_char_device()


def test_doctor_looks_at_something_or_says_that_it_did_not(tmp_path: Path) -> None:
    """A folder without dumps, as /etc is one, is no healthy host; what is missing of a host is named."""
    for name in ("resolv.conf", "hosts"):
        (tmp_path / name).write_text("")
    nothing = _run("doctor", "--host", tmp_path)
    shutil.copy(SEED / "host" / "ip-addr.json", tmp_path)
    little = _run("doctor", "--host", tmp_path)

    assert nothing.exit_code == 3
    assert "nothing was looked at" in nothing.stderr
    assert "not known: iptables-save.txt: not there" in little.stdout
    assert "nothing wrong was found in what could be read" in little.stdout


@pytest.mark.process
def test_a_closed_pipe_is_no_error() -> None:
    """``hoptrace ... | head -1`` ends quietly."""
    command = f"{sys.executable} -m analyzer analyze {SEED} | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert done.stdout == "c3 reaches 8.8.8.8:80 (TCP), 8.8.8.8 (ICMP): all 23 packets went their way\n"


@pytest.mark.process
def test_a_reader_that_goes_away_is_no_failure() -> None:
    """The exit code of the pipe's writer, too."""
    command = f"{sys.executable} -m analyzer analyze {SEED} | head -1 >/dev/null; exit ${{PIPESTATUS[0]}}"

    assert subprocess.run(["bash", "-c", command], check=False).returncode == 0


@pytest.mark.process
@pytest.mark.parametrize(
    ("redirection", "code"), [(">&-", 0), ("2>&-", 0), (">/dev/full", 5), ("- <&-", 3), ("missing.pcap 2>&-", 3)]
)
def test_closed_and_full_streams(redirection: str, code: int) -> None:
    """No traceback; what cannot be written or read is told, as far as somebody listens."""
    command = f"{sys.executable} -m analyzer analyze {SEED} {redirection}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)

    assert done.returncode == code
    assert "Traceback" not in done.stderr


@pytest.mark.process
def test_a_terminal_without_arrows(tmp_path: Path) -> None:
    """And with a width that is no number."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C", "COLUMNS": "\u00b2"}
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", "show", str(SEED), "J3"], capture_output=True, env=environment, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.process
def test_pipes_as_files() -> None:
    """Process substitution gives a path that can be read only once."""
    command = f"{sys.executable} -m analyzer analyze <(cat {SEED}/wlan0.pcap) -n 0"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)

    assert "\n1 point, 20 frames" in done.stdout


@pytest.mark.parametrize("path", ["a" * 5000, "nowhere/x.pcap", "/dev/null"])
def test_a_path_that_cannot_be_looked_at_does_not_stop_the_others(path: str) -> None:
    """It is named, and the rest is analysed; the exit code says that not all of what was asked for was looked at."""
    result = _run("analyze", path, SEED / "docker0.pcap", "-n", "0")

    assert result.exit_code == 3
    assert "\n1 point" in result.stdout
    assert path in result.stderr


@pytest.mark.process
def test_colours_only_for_terminals() -> None:
    """And never with NO_COLOR."""
    environment = {**os.environ, "NO_COLOR": "1", "TERM": "xterm-256color", "FORCE_COLOR": ""}
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", "analyze", str(SEED)], capture_output=True, env=environment, check=True
    )

    assert b"\x1b" not in done.stdout


@pytest.mark.process
def test_help_imports_nothing_heavy() -> None:
    """``--help`` answers without NumPy, pandas, rich, or the model."""
    code = "import sys; from analyzer.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "print(sorted({'numpy', 'pandas', 'rich', 'dpkt', 'pyshark', 'analyzer.model'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.endswith("[]\n")


SIGNALS = pytest.mark.parametrize(
    ("number", "ended"), [(signal.SIGINT, (130, "hoptrace: interrupted\n")), (signal.SIGTERM, (143, ""))]
)


def _analyse_until(event: Callable[[], bool], number: signal.Signals, *arguments: str) -> tuple[int, str]:
    """Run analyze, send a signal when *event* has happened, and return the exit code and what it said."""
    # Whoever runs the tests in the background of a shell has SIGINT ignored, and so would the command.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "analyzer", "analyze", *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not event():
            time.sleep(0.002)
        process.send_signal(number)
        _, told = process.communicate(timeout=120)
    return process.returncode, told


@pytest.mark.process
@SIGNALS
def test_interrupted_while_it_reads(tmp_path: Path, number: signal.Signals, ended: tuple[int, str]) -> None:
    """Ctrl-C ends it with one line and exit code 130, SIGTERM with 143; there is no report."""
    pipe, out = tmp_path / "x.pcap", tmp_path / "reports"
    os.mkfifo(pipe)
    writer: list[int] = []

    def opened() -> bool:
        """Tell whether it waits for what the pipe will never give: it has opened it, and a moment has passed."""
        if writer:
            time.sleep(0.1)  # a signal between the opening and the reading would be noticed when something is read
            return True
        with suppress(OSError):
            writer.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        return False

    found = _analyse_until(opened, number, str(pipe), "-o", str(out / "x.json"))
    os.close(writer[0])

    assert found == ended
    assert not out.exists()


@pytest.mark.process
@pytest.mark.parametrize("name", ["x.json", "x.ndjson"])
@SIGNALS
def test_interrupted_while_it_writes(tmp_path: Path, name: str, number: signal.Signals, ended: tuple[int, str]) -> None:
    """No half-written report stays, nor a temporary file; 30,000 journeys take a while."""
    captures = [str(path) for path in write_captures(tmp_path, 30_000)]
    out = tmp_path / "reports"

    found = _analyse_until(lambda: bool(list(out.glob(".x*"))), number, *captures, "-o", str(out / name))

    assert found == ended
    assert list(out.iterdir()) == []


def test_a_damaged_host_dump_is_told_and_the_rest_is_used(tmp_path: Path) -> None:
    """Its name and what is wrong with it; exit 4 only under --strict, although every capture is whole."""
    bundle = tmp_path / "bundle"
    shutil.copytree(SEED, bundle)
    (bundle / "host" / "ip-route.json").write_text('[{"dst": ')

    assert _run("analyze", "--strict", SEED).exit_code == 0
    assert _run("analyze", bundle).exit_code == 0
    result = _run("analyze", "--strict", bundle)
    assert result.exit_code == 4
    assert result.stderr.startswith("hoptrace: host state: ip-route.json: not as its command prints it")
    assert "\n3 points" in result.stdout


def test_how_the_work_is_cut(tmp_path: Path) -> None:
    """``-v`` says it on stderr, before: what memory holds, else in how many parts, and where the rest lies."""
    write_captures(tmp_path, 3_000)
    paths = sorted(tmp_path.glob("*.pcap"))
    whole = _run("analyze", "-v", *paths)
    cut = _run("analyze", "-v", "--memory", "128MiB", "--jobs", "2", "--work-dir", tmp_path, *paths)
    asked = _run("analyze", "-v", "--parts", "3", *paths)

    holds = r"hoptrace: some \d\d?,\d{3} frames in 5 MiB; \d+ MiB of memory holds [\d,]+: "
    assert re.search(holds + "all of them, in 1 part\n", whole.stderr)
    told = rf"read [\d,]+ at a time, told in up to \d+ parts, with \d MiB in {tmp_path}\n"
    assert re.search(holds + told, cut.stderr)
    assert ": all of them, in 3 parts\n" in asked.stderr
    assert whole.stdout == cut.stdout == asked.stdout


def test_window_says_that_it_does_nothing_any_more() -> None:
    """Whoever used it is told why; all else is as without it."""
    result = _run("analyze", "--window", "10", SEED)

    assert (result.exit_code, result.stdout) == (0, _run("analyze", SEED).stdout)
    assert result.stderr == (
        "hoptrace: --window does nothing any more: what does not fit into memory is told in full, too\n"
    )


@pytest.mark.parametrize("name", ["x.pcap", "x.pcapng", "x.zip", "x.tar.gz", "x.json", "x.html"])
def test_a_recording_is_a_folder_or_an_archive(tmp_path: Path, name: str) -> None:
    """What another ending promises is not written as a folder of that name; nothing is made."""
    done = _run("capture", "-c", "web", "-o", tmp_path / name)

    assert done.exit_code == 2
    assert name.removeprefix("x") in done.output
    assert list(tmp_path.iterdir()) == []


def test_links_that_lead_to_each_other(tmp_path: Path) -> None:
    """A line, and the exit code of what cannot be read."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")

    loop = tmp_path / "a"
    for arguments in (["analyze", loop], ["show", loop, "J1"], ["analyze", "--point", f"x={loop}"]):
        done = _run(*arguments)
        assert done.exit_code == 3
        assert "symbolic links" in done.output


@pytest.mark.parametrize("name", ["x.json", "x.ndjson", "x.parquet", "x.html"])
def test_an_input_is_not_written_over(tmp_path: Path, name: str) -> None:
    """Neither by its own path nor by another one, nor one that is given as a point."""
    shutil.copy(SEED / "wlan0.pcap", tmp_path / name)
    (tmp_path / f"other-{name}").symlink_to(name)
    before = (tmp_path / name).read_bytes()

    for inputs in ([tmp_path / name], ["--point", f"x={tmp_path / name},role=uplink"]):
        for output in (name, f"other-{name}"):
            assert _run("analyze", *inputs, "-o", tmp_path / output).exit_code == 2
    assert (tmp_path / name).read_bytes() == before


def test_a_link_to_a_device_stays_when_parquet_cannot_be_written(tmp_path: Path) -> None:
    """Of two files, only those that hoptrace made are taken away."""
    device = tmp_path / "full"
    device.symlink_to("/dev/full")
    (tmp_path / "p.connections.parquet").symlink_to(device)

    assert _run("analyze", SEED, "-o", tmp_path / "p.parquet").exit_code == 5
    assert Path("/dev/full").is_char_device()
    assert not (tmp_path / "p.parquet").exists()


@pytest.mark.process
def test_interrupted_while_a_class_is_made(tmp_path: Path) -> None:
    """Where Python runs a text, as dataclasses do: it ends as everywhere, and not killed by the signal."""
    (tmp_path / "sitecustomize.py").write_text(
        "import builtins, os, signal\n"
        "real = builtins.__import__\n"
        "def load(name, *rest, **options):\n"
        "    if name == 'analyzer.cli.analyze':\n"
        "        builtins.__import__ = real\n"
        "        exec('import os, signal\\nos.kill(os.getpid(), signal.SIGINT)\\nfor _ in range(10**6): pass')\n"
        "    return real(name, *rest, **options)\n"
        "builtins.__import__ = load\n"
    )
    command = ["env", "--default-signal=INT", sys.executable, "-m", "analyzer", "demo"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    assert (done.returncode, done.stderr) == (130, "hoptrace: interrupted\n")


def _broken(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let reading raise *error*."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("analyzer.run.whole.read_frames", fail)


def test_a_mistake_of_hoptrace_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line with its place, another with what to do, and an exit code that no finding has."""
    _broken(monkeypatch, ZeroDivisionError("division by zero"))
    result = _run("analyze", SEED)

    assert result.exit_code == 70
    first, second = result.stderr.splitlines()
    assert first.startswith(
        "hoptrace: this is a mistake of hoptrace, not yours: ZeroDivisionError: division by zero, at "
    )
    assert first.rpartition(", at ")[2].startswith("test_cli.py:")
    assert "HOPTRACE_TRACEBACK=1" in second


def test_a_mistake_may_be_shown_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """For whoever looks for it."""
    monkeypatch.setenv("HOPTRACE_TRACEBACK", "1")
    _broken(monkeypatch, ZeroDivisionError("division by zero"))

    assert isinstance(_run("analyze", SEED).exception, ZeroDivisionError)


def test_not_enough_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, and its own exit code."""
    _broken(monkeypatch, MemoryError())
    result = _run("analyze", SEED)

    assert result.exit_code == 6
    assert result.stderr == (
        "hoptrace: there is not enough memory: give a part of the captures, or a smaller --memory\n"
    )


def _crowd(folder: Path) -> list[Path]:
    """20,000 datagrams from as many ports, at two points."""
    frames = [
        (T0 + number * 1000, ether(C1, BRIDGE, ipv4("172.17.0.2", "8.8.8.8", 17, udp(number + 1024, 9, b"x"), ident=1)))
        for number in range(20_000)
    ]
    for name in ("veth-c1.pcap", "docker0.pcap"):
        write_pcap(folder / name, frames)
    return [folder / "veth-c1.pcap", folder / "docker0.pcap"]


@pytest.mark.parametrize("option", [["--json"], ["-o", "x.html"], []])
def test_what_does_not_fit_is_read_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: list[str]) -> None:
    """Every file's beginning, where files cannot help: it is told, also in the report, and the exit code is 4."""
    monkeypatch.chdir(tmp_path)
    captures = _crowd(tmp_path)
    result = _run("analyze", "--memory", "128", *captures, *option)
    read = re.findall(r"not read on, .*; (\d+) frames kept", result.stderr)

    assert result.exit_code == 4
    assert len(read) == len(captures)
    assert 1000 < int(read[0]) < 20_000
    assert set(read) == {read[0]}
    if option == ["--json"]:
        findings = json.loads(result.stdout)["findings"]
        assert f"only {read[0]} frames of veth-c1.pcap were read" in [
            finding["title"].replace(",", "") for finding in findings
        ]


def test_one_journey_of_more_than_fits(tmp_path: Path) -> None:
    """It is refused in a line."""
    result = _run("show", "--memory", "128", *_crowd(tmp_path), "J0")

    assert result.exit_code == 6
    assert "--memory allows more" in result.stderr


def test_a_link_type_that_is_not_decoded(tmp_path: Path) -> None:
    """It is named, on stderr and in the report; under --strict that is exit code 4."""
    (tmp_path / "air.pcap").write_bytes(pcap([(T0, bytes(40))], link_type=105))
    paths = (SEED, tmp_path / "air.pcap")
    plain, strict, alone = (
        _run("analyze", *paths),
        _run("analyze", "--strict", *paths),
        _run("analyze", "--strict", SEED),
    )

    assert "hoptrace: air: link type 105 (IEEE 802.11) is not decoded: 1 frames were not looked into" in plain.stderr
    assert "1 frame of link type 105 (IEEE 802.11) at air was not looked into" in plain.stdout
    assert (plain.exit_code, strict.exit_code, alone.exit_code) == (0, 4, 0)
