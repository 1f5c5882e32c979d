"""Every table's columns, each documented once, and ``check()`` for the borders between stages.

Tables are pandas DataFrames over plain NumPy columns: no object columns, no NaN. A value is valid only where its
layer's bit is set in ``layers``; elsewhere it is 0 and means nothing. MACs and addresses are integers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from analyzer.errors import SchemaError

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]
Int64 = npt.NDArray[np.int64]
Columns = dict[str, Array]


class Layer(IntEnum):
    """
    Bits of the ``layers`` column: what was decoded, hence which columns hold values.

    Plain integers when they are combined: IntFlag would make an object of every test of a bit.
    """

    MAC_SRC = 1 << 0
    MAC_DST = 1 << 1
    ETH_TYPE = 1 << 2
    VLAN = 1 << 3
    COOKED = 1 << 4
    """LINUX_SLL or LINUX_SLL2: ``direction`` is valid."""
    ARP = 1 << 5
    IPV4 = 1 << 6
    IPV6 = 1 << 7
    FRAGMENT = 1 << 8
    """Part of a fragmented datagram: ``frag_offset`` and ``ip_id`` are valid."""
    MORE_FRAGMENTS = 1 << 9
    DONT_FRAGMENT = 1 << 10
    PORTS = 1 << 11
    TCP = 1 << 12
    TCP_TS = 1 << 13
    UDP = 1 << 14
    ICMP = 1 << 15
    """ICMP or ICMPv6, told apart by ``proto``."""
    ECHO = 1 << 16
    QUOTE = 1 << 17
    """An ICMP error whose quoted packet is a row of QUOTES."""
    TAG = 1 << 18
    """``seq`` is SCTP's verification tag, GRE's key or ESP's SPI; ``ack`` is ESP's sequence number."""
    NEIGHBOUR = 1 << 19
    """An ARP or NDP message that is a row of NEIGHBOURS."""
    DIGEST = 1 << 20
    """``digest`` covers all bytes it should; a frame cut too short has none."""
    CUT = 1 << 21
    """The capture kept fewer bytes than the packet had."""
    MALFORMED = 1 << 22
    """Decoding stopped at a header that contradicts itself."""
    PPP = 1 << 23
    """Behind a PPP header (RFC 1661), by itself or in PPPoE (RFC 2516)."""
    TUNNEL = 1 << 24
    """Carried by VXLAN: all columns are the inner packet's, and a row of TUNNELS has the outer one's."""


IP = Layer.IPV4 | Layer.IPV6


ALWAYS = 0


@dataclass(frozen=True, slots=True)
class Addresses:
    """IP addresses of a table's rows: 128 bits in two columns, which are compared whole."""

    high: Array
    low: Array

    @classmethod
    def of(cls, table: Columns, name: str) -> "Addresses":
        """Take a table's addresses, e.g. ``orig_src``."""
        return cls(table[f"{name}_hi"], table[name])

    def __getitem__(self, rows: Any) -> "Addresses":
        return Addresses(self.high[rows], self.low[rows])

    def same(self, other: "Addresses") -> Array:
        """(rows,) bool: both are one address."""
        found: Array = (self.low == other.low) & (self.high == other.high)
        return found

    def are(self, address: int) -> Array:
        """(rows,) bool: they are this address, given as its number."""
        found: Array = (self.low == np.uint64(address & _HALF)) & (self.high == np.uint64(address >> 64))
        return found

    def among(self, addresses: Iterable[int]) -> Array:
        """(rows,) bool: they are one of these."""
        found: Array = np.zeros(len(self.low), bool)
        for address in addresses:
            found |= self.are(address)
        return found


_HALF = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    dtype: str
    """NumPy dtype, e.g. ``int64``."""
    unit: str
    """Unit or encoding of a value, ``-`` for a bare number."""
    doc: str
    """Meaning, in one sentence."""
    layer: int = ALWAYS
    """Any of these bits of ``layers`` must be set; otherwise the value is 0. No bit: always valid."""


