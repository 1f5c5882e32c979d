"""What is compared of frames that may be one packet: their payloads, and what translation leaves of a UDP checksum.

Nearly all of it is noted while frames are decoded, so that nobody reads them again.
"""

import numpy as np

from analyzer.decode.block import Block
from analyzer.decode.cut_lengths import LINK_HEADER
from analyzer.decode.digest import DIGEST_BYTES, digest_spans
from analyzer.decode.offsets import PROTO_TCP, PROTO_UDP, UDP_HEADER
from analyzer.read.records import BACK, Interface, Records
from analyzer.schema import Array, Columns, Int64, Layer

COLUMNS = ("layers", "proto", "ip_len", "payload_len")
"""Of FRAMES, by which a payload is found."""
NOT_SIMPLE = Layer.TUNNEL | Layer.FRAGMENT | Layer.MALFORMED | Layer.VLAN | Layer.PPP
"""Frames whose payload is found by going down all their layers."""
ADDRESSES = {4: (12, 4), 6: (8, 16)}
"""By IP version: where the addresses begin, and how many 16-bit words they are."""
ONES = 0xFFFF
NONE = -1
"""In place of an invariant: there is no checksum, or the card was to complete it."""


def may_be_refined(frames: Columns) -> Array:
    """Tell the frames of which an identity takes in only the beginning: no packet of TCP, whose numbers differ."""
    long = (frames["proto"] != PROTO_TCP) & (frames["payload_len"] > DIGEST_BYTES)
    found: Array = long & (frames["layers"] & Layer.FRAGMENT == 0)
    return found


def kept_bytes(frames: Columns, rows: Int64) -> Int64:
    """(n,) Return how many bytes of its payload a frame has at least."""
    cut = frames["orig_len"][rows].astype(np.int64) - frames["cap_len"][rows]
    found: Int64 = np.maximum(frames["payload_len"][rows].astype(np.int64) - cut, 0)
    return found


def note(
    frames: Columns, records: Records, interfaces: list[Interface], into: Columns, among: Int64 | slice = slice(None)
) -> None:
    """Fill in ``payload`` and ``checksum`` of KEYS, *among* rows of a batch of FRAMES and the records they are of."""
    into["payload"][among], into["checksum"][among] = 0, NONE
    wanted = may_be_refined(frames) & (frames["layers"] & NOT_SIMPLE == 0)
    rows = np.arange(len(records))[among][wanted[among]]
    if len(rows):
        start, length = records.start[rows], records.cap_len[rows]
        block = Block(rows, records.buffer, start, length, records.orig_len[rows], records.interface[rows], interfaces)
        found = Payloads({name: frames[name][rows] for name in COLUMNS}, block, np.arange(len(rows)))
        into["payload"][rows] = np.where(found.simple, found.digests(kept_bytes(frames, rows)), 0)
        into["checksum"][rows] = found.invariants()


class Payloads:
    """Those of n frames of a block."""

    def __init__(self, frames: Columns, block: Block, place: Int64) -> None:
        """Take n rows of COLUMNS, and where the frames are in *block*."""
        self._frames, self._block, self._place = frames, block, place
        links = np.array([LINK_HEADER.get(one.link_type, 0) for one in block.interfaces], np.int64)
        link = links[block.interface[place]]
        self._packet = block.start[place] + link
        self._length = np.maximum(block.cap_len[place] - link, 0)
        self._header = np.maximum(frames["ip_len"].astype(np.int64) - frames["payload_len"], 0)
        self._version = np.where(frames["layers"] & Layer.IPV6 != 0, 6, 4)
        self.simple = (frames["layers"] & NOT_SIMPLE == 0) & (self._length > 0)
        """(n,) bool: nothing but an IP header is between the link layer and what carries it."""
        self.simple &= block.buffer[self._packet] >> 4 == self._version

    def digests(self, kept: Int64) -> Int64:
        """(n,) Digest up to *kept* bytes of each; never 0."""
        end = np.minimum(self._frames["ip_len"], self._length)
        count = np.where(self.simple, np.clip(end - self._header, 0, kept), 0)
        found = digest_spans(self._block.buffer, self._packet + self._header, count)
        others = np.flatnonzero(~self.simple)
        if len(others):
            data = [
                self._below(place)[:most] for place, most in zip(others.tolist(), kept[others].tolist(), strict=True)
            ]
            length = np.array([len(one) for one in data])
            joined = np.frombuffer(b"".join([*data, bytes(BACK)]), np.uint8)
            found[others] = digest_spans(joined, np.cumsum(length) - length, length)
        found[found == 0] = 1
        return found

    def _below(self, place: int) -> bytes:
        """Return a payload below layers of any kind."""
        from analyzer.decode.reference import payload  # noqa: PLC0415 - dpkt is slow to import, and seldom needed

        block, number = self._block, int(self._place[place])
        start, length = int(block.start[number]), int(block.cap_len[number])
        data = block.buffer[start : start + length].tobytes()
        return payload(data, int(block.orig_len[number]), block.interfaces[int(block.interface[number])])

    def invariants(self) -> Int64:
        """(n,) Return what UDP checksums are beside the sum of addresses and ports, which change with it; or NONE."""
        found = np.full(len(self._place), NONE)
        udp = self.simple & (self._frames["proto"] == PROTO_UDP)
        udp &= (self._length >= self._header) & (self._header >= UDP_HEADER)
        for version, (at, words) in ADDRESSES.items():
            rows = np.flatnonzero(udp & (self._version == version))
            packet, header = self._packet[rows], self._packet[rows] + self._header[rows] - UDP_HEADER
            addresses = self._sum(packet + at, words)
            given = self._sum(header + 6, 1)
            pseudo = addresses + PROTO_UDP + self._sum(header + 4, 1)
            right = (given != 0) & ((given - pseudo) % ONES != 0)
            value = (ONES - given - addresses - self._sum(header, 2)) % ONES
            found[rows[right]] = value[right]
        return found

    def _sum(self, at: Int64, words: int) -> Array:
        """Add up 16-bit words from places on."""
        buffer = self._block.buffer
        view = np.ndarray((len(buffer) - 1,), ">u2", buffer.data, strides=(1,))
        return sum((view[at + 2 * word].astype(np.int64) for word in range(words)), np.zeros(len(at), np.int64))
