# Rows of equal keys, brought together without sorting keys.

cdef struct Slot:
    uint32_t tag  # of its key's hash
    int32_t group  # and one; 0 for a free slot


cdef Slot* make_slots(Py_ssize_t count) except NULL nogil:
    cdef Slot* slots = <Slot*>calloc(count, sizeof(Slot))
    if slots == NULL:
        with gil:
            raise MemoryError
    return slots


def number(const int64_t[::1] key, uint64_t secret, int64_t[::1] group, int64_t[::1] first):
    """
    Number equal keys in order of appearance, by a hash table that grows with what is in it.

    Args:
        key: (n,) of less than 2^31 rows.
        secret: nobody who does not know it can choose keys that fall into one slot.
        group: (n,) takes each row's number.
        first: (n,) takes the first row of each number.

    Returns:
        How many there are.
    """
    cdef Py_ssize_t row, count = 0, slot, mask = 1023
    cdef uint64_t hashed
    cdef Slot* slots = NULL
    cdef Slot* grown
    cdef int64_t own
    if len(key) >= 1 << 31:
        raise OverflowError("too many rows")
    try:
        with nogil:
            slots = make_slots(mask + 1)
            for row in range(key.shape[0]):
                own = key[row]
                hashed = scramble(<uint64_t>own ^ secret)
                slot = hashed & mask
                while slots[slot].group and (
                    slots[slot].tag != <uint32_t>(hashed >> 32) or key[first[slots[slot].group - 1]] != own
                ):
                    slot = (slot + 1) & mask
                if slots[slot].group:
                    group[row] = slots[slot].group - 1
                    continue
                first[count] = row
                group[row] = count
                count += 1
                slots[slot].tag, slots[slot].group = <uint32_t>(hashed >> 32), <int32_t>count
                if 2 * count > mask:
                    grown = make_slots(4 * (mask + 1))
                    free(slots)
                    slots, mask = grown, 4 * (mask + 1) - 1
                    fill(slots, mask, key, secret, first, count)
    finally:
        free(slots)
    return count


cdef int fill(
    Slot* slots, Py_ssize_t mask, const int64_t[::1] key, uint64_t secret, int64_t[::1] first, Py_ssize_t count
) except -1 nogil:
    """Put the first rows of all groups into empty slots."""
    cdef Py_ssize_t group, slot
    cdef uint64_t hashed
    for group in range(count):
        hashed = scramble(<uint64_t>key[first[group]] ^ secret)
        slot = hashed & mask
        while slots[slot].group:
            slot = (slot + 1) & mask
        slots[slot].tag, slots[slot].group = <uint32_t>(hashed >> 32), <int32_t>(group + 1)
    return 0


cdef inline uint64_t scramble(uint64_t value) noexcept nogil:
    value = (value ^ value >> 32) * MULTIPLIERS[0]
    value = (value ^ value >> 29) * FINAL
    return value ^ value >> 32


def settle(const int64_t[::1] key, int64_t[::1] begins, int64_t[::1] places):
    """
    Sort small keys, equal ones in their order, by counting.

    Args:
        key: (n,)
        begins: where the places of each key begin; counted on.
        places: (n,) takes the places that sort *key*.
    """
    cdef Py_ssize_t row
    with nogil:
        for row in range(key.shape[0]):
            places[begins[key[row]]] = row
            begins[key[row]] += 1
