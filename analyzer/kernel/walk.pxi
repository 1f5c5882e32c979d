# Records that follow each other.


def walk(
    const uint8_t[::1] buffer, Py_ssize_t begin, Py_ssize_t end, shape, bint big_endian, const int64_t[::1] offsets,
    int64_t[::1] starts, int64_t[:, ::1] words,
):
    """
    Find the whole records between *begin* and *end*, each of which tells where the next begins, as many as fit.

    Args:
        offsets: of 32-bit words of each record that are read; negative ones count from its end.
        starts: takes where records begin.
        words: (offsets, n) takes their words.

    Returns:
        How many there are, the place after the last, and whether what is there cannot be a record.
    """
    cdef Py_ssize_t place = begin, count = 0, most = len(starts), header = shape.header, length_at = shape.length_at
    cdef Py_ssize_t at, offset, wanted = len(offsets)
    cdef int64_t base = shape.base, least = shape.minimum, largest = shape.maximum, multiple = shape.multiple, total
    cdef bint broken = False
    with nogil:
        while place + header <= end and count < most:
            total = word(buffer, place + length_at, big_endian) + base
            if not least <= total <= largest or total % multiple:
                broken = True
                break
            if place + total > end:
                break
            starts[count] = place
            for offset in range(wanted):
                at = place + offsets[offset] + (total if offsets[offset] < 0 else 0)
                words[offset, count] = word(buffer, at, big_endian)
            count += 1
            place += total
    return count, place, broken


cdef inline uint32_t word(const uint8_t[::1] data, Py_ssize_t at, bint big_endian) except? 0xFFFFFFFF nogil:
    if big_endian:
        return <uint32_t>data[at] << 24 | <uint32_t>data[at + 1] << 16 | <uint32_t>data[at + 2] << 8 | data[at + 3]
    return <uint32_t>data[at + 3] << 24 | <uint32_t>data[at + 2] << 16 | <uint32_t>data[at + 1] << 8 | data[at]
