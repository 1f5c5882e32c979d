"""Chosen frames are copied to small captures that tshark reads; what is wrong with it is told in a sentence."""

from pathlib import Path

import pytest

from analyzer.decode.dissect import SNAP_LEN, _copy, dissect
from analyzer.errors import ToolError
from tests.build import BRIDGE, C1, T0, block, echo, enhanced, ether, interface, ipv4, option, pcap, section, write_pcap

PING = ipv4("172.17.0.2", "8.8.8.8", 1, echo(8, 7, 1, b"payload"))
RECORDS = [(T0 + n, ether(C1, BRIDGE, ipv4("172.17.0.2", "8.8.8.8", 1, echo(8, 7, n)))) for n in range(4)]
NANOSECONDS = option(9, b"\x09")


def test_frames_are_copied_as_they_were_captured(tmp_path: Path) -> None:
    """Each with its time to the nanosecond and its length on the wire; numbers that are not there are passed over."""
    path = write_pcap(tmp_path / "a.pcap", RECORDS, snap=40)

    assert _copy(path, [2, 4, 99], tmp_path) == {1: [2, 4]}
    expected = bytearray(pcap([RECORDS[1], RECORDS[3]], snap=40))
    expected[16:20] = SNAP_LEN.to_bytes(4, "little")
    assert (tmp_path / "1.pcap").read_bytes() == expected


def test_each_link_type_has_a_capture_of_its_own(tmp_path: Path) -> None:
    """For a pcap file has but one."""
    frames = [(0, RECORDS[0][1]), (1, PING), (0, RECORDS[1][1])]
    data = section() + interface(1, options=NANOSECONDS) + interface(101, options=NANOSECONDS)
    data += b"".join(enhanced(of, T0 + n, packet) for n, (of, packet) in enumerate(frames))
    (tmp_path / "a.pcapng").write_bytes(data + block(5, bytes(12)))

    assert _copy(str(tmp_path / "a.pcapng"), [1, 2, 3], tmp_path) == {1: [1, 3], 101: [2]}
    raw = (tmp_path / "101.pcap").read_bytes()
    assert raw[16:] == pcap([(T0 + 1, PING)], link_type=101, snap=SNAP_LEN)[16:]


def test_without_tshark_it_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is read."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ToolError, match="apt install tshark"):
        list(dissect(str(tmp_path / "not there"), [1]))


def test_a_tshark_that_cannot_be_started_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what the system says of it."""
    path = write_pcap(tmp_path / "a.pcap", RECORDS)
    program = tmp_path / "bin" / "tshark"
    program.parent.mkdir()
    program.write_text("#!/not/there\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")

    with pytest.raises(ToolError, match="tshark could not dissect the frames: FileNotFoundError"):
        list(dissect(path, [1]))


@pytest.mark.tshark
def test_frames_come_once_and_in_order(tmp_path: Path) -> None:
    """However often and in whatever order they are asked for; each with a line for every layer."""
    path = write_pcap(tmp_path / "a.pcap", RECORDS)
    found = dict(dissect(path, [3, 1, 3, 99]))

    assert list(found) == [1, 3]
    assert [line for line in found[1] if not line.startswith(" ")][-3:] == ["ETH", "IP", "ICMP"]
    assert [any(f"Sequence Number (BE): {n} " in line for line in found[frame]) for frame, n in ((1, 0), (3, 2))] == [
        True, True,
    ]  # fmt: skip
