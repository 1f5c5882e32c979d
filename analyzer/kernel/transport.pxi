# TCP, UDP, ICMP, and what does not change of SCTP, DCCP, GRE and ESP.

cdef int transport(Decoder d, Frame* f) except -1 nogil:
    """Take off the transport header; of SCTP, DCCP, GRE and ESP what does not change."""
    cdef uint8_t proto = f.proto
    cdef int64_t needed = transport_header(proto), kept = f.end - f.at
    cdef Py_ssize_t at = f.at
    cdef bint version6 = f.layers & IPV6 != 0
    cdef uint32_t flags
    if not needed or proto == (PROTO_ICMP if version6 else PROTO_ICMP6):
        return 0
    if f.length < needed:
        f.layers |= MALFORMED
        return 0
    if kept >= 4 and has_ports(proto):
        f.layers |= PORTS
        f.sport, f.dport = d.u16(at), d.u16(at + 2)
        if kept >= 8 and (proto == PROTO_TCP or proto == PROTO_SCTP):
            f.seq = d.u32(at + 4)
            if proto == PROTO_SCTP:
                f.layers |= TAG
    if kept < needed:
        return 0
    if proto == PROTO_TCP:
        needed = tcp(d, f)
    elif proto == PROTO_UDP:
        f.layers |= UDP
    elif proto == PROTO_ICMP or proto == PROTO_ICMP6:
        icmp(d, f, version6)
    elif proto == PROTO_ESP:  # RFC 4303
        f.layers |= TAG
        f.seq, f.ack = d.u32(at), d.u32(at + 4)
    elif proto == PROTO_GRE:  # RFC 2890
        flags = d.u16(at)
        at += 8 if flags & 0x8000 else 4
        if flags & 0x2000 and f.end - at >= 4:
            f.layers |= TAG
            f.seq = d.u32(at)
    skip(f, needed)
    return 0


cdef int tcp(Decoder d, Frame* f) except -1 nogil:
    """RFC 9293; return the length of the header, 0 if it contradicts itd."""
    cdef Py_ssize_t at = f.at, place, end
    cdef uint32_t flags = d.u16(at + 12), kind, size
    cdef int64_t header = (flags >> 12) * 4
    if header < 20 or header > f.length:
        f.layers |= MALFORMED
        return 0
    f.layers |= TCP
    f.ack, f.tcp_flags, f.window = d.u32(at + 8), flags & 0x0FFF, d.u16(at + 14)
    # With some of the options cut off, the payload is still where the header says; it just was not captured.
    place, end = at + 20, min(at + header, f.end)
    while place < end:
        kind = d.u8(place)
        if kind == 0:
            break
        if kind == 1:
            place += 1
            continue
        size = d.u8(place + 1) if place + 1 < end else 0
        if size < 2 or place + size > end:
            break
        if kind == 8 and size == 10:  # RFC 7323
            f.layers |= TCP_TS
            f.tsval, f.tsecr = d.u32(place + 2), d.u32(place + 6)
            break
        place += size
    return header


cdef int icmp(Decoder d, Frame* f, bint version6) except -1 nogil:
    """RFC 792, RFC 4443."""
    cdef uint32_t kind = d.u8(f.at)
    f.layers |= ICMP
    f.icmp_type, f.icmp_code, f.rest = kind, d.u8(f.at + 1), d.u32(f.at + 4)
    if (kind == 128 or kind == 129) if version6 else (kind == 8 or kind == 0):
        f.layers |= ECHO
        f.icmp_id, f.icmp_seq = f.rest >> 16, f.rest & 0xFFFF
    return 0
