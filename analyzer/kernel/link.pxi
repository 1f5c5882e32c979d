# Ethernet with VLAN tags and PPPoE, PPP, LINUX_SLL, LINUX_SLL2, RAW, NULL and LOOP.

cdef int link(Decoder d, Frame* f, int32_t link_type) except -1 nogil:
    """Take off the link layer; return the EtherType behind it, 0 if it is unknown."""
    cdef int64_t kept = f.end - f.at
    cdef uint32_t kind, family
    if link_type == LINKTYPE_ETHERNET:
        if kept < 14:
            return stop(f)
        f.layers |= MAC_SRC | MAC_DST
        f.eth_dst, f.eth_src = d.u48(f.at), d.u48(f.at + 6)
        kind = d.u16(f.at + 12)
        skip(f, 14)
    elif link_type == LINKTYPE_LINUX_SLL:
        if kept < 16:
            return stop(f)
        f.layers |= COOKED
        f.direction = min(d.u16(f.at), 255)
        if d.u16(f.at + 4) == 6:
            f.layers |= MAC_SRC
            f.eth_src = d.u48(f.at + 6)
        kind = d.u16(f.at + 14)
        skip(f, 16)
    elif link_type == LINKTYPE_LINUX_SLL2:
        if kept < 20:
            return stop(f)
        f.layers |= COOKED
        f.direction = d.u8(f.at + 10)
        if d.u8(f.at + 11) == 6:
            f.layers |= MAC_SRC
            f.eth_src = d.u48(f.at + 12)
        kind = d.u16(f.at)
        skip(f, 20)
    elif link_type == LINKTYPE_NULL or link_type == LINKTYPE_LOOP:
        if kept < 4:
            return 0
        family = d.u32(f.at)
        if link_type == LINKTYPE_NULL and family > 0xFFFF:  # in the byte order of the host that captured
            family = family >> 24 | (family >> 8 & 0xFF00) | (family & 0xFF00) << 8 | family << 24
        skip(f, 4)
        return ETHERTYPE_IPV4 if family == 2 else ETHERTYPE_IPV6 if family in (10, 24, 28, 30) else 0
    elif link_type == LINKTYPE_PPP:
        if kept >= 2 and d.u16(f.at) == PPP_ADDRESS:
            skip(f, 2)
        return ppp(d, f)
    else:
        return raw_kind(d, f, link_type)
    return tags(d, f, kind)


cdef int ppp(Decoder d, Frame* f) except -1 nogil:
    """Take off PPP's protocol field, which is one byte if that is odd (RFC 1661 section 6.5)."""
    cdef int64_t kept = f.end - f.at
    cdef uint32_t protocol
    cdef int size = 1 if kept > 0 and d.u8(f.at) & 1 else 2
    if kept < size:
        return stop(f)
    f.layers |= PPP
    protocol = d.u8(f.at) if size == 1 else d.u16(f.at)
    skip(f, size)
    return ETHERTYPE_IPV4 if protocol == PPP_IPV4 else ETHERTYPE_IPV6 if protocol == PPP_IPV6 else 0


cdef int raw_kind(Decoder d, Frame* f, int32_t link_type) except -1 nogil:
    cdef uint32_t version
    if link_type == LINKTYPE_IPV4:
        return ETHERTYPE_IPV4
    if link_type == LINKTYPE_IPV6:
        return ETHERTYPE_IPV6
    if link_type in (LINKTYPE_RAW, LINKTYPE_RAW_OPENBSD, LINKTYPE_RAW_BSDOS) and f.end > f.at:
        version = d.u8(f.at) >> 4
        return ETHERTYPE_IPV4 if version == 4 else ETHERTYPE_IPV6 if version == 6 else 0
    return 0


cdef int tags(Decoder d, Frame* f, uint32_t kind) except -1 nogil:
    """Take off VLAN tags and keep the outermost id; a length instead of a type is no network layer."""
    cdef int depth
    for depth in range(MAX_TAGS):
        if kind not in (ETHERTYPE_VLAN, ETHERTYPE_QINQ, ETHERTYPE_QINQ_OLD):
            break
        if f.end - f.at < 4:
            return stop(f)
        if not f.layers & VLAN:
            f.layers |= VLAN
            f.vlan = d.u16(f.at) & 0x0FFF
        kind = d.u16(f.at + 2)
        skip(f, 4)
    if kind <= MAX_LENGTH_FIELD:
        return 0
    f.layers |= ETH_TYPE
    f.eth_type = kind
    if kind != ETHERTYPE_PPPOE:
        return kind
    if f.end - f.at < 6:
        return stop(f)
    skip(f, 6)
    return ppp(d, f)
