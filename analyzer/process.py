"""What suits a process that works on long columns, to be said before NumPy is imported; and locks, where there are."""

import ctypes
import gc
import os
from contextlib import suppress

try:
    import fcntl

    LOCKS = True
except ImportError:  # Windows
    LOCKS = False

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -3, -4, -8
"""Of glibc's malloc.h (mallopt(3))."""
NEVER = -1
CYCLES = (100_000, 50, 100)
"""New objects after which Python looks for cycles among them, and how often until it looks further."""
LARGE, MANY = 32 << 20, 65_536
"""Bytes of a block that is given back at once where memory is a bound; glibc's default of how many there may be."""


def suit_columns() -> None:
    """
    Keep freed memory for the next columns, NumPy to small pages and one thread, and Python from looking for cycles.

    glibc gives blocks of 32 MiB and more back to the kernel, which fills other pages with zeros for the next one: a
    fifth of all time at ten million frames. Huge pages, which NumPy asks for, may have to be put together first
    (transparent_hugepage/defrag). BLAS would start threads that are of no use here: they cost time, and what has
    threads cannot be forked safely. Journeys are many small objects that live as long as a report is written; Python
    would go through all of them again and again, in search of cycles, for half of the time that they take.
    """
    gc.set_threshold(*CYCLES)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")
    with suppress(OSError, AttributeError, TypeError):  # another libc
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, NEVER)


def hold(file: int) -> bool:
    """Lock a file until this process ends, however it does; tell whether that can be done here."""
    if LOCKS:
        fcntl.flock(file, fcntl.LOCK_EX)
    return LOCKS


def is_held(file: int) -> bool:
    """Tell whether a process holds a file that is open here; where nobody can, each may be in use."""
    if not LOCKS:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def open_here(path: str | os.PathLike[str], flags: int, mode: int = 0o777) -> int:
    """
    Open a file that is no symbolic link, for this process alone; return its descriptor.

    Raises:
        OSError: it cannot be opened, or is a link.
    """
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0), mode)


def processors() -> int:
    """Return how many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


def give_back() -> None:
    """Give the memory of large columns back as soon as they are not needed, at the price of new pages for the next."""
    with suppress(OSError, AttributeError, TypeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_MAX, MANY)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE)
        libc.mallopt(M_TRIM_THRESHOLD, LARGE)
        libc.mallopt(M_ARENA_MAX, 1)  # else each thread of a library takes 64 MiB of addresses
        libc.malloc_trim(0)
