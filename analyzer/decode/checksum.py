"""Whether a packet's TCP, UDP or ICMP checksum is right (RFC 1071), of the bytes that were captured.

A checksum that the network card is to complete holds the sum of the pseudo-header alone (CHECKSUM_PARTIAL,
linux/skbuff.h): that is no fault.
"""

import struct
from enum import Enum

from analyzer.decode import offsets as o

IPV4, IPV6 = 4, 6
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
FIELD = {ICMP: 2, TCP: 16, UDP: 6, ICMPV6: 2}
"""Where the checksum is in the transport header."""


class Sum(Enum):
    """What a checksum is."""

    RIGHT = "right"
    PARTIAL = "partial"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """The packet was cut, is a fragment, or has none."""


def verify(packet: bytes, inner: bytes = b"") -> Sum:
    """
    Check a packet, given from its IP header on.

    Of a tunnel's packet, *inner* is the one that it carries, at its end. Its sum counts on what the card makes of the
    inner one's (local checksum offload, Documentation/networking/checksum-offloads.rst).
    """
    if inner and packet.endswith(inner):
        packet = packet[: -len(inner)] + completed(inner)
    found = _transport(packet)
    if found is None:
        return Sum.UNKNOWN
    protocol, pseudo, data = found
    place = FIELD.get(protocol)
    if place is None or len(data) < place + 2:
        return Sum.UNKNOWN
    given = struct.unpack_from("!H", data, place)[0]
    if protocol == UDP and given == 0:
        return Sum.UNKNOWN
    over = b"" if protocol == ICMP else pseudo
    if add(over + data) == 0xFFFF:
        return Sum.RIGHT
    return Sum.PARTIAL if given == add(over) else Sum.WRONG


def completed(packet: bytes) -> bytes:
    """Complete a checksum that is left to the card."""
    found = _transport(packet) if verify(packet) is Sum.PARTIAL else None
    if found is None:
        return packet
    protocol, _, data = found
    place = FIELD[protocol] + (o.IPV6_HEADER if packet[0] >> 4 == IPV6 else (packet[0] & 15) * 4)
    value = 0xFFFF - add(data) or 0xFFFF  # skb_checksum_help(): over what stands there as well
    return packet[:place] + struct.pack("!H", value) + packet[place + 2 :]


def _transport(packet: bytes) -> tuple[int, bytes, bytes] | None:
    """Return the protocol, the pseudo-header and the whole transport data; None where they are not there."""
    version = packet[0] >> 4 if packet else 0
    if version == IPV4 and len(packet) >= o.IPV4_HEADER:
        header = (packet[0] & 15) * 4
        total, fragment = struct.unpack_from("!H", packet, 2)[0], struct.unpack_from("!H", packet, 6)[0] & 0x3FFF
        protocol, addresses = packet[9], packet[12:20]
    elif version == IPV6 and len(packet) >= o.IPV6_HEADER:
        header, fragment = o.IPV6_HEADER, 0
        total = struct.unpack_from("!H", packet, 4)[0] + header
        protocol, addresses = packet[6], packet[8:40]
    else:
        return None
    if fragment or not header <= total <= len(packet) or total == header:
        return None
    data = packet[header:total]
    return protocol, addresses + struct.pack("!IHBB", len(data), 0, 0, protocol), data


def add(data: bytes) -> int:
    """Return the ones' complement sum of 16-bit words."""
    total: int = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total
