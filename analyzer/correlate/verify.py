"""Compares frames that shall be one packet before and after translation, byte by byte, as far as both were kept.

An identity takes in the first bytes of a payload; datagrams that begin alike may go on otherwise. What both captures
kept of a payload must be equal, and a UDP checksum must have changed as the translation changes it (RFC 1624).
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyzer.decode.again import read_again
from analyzer.decode.digest import DIGEST_BYTES
from analyzer.decode.frames import FrameTables, Opener
from analyzer.decode.kept import LINK_HEADER
from analyzer.decode.offsets import PROTO_UDP, VLAN_TAG
from analyzer.decode.reference import payload
from analyzer.read.records import Interface
from analyzer.schema import Array, Int64, Layer

UDP_HEADER, CHECKSUM_AT = 8, 6
ONES = 0xFFFF
NOT_SIMPLE = Layer.TUNNEL | Layer.FRAGMENT | Layer.MALFORMED
"""Frames whose payload is found by going down all their layers."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is compared of a frame."""

    payload: bytes
    invariant: int | None
    """Of its checksum, what translation leaves alone; None where it has none, or the card was to complete it."""


class Verifier:
    """Reads frames again from where they were captured."""

    def __init__(self, captures: Sequence[Opener], tables: FrameTables) -> None:
        """Take what opens the files, and what reading them told."""
        self._captures, self._tables, self._frames = captures, tables, tables.frames

    def contradict(self, before: Int64, after: Int64) -> Array:
        """
        Tell where two frames cannot be one packet.

        Args:
            before: (n,) rows of FRAMES.
            after: (n,) rows of FRAMES, of equal identity.

        Returns:
            (n,) bool; False also where a frame cannot be read any more.
        """
        # A shorter payload is in the identity as a whole.
        long = np.flatnonzero(self._frames["payload_len"][before] > DIGEST_BYTES)
        rows, place = np.unique(np.concatenate((before[long], after[long])), return_inverse=True)
        found: list[_Seen | None] = [None] * len(rows)
        number = {row: index for index, row in enumerate(rows.tolist())}
        for row, data, length, interface in read_again(self._captures, self._tables, rows):
            found[number[row]] = self._see(row, data, length, interface)
        wrong = np.zeros(len(before), bool)
        for index, one, two in zip(long.tolist(), *place.reshape(2, -1).tolist(), strict=True):
            wrong[index] = _differ(found[one], found[two])
        return wrong

    def _see(self, row: int, data: bytes, length: int, interface: Interface) -> _Seen:
        frames = self._frames
        layers, header = int(frames["layers"][row]), int(frames["ip_len"][row]) - int(frames["payload_len"][row])
        at = LINK_HEADER.get(interface.link_type, 0) + (VLAN_TAG if layers & Layer.VLAN else 0)
        packet = data[at:]
        version = 6 if layers & Layer.IPV6 else 4
        if layers & NOT_SIMPLE or not packet or packet[0] >> 4 != version:
            return _Seen(payload(data, length, interface), None)
        kept = packet[header : int(frames["ip_len"][row])]
        udp = frames["proto"][row] == PROTO_UDP and len(packet) >= header >= UDP_HEADER
        return _Seen(kept, _invariant(packet[:header], version) if udp else None)


def _invariant(headers: bytes, version: int) -> int | None:
    """Return what a UDP checksum is beside the sum of addresses and ports, which translation changes with it."""
    udp = headers[-UDP_HEADER:]
    given = int.from_bytes(udp[CHECKSUM_AT:], "big")
    addresses = headers[12:20] if version == 4 else headers[8:40]
    pseudo = _sum(addresses) + PROTO_UDP + int.from_bytes(udp[4:6], "big")
    partial = (given - pseudo) % ONES == 0
    if not given or partial:
        return None
    return (ONES - given - _sum(addresses) - _sum(udp[:4])) % ONES


def _sum(data: bytes) -> int:
    return sum(struct.unpack(f"!{len(data) // 2}H", data))


def _differ(one: _Seen | None, two: _Seen | None) -> bool:
    if one is None or two is None:
        return False
    kept = min(len(one.payload), len(two.payload))
    if one.payload[:kept] != two.payload[:kept]:
        return True
    return one.invariant is not None and two.invariant is not None and one.invariant != two.invariant
