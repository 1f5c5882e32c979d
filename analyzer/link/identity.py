"""What identifies a packet wherever it is seen: a 64-bit hash of all that forwarding and NAT leave alone.

Left out, because a Docker host rewrites it: MACs, VLAN, TTL, addresses, ports, ECN, checksums, the MSS option, ICMP
echo ids, and the addresses in the packet that an ICMP error quotes. Taken in: IP id, lengths, TCP's numbers, flags
and timestamps, the payload digest. So equal identities nominate frames for one packet; they do not prove it.
"""

import numpy as np

from analyzer.decode.digest import mix_rows
from analyzer.decode.offsets import (
    ARP_LENGTH,
    EXTENSIONS,
    ICMP6_ERRORS,
    ICMP_ERRORS,
    ICMP_HEADER,
    IPV4_HEADER,
    IPV6_HEADER,
    PROTO_DCCP,
    PROTO_ICMP,
    PROTO_ICMP6,
    PROTO_SCTP,
    PROTO_TCP,
    PROTO_UDP,
    PROTO_UDPLITE,
    TCP_HEADER,
    TRANSPORT_HEADERS,
    TRANSPORT_MINIMUM,
)
from analyzer.schema import Array, Columns, Int64, Layer

NDP_LENGTH = IPV6_HEADER + 32
"""IPv6 header, neighbour solicitation or advertisement, and one option with a link-layer address."""
TRANSPORT_HEADER = np.array([TRANSPORT_HEADERS.get(proto, 0) for proto in range(256)], np.int64)
"""Bytes of the fixed header of each protocol; 0 for those that are not decoded."""
NEEDS_HEADER = np.zeros(256, bool)
"""Protocols whose tuple is in the transport header; the others' is the addresses alone."""
NEEDS_HEADER[[PROTO_TCP, PROTO_UDP, PROTO_UDPLITE, PROTO_DCCP, PROTO_SCTP, PROTO_ICMP, PROTO_ICMP6, *EXTENSIONS]] = True
_ICMP_ERROR = np.zeros((2, 256), bool)
_ICMP_ERROR[0, ICMP_ERRORS] = True
_ICMP_ERROR[1, ICMP6_ERRORS] = True


def has(layers: Array, bits: int) -> Array:
    """Tell where any of *bits* is set."""
    found: Array = layers & np.uint32(bits) != 0
    return found


def any_has(layers: Array, bits: int) -> bool:
    """Tell whether any of *bits* is set anywhere."""
    return bool(np.bitwise_or.reduce(layers) & np.uint32(bits))


