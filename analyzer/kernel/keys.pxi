# What frames are compared by: columns of KEYS.

cdef uint64_t identity(Decoder d, Frame* f, Found* found) noexcept nogil:
    """Hash what forwarding and NAT leave alone, as ``identity.identify`` does."""
    cdef bint version6 = f.layers & IPV6 != 0, ip = f.layers & (IPV4 | IPV6) != 0, later = f.frag_offset > 0
    cdef int64_t ip_header = 40 if version6 else 20
    cdef bint tcp = f.layers & TCP and d.keep >= ip_header + 20
    cdef bint tag = f.layers & TAG and d.keep >= ip_header + 8
    cdef bint icmp = f.layers & ICMP and d.keep >= ip_header + 8
    cdef bint error = icmp and is_error(version6, f.icmp_type)
    cdef bint decoded = later or not ip or d.keep >= ip_header + transport_header(f.proto)
    cdef bint by_payload = f.layers & DIGEST and decoded and not error and (f.proto != PROTO_TCP or later)
    cdef int64_t header = f.ip_len - min(f.payload_len, f.ip_len)
    cdef uint64_t state = f.proto | <uint64_t>version6 << 8 | <uint64_t>f.frag_offset << 16
    if f.layers & MORE_FRAGMENTS:
        state |= 1 << 9
    if f.layers & IPV4:  # a host that puts IPv6 fragments together gives them a new identification
        state |= <uint64_t>f.ip_id << 32
    state = d.mix(state, f.ip_len if ip else f.payload_len, 0)
    state = d.mix(state, (<uint64_t>f.seq << 32 if d.keep >= ip_header + 8 else 0) | (f.ack if tcp or tag else 0), 1)
    state = d.mix(state, <uint64_t>f.tsval << 32 | f.tsecr if tcp and header <= d.keep else 0, 2)
    state = d.mix(state, (f.tcp_flags if tcp else 0) | (<uint64_t>f.icmp_type << 16 | <uint64_t>f.icmp_code << 24
                     | <uint64_t>f.icmp_seq << 32 if icmp else 0), 3)
    state = d.mix(state, f.digest if by_payload else 0, 0)
    if found.quote.layers:
        state = quote_identity(d, state, &found.quote, found.mtu)
    if found.message.there:
        state = message_identity(d, state, f, &found.message)
    if ip and (has_ports(f.proto) or f.proto in (PROTO_ICMP, PROTO_ICMP6) or is_extension(f.proto)):
        if not (f.layers & (PORTS | ECHO) or later or error):
            state = with_addresses(d, state, f)
    elif not ip and not f.layers & NEIGHBOUR:
        state = d.mix(d.mix(state, f.eth_src, 0), f.eth_dst, 1)
        state = d.mix(d.mix(state, f.eth_type, 2), f.vlan, 3)
    return state


cdef uint64_t quote_identity(Decoder d, uint64_t state, Frame* q, uint32_t mtu) noexcept nogil:
    if d.keep < 2 * (40 if q.layers & IPV6 else 20) + 16:
        return state
    state = d.mix(state, q.proto | <uint64_t>q.ip_id << 32, 0)
    state = d.mix(state, q.ip_len | <uint64_t>mtu << 32, 1)
    return d.mix(state, q.seq | <uint64_t>q.icmp_seq << 32, 2)


cdef uint64_t message_identity(Decoder d, uint64_t state, Frame* f, Message* m) noexcept nogil:
    if d.keep >= (28 if f.layers & ARP else 72):
        state = d.mix(d.mix(d.mix(state, m.op, 0), m.asked_hi, 1), m.asked, 2)
        state = d.mix(d.mix(state, m.mac, 3), m.to_mac, 0)
        state = d.mix(d.mix(state, m.peer_hi, 1), m.peer, 2)
    return with_addresses(d, state, f)


cdef uint64_t with_addresses(Decoder d, uint64_t state, Frame* f) noexcept nogil:
    return d.mix(d.mix(d.mix(d.mix(state, f.src_hi, 0), f.src, 1), f.dst_hi, 2), f.dst, 3)


cdef uint64_t flow(Decoder d, Frame* f) noexcept nogil:
    """Hash both endpoints, whoever sends, as ``tuples.flows`` does."""
    cdef bint echo = f.layers & ECHO != 0, backward
    cdef uint64_t salt = f.proto | (1 << 8 if f.layers & IPV6 else 0), source, target
    cdef uint64_t a = f.icmp_id if echo else f.sport, b = f.icmp_id if echo else f.dport
    if not f.layers & (PORTS | ECHO):
        if not f.layers & (IPV4 | IPV6) or has_ports(f.proto) or f.proto in (PROTO_ICMP, PROTO_ICMP6):
            return 0
        if is_extension(f.proto):
            return 0
    source = d.mix(d.mix(salt | a << 16, f.src, 0), f.src_hi, 1)
    target = d.mix(d.mix(salt | b << 16, f.dst, 0), f.dst_hi, 1)
    # Of a ping, the asker is the first endpoint; of all else, the one with the smaller hash.
    backward = f.icmp_type == 0 or f.icmp_type == 129 if echo else source > target
    return (d.mix(min(source, target), max(source, target), 3) | 2) & ~<uint64_t>1 | backward


cdef int compare(
    Decoder d, Frame* f, Py_ssize_t packet, int64_t length, int64_t cut, int64_t* payload, int32_t* checksum
) except -1 nogil:
    """
    Digest what the identity does not take in of a payload, and note what translation leaves of UDP's checksum.

    Args:
        packet: where the network header begins; *length* bytes of it were captured, *cut* were not.
    """
    cdef int64_t header = max(<int64_t>f.ip_len - f.payload_len, 0), count
    cdef uint32_t version = 6 if f.layers & IPV6 else 4
    payload[0], checksum[0] = 0, -1
    if f.proto == PROTO_TCP or f.payload_len <= DIGEST_BYTES or f.layers & (TUNNEL | FRAGMENT | MALFORMED | VLAN | PPP):
        return 0
    if length <= 0 or d.u8(packet) >> 4 != version:
        return 0
    count = max(min(min(<int64_t>f.ip_len, length) - header, <int64_t>f.payload_len - cut), 0)
    if count <= MOST_SPANNED:
        payload[0] = d.span(packet + header, count)
        if not payload[0]:
            payload[0] = 1
    if f.proto == PROTO_UDP and length >= header >= 8:
        checksum[0] = invariant(d, packet, packet + header - 8, version)
    return 0


cdef int32_t invariant(Decoder d, Py_ssize_t packet, Py_ssize_t header, uint32_t version) except -2 nogil:
    """Return what a UDP checksum is beside the sum of addresses and ports, -1 where the card was to complete it."""
    cdef int64_t addresses = 0, given = d.u16(header + 6), rest
    cdef int word
    packet += 12 if version == 4 else 8
    for word in range(4 if version == 4 else 16):
        addresses += d.u16(packet + 2 * word)
    rest = given - addresses - PROTO_UDP - d.u16(header + 4)
    if not given or rest % 0xFFFF == 0:
        return -1
    rest = (0xFFFF - given - addresses - d.u16(header) - d.u16(header + 2)) % 0xFFFF
    return rest + 0xFFFF if rest < 0 else rest
