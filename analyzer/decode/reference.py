"""Defines what decoding means, one frame at a time, with dpkt's header definitions.

What is compiled must agree with this on every column, on whole, cut and corrupt frames; where nothing could be
compiled, this decodes. Only dpkt's headers are used: its own way down the layers guesses, and raises on what it does
not like.
"""

from dataclasses import dataclass

import dpkt

from analyzer.decode import offsets as o
from analyzer.decode.digest import DIGEST_BYTES, digest_one
from analyzer.decode.reference_link import Layered, Row, as_int, fixed, link
from analyzer.read import records as link_types
from analyzer.read.records import Interface
from analyzer.schema import ALWAYS, FRAMES, QUOTES, TUNNELS, Layer

KEEP_ALL = 1 << 30
MAX_EXTENSIONS = 64

PORT_PROTOCOLS = (o.PROTO_TCP, o.PROTO_UDP, o.PROTO_UDPLITE, o.PROTO_DCCP, o.PROTO_SCTP)


@dataclass(slots=True)
class One:
    """What one frame gives to the tables, and why decoding stopped early."""

    frame: Row
    quote: Row | None = None
    neighbour: Row | None = None
    tunnel: Row | None = None
    stopped: str = ""


def decode_frame(data: bytes, orig_len: int, interface: Interface, *, keep: int = KEEP_ALL) -> One:
    """Decode one frame of which *data* was captured; columns that its record gives are not in the result."""
    wire = max(orig_len - interface.fcs_len, 0)
    frame = Layered(data[: min(len(data), wire)], wire)
    one = _decode(frame, interface.link_type, keep)
    inner = _carried(frame)
    if inner is None:
        return one
    carried = _decode(inner, link_types.LINKTYPE_ETHERNET, keep)
    if not inner.layers & (Layer.IPV4 | Layer.IPV6 | Layer.ARP):
        return one
    carried.tunnel = {name: frame.row.get(name, 0) for name in TUNNELS.dtypes if name != "row"}
    carried.tunnel.update(vni=frame.u(4, 3), layers=int(frame.layers))
    carried.frame["layers"] |= Layer.TUNNEL | frame.layers & Layer.COOKED
    carried.frame["direction"] = one.frame["direction"]
    return carried


def payload(data: bytes, orig_len: int, interface: Interface) -> bytes:
    """Return what was captured behind the last header that is decoded, inside VXLAN that of the inner packet."""
    wire = max(orig_len - interface.fcs_len, 0)
    frame = Layered(data[: min(len(data), wire)], wire)
    _headers(frame, interface.link_type)
    inner = _carried(frame)
    if inner is not None:
        _headers(inner, link_types.LINKTYPE_ETHERNET)
        frame = inner
    return frame.data[: max(frame.length, 0)]


def _headers(frame: Layered, link_type: int) -> None:
    """Take off all headers."""
    if _network(frame, link(frame, link_type)):
        _transport(frame)


def datagrams(data: bytes, orig_len: int, interface: Interface) -> list[bytes]:
    """Return what was captured from the IP header on: of the frame, and of the one that it carries in VXLAN."""
    wire = max(orig_len - interface.fcs_len, 0)
    frame = Layered(data[: min(len(data), wire)], wire)
    found = [packet for packet in (_datagram(frame, interface.link_type),) if packet]
    _decode(frame, interface.link_type, KEEP_ALL)
    inner = _carried(frame)
    if inner is not None:
        found += [packet for packet in (_datagram(inner, link_types.LINKTYPE_ETHERNET),) if packet]
    return found


def _datagram(frame: Layered, link_type: int) -> bytes:
    copy = Layered(frame.data, frame.length)
    return copy.data if link(copy, link_type) in (o.ETHERTYPE_IPV4, o.ETHERTYPE_IPV6) else b""


def _carried(frame: Layered) -> Layered | None:
    """Return the Ethernet frame that *frame*, decoded down to its UDP payload, carries in VXLAN (RFC 7348)."""
    if not frame.layers & Layer.UDP or frame.layers & Layer.FRAGMENT or frame.row["dport"] not in o.VXLAN_PORTS:
        return None
    if len(frame.data) < o.VXLAN_HEADER or frame.u(0, 4) != o.VXLAN_FLAGS or frame.u(7, 1):
        return None
    return Layered(frame.data[o.VXLAN_HEADER :], frame.length - o.VXLAN_HEADER, frame.place + o.VXLAN_HEADER)