def identify(frames: Columns, quotes: Columns, neighbours: Columns, keep: int) -> Int64:
    """
    Hash the invariants of every frame.

    Args:
        frames: FRAMES, n rows.
        quotes: QUOTES of them.
        neighbours: NEIGHBOURS of them.
        keep: bytes that every point kept, from the network header on; what lies behind is not used.

    Returns:
        (n,) identities. Frames without an IP header, ARP and NDP keep their addresses in it: nobody rewrites those.
    """
    layers = frames["layers"]
    ip = has(layers, Layer.IPV4 | Layer.IPV6)
    ip_header = np.where(has(layers, Layer.IPV6), IPV6_HEADER, IPV4_HEADER)
    later_fragment = frames["frag_offset"] > 0
    # What a header says counts only if no point cut it off.
    tcp = has(layers, Layer.TCP) & (keep >= ip_header + TCP_HEADER)
    tag = has(layers, Layer.TAG) & (keep >= ip_header + TRANSPORT_MINIMUM)
    header = frames["ip_len"] - np.minimum(frames["payload_len"], frames["ip_len"])
    state = (
        frames["proto"].astype(np.uint64)
        | has(layers, Layer.IPV6).astype(np.uint64) << np.uint64(8)
        | has(layers, Layer.MORE_FRAGMENTS).astype(np.uint64) << np.uint64(9)
        | frames["frag_offset"].astype(np.uint64) << np.uint64(16)
        # A host that puts IPv6 fragments together gives them a new identification when it sends them on.
        | (frames["ip_id"] * has(layers, Layer.IPV4)).astype(np.uint64) << np.uint64(32)
    )
    state = mix_rows(state, np.where(ip, frames["ip_len"], frames["payload_len"]).astype(np.uint64), 0)
    numbers = frames["seq"] * (keep >= ip_header + TRANSPORT_MINIMUM)
    state = mix_rows(state, numbers.astype(np.uint64) << np.uint64(32) | frames["ack"] * (tcp | tag), 1)
    stamps = frames["tsval"].astype(np.uint64) << np.uint64(32) | frames["tsecr"]
    state = mix_rows(state, stamps * (tcp & (header <= keep)), 2)
    icmp = has(layers, Layer.ICMP) & (keep >= ip_header + ICMP_HEADER)
    rest = (
        (frames["tcp_flags"] * tcp).astype(np.uint64)
        | (frames["icmp_type"] * icmp).astype(np.uint64) << np.uint64(16)
        | (frames["icmp_code"] * icmp).astype(np.uint64) << np.uint64(24)
        | (frames["icmp_seq"] * icmp).astype(np.uint64) << np.uint64(32)
    )
    state = mix_rows(state, rest, 3)
    # Without its header decoded everywhere, a payload begins with ports and checksum, which NAT rewrites; an ICMP
    # error's begins with the packet it quotes.
    decoded = later_fragment | (keep >= ip_header + TRANSPORT_HEADER[frames["proto"]]) | ~ip
    error = icmp & _ICMP_ERROR[has(layers, Layer.IPV6).astype(np.intp), frames["icmp_type"]]
    first_of_tcp = (frames["proto"] == PROTO_TCP) & ~later_fragment
    by_payload = has(layers, Layer.DIGEST) & decoded & ~first_of_tcp & ~error
    state = mix_rows(state, frames["digest"].view(np.uint64) * by_payload, 0)
    _fold_quotes(state, quotes, keep)
    _fold_neighbours(state, frames, neighbours, keep)
    # What has no tuple is told apart by nothing else than its addresses; errors have them in the quote.
    shown = has(layers, Layer.PORTS | Layer.ECHO) | later_fragment | error
    _fold_addresses(state, frames, np.flatnonzero(ip & NEEDS_HEADER[frames["proto"]] & ~shown))
    _fold_unrouted(state, frames, np.flatnonzero(~ip & ~has(layers, Layer.NEIGHBOUR)))
    return state.view(np.int64)


def _fold_quotes(state: Array, quotes: Columns, keep: int) -> None:
    """Take in what identifies the quoted packet, as for the packet itself, and the MTU."""
    version6 = has(quotes["layers"], Layer.IPV6)
    header = np.where(version6, IPV6_HEADER, IPV4_HEADER)
    kept = keep >= 2 * header + ICMP_HEADER + TRANSPORT_MINIMUM
    rows = quotes["row"][kept]
    one = quotes["proto"].astype(np.uint64) | quotes["ip_id"].astype(np.uint64) << np.uint64(32)
    two = quotes["ip_len"].astype(np.uint64) | quotes["mtu"].astype(np.uint64) << np.uint64(32)
    three = quotes["seq"].astype(np.uint64) | quotes["icmp_seq"].astype(np.uint64) << np.uint64(32)
    for lane, value in enumerate((one, two, three)):
        state[rows] = mix_rows(state[rows], value[kept], lane)


def _fold_neighbours(state: Array, frames: Columns, neighbours: Columns, keep: int) -> None:
    """Take in the whole message, as far as every point kept it, and its addresses."""
    needed = np.where(has(frames["layers"][neighbours["row"]], Layer.ARP), ARP_LENGTH, NDP_LENGTH)
    kept = keep >= needed
    for lane, name in enumerate(("op", "asked_hi", "asked", "mac", "to_mac", "peer_hi", "peer")):
        rows = neighbours["row"][kept]
        state[rows] = mix_rows(state[rows], neighbours[name][kept].astype(np.uint64), lane % 4)
    _fold_addresses(state, frames, neighbours["row"])


def _fold_addresses(state: Array, frames: Columns, rows: Int64) -> None:
    for lane, name in enumerate(("src_hi", "src", "dst_hi", "dst")):
        state[rows] = mix_rows(state[rows], frames[name][rows], lane)


def _fold_unrouted(state: Array, frames: Columns, rows: Int64) -> None:
    for lane, name in enumerate(("eth_src", "eth_dst", "eth_type", "vlan")):
        state[rows] = mix_rows(state[rows], frames[name][rows].astype(np.uint64), lane)
