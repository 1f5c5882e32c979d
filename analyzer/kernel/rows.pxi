# Columns of tables, of which a row is written at a time.

@cython.final
cdef class Rows:
    """Columns of FRAMES, of which a row is written at a time; of TUNNELS and QUOTES those that they have in common."""

    cdef uint32_t[::1] layers, ip_id, ip_len, seq, ack, tsval, tsecr, payload_len
    cdef int64_t[::1] eth_src, eth_dst, digest
    cdef uint64_t[::1] src_hi, src, dst_hi, dst
    cdef uint16_t[::1] eth_type, vlan, frag_offset, sport, dport, icmp_id, icmp_seq, tcp_flags, window
    cdef uint8_t[::1] direction, proto, ttl, tos, icmp_type, icmp_code

    def __init__(self, table):
        self.layers, self.direction = table["layers"], table["direction"]
        self.eth_src, self.eth_dst = table["eth_src"], table["eth_dst"]
        self.eth_type, self.vlan = table["eth_type"], table["vlan"]
        self.src_hi, self.src, self.dst_hi, self.dst = (table[name] for name in ("src_hi", "src", "dst_hi", "dst"))
        self.proto, self.ttl, self.tos = table["proto"], table["ttl"], table["tos"]
        self.ip_id, self.ip_len, self.frag_offset = table["ip_id"], table["ip_len"], table["frag_offset"]
        self.sport, self.dport = table["sport"], table["dport"]
        self.icmp_type, self.icmp_code = table["icmp_type"], table["icmp_code"]
        self.icmp_id, self.icmp_seq = table["icmp_id"], table["icmp_seq"]
        self.seq, self.ack = table["seq"], table["ack"]
        self.tcp_flags, self.window = table["tcp_flags"], table["window"]
        self.tsval, self.tsecr = table["tsval"], table["tsecr"]
        self.payload_len, self.digest = table["payload_len"], table["digest"]

    cdef int put(self, Py_ssize_t row, Frame* f) except -1 nogil:
        """Write a row of zeros: what most frames do not have is not written, and its pages take no memory."""
        self.layers[row], self.eth_type[row] = f.layers, f.eth_type
        self.eth_src[row], self.eth_dst[row] = f.eth_src, f.eth_dst
        self.src[row], self.dst[row] = f.src, f.dst
        self.proto[row], self.ttl[row], self.tos[row] = f.proto, f.ttl, f.tos
        self.ip_id[row], self.ip_len[row] = f.ip_id, f.ip_len
        self.sport[row], self.dport[row] = f.sport, f.dport
        self.payload_len[row], self.digest[row] = f.payload_len, <int64_t>f.digest
        if f.seq or f.ack:
            self.seq[row], self.ack[row] = f.seq, f.ack
        if f.layers & TCP:
            self.tcp_flags[row], self.window[row] = f.tcp_flags, f.window
            self.tsval[row], self.tsecr[row] = f.tsval, f.tsecr
        if f.layers & ICMP:
            self.icmp_type[row], self.icmp_code[row] = f.icmp_type, f.icmp_code
            self.icmp_id[row], self.icmp_seq[row] = f.icmp_id, f.icmp_seq
        if f.layers & IPV6:
            self.src_hi[row], self.dst_hi[row] = f.src_hi, f.dst_hi
        if f.layers & VLAN:
            self.vlan[row] = f.vlan
        if f.layers & COOKED:
            self.direction[row] = f.direction
        if f.frag_offset:
            self.frag_offset[row] = f.frag_offset
        return 0


@cython.final
cdef class Asides:
    """Room for some rows of QUOTES, NEIGHBOURS and TUNNELS, all zeros."""

    cdef Rows quotes, tunnels
    cdef int64_t[::1] quote_row, message_row, tunnel_row, mac, to_mac
    cdef uint32_t[::1] mtu, vni
    cdef uint8_t[::1] op
    cdef uint64_t[::1] asked_hi, asked, peer_hi, peer
    cdef Py_ssize_t quoted, messages, tunnelled, room

    def __init__(self, quotes, neighbours, tunnels):
        self.quotes, self.quote_row, self.mtu = Rows(quotes), quotes["row"], quotes["mtu"]
        self.tunnels, self.tunnel_row, self.vni = Rows(tunnels), tunnels["row"], tunnels["vni"]
        self.message_row, self.op = neighbours["row"], neighbours["op"]
        self.mac, self.to_mac = neighbours["mac"], neighbours["to_mac"]
        self.asked_hi, self.asked = neighbours["asked_hi"], neighbours["asked"]
        self.peer_hi, self.peer = neighbours["peer_hi"], neighbours["peer"]
        self.room = len(self.op)

    def taken(self):
        """Return how many rows of each were written, and begin anew."""
        counts = self.quoted, self.messages, self.tunnelled
        self.quoted = self.messages = self.tunnelled = 0
        return counts

    cdef bint full(self) noexcept nogil:
        return self.quoted == self.room or self.messages == self.room or self.tunnelled == self.room

    cdef int put(self, Py_ssize_t row, Found* found) except -1 nogil:
        """Take in what a frame has aside."""
        cdef Py_ssize_t place
        if found.quote.layers:
            place = self.quoted
            self.quotes.put(place, &found.quote)
            self.quote_row[place], self.mtu[place] = row, found.mtu
            self.quoted += 1
        if found.message.there:
            place = self.messages
            self.message_row[place], self.op[place] = row, found.message.op
            self.asked_hi[place], self.asked[place] = found.message.asked_hi, found.message.asked
            self.peer_hi[place], self.peer[place] = found.message.peer_hi, found.message.peer
            self.mac[place], self.to_mac[place] = found.message.mac, found.message.to_mac
            self.messages += 1
        if found.outer.layers:
            place = self.tunnelled
            self.tunnels.put(place, &found.outer)
            self.tunnel_row[place], self.vni[place] = row, found.vni
            self.tunnelled += 1
        return 0


@cython.final
cdef class Compares:
    """Columns of KEYS."""

    cdef int64_t[::1] identity, flow, payload
    cdef int32_t[::1] checksum

    def __init__(self, table):
        self.identity, self.flow = table["identity"], table["flow"]
        self.payload, self.checksum = table["payload"], table["checksum"]
