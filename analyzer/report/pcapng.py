"""One pcapng for Wireshark: all points in order of time, each an interface, each frame with a comment.

Blocks as draft-ietf-opsawg-pcapng has them. Frames are as they were captured, byte by byte.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from dpkt.pcapng import (
    PCAPNG_OPT_COMMENT,
    PCAPNG_OPT_IF_DESCRIPTION,
    PCAPNG_OPT_IF_NAME,
    PCAPNG_OPT_IF_TSRESOL,
    PCAPNG_OPT_SHB_USERAPPL,
    EnhancedPacketBlockLE,
    InterfaceDescriptionBlockLE,
    PcapngOptionLE,
    SectionHeaderBlockLE,
)

from analyzer.model import Address, Disposition, FilterStep, Journey, NatStep, Point
from analyzer.report.answer import WORDS
from analyzer.report.safe import safe
from analyzer.report.story import explain

NAME_RESOLUTION, IPV4_RECORD, IPV6_RECORD = 4, 1, 2
DECRYPTION_SECRETS = 10
PACKET_LENGTH = 24
"""Bytes before an enhanced packet block's length on the wire."""
NANOSECONDS = b"\x09"
MOST_COMMENT = 2_000


@dataclass(frozen=True, slots=True)
class Pictured:
    """A frame as it was captured, and what is said of it."""

    time_ns: int
    point: Point
    link_type: int
    data: bytes
    length: int
    """On the wire."""
    comment: str | None


def pcapng_blocks(
    points: Iterable[Point],
    names: Iterable[tuple[Address, str]],
    frames: Iterable[Pictured],
    secrets: Iterable[bytes] = (),
) -> Iterator[bytes]:
    """
    Give the file block by block: a point is an interface; of several link types, it is one for each.

    *secrets* are bodies of Decryption Secrets Blocks, which the frames are decrypted by.
    """
    yield section_block()
    yield from (block(DECRYPTION_SECRETS, one) for one in secrets)
    if named := names_block(names):
        yield named
    interfaces: dict[tuple[str, int], int] = {}
    for point in points:
        interfaces[point.name, point.link_type] = len(interfaces)
        yield _interface(point, point.link_type)
    for frame in frames:
        key = frame.point.name, frame.link_type
        if key not in interfaces:
            interfaces[key] = len(interfaces)
            yield _interface(frame.point, frame.link_type)
        yield packet_block(interfaces[key], frame.time_ns, frame.data, frame.length, frame.comment)


def section_block() -> bytes:
    """Return the block that a file begins with."""
    return bytes(SectionHeaderBlockLE(opts=[_text(PCAPNG_OPT_SHB_USERAPPL, "hoptrace"), PcapngOptionLE()]))


def names_block(names: Iterable[tuple[Address, str]]) -> bytes:
    """Return the block of addresses' names; nothing if there are none."""
    records = b"".join(_record(ip, name) for ip, name in names)
    return block(NAME_RESOLUTION, records + struct.pack("<HH", 0, 0)) if records else b""


def block(kind: int, body: bytes) -> bytes:
    """Return a block of any kind."""
    body += bytes(-len(body) % 4)
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length


def comments(journey: Journey) -> list[str]:
    """Say of a journey's frames, hop by hop, whose they are, and what was done to the packet just before."""
    said = []
    last = len(journey.hops) - 1
    for number in range(last + 1):
        words = [f"J{journey.id} hop {number + 1} of {last + 1}"]
        if journey.connection is not None:
            words.append(f"C{journey.connection}")
        words += [explain(step) for step in journey.steps if isinstance(step, NatStep) and step.at_hop == number]
        if number == last:
            words.append(f"{WORDS[journey.disposition]} here: {_why(journey)}")
        said.append(safe("; ".join(words))[:MOST_COMMENT])
    return said


def _why(journey: Journey) -> str:
    stops = (step.cause for step in journey.steps if isinstance(step, FilterStep))
    stopped = journey.disposition in (Disposition.DROPPED, Disposition.REJECTED)
    return next(stops, journey.reason) if stopped else journey.reason


def _interface(point: Point, link_type: int) -> bytes:
    told = point.role.value + (f" of container {point.container}" if point.container else "")
    return interface_block(link_type, point.name, told)


def interface_block(link_type: int, name: str | None, told: str | None = None, snap_len: int = 0) -> bytes:
    """Return the block that describes an interface, whose times are in nanoseconds."""
    texts = ((PCAPNG_OPT_IF_NAME, name), (PCAPNG_OPT_IF_DESCRIPTION, told))
    options = [_text(code, text) for code, text in texts if text is not None]
    resolution = PcapngOptionLE(code=PCAPNG_OPT_IF_TSRESOL, data=NANOSECONDS)
    options += [resolution, PcapngOptionLE()]
    return bytes(InterfaceDescriptionBlockLE(linktype=link_type, snaplen=snap_len, opts=options))


def packet_block(interface: int, time_ns: int, data: bytes, length: int, comment: str | None = None) -> bytes:
    """Return a frame's block; *length* is that on the wire."""
    options = [] if comment is None else [_text(PCAPNG_OPT_COMMENT, comment), PcapngOptionLE()]
    block = EnhancedPacketBlockLE(
        iface_id=interface, ts_high=time_ns >> 32, ts_low=time_ns & 0xFFFF_FFFF, opts=options, pkt_data=data
    )
    packed = bytearray(bytes(block))
    struct.pack_into("<I", packed, PACKET_LENGTH, length)  # dpkt takes what was captured for all of it
    return bytes(packed)


def _text(code: int, text: str) -> PcapngOptionLE:
    option = PcapngOptionLE(code=code)
    option.data = safe(text).encode("utf-8", "replace")[: (1 << 16) - 1]
    return option


def _record(ip: Address, name: str) -> bytes:
    value = ip.packed + safe(name).encode("utf-8", "replace")[:255] + b"\0"
    kind = IPV4_RECORD if isinstance(ip, IPv4Address) else IPV6_RECORD
    return struct.pack("<HH", kind, len(value)) + value + bytes(-len(value) % 4)
