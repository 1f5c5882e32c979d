# What has a table of its own: ARP, neighbour discovery, quoted packets, VXLAN.

cdef int arp(Decoder d, Frame* f, Message* m) except -1 nogil:
    """ARP for Ethernet and IPv4 (RFC 826); other ARP is malformed here."""
    cdef Py_ssize_t at = f.at
    cdef int64_t kept = f.end - at
    cdef uint32_t op
    if kept < 28 <= f.length:
        return 0
    if kept < 28 or <uint64_t>d.u48(at) != ARP_ETHERNET_IPV4:
        f.layers |= MALFORMED
        return 0
    op = d.u16(at + 6)
    f.layers |= ARP | NEIGHBOUR
    f.src, f.dst, f.length = d.u32(at + 14), d.u32(at + 24), 0
    memset(m, 0, sizeof(Message))
    m.there, m.op = True, min(op, 255)
    m.mac, m.to_mac = d.u48(at + 8), d.u48(at + 18)
    m.asked, m.peer = f.dst, f.src
    if op == 2:
        m.asked, m.peer = f.src, f.dst
    return 0


cdef int ndp(Decoder d, Frame* f, Message* m) except -1 nogil:
    """Neighbour solicitations and advertisements (RFC 4861)."""
    cdef Py_ssize_t at = f.at, place
    cdef bint advertised = f.icmp_type == 136
    cdef int option
    cdef uint32_t size
    if not f.layers & IPV6 or f.icmp_code or f.end - at < 16 or f.icmp_type not in (135, 136):
        return 0
    f.layers |= NEIGHBOUR
    memset(m, 0, sizeof(Message))
    m.there, m.op = True, 2 if advertised else 1
    m.asked_hi, m.asked = d.u64(at), d.u64(at + 8)
    m.mac, m.to_mac, place = f.eth_src, f.eth_dst, at + 16
    for option in range(MAX_NDP_OPTIONS):
        if place + 8 > f.end:
            break
        size = d.u8(place + 1) * 8
        if d.u8(place) == (2 if advertised else 1) and size == 8:
            m.mac = d.u48(place + 2)
            break
        if not size:
            break
        place += size
    m.peer_hi, m.peer = f.src_hi, f.src
    if advertised:
        m.peer_hi, m.peer = f.dst_hi, f.dst
    return 0


cdef int quoted(Decoder d, Frame* f, Frame* quote, uint32_t* mtu) except -1 nogil:
    """The packet that an ICMP error quotes (RFC 792, RFC 4884, RFC 4443)."""
    cdef bint version6 = f.layers & IPV6 != 0
    if not is_error(version6, f.icmp_type):
        return 0
    memset(quote, 0, sizeof(Frame))
    quote.at, quote.end, quote.length = f.at, f.end, max(f.length, 0)
    if network(d, quote, ETHERTYPE_IPV6 if version6 else ETHERTYPE_IPV4):
        transport(d, quote)
    if not quote.layers & (IPV4 | IPV6):
        quote.layers = 0
        return 0
    f.layers |= QUOTE
    if version6:
        mtu[0] = f.rest if f.icmp_type == 2 else 0
    else:
        mtu[0] = f.rest & 0xFFFF if f.icmp_type == 3 and f.icmp_code == 4 else 0
    return 0


cdef int frame(Decoder d, Frame* f, int32_t link_type, Found* found) except -1 nogil:
    """Decode all layers, as far as that is possible."""
    cdef uint32_t kind = link(d, f, link_type)
    cdef Py_ssize_t network_at = f.at
    cdef int64_t wanted
    cdef bint goes_on = network(d, f, kind)
    if kind == ETHERTYPE_ARP:
        arp(d, f, &found.message)
    if goes_on:
        transport(d, f)
    if f.layers & ICMP:
        ndp(d, f, &found.message)
        quoted(d, f, &found.quote, &found.mtu)
    f.payload_len = max(f.length, 0)
    wanted = max(min(min(f.length, DIGEST_BYTES), d.keep - (f.at - network_at)), 0)
    if wanted == 0 or f.end - f.at >= wanted:
        f.layers |= DIGEST
        f.digest = d.digest(f.at, wanted)
    return 0


cdef int whole(Decoder d, Frame* f, int32_t link_type, Found* found) except -1 nogil:
    """Decode a frame, or the one that it carries in VXLAN (RFC 7348), which takes its place then."""
    cdef Frame inner
    cdef Found below
    found.message.there, found.quote.layers, found.outer.layers = 0, 0, 0
    frame(d, f, link_type, found)
    if not f.layers & UDP or f.layers & FRAGMENT or f.dport not in (4789, 8472) or f.end - f.at < 8:
        return 0
    if d.u32(f.at) != 0x08000000 or d.u8(f.at + 7):
        return 0
    memset(&inner, 0, sizeof(Frame))
    below.message.there, below.quote.layers, below.outer.layers = 0, 0, 0
    inner.at, inner.end, inner.length = f.at + 8, f.end, f.length - 8
    frame(d, &inner, LINKTYPE_ETHERNET, &below)
    if not inner.layers & (IPV4 | IPV6 | ARP):
        return 0
    below.outer, below.vni = f[0], d.u32(f.at + 4) >> 8
    inner.layers |= TUNNEL | f.layers & COOKED
    inner.direction = f.direction
    f[0], found[0] = inner, below
    return 0
