"""Frames that are decoded one at a time: where decoding has come to, and the link layer, with dpkt's definitions."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import dpkt

from analyzer.decode import offsets as o
from analyzer.read import records as link_types
from analyzer.schema import ALWAYS, Layer

MAX_TAGS = 16
Row = dict[str, int]


@cache
def _header_only(kind: Any) -> Any:
    plain = {"__init__": dpkt.Packet.__init__, "unpack": dpkt.Packet.unpack, "__hdr__": kind.__hdr__}
    return type(kind.__name__, (kind,), plain)


def fixed(kind: Any, data: bytes) -> Any:
    """Unpack only the fixed header that dpkt defines for *kind*."""
    return _header_only(kind)(data)


@dataclass(slots=True)
class Layered:
    """A frame being decoded: what is captured of it from the current place on, and how much there should be."""

    data: bytes
    length: int
    """Bytes from the current place on, by the headers in front, captured or not."""
    place: int = 0
    row: Row = field(default_factory=dict)
    layers: int = ALWAYS
    stopped: str = ""

    def set(self, layer: int, **values: int) -> None:
        """Take in what a layer tells."""
        self.layers |= layer
        self.row.update(values)

    def stop(self, layer: str, needed: int) -> None:
        """Stop at a header that is cut."""
        self.layers |= Layer.CUT if len(self.data) < self.length else Layer.MALFORMED
        self.stopped = f"{layer} header at byte {self.place}: needed {needed} bytes, found {len(self.data)}"

    def malformed(self, why: str) -> None:
        """Stop at what contradicts itself."""
        self.layers |= Layer.MALFORMED
        self.stopped = f"{why} at byte {self.place}"

    def skip(self, count: int) -> None:
        """Go on behind *count* bytes."""
        self.data = self.data[count:]
        self.length -= count
        self.place += count

    def u(self, at: int, size: int) -> int:
        """Read a number of *size* bytes."""
        return int.from_bytes(self.data[at : at + size], "big")


def link(frame: Layered, link_type: int) -> int:
    """Take off the link layer; return the EtherType behind it, 0 if unknown."""
    kind = 0
    if link_type == link_types.LINKTYPE_ETHERNET:
        if len(frame.data) < o.ETH_HEADER:
            frame.stop("Ethernet", o.ETH_HEADER)
            return 0
        eth = fixed(dpkt.ethernet.Ethernet, frame.data)
        frame.set(Layer.MAC_SRC | Layer.MAC_DST, eth_src=as_int(eth.src), eth_dst=as_int(eth.dst))
        kind = eth.type
        frame.skip(o.ETH_HEADER)
    elif link_type == link_types.LINKTYPE_LINUX_SLL:
        if len(frame.data) < o.SLL_HEADER:
            frame.stop("LINUX_SLL", o.SLL_HEADER)
            return 0
        sll = fixed(dpkt.sll.SLL, frame.data)
        frame.set(Layer.COOKED, direction=min(sll.type, 255))
        if sll.hlen == 6:
            frame.set(Layer.MAC_SRC, eth_src=as_int(sll.hdr[:6]))
        kind = sll.ethtype
        frame.skip(o.SLL_HEADER)
    elif link_type == link_types.LINKTYPE_LINUX_SLL2:
        if len(frame.data) < o.SLL2_HEADER:
            frame.stop("LINUX_SLL2", o.SLL2_HEADER)
            return 0
        sll2 = fixed(dpkt.sll2.SLL2, frame.data)
        frame.set(Layer.COOKED, direction=sll2.type)
        if sll2.hlen == 6:
            frame.set(Layer.MAC_SRC, eth_src=as_int(sll2.hdr[:6]))
        kind = sll2.ethtype
        frame.skip(o.SLL2_HEADER)
    elif link_type in (link_types.LINKTYPE_NULL, link_types.LINKTYPE_LOOP):
        if len(frame.data) < o.NULL_HEADER:
            return 0
        family = frame.u(0, 4)
        if link_type == link_types.LINKTYPE_NULL:
            # In the byte order of the host that captured; families are small numbers.
            family = family if family <= 0xFFFF else int.from_bytes(frame.data[:4], "little")
        frame.skip(o.NULL_HEADER)
        return {o.AF_INET: o.ETHERTYPE_IPV4, **dict.fromkeys(o.AF_INET6, o.ETHERTYPE_IPV6)}.get(family, 0)
    else:
        return _raw_kind(frame, link_type)
    return _tags(frame, kind)


def _ppp(frame: Layered) -> int:
    """Take off PPP's protocol field, which is one byte if that is odd (RFC 1661 section 6.5)."""
    size = 1 if frame.data and frame.data[0] & 1 else 2
    if len(frame.data) < size:
        frame.stop("PPP", size)
        return 0
    frame.set(Layer.PPP)
    protocol = frame.u(0, size)
    frame.skip(size)
    return {o.PPP_IPV4: o.ETHERTYPE_IPV4, o.PPP_IPV6: o.ETHERTYPE_IPV6}.get(protocol, 0)


def _raw_kind(frame: Layered, link_type: int) -> int:
    if link_type == link_types.LINKTYPE_PPP:
        if len(frame.data) >= 2 and frame.u(0, 2) == o.PPP_ADDRESS:
            frame.skip(2)
        return _ppp(frame)
    if link_type in (link_types.LINKTYPE_IPV4, link_types.LINKTYPE_IPV6):
        return o.ETHERTYPE_IPV4 if link_type == link_types.LINKTYPE_IPV4 else o.ETHERTYPE_IPV6
    raw = (link_types.LINKTYPE_RAW, link_types.LINKTYPE_RAW_OPENBSD, link_types.LINKTYPE_RAW_BSDOS)
    if link_type in raw and frame.data:
        return {4: o.ETHERTYPE_IPV4, 6: o.ETHERTYPE_IPV6}.get(frame.data[0] >> 4, 0)
    return 0


def _tags(frame: Layered, kind: int) -> int:
    for _ in range(MAX_TAGS):
        if kind not in o.VLAN_TYPES:
            break
        if len(frame.data) < o.VLAN_TAG:
            frame.stop("VLAN", o.VLAN_TAG)
            return 0
        if not frame.layers & Layer.VLAN:
            frame.set(Layer.VLAN, vlan=frame.u(0, 2) & 0x0FFF)
        kind = frame.u(2, 2)
        frame.skip(o.VLAN_TAG)
    if kind <= o.MAX_LENGTH_FIELD:
        return 0
    frame.set(Layer.ETH_TYPE, eth_type=kind)
    if kind != o.ETHERTYPE_PPPOE:
        return kind
    if len(frame.data) < o.PPPOE_HEADER:
        frame.stop("PPPoE", o.PPPOE_HEADER)
        return 0
    frame.skip(len(fixed(dpkt.pppoe.PPPoE, frame.data).pack_hdr()))
    return _ppp(frame)


def as_int(data: bytes) -> int:
    """Read a number in network byte order."""
    return int.from_bytes(data, "big")