def _decode(frame: Layered, link_type: int, keep: int) -> One:
    one = One({})
    network_at = _take_apart(frame, link_type, one)
    if one.neighbour is not None:
        frame.layers |= Layer.NEIGHBOUR
    if one.quote is not None:
        frame.layers |= Layer.QUOTE
    wanted = max(min(frame.length, DIGEST_BYTES, keep - (frame.place - network_at)), 0)
    if wanted == 0 or len(frame.data) >= wanted:
        frame.set(Layer.DIGEST, digest=digest_one(frame.data[:wanted]))
    frame.row.update(payload_len=max(frame.length, 0), layers=int(frame.layers))
    given = ("point", "frame", "time_ns", "cap_len", "orig_len")
    one.frame = {name: frame.row.get(name, 0) for name in FRAMES.dtypes if name not in given}
    one.stopped = frame.stopped
    return one


def _take_apart(frame: Layered, link_type: int, one: One) -> int:
    """Decode all layers, as far as that is possible; return where the network header is."""
    network_at = 0
    try:
        kind = link(frame, link_type)
        network_at = frame.place
        transport = _network(frame, kind)
        if kind == o.ETHERTYPE_ARP:
            one.neighbour = _arp(frame)
        if transport:
            _transport(frame)
        if frame.layers & Layer.ICMP:
            one.neighbour = _ndp(frame)
            one.quote = _quote(frame)
    except Exception as error:  # whatever dpkt raises on whatever bytes: that is where decoding stops
        frame.malformed(f"dpkt: {type(error).__name__}")
    return network_at


def _network(frame: Layered, kind: int) -> bool:
    """Take off IPv4 or IPv6; return whether a transport header follows."""
    if kind == o.ETHERTYPE_IPV4:
        return _ipv4(frame)
    if kind == o.ETHERTYPE_IPV6:
        return _ipv6(frame)
    if len(frame.data) < frame.length:
        frame.layers |= Layer.CUT
    return False


def _ipv4(frame: Layered) -> bool:
    if len(frame.data) < o.IPV4_HEADER:
        frame.stop("IPv4", o.IPV4_HEADER)
        return False
    ip = fixed(dpkt.ip.IP, frame.data)
    header = (ip._v_hl & 15) * 4
    total = ip.len or frame.length
    if ip._v_hl >> 4 != 4 or header < o.IPV4_HEADER or total < header:
        frame.malformed("IPv4 version or length contradicts itself")
        return False
    offset: int = (ip._flags_offset & 0x1FFF) * 8
    more = bool(ip._flags_offset & 0x2000)
    if ip._flags_offset & 0x4000:
        frame.layers |= Layer.DONT_FRAGMENT
    if more:
        frame.layers |= Layer.MORE_FRAGMENTS
    if more or offset:
        frame.layers |= Layer.FRAGMENT
    if len(frame.data) < total:
        frame.layers |= Layer.CUT
    frame.set(
        Layer.IPV4,
        src=as_int(ip.src),
        dst=as_int(ip.dst),
        proto=ip.p,
        ttl=ip.ttl,
        tos=ip.tos,
        ip_id=ip.id,
        ip_len=total,
        frag_offset=offset,
    )
    frame.data, frame.length = frame.data[:total], total
    frame.skip(header)
    return not offset


def _ipv6(frame: Layered) -> bool:
    if len(frame.data) < o.IPV6_HEADER:
        frame.stop("IPv6", o.IPV6_HEADER)
        return False
    ip = fixed(dpkt.ip6.IP6, frame.data)
    if ip._v_fc_flow >> 28 != 6:
        frame.malformed("IPv6 version contradicts the link layer")
        return False
    total = max(ip.plen + o.IPV6_HEADER if ip.plen else frame.length, o.IPV6_HEADER)
    if len(frame.data) < total:
        frame.layers |= Layer.CUT
    src, dst = as_int(ip.src), as_int(ip.dst)
    low = (1 << 64) - 1
    frame.set(
        Layer.IPV6,
        src_hi=src >> 64,
        src=src & low,
        dst_hi=dst >> 64,
        dst=dst & low,
        proto=ip.nxt,
        ttl=ip.hlim,
        tos=ip._v_fc_flow >> 20 & 255,
        ip_len=total,
    )
    frame.data, frame.length = frame.data[:total], total
    frame.skip(o.IPV6_HEADER)
    return _extensions(frame)


