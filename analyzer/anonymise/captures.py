"""Captures written anew, frame by frame: as pcap, or as pcapng where that is what they were; times in nanoseconds."""

import struct
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from analyzer.anonymise.addresses import Addresses
from analyzer.anonymise.frames import Frames
from analyzer.anonymise.words import Words
from analyzer.errors import InputError
from analyzer.read.file import CaptureFile
from analyzer.read.options import ISB_IFDROP
from analyzer.read.pcap import FCS_PRESENT, NANOSECONDS
from analyzer.read.pcapng import INTERFACE_STATISTICS
from analyzer.read.records import LINKTYPE_NONE, MAX_RECORD, Interface
from analyzer.report.pcapng import block, interface_block, names_block, packet_block, section_block

Frame = tuple[int, Interface, int, bytes, int]
"""Number and description of its interface, time in ns, what was captured, and length on the wire."""
BILLION = 1_000_000_000
CUT = bytes(6)
"""What is no whole record: a capture that ends within one still does."""


class Captures:
    """How captures are written anew."""

    def __init__(self, frames: Frames, addresses: Addresses, words: Words) -> None:
        """Take what replaces frames, and names of interfaces."""
        self._frames, self._addresses, self._words = frames, addresses, words

    def write(self, source: Path, target: Path) -> str | None:
        """
        Write one of *source* to *target*.

        Returns:
            Why the rest of it could not be read; None if all could.

        Raises:
            InputError: it is no capture.
            OSError: it cannot be written.
        """
        capture = CaptureFile(str(source))
        with target.open("wb") as out:
            out.writelines(self._pcap(capture) if capture.is_pcap else self._pcapng(capture))
        damage = capture.info.damage
        return f"{source.name}: {damage.problem} at byte {damage.offset}" if damage is not None else None

    def _replaced(self, capture: CaptureFile) -> Iterator[Frame]:
        for batch in capture.batches():
            columns = (batch.start, batch.cap_len, batch.orig_len, batch.time_ns, batch.interface)
            for start, length, wire, time_ns, number in zip(*(one.tolist() for one in columns), strict=True):
                interface = capture.info.interfaces[number]
                if interface.link_type != LINKTYPE_NONE:
                    data = batch.buffer[start : start + length].tobytes()
                    yield number, interface, time_ns, self._frames.replaced(data, interface.link_type), wire

    def _pcap(self, capture: CaptureFile) -> Iterator[bytes]:
        declared = capture.declared()
        if not declared:
            raise InputError(f"{capture.info.name}: file header cut")
        one = declared[0]
        network = one.link_type | (FCS_PRESENT | one.fcs_len // 2 << 28 if one.fcs_len else 0)
        yield struct.pack("<IHHiIII", NANOSECONDS, 2, 4, 0, 0, one.snap_len or MAX_RECORD, network)
        for _, _, time_ns, data, wire in self._replaced(capture):
            yield struct.pack("<IIII", *divmod(time_ns, BILLION), len(data), wire) + data
        yield CUT if capture.info.damage is not None else b""

    def _pcapng(self, capture: CaptureFile) -> Iterator[bytes]:
        yield section_block()
        numbers: dict[int, int] = {}
        info = capture.info
        for number, interface, time_ns, data, wire in self._replaced(capture):
            if number not in numbers:
                numbers[number] = len(numbers)
                yield self._interface(interface)
            yield packet_block(numbers[number], time_ns, data, wire)
        for number, interface in enumerate(info.interfaces):
            if interface.link_type != LINKTYPE_NONE and number not in numbers:
                numbers[number] = len(numbers)
                yield self._interface(interface)
        yield names_block(
            (self._addresses.ip(ip_address(ip)), self._words.text(name)) for ip, name in info.names.items()
        )
        for number, place in numbers.items():
            if (dropped := info.interfaces[number].dropped) is not None:
                yield _statistics(place, dropped)
        yield CUT if info.damage is not None else b""

    def _interface(self, interface: Interface) -> bytes:
        texts = (interface.name, interface.description)
        name, told = (self._words.text(text) if text is not None else None for text in texts)
        return interface_block(interface.link_type, name, told, interface.snap_len)


def _statistics(interface: int, dropped: int) -> bytes:
    return block(INTERFACE_STATISTICS, struct.pack("<IIIHHQHH", interface, 0, 0, ISB_IFDROP, 8, dropped, 0, 0))
