"""Compares frames that shall be one packet before and after translation, byte by byte, as far as both were kept.

An identity takes in the first bytes of a payload; datagrams that begin alike may go on otherwise. Those that a point
saw more than once are told apart by all that was kept of them everywhere. And what both captures kept of a payload must
be equal, and a UDP checksum must have changed as the translation changes it (RFC 1624).
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from analyzer.correlate.identity import has
from analyzer.correlate.sorting import changes, lengths
from analyzer.decode.again import read_again
from analyzer.decode.digest import DIGEST_BYTES, mix_rows
from analyzer.decode.kept import LINK_HEADER
from analyzer.decode.offsets import PROTO_TCP, PROTO_UDP
from analyzer.decode.reader import Opener
from analyzer.decode.reference import payload
from analyzer.decode.tables import FrameTables
from analyzer.read.records import Interface
from analyzer.schema import Array, Columns, Int64, Layer

UDP_HEADER, CHECKSUM_AT = 8, 6
ONES = 0xFFFF
NOT_SIMPLE = Layer.TUNNEL | Layer.FRAGMENT | Layer.MALFORMED | Layer.VLAN
"""Frames whose payload is found by going down all their layers."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is compared of a frame."""

    payload: bytes
    invariant: int
    """Of its checksum, what translation leaves alone; NONE where it has none, or the card was to complete it."""


NONE = -1
Rows = Callable[[Int64], Int64]
"""Tells what rows are called among all."""


class Verifier:
    """Reads frames again from where they were captured."""

    def __init__(self, captures: Sequence[Opener], tables: FrameTables) -> None:
        """Take what opens the files, and what reading them told."""
        self._captures, self._tables = captures, tables

    def refine(self, frames: Columns, identity: Int64, called: Rows) -> Int64:
        """
        Tell apart datagrams that a point saw more than once with one identity, by all bytes that every one kept.

        Args:
            frames: FRAMES, all of their identities; n rows.
            identity: (n,) of KEYS, changed in place.
            called: tells what rows are called among all.

        Returns:
            The rows whose identity is another one now.
        """
        rows = np.flatnonzero(may_be_refined(frames))
        rows = rows[np.lexsort((frames["point"][rows], identity[rows]))]
        same = identity[rows[1:]] == identity[rows[:-1]]
        again = same & (frames["point"][rows[1:]] == frames["point"][rows[:-1]])
        rows = rows[np.isin(identity[rows], np.unique(identity[rows[1:][again]]))]
        if not len(rows):
            return rows
        start = np.flatnonzero(changes(identity[rows]))
        kept = np.repeat(np.minimum.reduceat(_kept(frames, rows), start), lengths(start, len(rows)))
        longer = kept > DIGEST_BYTES
        rows, kept = rows[longer], kept[longer]
        digests, _ = self._digests(frames, rows, kept, called)
        rows, digests = rows[digests != 0], digests[digests != 0]
        identity[rows] = mix_rows(identity[rows].view(np.uint64), digests.view(np.uint64)).view(np.int64)
        changed: Int64 = rows
        return changed

    def contradict(self, frames: Columns, before: Int64, after: Int64, called: Rows) -> Array:
        """
        Tell where two frames cannot be one packet.

        Args:
            frames: FRAMES.
            before: (n,) rows of it.
            after: (n,) rows of it, of equal identity.
            called: tells what rows are called among all.

        Returns:
            (n,) bool; False also where a frame cannot be read any more.
        """
        wrong = np.zeros(len(before), bool)
        # A shorter payload is in the identity as a whole.
        long = np.flatnonzero(frames["payload_len"][before] > DIGEST_BYTES)
        kept = np.minimum(_kept(frames, before[long]), _kept(frames, after[long]))
        asked = np.concatenate((before[long], after[long])), np.concatenate((kept, kept))
        digests, invariants = (column.reshape(2, -1) for column in self._digests(frames, *asked, called))
        read = (digests != 0).all(axis=0)
        summed = (invariants != NONE).all(axis=0)
        wrong[long] = read & ((digests[0] != digests[1]) | summed & (invariants[0] != invariants[1]))
        return wrong

    def _digests(self, frames: Columns, rows: Int64, kept: Int64, called: Rows) -> tuple[Int64, Int64]:
        """Digest *kept* bytes of each row's payload, 0 where it cannot be read; and return its checksum's invariant."""
        digests, invariants = np.zeros(len(rows), np.int64), np.full(len(rows), NONE)
        order = np.argsort(rows, kind="stable")
        asked = called(rows[order])
        next_one = 0
        for row, data, length, interface in read_again(self._captures, self._tables, asked):  # in order
            next_one += int(np.searchsorted(asked[next_one:], row))  # what cannot be read is left out
            seen = _see(frames, int(rows[order[next_one]]), data, length, interface)
            while next_one < len(order) and asked[next_one] == row:
                place = order[next_one]
                digest = blake2b(seen.payload[: int(kept[place])], digest_size=8).digest()
                digests[place] = int.from_bytes(digest, "big", signed=True) or 1
                invariants[place] = seen.invariant
                next_one += 1
        return digests, invariants


def may_be_refined(frames: Columns) -> Array:
    """Tell the frames of which an identity takes in only the beginning: no packet of TCP, whose numbers differ."""
    long = (frames["proto"] != PROTO_TCP) & (frames["payload_len"] > DIGEST_BYTES)
    found: Array = long & ~has(frames["layers"], Layer.FRAGMENT)
    return found


def _kept(frames: Columns, rows: Int64) -> Int64:
    """Return how many bytes of its payload a frame has at least."""
    cut = frames["orig_len"][rows].astype(np.int64) - frames["cap_len"][rows]
    found: Int64 = np.maximum(frames["payload_len"][rows].astype(np.int64) - cut, 0)
    return found


def _see(frames: Columns, row: int, data: bytes, length: int, interface: Interface) -> _Seen:
    layers, header = int(frames["layers"][row]), int(frames["ip_len"][row]) - int(frames["payload_len"][row])
    packet = data[LINK_HEADER.get(interface.link_type, 0) :]
    version = 6 if layers & Layer.IPV6 else 4
    if layers & NOT_SIMPLE or not packet or packet[0] >> 4 != version:
        return _Seen(payload(data, length, interface), NONE)
    udp = frames["proto"][row] == PROTO_UDP and len(packet) >= header >= UDP_HEADER
    return _Seen(packet[header : int(frames["ip_len"][row])], _invariant(packet[:header], version) if udp else NONE)


def _invariant(headers: bytes, version: int) -> int:
    """Return what a UDP checksum is beside the sum of addresses and ports, which translation changes with it."""
    udp = headers[-UDP_HEADER:]
    given = int.from_bytes(udp[CHECKSUM_AT:], "big")
    addresses = headers[12:20] if version == 4 else headers[8:40]
    pseudo = _sum(addresses) + PROTO_UDP + int.from_bytes(udp[4:6], "big")
    partial = (given - pseudo) % ONES == 0
    if not given or partial:
        return NONE
    return (ONES - given - _sum(addresses) - _sum(udp[:4])) % ONES


def _sum(data: bytes) -> int:
    return sum(struct.unpack(f"!{len(data) // 2}H", data))
