"""Opened in Wireshark, for which tshark stands here: it reads the same fields and columns, by the same options."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer import analyze
from analyzer.cli import main
from analyzer.cli.open import FIELDS, personal, view, with_profile

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"
FAULT = Path(__file__).parents[1] / "faults" / "docker-user.bridge.tar.zst"
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
"""As root, Wireshark loads no Lua."""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that nobody may read, and be asked as."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(autouse=True)
def _own_profiles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test touches those of whoever runs it."""
    monkeypatch.setenv("WIRESHARK_CONFIG_DIR", str(tmp_path / "wireshark"))


def _shown(place: Path, source: Path, *words: str) -> list[list[str]]:
    path, fields = place / "x.pcapng", place / FIELDS.name
    analyze(source).to_pcapng(path)
    fields.write_bytes(FIELDS.read_bytes())
    command = [word.replace(str(FIELDS), str(fields)) for word in view(shutil.which("tshark") or "tshark", path)]
    out = subprocess.run(
        [*(NOBODY if os.geteuid() == 0 else ()), *command, *words],
        env={**os.environ, "HOME": str(place), "LC_ALL": "C.UTF-8",
             "WIRESHARK_CONFIG_DIR": str(place / "ws")}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [line.split("\t") for line in out.splitlines()]


@pytest.mark.tshark
def test_fields(place: Path) -> None:
    """What a comment says, each by itself."""
    names = ("journey", "hop", "hops", "connection", "nat", "verdict", "reason")
    words = [word for name in names for word in ("-e", f"hoptrace.{name}")]
    shown = _shown(place, SEED, "-T", "fields", *words, "-Y", "hoptrace.journey == 3 && hoptrace.hop > 1")
    nat = "MASQUERADE, src 172.17.0.4 → 192.168.1.100, by “-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE”"

    assert shown == [
        ["3", "2", "3", "0", "", "", ""],
        ["3", "3", "3", "0", nat, "left the host", "last seen going out on wlan0"],
    ]


@pytest.mark.tshark
def test_a_filter_and_columns(place: Path) -> None:
    """Where packets died, and at which point."""
    shown = _shown(place, FAULT, "-T", "fields", "-e", "frame.interface_name", "-e", "hoptrace.reason",
                   "-Y", 'hoptrace.verdict == "dropped"')  # fmt: skip
    columns = [" ".join(cells) for cells in _shown(place, FAULT, "-Y", 'hoptrace.verdict == "dropped"')]

    assert {tuple(row) for row in shown} == {
        ("docker0", "rule “-A DOCKER-USER -p tcp -m tcp --dport 7 -j DROP” in filter")
    }
    assert len(columns) == 3
    assert all("docker0" in line and "dropped" in line and "TCP" in line for line in columns)


@pytest.mark.tshark
def test_the_second_sight_of_a_segment_is_no_retransmission(capfd: pytest.CaptureFixture[str]) -> None:
    """A packet is there once for each point; the profile keeps points apart."""
    done = CliRunner().invoke(main, ["open", str(SEED), "--with", "tshark", "-Y", "tcp"])
    shown = capfd.readouterr().out

    assert done.exit_code == 0
    assert "[SYN]" in shown
    assert "Retransmission" not in shown
    assert "Dup ACK" not in shown


@pytest.mark.tshark
def test_the_command(capfd: pytest.CaptureFixture[str]) -> None:
    """It writes, shows, and cleans up."""
    before = set(Path(tempfile.gettempdir()).glob("hoptrace-*"))
    done = CliRunner().invoke(main, ["open", str(SEED), "--with", "tshark", "-Y", "icmp && ip.addr == 8.8.8.8"])
    shown = capfd.readouterr().out.splitlines()

    assert done.exit_code == 0
    assert len(shown) == 18
    assert set(Path(tempfile.gettempdir()).glob("hoptrace-*")) <= before


def test_without_wireshark() -> None:
    """It says what helps."""
    done = CliRunner().invoke(main, ["open", str(SEED), "--with", "nosuchviewer"])

    assert done.exit_code == 3
    assert "nosuchviewer is not here: install it, or carry" in done.stderr


@pytest.mark.tshark
def test_an_input_that_cannot_be_read(tmp_path: Path) -> None:
    """The rest is shown, and the exit code says so, as elsewhere."""
    (tmp_path / "no.pcap").write_bytes(b"no capture")
    done = CliRunner().invoke(main, ["open", str(SEED), str(tmp_path / "no.pcap"), "--with", "tshark"])

    assert done.exit_code == 3


@pytest.mark.tshark
def test_colours(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A profile of its own, made once beside the user's, says by which end a frame is coloured how."""
    monkeypatch.setenv("WIRESHARK_CONFIG_DIR", str(place / "ws"))
    assert with_profile()
    assert f"Wireshark has a profile more: {place / 'ws' / 'profiles' / 'hoptrace'}" in capsys.readouterr().err
    (place / "ws" / "profiles" / "hoptrace" / "mine").write_text("")
    assert with_profile()
    assert capsys.readouterr().err == ""
    assert (place / "ws" / "profiles" / "hoptrace" / "mine").exists()
    for path in (place / "ws").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    (place / "ws").chmod(0o755)

    rules = _shown(
        place,
        FAULT,
        "-C",
        "hoptrace",
        "--color",
        "-T",
        "fields",
        "-e",
        "frame.coloring_rule.name",
        "-e",
        "hoptrace.verdict",
    )
    told = {tuple(one) for one in rules if len(one) == 2 and one[1]}
    assert ("hoptrace: dropped", "dropped") in told
    assert ("hoptrace: translated here", "left the host") in told


def test_the_personal_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As Wireshark looks for it; where none can be made, there is no profile."""
    for name in ("WIRESHARK_CONFIG_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert personal() == tmp_path / ".config" / "wireshark"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "x"))
    assert personal() == tmp_path / "x" / "wireshark"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WIRESHARK_CONFIG_DIR", str(tmp_path / "file"))
    assert not with_profile()
