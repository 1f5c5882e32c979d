"""An analysis as one capture for Wireshark: what tshark reads of it, and that frames are as they were."""

import io
import subprocess
import sys
from pathlib import Path

import dpkt
import pytest

from analyzer import analyze
from analyzer.errors import SelectionError
from analyzer.run.annotated import annotated

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
SEED = SAMPLES / "seed"
FAULT = Path(__file__).parents[1] / "faults" / "docker-user.bridge.tar.zst"


def _tshark(path: Path, *fields: str, names: bool = False) -> list[list[str]]:
    words = [word for field in fields for word in ("-e", field)]
    out = subprocess.run(
        ["tshark", "-r", str(path), *(["-N", "n"] if names else ["-n"]), "-T", "fields", *words],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [line.split("\t") for line in out.splitlines()]


@pytest.mark.tshark
def test_comments(tmp_path: Path) -> None:
    """Whose hop it is, what was translated just before, and where it ended."""
    analyze(SEED).to_pcapng(tmp_path / "x.pcapng")
    rows = _tshark(tmp_path / "x.pcapng", "frame.interface_name", "ip.src", "frame.comment")
    out = {(point, comment.partition(";")[0]): (src, comment) for point, src, comment in rows}

    src, comment = out["wlan0", "J3 hop 3 of 3"]
    assert src == "192.168.1.100"
    assert "; C0; NAT: MASQUERADE, src 172.17.0.4 → 192.168.1.100, by “-A POSTROUTING" in comment
    assert comment.endswith("; left the host here: last seen going out on wlan0")
    assert out["docker0", "J3 hop 2 of 3"] == ("172.17.0.4", "J3 hop 2 of 3; C0")


@pytest.mark.tshark
def test_where_a_packet_died_and_who_has_an_address(tmp_path: Path) -> None:
    """The rule is in the last frame's comment; containers have their names."""
    analyze(FAULT).to_pcapng(tmp_path / "x.pcapng")
    rows = _tshark(tmp_path / "x.pcapng", "frame.interface_name", "ip.src_host", "frame.comment", names=True)

    died = [row for row in rows if "dropped here" in row[2]]
    assert {(point, src) for point, src, _ in died} == {("docker0", "c1")}
    assert all("rule “-A DOCKER-USER -p tcp -m tcp --dport 7 -j DROP”" in comment for *_, comment in died)


@pytest.mark.parametrize("sample", ["seed", "short-snaplens", "any", "ipv6", "overlay"])
def test_frames_are_as_they_were(tmp_path: Path, sample: str) -> None:
    """Bytes, times and lengths, in order of time; and what is read of it is the same."""
    trace = analyze(SAMPLES / sample)
    path = tmp_path / "x.pcapng"
    trace.to_pcapng(path)
    whole = sorted(
        (int(trace.frames["time_ns"].iloc[row]), data, length)
        for row, data, length, _ in trace.read_again(trace.frames.index.to_numpy())
    )
    again = analyze(path)

    assert (
        sorted(
            (int(again.frames["time_ns"].iloc[row]), data, length)
            for row, data, length, _ in again.read_again(again.frames.index.to_numpy())
        )
        == whole
    )
    assert [time for time, _ in dpkt.pcapng.Reader(path.open("rb"))] == sorted(time / 1e9 for time, *_ in whole)


def test_of_a_selection(tmp_path: Path) -> None:
    """Only its frames, by the numbers that journeys have in the whole."""
    trace = analyze(SEED)
    trace.filter("icmp && ip.addr == 8.8.8.8").to_pcapng(tmp_path / "x.pcapng")
    told = analyze(tmp_path / "x.pcapng")

    assert told.tables.rows == 18
    assert b"J3 hop 1 of 3" in (tmp_path / "x.pcapng").read_bytes()
    assert b"".join(annotated(trace, "icmp && ip.addr == 8.8.8.8")) == (tmp_path / "x.pcapng").read_bytes()


def test_to_a_pipe() -> None:
    """As Wireshark reads one."""
    words = ["-m", "analyzer", "analyze", str(SEED), "-o", "-", "--format", "pcapng"]
    out = subprocess.run([sys.executable, *words], capture_output=True, check=True).stdout

    assert len(list(dpkt.pcapng.Reader(io.BytesIO(out)))) == 61
    assert out == b"".join(annotated(analyze(SEED)))


def test_payloads_that_nobody_may_see() -> None:
    """A frame has its own."""
    trace = analyze(SEED)
    trace.payload = False
    with pytest.raises(SelectionError, match="--no-payload"):
        b"".join(annotated(trace))


def test_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comments are held until their frames come."""
    monkeypatch.setattr("analyzer.run.annotated.MOST", 10)
    with pytest.raises(SelectionError, match="23 journeys, and 10 are the most"):
        b"".join(annotated(analyze(SEED)))


@pytest.mark.tshark
@pytest.mark.tools
def test_keys_to_decrypt_by_stay(tmp_path: Path) -> None:
    """As editcap puts them in; tshark finds them in what is written."""
    keys = tmp_path / "keys.log"
    keys.write_text("CLIENT_RANDOM " + "ab" * 32 + " " + "cd" * 48 + "\n")
    given, made = tmp_path / "given.pcapng", tmp_path / "made.pcapng"
    subprocess.run(["editcap", "--inject-secrets", f"tls,{keys}", SEED / "wlan0.pcap", given], check=True)

    analyze(given).to_pcapng(made)

    assert keys.read_bytes() in made.read_bytes()
    told = subprocess.run(["editcap", "--extract-secrets", made, tmp_path / "out"], capture_output=True, check=True)
    assert told.returncode == 0
    assert (tmp_path / "out").read_bytes().rstrip(b"\0") == keys.read_bytes()
