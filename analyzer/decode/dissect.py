"""Dissects a few chosen frames in full, with tshark through pyshark.

Takes captures and frame numbers, gives lines of text. tshark reads only a small temporary capture of those frames:
its detailed output takes milliseconds a frame.
"""

import shutil
import struct
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from analyzer.errors import ToolError
from analyzer.read.file import CaptureFile
from analyzer.read.pcap import NANOSECONDS
from analyzer.read.scratch import scratch

SNAP_LEN = 262_144


def dissect(path: str, frames: Sequence[int]) -> Iterator[tuple[int, list[str]]]:
    """
    Give (frame number, lines) for chosen frames of one capture.

    Raises:
        ToolError: tshark or pyshark is missing, or tshark failed.
    """
    if shutil.which("tshark") is None:
        raise ToolError("--dissect needs tshark: apt install tshark")
    with scratch() as folder:
        for link_type, numbers in _copy(path, sorted(set(frames)), folder).items():
            yield from zip(numbers, _run_tshark(folder / f"{link_type}.pcap", len(numbers)), strict=False)


def _copy(path: str, frames: list[int], folder: Path) -> dict[int, list[int]]:
    """Write the chosen frames to one small capture per link type; return their numbers."""
    written: dict[int, list[int]] = {}
    capture = CaptureFile(path)
    for records in capture.batches():
        for number in frames:
            index = number - records.first_frame
            if not 0 <= index < len(records):
                continue
            link_type = capture.info.interfaces[int(records.interface[index])].link_type
            start, size = int(records.start[index]), int(records.cap_len[index])
            data = records.buffer[start : start + size].tobytes()
            seconds, below = divmod(int(records.time_ns[index]), 1_000_000_000)
            file = folder / f"{link_type}.pcap"
            if link_type not in written:
                file.write_bytes(struct.pack("<IHHiIII", NANOSECONDS, 2, 4, 0, 0, SNAP_LEN, link_type))
            with file.open("ab") as out:
                header = (seconds & 0xFFFF_FFFF, below, size, int(records.orig_len[index]))
                out.write(struct.pack("<IIII", *header) + data)
            written.setdefault(link_type, []).append(number)
    return written


def _run_tshark(file: Path, count: int) -> list[list[str]]:
    """Run pyshark in a thread with an event loop of its own; the main thread's may be in use, or not exist."""
    found: list[list[str]] = []
    failure: list[Exception] = []

    def work() -> None:
        import asyncio  # noqa: PLC0415 - slow to import, and only needed here

        loop = asyncio.new_event_loop()
        try:
            import pyshark  # noqa: PLC0415 - likewise

            capture = pyshark.FileCapture(str(file), keep_packets=False, eventloop=loop)
            try:
                capture.apply_on_packets(lambda packet: found.append(_lines(packet)), packet_count=count)
            finally:
                capture.close()
        except Exception as error:
            failure.append(error)
        finally:
            loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if not found and count:
        why = f"{type(failure[0]).__name__}: {failure[0]}" if failure else "it gave nothing"
        raise ToolError(f"tshark could not dissect the frames: {why}")
    return found


def _lines(packet: Any) -> list[str]:
    lines: list[str] = []
    for layer in packet.layers:
        lines.append(layer.layer_name.upper())
        fields = layer._get_all_fields_with_alternates()
        lines.extend(f"    {field.showname}" for field in fields if field.showname and not field.hide)
    return lines