@dataclass(frozen=True)
class Table:
    """A table: its name and columns, in order."""

    name: str
    doc: str
    columns: tuple[Column, ...]

    @cached_property
    def dtypes(self) -> dict[str, np.dtype[Any]]:
        """Column names and dtypes, in order."""
        return {column.name: np.dtype(column.dtype) for column in self.columns}

    def empty(self, rows: int) -> Columns:
        """Return zeroed columns of *rows* rows."""
        return {name: np.zeros(rows, dtype) for name, dtype in self.dtypes.items()}

    def check(self, table: "pd.DataFrame | Mapping[str, Array]") -> None:
        """Raise SchemaError unless *table* has exactly these columns, types and order."""
        found = {str(name): table[str(name)].dtype for name in table}
        if list(found.items()) != list(self.dtypes.items()):
            wrong = sorted(set(found.items()) ^ set(self.dtypes.items()), key=str)
            raise SchemaError(f"{self.name}: columns differ from the schema: {wrong or 'order'}")


_ADDRESS = (
    Column("src_hi", "uint64", "-", "Upper 64 bits of the IPv6 source address.", Layer.IPV6),
    Column(
        "src", "uint64", "-", "IPv4 source, or lower 64 bits of the IPv6 source; ARP's sender protocol address.",
        IP | Layer.ARP,
    ),
    Column("dst_hi", "uint64", "-", "Upper 64 bits of the IPv6 destination address.", Layer.IPV6),
    Column(
        "dst", "uint64", "-", "IPv4 destination, or lower 64 bits of the IPv6 one; ARP's target protocol address.",
        IP | Layer.ARP,
    ),
)  # fmt: skip

_NETWORK = (
    *_ADDRESS,
    Column("proto", "uint8", "IANA protocol number", "Transport protocol, after IPv6 extension headers.", IP),
    Column("ttl", "uint8", "hops", "IPv4 time to live or IPv6 hop limit.", IP),
    Column("tos", "uint8", "-", "IPv4 TOS or IPv6 traffic class, with the ECN bits.", IP),
    Column(
        "ip_id", "uint32", "-", "IPv4 identification, or that of the IPv6 fragment header.",
        Layer.IPV4 | Layer.FRAGMENT,
    ),
    Column("ip_len", "uint32", "bytes", "Length of the datagram from its IP header on, by that header.", IP),
    Column("frag_offset", "uint16", "bytes", "Place of a fragment's data in the datagram.", Layer.FRAGMENT),
    Column("sport", "uint16", "-", "Source port of TCP, UDP, SCTP, DCCP or UDP-Lite.", Layer.PORTS),
    Column("dport", "uint16", "-", "Destination port, likewise.", Layer.PORTS),
    Column("icmp_type", "uint8", "-", "ICMP or ICMPv6 type.", Layer.ICMP),
    Column("icmp_code", "uint8", "-", "ICMP or ICMPv6 code.", Layer.ICMP),
    Column("icmp_id", "uint16", "-", "Identifier of an echo request or reply.", Layer.ECHO),
    Column("icmp_seq", "uint16", "-", "Sequence number of an echo request or reply.", Layer.ECHO),
    Column(
        "seq", "uint32", "-", "TCP sequence number, 0 if it was cut off; SCTP verification tag, GRE key, ESP SPI.",
        Layer.PORTS | Layer.TAG,
    ),
    Column("ack", "uint32", "-", "TCP acknowledgement number; ESP sequence number.", Layer.TCP | Layer.TAG),
)  # fmt: skip

FRAMES = Table(
    "FRAMES",
    "One row per captured frame, in the order of its file.",
    (
        Column("point", "uint16", "-", "Id of the capture point."),
        Column("frame", "uint32", "-", "Number in its file, from 1, as Wireshark's frame.number."),
        Column("time_ns", "int64", "ns since 1970-01-01 UTC", "Capture time."),
        Column("cap_len", "uint32", "bytes", "Bytes the file holds of the frame."),
        Column("orig_len", "uint32", "bytes", "Length on the wire."),
        Column("layers", "uint32", "bits of Layer", "What was decoded."),
        Column("direction", "uint8", "SLL packet type", "0 to us, 1 broadcast, 2 multicast, 3 to others, 4 sent.",
               Layer.COOKED),
        Column("eth_src", "int64", "48-bit MAC", "Source MAC address.", Layer.MAC_SRC),
        Column("eth_dst", "int64", "48-bit MAC", "Destination MAC address.", Layer.MAC_DST),
        Column("eth_type", "uint16", "EtherType", "Type of the network layer, after VLAN tags.", Layer.ETH_TYPE),
        Column("vlan", "uint16", "VLAN id", "Outermost 802.1Q or 802.1ad tag.", Layer.VLAN),
        *_NETWORK,
        Column("tcp_flags", "uint16", "bits of RFC 9293", "TCP flags, FIN lowest.", Layer.TCP),
        Column("window", "uint16", "-", "TCP window as sent, not scaled.", Layer.TCP),
        Column("tsval", "uint32", "-", "TCP timestamp value (RFC 7323).", Layer.TCP_TS),
        Column("tsecr", "uint32", "-", "TCP timestamp echo reply.", Layer.TCP_TS),
        Column("payload_len", "uint32", "bytes", "Bytes behind the last decoded header, by the headers' lengths."),
        Column("digest", "int64", "64-bit hash", "Of the first payload bytes that every point kept.", Layer.DIGEST),
    ),
)  # fmt: skip

