# cython: language_level=3, show_performance_hints=False
# cython: boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""Finds records and decodes frames, compiled: one after the other, straight into the columns of the tables.

And brings rows of tables together.

What decoding means, ``decode.reference`` defines; this agrees with it on every frame, whole, cut or corrupt. Bytes are
untrusted: every index is checked. The interpreter's lock is released meanwhile, so threads decode at the same time.
"""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

include "numbers.pxi"
include "frame.pxi"
include "rows.pxi"
include "decoder.pxi"
include "link.pxi"
include "network.pxi"
include "transport.pxi"
include "asides.pxi"
include "keys.pxi"
include "walk.pxi"
include "grouping.pxi"