def _extensions(frame: Layered) -> bool:
    for _ in range(MAX_EXTENSIONS):
        proto = frame.row["proto"]
        if proto not in o.EXTENSIONS:
            break
        size = (frame.u(1, 1) + 1) * 8
        if proto == o.EXT_AUTH:
            size = (frame.u(1, 1) + 2) * 4
        if proto == o.EXT_FRAGMENT:
            size = 8
        if len(frame.data) < 2 <= frame.length:
            return False  # cut, and how long it is was not captured
        if size > frame.length:
            frame.malformed("IPv6 extension header longer than the packet")
            return False
        if size > len(frame.data):
            return False
        head, data = frame.u(0, 1), frame.data
        frame.skip(size)
        frame.row["proto"] = head
        if proto == o.EXT_FRAGMENT:
            fragment = fixed(dpkt.ip6.IP6FragmentHeader, data)
            offset, more = fragment._frag_off_resv_m & 0xFFF8, fragment._frag_off_resv_m & 1
            frame.set(ALWAYS, frag_offset=offset, ip_id=fragment.id if offset or more else 0)
            if offset or more:
                frame.layers |= Layer.FRAGMENT
            if more:
                frame.layers |= Layer.MORE_FRAGMENTS
            if offset:
                return False
    return True


def _transport(frame: Layered) -> None:
    proto, version6 = frame.row["proto"], bool(frame.layers & Layer.IPV6)
    needed = o.TRANSPORT_HEADERS.get(proto)
    if needed is None or proto == (o.PROTO_ICMP if version6 else o.PROTO_ICMP6):
        return
    if frame.length < needed:
        frame.malformed(f"IP length leaves {frame.length} bytes for protocol {proto}, which needs {needed}")
        return
    if len(frame.data) >= o.PORTS_LENGTH and proto in PORT_PROTOCOLS:
        frame.set(Layer.PORTS, sport=frame.u(0, 2), dport=frame.u(2, 2))
        if len(frame.data) >= o.TRANSPORT_MINIMUM and proto in (o.PROTO_TCP, o.PROTO_SCTP):
            frame.set(Layer.TAG if proto == o.PROTO_SCTP else ALWAYS, seq=frame.u(4, 4))
    if len(frame.data) < needed:
        frame.stopped = f"transport header at byte {frame.place}: needed {needed} bytes, found {len(frame.data)}"
        return
    header = _tcp(frame) if proto == o.PROTO_TCP else needed
    if proto == o.PROTO_UDP:
        frame.layers |= Layer.UDP
    elif proto in (o.PROTO_ICMP, o.PROTO_ICMP6):
        _icmp(frame, version6=version6)
    elif proto == o.PROTO_ESP:
        esp = fixed(dpkt.esp.ESP, frame.data)
        frame.set(Layer.TAG, seq=esp.spi, ack=esp.seq)
    elif proto == o.PROTO_GRE:
        flags = frame.u(0, 2)
        key_at = 8 if flags & o.GRE_CHECKSUM else 4
        if flags & o.GRE_KEY and len(frame.data) >= key_at + 4:
            frame.set(Layer.TAG, seq=frame.u(key_at, 4))
    frame.skip(header)


def _tcp(frame: Layered) -> int:
    tcp = fixed(dpkt.tcp.TCP, frame.data)
    flags = frame.u(12, 2)
    header = (flags >> 12) * 4
    if header < o.TCP_HEADER or header > frame.length:
        frame.malformed(f"TCP data offset {header}")
        return 0
    frame.set(Layer.TCP, ack=tcp.ack, tcp_flags=flags & 0x0FFF, window=tcp.win)
    options = frame.data[o.TCP_HEADER : header]
    place = 0
    while place < len(options):
        kind = options[place]
        if kind == o.TCPOPT_EOL:
            break
        if kind == o.TCPOPT_NOP:
            place += 1
            continue
        size = options[place + 1] if place + 1 < len(options) else 0
        if size < 2 or place + size > len(options):
            break
        if kind == o.TCPOPT_TIMESTAMP and size == o.TCPOLEN_TIMESTAMP:
            stamps = options[place + 2 : place + 10]
            frame.set(Layer.TCP_TS, tsval=as_int(stamps[:4]), tsecr=as_int(stamps[4:]))
            break
        place += size
    return header