QUOTES = Table(
    "QUOTES",
    "One row per ICMP error: the packet it quotes (RFC 792, RFC 4884, RFC 4443).",
    (
        Column("row", "int64", "-", "Row of FRAMES that holds the error."),
        Column("layers", "uint32", "bits of Layer", "What was decoded of the quoted packet."),
        *_NETWORK,
        Column("mtu", "uint32", "bytes", "Next-hop MTU of fragmentation needed or packet too big, else 0."),
    ),
)

NEIGHBOURS = Table(
    "NEIGHBOURS",
    "One row per ARP (RFC 826) or neighbour discovery (RFC 4861) message.",
    (
        Column("row", "int64", "-", "Row of FRAMES that holds the message."),
        Column("op", "uint8", "-", "1 question (ARP request, neighbour solicitation), 2 answer; else ARP's own."),
        Column("asked_hi", "uint64", "-", "Upper 64 bits of the address the message is about; 0 for ARP."),
        Column(
            "asked",
            "uint64",
            "-",
            "ARP request's target or reply's sender address; NDP target, lower 64 bits.",
        ),
        Column("mac", "int64", "48-bit MAC", "Answer's MAC; a question's sender MAC."),
        Column("to_mac", "int64", "48-bit MAC", "ARP's target MAC, or the frame's destination for NDP."),
        Column("peer_hi", "uint64", "-", "Upper 64 bits of the asker's address; 0 for ARP."),
        Column("peer", "uint64", "-", "Asker's address, of a question its sender, of an answer its receiver."),
    ),
)

TUNNELS = Table(
    "TUNNELS",
    "One row per frame that carries another one in VXLAN (RFC 7348): the outer headers.",
    (
        Column("row", "int64", "-", "Row of FRAMES that holds the inner packet."),
        Column("vni", "uint32", "-", "VXLAN network identifier."),
        Column("layers", "uint32", "bits of Layer", "What was decoded of the outer packet."),
        Column("eth_src", "int64", "48-bit MAC", "Outer source MAC address.", Layer.MAC_SRC),
        Column("eth_dst", "int64", "48-bit MAC", "Outer destination MAC address.", Layer.MAC_DST),
        Column("src_hi", "uint64", "-", "Upper 64 bits of the outer IPv6 source address.", Layer.IPV6),
        Column("src", "uint64", "-", "Outer IPv4 source, or lower 64 bits of the IPv6 one.", IP),
        Column("dst_hi", "uint64", "-", "Upper 64 bits of the outer IPv6 destination address.", Layer.IPV6),
        Column("dst", "uint64", "-", "Outer IPv4 destination, or lower 64 bits of the IPv6 one.", IP),
        Column("sport", "uint16", "-", "Outer UDP source port, a hash of the inner packet's flow.", Layer.PORTS),
        Column("dport", "uint16", "-", "Outer UDP destination port.", Layer.PORTS),
        Column("ttl", "uint8", "hops", "Outer time to live.", IP),
        Column("ip_id", "uint32", "-", "Outer IPv4 identification.", Layer.IPV4),
    ),
)

KEYS = Table(
    "KEYS",
    "One row per row of FRAMES: what correlation compares frames by.",
    (
        Column("identity", "int64", "64-bit hash", "Of all that forwarding and NAT leave alone in a packet."),
        Column(
            "flow", "int64", "63-bit hash and a bit",
            "Of both endpoints, whoever sends; the lowest bit tells the second one does. 0 for frames without a tuple.",
        ),
        Column(
            "payload", "int64", "64-bit hash",
            "Of all that was captured of a payload of which the identity takes in only the beginning; 0 where unknown.",
        ),
        Column("checksum", "int32", "-", "Of UDP, what it has beside the sum of addresses and ports; -1 without one."),
    ),
)  # fmt: skip

