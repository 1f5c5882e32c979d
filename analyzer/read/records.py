"""What the readers give: batches of raw records, and what the file says about itself."""

from dataclasses import dataclass, field, replace

from analyzer.schema import Array, Bytes, Int64

MAX_RECORD = 262_144
"""Longest believable record, bytes; libpcap's MAXIMUM_SNAPLEN and Wireshark's WTAP_MAX_PACKET_SIZE_STANDARD."""

FRONT, BACK = 64, 512
"""Readable bytes before the first and after the last record of a batch, so that wide gathers stay inside."""

LINKTYPE_NULL = 0
LINKTYPE_ETHERNET = 1
LINKTYPE_PPP = 9
LINKTYPE_RAW_OPENBSD = 12
LINKTYPE_RAW_BSDOS = 14
LINKTYPE_RAW = 101
LINKTYPE_LOOP = 108
LINKTYPE_LINUX_SLL = 113
LINKTYPE_IPV4 = 228
LINKTYPE_IPV6 = 229
LINKTYPE_LINUX_SLL2 = 276
DECODED = frozenset((
    LINKTYPE_NULL, LINKTYPE_ETHERNET, LINKTYPE_PPP, LINKTYPE_RAW_OPENBSD, LINKTYPE_RAW_BSDOS, LINKTYPE_RAW,
    LINKTYPE_LOOP, LINKTYPE_LINUX_SLL, LINKTYPE_IPV4, LINKTYPE_IPV6, LINKTYPE_LINUX_SLL2,
))  # fmt: skip
"""Link types whose frames are decoded."""
LINK_NAMES = {
    3: "AX.25", 6: "Token Ring", 7: "ARCNET", 8: "SLIP", 10: "FDDI", 50: "PPP in HDLC", 51: "PPPoE",
    100: "LLC over ATM", 104: "Cisco HDLC", 105: "IEEE 802.11", 107: "Frame Relay", 117: "pflog",
    119: "Prism headers", 122: "IP over Fibre Channel", 123: "SunATM", 127: "IEEE 802.11 with radiotap",
    129: "Linux ARCNET", 138: "IP over IEEE 1394", 143: "DOCSIS", 144: "Linux IrDA", 187: "Bluetooth HCI",
    189: "USB", 192: "PPI", 195: "IEEE 802.15.4", 201: "Bluetooth HCI", 220: "USB", 227: "SocketCAN",
    242: "IP over InfiniBand", 253: "Netlink", 272: "nflog",
}  # fmt: skip
"""Of link types that are not decoded (tcpdump.org's registry)."""


def link_name(link_type: int) -> str:
    """Return what a link type is called, or its number."""
    name = LINK_NAMES.get(link_type)
    return f"link type {link_type}" + (f" ({name})" if name else "")


LINKTYPE_NONE = -1
"""A record that is no packet, e.g. a systemd journal entry in a pcapng."""


@dataclass(slots=True)
class Interface:
    """One interface of a capture file."""

    link_type: int
    snap_len: int
    """As declared, bytes; 0 for no limit."""
    name: str | None = None
    description: str | None = None
    fcs_len: int = 0
    """Bytes of frame check sequence at the end of each frame."""
    dropped: int | None = None
    """Interface statistics' drops: ``isb_ifdrop`` and ``isb_osdrop`` together."""
    units_per_second: int = 1_000_000
    offset_s: int = 0


@dataclass(slots=True)
class Damage:
    """Where a file stops being readable, and why."""

    offset: int
    """Byte in the (decompressed) file."""
    problem: str
    limited: bool = False
    """It could be read on, but nobody wants to: the limit of memory, or of how many things one file may have."""


@dataclass(slots=True)
class FileInfo:
    """What is known of a file, complete when its last batch was taken."""

    name: str
    interfaces: list[Interface] = field(default_factory=list)
    comments: list[tuple[int, str]] = field(default_factory=list)
    """Packet comments with their frame number; 0 for those of a section or an interface."""
    names: dict[str, str] = field(default_factory=dict)
    """Address texts to host names of Name Resolution Blocks."""
    secrets: list[bytes] = field(default_factory=list)
    """Bodies of Decryption Secrets Blocks, as they stand there: keys of TLS and the like."""
    frames: int = 0
    damage: Damage | None = None
    big_endian: bool = False
    section: list[int] = field(default_factory=list)
    """Where in *interfaces* those of the section that is being read are; sections of pcapng number them anew."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a point's frames come from."""

    file: int
    """Index of the file."""
    interface: int
    """Index in ``FileInfo.interfaces``."""
    device: int
    """Interface index of a LINUX_SLL2 header, else 0."""


@dataclass(frozen=True, slots=True)
class Records:
    """
    n consecutive records of one file.

    *buffer* is reused for the next batch; whoever keeps bytes copies them. FRONT bytes before and BACK bytes
    after every record are readable.
    """

    buffer: Bytes
    start: Int64
    """(n,) Places of the packets in *buffer*."""
    cap_len: Int64
    orig_len: Int64
    time_ns: Int64
    interface: Array
    """(n,) int32 indices of ``FileInfo.interfaces``."""
    first_frame: int
    """Frame number of the first record."""

    def __len__(self) -> int:
        return len(self.start)

    def first(self, count: int) -> "Records":
        """Return the first *count* of them."""
        columns = {
            name: getattr(self, name)[:count] for name in ("start", "cap_len", "orig_len", "time_ns", "interface")
        }
        return replace(self, **columns)
