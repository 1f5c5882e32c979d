# IPv4 (RFC 791) and IPv6 (RFC 8200), captured and quoted.

cdef int network(Decoder d, Frame* f, uint32_t kind) except -1 nogil:
    """Take off IPv4 or IPv6; tell whether a transport header follows."""
    if kind == ETHERTYPE_IPV4:
        return ipv4(d, f)
    if kind == ETHERTYPE_IPV6:
        return ipv6(d, f)
    if f.end - f.at < f.length:
        f.layers |= CUT
    return 0


cdef int ipv4(Decoder d, Frame* f) except -1 nogil:
    """RFC 791."""
    cdef Py_ssize_t at = f.at
    cdef int64_t total, header
    cdef uint32_t first, flags
    if f.end - at < 20:
        return stop(f)
    first, total, flags = d.u8(at), d.u16(at + 2), d.u16(at + 6)
    header = (first & 15) * 4
    if total == 0:  # a TSO packet of 64 KiB or more
        total = f.length
    if first >> 4 != 4 or header < 20 or total < header:
        f.layers |= MALFORMED
        return 0
    f.layers |= IPV4
    if flags & 0x4000:
        f.layers |= DONT_FRAGMENT
    if flags & 0x2000:
        f.layers |= MORE_FRAGMENTS
    if flags & 0x3FFF:
        f.layers |= FRAGMENT
    if f.end - at < total:
        f.layers |= CUT
    f.tos, f.ip_len, f.ip_id = d.u8(at + 1), total, d.u16(at + 4)
    f.frag_offset = (flags & 0x1FFF) << 3
    f.ttl, f.proto = d.u8(at + 8), d.u8(at + 9)
    f.src, f.dst = d.u32(at + 12), d.u32(at + 16)
    f.end, f.length = min(f.end, at + total), total
    skip(f, header)
    return not f.frag_offset


cdef int ipv6(Decoder d, Frame* f) except -1 nogil:
    """RFC 8200."""
    cdef Py_ssize_t at = f.at
    cdef int64_t total
    cdef uint32_t first
    if f.end - at < 40:
        return stop(f)
    first, total = d.u32(at), d.u16(at + 4)
    if first >> 28 != 6:
        f.layers |= MALFORMED
        return 0
    total = max(total + 40 if total else f.length, 40)  # 0: a jumbogram, or TSO
    f.layers |= IPV6
    if f.end - at < total:
        f.layers |= CUT
    f.tos, f.ip_len = first >> 20 & 255, total
    f.proto, f.ttl = d.u8(at + 6), d.u8(at + 7)
    f.src_hi, f.src = d.u64(at + 8), d.u64(at + 16)
    f.dst_hi, f.dst = d.u64(at + 24), d.u64(at + 32)
    f.end, f.length = min(f.end, at + total), total
    skip(f, 40)
    return extensions(d, f)


cdef int extensions(Decoder d, Frame* f) except -1 nogil:
    """Walk extension headers (RFC 8200 section 4); ``proto`` ends as what follows them."""
    cdef int count
    cdef int64_t kept, size
    cdef uint32_t field
    cdef uint8_t proto
    for count in range(MAX_EXTENSIONS):
        proto, kept = f.proto, f.end - f.at
        if not is_extension(proto):
            break
        if kept < 2 <= f.length:
            return 0  # cut, and how long it is was not captured
        size = d.u8(f.at + 1) if kept >= 2 else 0
        size = 8 if proto == EXT_FRAGMENT else (size + 2) * 4 if proto == EXT_AUTH else (size + 1) * 8
        if size > f.length:
            f.layers |= MALFORMED
            return 0
        if size > kept:
            return 0
        f.proto = d.u8(f.at)
        if proto == EXT_FRAGMENT:
            field = d.u16(f.at + 2)
            f.frag_offset = field & 0xFFF8
            f.ip_id = 0
            if field & 0xFFF9:  # else "atomic" (RFC 6946), an unfragmented packet
                f.layers |= FRAGMENT
                f.ip_id = d.u32(f.at + 4)
            if field & 1:
                f.layers |= MORE_FRAGMENTS
        skip(f, size)
        if proto == EXT_FRAGMENT and f.frag_offset:
            return 0
    return 1