def _icmp(frame: Layered, *, version6: bool) -> None:
    icmp = fixed(dpkt.icmp.ICMP, frame.data)
    frame.set(Layer.ICMP, icmp_type=icmp.type, icmp_code=icmp.code)
    if icmp.type in ((o.ICMP6_ECHO, o.ICMP6_ECHO_REPLY) if version6 else (o.ICMP_ECHO, o.ICMP_ECHO_REPLY)):
        echo = fixed(dpkt.icmp.ICMP.Echo, frame.data[4:])
        frame.set(Layer.ECHO, icmp_id=echo.id, icmp_seq=echo.seq)
    frame.row["_rest"] = frame.u(4, 4)


def _arp(frame: Layered) -> Row | None:
    if len(frame.data) < o.ARP_LENGTH <= frame.length:
        return None
    arp = fixed(dpkt.arp.ARP, frame.data) if len(frame.data) >= o.ARP_LENGTH else None
    if arp is None or as_int(frame.data[:6]) != o.ARP_ETHERNET_IPV4:
        frame.malformed("ARP not for Ethernet and IPv4")
        return None
    sender, target = as_int(arp.spa), as_int(arp.tpa)
    frame.set(Layer.ARP, src=sender, dst=target)
    frame.length = 0
    answer = arp.op == dpkt.arp.ARP_OP_REPLY
    return {
        "op": min(arp.op, 255),
        "asked_hi": 0,
        "asked": sender if answer else target,
        "mac": as_int(arp.sha),
        "to_mac": as_int(arp.tha),
        "peer_hi": 0,
        "peer": target if answer else sender,
    }


def _ndp(frame: Layered) -> Row | None:
    row = frame.row
    if not frame.layers & Layer.IPV6 or row["icmp_code"] != 0 or len(frame.data) < 16:
        return None
    if row["icmp_type"] not in (o.NDP_SOLICITATION, o.NDP_ADVERTISEMENT):
        return None
    advertised = row["icmp_type"] == o.NDP_ADVERTISEMENT
    mac, place = row.get("eth_src", 0), 16
    for _ in range(4):
        if place + 8 > len(frame.data):
            break
        size = frame.data[place + 1] * 8
        if frame.data[place] == (o.NDP_OPT_TARGET if advertised else o.NDP_OPT_SOURCE) and size == 8:
            mac = frame.u(place + 2, 6)
            break
        if not size:
            break
        place += size
    return {
        "op": 2 if advertised else 1,
        "asked_hi": frame.u(0, 8),
        "asked": frame.u(8, 8),
        "mac": mac,
        "to_mac": row.get("eth_dst", 0),
        "peer_hi": row["dst_hi" if advertised else "src_hi"],
        "peer": row["dst" if advertised else "src"],
    }


def _quote(frame: Layered) -> Row | None:
    version6 = bool(frame.layers & Layer.IPV6)
    kind, code, rest = frame.row["icmp_type"], frame.row["icmp_code"], frame.row["_rest"]
    if kind not in (o.ICMP6_ERRORS if version6 else o.ICMP_ERRORS):
        return None
    quoted = Layered(frame.data, max(frame.length, 0))
    if _network(quoted, o.ETHERTYPE_IPV6 if version6 else o.ETHERTYPE_IPV4):
        _transport(quoted)
    if not quoted.layers & (Layer.IPV4 | Layer.IPV6):
        return None
    mtu = 0
    if version6 and kind == o.ICMP6_TOO_BIG:
        mtu = rest
    elif not version6 and (kind, code) == (o.ICMP_UNREACHABLE, o.ICMP_FRAGMENTATION_NEEDED):
        mtu = rest & 0xFFFF
    values = {**quoted.row, "layers": int(quoted.layers), "mtu": mtu}
    return {name: values.get(name, 0) for name in QUOTES.dtypes if name != "row"}