COMPARED = ("payload", "checksum")
"""Columns of KEYS by which it is found out whether frames of one identity are one packet."""

PLACES = Table(
    "PLACES",
    "One row per row of FRAMES: where its bytes are.",
    (Column("at", "int64", "bytes", "Where the packet begins in its file, as it is without compression."),),
)

HOPS = Table(
    "HOPS",
    "One row per frame: which packet it shows, and where on its way. Sorted by packet, then hop.",
    (
        Column("row", "int64", "-", "Row of FRAMES."),
        Column("packet", "int64", "-", "Packet id, from 0, in order of each packet's first frame."),
        Column("hop", "int16", "-", "Place on the packet's way, from 0; frames of one hop share it."),
        Column("connection", "int32", "-", "Row of CONNECTIONS, -1 for a packet outside any (ARP, NDP, ...)."),
        Column("reply", "bool", "-", "The packet goes in the reply direction."),
        Column("ambiguous", "bool", "-", "Another packet could own this frame as well."),
    ),
)

_TUPLE = ("src_hi", "src", "dst_hi", "dst")
CONNECTIONS = Table(
    "CONNECTIONS",
    "One row per connection, in order of its first frame.",
    (
        Column("version", "uint8", "-", "4 or 6."),
        Column("proto", "uint8", "IANA protocol number", "Transport protocol."),
        *(
            Column(f"{way}_{name}", "uint64" if name in _TUPLE else "uint16", "-", f"{doc} of the {way} tuple.")
            for way in ("orig", "reply")
            for name, doc in (
                ("src_hi", "Upper half of the IPv6 source"),
                ("src", "IPv4 source or lower half of the IPv6 one"),
                ("dst_hi", "Upper half of the IPv6 destination"),
                ("dst", "IPv4 destination or lower half of the IPv6 one"),
                ("sport", "Source port, or echo identifier,"),
                ("dport", "Destination port, or 256 times ICMP type plus code,"),
            )
        ),
        Column("first_ns", "int64", "ns since 1970-01-01 UTC", "Time of the first frame."),
        Column("last_ns", "int64", "ns since 1970-01-01 UTC", "Time of the last frame."),
        Column("frames", "int64", "-", "Frames at all points."),
        Column("packets", "int64", "-", "Packets in both directions."),
        Column("seen_reply", "bool", "-", "A packet of the reply direction was seen."),
        Column("reset", "bool", "-", "A TCP segment with RST was seen."),
        Column("served", "bool", "-", "A payload of the reply direction was seen."),
        Column("stated", "int32", "-", "Index of the conntrack entry that states the mapping, -1 for none."),
        Column("ambiguous", "bool", "-", "The mapping is one of several that explain the frames equally."),
        Column(
            "relayed_to", "int32", "-", "Connection in which a process, as docker-proxy, sends the bytes on, or -1."
        ),
        Column("relayed_from", "int32", "-", "Connection whose bytes come in this one, or -1."),
    ),
)
FACTS = Table(
    "FACTS",
    "One row per packet: what became of it, for whoever asks why.",
    (
        Column("connection", "int32", "-", "Row of CONNECTIONS, -1 without."),
        Column("reply", "bool", "-", "It goes in the reply direction."),
        Column("first_row", "int64", "-", "Row of FRAMES that shows it first."),
        Column("last_row", "int64", "-", "Row of FRAMES that shows it last."),
        Column("point", "uint16", "-", "Id of the capture point that saw it last."),
        Column("end", "uint8", "place in Disposition", "How its journey ended."),
        Column("container", "bool", "-", "It is a container's, or of a connection that is."),
        Column("quoted_by", "int64", "-", "Packet that is an ICMP error about it, -1 without."),
        Column("sent_again", "bool", "-", "TCP sent the same once more later."),
        Column("pause_ns", "int64", "ns", "How long its connection was silent before it; 0 for the first one."),
        Column("symptom", "uint8", "place in Symptom", "What is wrong with it; 0 for nothing."),
        Column("row", "int64", "-", "Its row of symptoms: of all with that symptom there, in its stream; -1 without."),
    ),
)

TABLES = (FRAMES, QUOTES, NEIGHBOURS, TUNNELS, KEYS, PLACES, HOPS, CONNECTIONS)
