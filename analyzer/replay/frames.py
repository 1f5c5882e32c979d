"""Captured bytes to a frame that a kernel takes: as long as it was, with checksums that are right.

Captures keep a part, and a sender leaves checksums to the network card. Rules here do not look into payloads, so zeros
stand for what was not kept; conntrack takes a wrong checksum for invalid, so those are made anew (RFC 1071, RFC 8200).
"""

import struct

from analyzer.decode import offsets as o
from analyzer.decode.checksum import FIELD, add

ETHERTYPES = {0x0800: 4, 0x86DD: 6}
LONGEST = 65_535 + 14


def ethernet(data: bytes) -> tuple[bytes, bytes] | None:
    """Return the MACs of an untagged Ethernet frame of IP, and the packet; None if it is none."""
    if len(data) < o.ETH_HEADER or struct.unpack_from("!H", data, 12)[0] not in ETHERTYPES:
        return None
    return data[:12], data[14:]


def whole(packet: bytes) -> bytes | None:
    """Return an IP packet as long as its header says, with right checksums; None where that cannot be made."""
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= o.IPV4_HEADER:
        header, total = (packet[0] & 15) * 4, struct.unpack_from("!H", packet, 2)[0]
    elif version == 6 and len(packet) >= o.IPV6_HEADER:
        header, total = o.IPV6_HEADER, struct.unpack_from("!H", packet, 4)[0] + o.IPV6_HEADER
    else:
        return None
    if not o.IPV4_HEADER <= header <= min(total, len(packet)) or total > LONGEST:
        return None
    made = bytearray(packet[:total].ljust(total, b"\0"))
    if version == 4:
        made[10:12] = b"\0\0"
        struct.pack_into("!H", made, 10, ~add(bytes(made[:header])) & 0xFFFF)
    _sum(made, header, version)
    return bytes(made)


def _sum(made: bytearray, header: int, version: int) -> None:
    """Write the transport's checksum, unless the packet is a fragment, or has none."""
    protocol = made[9] if version == 4 else made[6]
    place = FIELD.get(protocol)
    if place is None or len(made) < header + place + 2:
        return
    if version == 4 and struct.unpack_from("!H", made, 6)[0] & 0x3FFF:
        return
    data = memoryview(made)[header:]
    if protocol == 17:
        if version == 4 and bytes(data[place : place + 2]) == b"\0\0":
            return
        struct.pack_into("!H", made, header + 4, len(data))
    made[header + place : header + place + 2] = b"\0\0"
    addresses = bytes(made[12:20] if version == 4 else made[8:40])
    pseudo = b"" if protocol == 1 else addresses + struct.pack("!IHBB", len(data), 0, 0, protocol)
    value = ~add(pseudo + bytes(made[header:])) & 0xFFFF
    struct.pack_into("!H", made, header + place, value or (0xFFFF if protocol == 17 else 0))


def same(one: bytes, other: bytes) -> bool:
    """Tell whether two IP packets are the same one, by what forwarding and NAT leave alone."""
    if not one or not other or one[0] >> 4 != other[0] >> 4:
        return False
    if one[0] >> 4 == 4:
        alike = one[9] == other[9] and one[4:6] == other[4:6] and one[2:4] == other[2:4]
        return alike and _told(one, (one[0] & 15) * 4, one[9]) == _told(other, (other[0] & 15) * 4, other[9])
    return one[6] == other[6] and one[4:6] == other[4:6] and _told(one, 40, one[6]) == _told(other, 40, other[6])


def _told(packet: bytes, header: int, protocol: int) -> bytes:
    """Return what of the transport header no translation changes."""
    if protocol == 6:
        return packet[header + 4 : header + 14]
    if protocol in (1, 58):
        return packet[header : header + 2] + packet[header + 6 : header + 8]
    return packet[header + 4 : header + 6] if protocol == 17 else b""


def ends(packet: bytes) -> tuple[bytes, bytes, int | None, int | None]:
    """Return addresses and ports."""
    four = packet[0] >> 4 == 4
    header, protocol = ((packet[0] & 15) * 4, packet[9]) if four else (40, packet[6])
    src, dst = (packet[12:16], packet[16:20]) if four else (packet[8:24], packet[24:40])
    if protocol in (6, 17, 33, 132, 136) and len(packet) >= header + 4:
        return src, dst, *struct.unpack_from("!HH", packet, header)
    return src, dst, None, None
