# Bytes of a buffer, checked and as numbers in network order, and digests of them.


cdef int outside(Py_ssize_t at, Py_ssize_t count) except -1 with gil:
    """Refuse to read what is not there."""
    raise IndexError(f"{count} bytes at {at}")


@cython.final
cdef class Decoder:
    """
    Decodes records of one file after the other.

    Args:
        keys: of the run, for digests.
        halves: (512,) uint32, keys of the halves of words, as ``digest.word_keys`` gives them.
        keep: bytes that every point kept, from the network header on; digests cover no more.
    """

    cdef const uint8_t[::1] data
    cdef uint64_t[4] keys
    cdef uint32_t[512] halves
    cdef int64_t keep

    def __init__(self, keys, const uint32_t[::1] halves, int64_t keep):
        cdef int place
        self.keep = keep
        for place in range(4):
            self.keys[place] = keys[place]
        for place in range(512):
            self.halves[place] = halves[place]

    cdef inline const uint8_t* there(self, Py_ssize_t at, Py_ssize_t count) except NULL nogil:
        """Return where *count* bytes are, one of them at least, if all of them are there."""
        if at < 0 or at > self.data.shape[0] - count:
            outside(at, count)
            return NULL
        return &self.data[at]

    cdef inline uint32_t u8(self, Py_ssize_t at) except? 0xFFFFFFFF nogil:
        return self.there(at, 1)[0]

    cdef inline uint32_t u16(self, Py_ssize_t at) except? 0xFFFFFFFF nogil:
        cdef const uint8_t* byte = self.there(at, 2)
        return <uint32_t>byte[0] << 8 | byte[1]

    cdef inline uint32_t u32(self, Py_ssize_t at) except? 0xDEADDEAD nogil:
        cdef const uint8_t* byte = self.there(at, 4)
        return <uint32_t>byte[0] << 24 | <uint32_t>byte[1] << 16 | <uint32_t>byte[2] << 8 | byte[3]

    cdef inline uint64_t u64(self, Py_ssize_t at) except? 0xDEADDEADDEADDEAD nogil:
        return <uint64_t>self.u32(at) << 32 | self.u32(at + 4)

    cdef inline int64_t u48(self, Py_ssize_t at) except? -1 nogil:
        return <int64_t>self.u16(at) << 32 | self.u32(at + 2)

    cdef inline uint64_t mix(self, uint64_t state, uint64_t value, int lane) noexcept nogil:
        """Fold a value into a state, as ``digest.mix_rows`` does."""
        state = (state ^ value ^ self.keys[lane]) * MULTIPLIERS[lane]
        state ^= state >> 29
        state *= FINAL
        return state ^ state >> 32

    cdef uint64_t digest(self, Py_ssize_t at, int64_t count) except? 0xDEADDEADDEADDEAD nogil:
        """Digest up to DIGEST_BYTES bytes, as ``digest.digest_one`` does."""
        cdef uint64_t[4] lanes
        cdef uint64_t state = count
        cdef int lane
        memset(lanes, 0, sizeof(lanes))
        if count:
            memcpy(lanes, self.there(at, count), min(count, DIGEST_BYTES))
        for lane in range(4):
            state = self.mix(state, lanes[lane], lane)
        return state

    cdef uint64_t span(self, Py_ssize_t at, int64_t count) except? 0xDEADDEADDEADDEAD nogil:
        """Digest up to MOST_SPANNED bytes, as ``digest.digest_spans`` does."""
        cdef uint64_t[256] words
        cdef uint64_t state = 0
        cdef int place
        count = min(count, MOST_SPANNED)
        if count:
            words[(count - 1) // 8] = 0
            memcpy(words, self.there(at, count), count)
        for place in range((count + 7) // 8):
            state += (<uint64_t>(<uint32_t>(<uint32_t>words[place] + self.halves[2 * place]))
                      * <uint32_t>(<uint32_t>(words[place] >> 32) + self.halves[2 * place + 1]))
        return self.mix(state, count, 0)

    def decode(
        self, const uint8_t[::1] buffer, records, interfaces, Py_ssize_t begin, Py_ssize_t count,
        frames, keys, Asides asides, int64_t[::1] device,
    ):
        """
        Decode records from the one numbered *begin* on, *count* of all, as long as there is room for what they have aside.

        Args:
            buffer: where they lie.
            records: columns ``start``, ``cap_len``, ``orig_len``, ``interface``.
            interfaces: (of each) ``link_type``, ``fcs_len``, ``link_header``, the bytes of a link layer without tags.
            frames: FRAMES, zeros, to be filled in but for what the record says.
            keys: KEYS, to be filled in.
            asides: takes rows of the other tables.
            device: (n,) zeros; takes LINUX_SLL2's interface indices.

        Returns:
            Number of the first that was not decoded.
        """
        cdef const int64_t[::1] start = records["start"], cap_len = records["cap_len"], orig_len = records["orig_len"]
        cdef const int32_t[::1] interface = records["interface"]
        cdef const int64_t[::1] link_types = interfaces["link_type"], fcs = interfaces["fcs_len"]
        cdef const int64_t[::1] link_headers = interfaces["link_header"]
        cdef Rows rows = Rows(frames)
        cdef Compares compares = Compares(keys)
        cdef Py_ssize_t row = begin
        cdef int64_t wire, link_type, link_header
        cdef Frame f
        cdef Found found
        self.data = buffer
        with nogil:
            while row < count and not asides.full():
                wire = max(orig_len[row] - fcs[interface[row]], 0)
                link_type, link_header = link_types[interface[row]], link_headers[interface[row]]
                memset(&f, 0, sizeof(Frame))
                f.at = start[row]
                f.end, f.length = f.at + min(cap_len[row], wire), wire
                if link_type == LINKTYPE_LINUX_SLL2 and f.end - f.at >= 20:
                    device[row] = self.u32(f.at + 4)
                whole(self, &f, link_type, &found)
                rows.put(row, &f)
                compares.identity[row] = identity(self, &f, &found)
                compares.flow[row] = flow(self, &f)
                compare(self, &f, start[row] + link_header, cap_len[row] - link_header,
                        orig_len[row] - cap_len[row], &compares.payload[row], &compares.checksum[row])
                asides.put(row, &found)
                row += 1
        self.data = None
        return row
