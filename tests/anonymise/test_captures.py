"""Captures written anew."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from analyzer import analyze
from analyzer.anonymise.captures import Captures
from analyzer.errors import InputError
from analyzer.read.file import CaptureFile
from tests.build import C1, C2, T0, block, enhanced, ether, interface, ipv4, option, section, udp, write_pcap

PACKET = ether(C1, C2, ipv4("172.17.0.2", "9.9.9.9", 17, udp(1000, 2000, b"payroll")))


@pytest.fixture
def captures(new: SimpleNamespace) -> Captures:
    return Captures(new.frames, new.addresses, new.words)


def _times(path: Path) -> list[tuple[int, int, int]]:
    capture = CaptureFile(str(path))
    return [
        one
        for batch in capture.batches()
        for one in zip(batch.time_ns.tolist(), batch.cap_len.tolist(), batch.orig_len.tolist(), strict=True)
    ]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [True, False])
def test_a_pcap_keeps_times_lengths_and_the_snap_length(
    captures: Captures, tmp_path: Path, order: str, *, nano: bool
) -> None:
    """Of either byte order, and to the nanosecond."""
    records = [(T0, PACKET), (T0 + 1_234_567_000, PACKET)]
    source, target = tmp_path / "a.pcap", tmp_path / "b.pcap"
    write_pcap(source, records, order=order, nano=nano, snap=40)

    assert captures.write(source, target) is None

    assert _times(target) == _times(source)
    assert CaptureFile(str(target)).snap_len == 40
    assert b"payroll" not in target.read_bytes()


def test_a_pcapng_keeps_interfaces_drops_and_names(captures: Captures, tmp_path: Path, new: SimpleNamespace) -> None:
    """Comments and whatever else is in it are gone."""
    names = block(4, b"\1\0\x0f\0" + bytes((172, 17, 0, 2)) + b"payrolldb\0\0\0" + bytes(4))
    drops = block(5, bytes(12) + option(5, (7).to_bytes(8, "little")) + option(0, b""))
    comment = option(1, b"payroll is slow") + option(0, b"")
    source, target = tmp_path / "a.pcapng", tmp_path / "b.pcapng"
    idle = interface(options=option(2, b"payroll1") + option(0, b""))
    source.write_bytes(
        section() + interface(options=option(2, b"veth1a2b") + option(0, b"")) + idle
        + enhanced(0, 1_790_000_000_000_000, PACKET, comment) + names + drops
    )  # fmt: skip

    assert captures.write(source, target) is None

    told = CaptureFile(str(target))
    assert sum(len(batch) for batch in told.batches()) == 1
    assert [one.name for one in told.info.interfaces] == ["veth1a2b", new.words.text("payroll1")]
    assert told.info.interfaces[0].dropped == 7
    assert list(told.info.names.values()) == [new.words.text("payrolldb")]
    assert b"payroll" not in target.read_bytes()
    assert _times(target) == _times(source)


@pytest.mark.parametrize("cut", [5, 20])
def test_what_was_damaged_still_is(captures: Captures, tmp_path: Path, cut: int) -> None:
    """An analysis says so as well."""
    source, target = tmp_path / "a.pcap", tmp_path / "b.pcap"
    write_pcap(source, [(T0, PACKET), (T0 + 1, PACKET)])
    source.write_bytes(source.read_bytes()[:-cut])

    assert "a.pcap" in (captures.write(source, target) or "")

    assert analyze([target]).files[0].damage is not None
    assert len(_times(target)) == 1


def test_what_is_no_capture(captures: Captures, tmp_path: Path) -> None:
    """Is an error, and nothing of it is written."""
    (tmp_path / "a.pcap").write_bytes(b"payroll of all employees")

    with pytest.raises(InputError, match="neither pcap nor pcapng"):
        captures.write(tmp_path / "a.pcap", tmp_path / "b.pcap")

    assert not (tmp_path / "b.pcap").exists()
