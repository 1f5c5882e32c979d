# A frame while it is decoded, and what it has beside its own row.

cdef struct Frame:
    Py_ssize_t at  # where decoding has come to
    Py_ssize_t end  # behind the last captured byte that belongs to it
    int64_t length  # bytes from there on by the headers in front, captured or not
    uint32_t layers
    int64_t eth_src, eth_dst
    uint64_t src_hi, src, dst_hi, dst, digest
    uint32_t ip_id, ip_len, seq, ack, tsval, tsecr, payload_len, rest
    uint16_t eth_type, vlan, frag_offset, sport, dport, icmp_id, icmp_seq, tcp_flags, window
    uint8_t direction, proto, ttl, tos, icmp_type, icmp_code


cdef struct Message:  # a row of NEIGHBOURS
    bint there
    uint8_t op
    uint64_t asked_hi, asked, peer_hi, peer
    int64_t mac, to_mac


cdef struct Found:  # what a frame has beside its own row
    Message message
    Frame quote
    uint32_t mtu
    Frame outer
    uint32_t vni


cdef inline int32_t transport_header(uint8_t proto) noexcept nogil:
    """Return the bytes of a protocol's fixed header, 0 for those that are not decoded."""
    if proto == PROTO_TCP:
        return 20
    if proto in (PROTO_UDP, PROTO_UDPLITE, PROTO_DCCP, PROTO_ICMP, PROTO_ICMP6, PROTO_ESP):
        return 8
    if proto == PROTO_SCTP:
        return 12
    return 4 if proto == PROTO_GRE else 0


cdef inline bint has_ports(uint8_t proto) noexcept nogil:
    return proto in (PROTO_TCP, PROTO_UDP, PROTO_UDPLITE, PROTO_DCCP, PROTO_SCTP)


cdef inline bint is_extension(uint8_t proto) noexcept nogil:
    return proto in (0, 43, EXT_FRAGMENT, EXT_AUTH, 60, 135)


cdef inline bint is_error(bint version6, uint8_t kind) noexcept nogil:
    """Tell whether an ICMP message quotes a packet (RFC 792, RFC 4443)."""
    return 1 <= kind <= 4 if version6 else kind in (3, 4, 5, 11, 12)


cdef inline int stop(Frame* f) noexcept nogil:
    """Note a header that is not all there: cut by the capture, or already too short on the wire."""
    f.layers |= CUT if f.end - f.at < f.length else MALFORMED
    return 0


cdef inline void skip(Frame* f, int64_t count) noexcept nogil:
    """Go on behind *count* bytes."""
    f.at += count
    f.length -= count
