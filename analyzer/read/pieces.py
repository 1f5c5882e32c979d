"""Rotated captures: the pieces that ``tcpdump -C``/``-G``/``-W`` or dumpcap's ring buffer make of one point.

Takes file names and times, tells which files continue each other. Names only nominate; pieces of one point follow
each other in time, so files that overlap are points of their own.
"""

import re
from collections.abc import Callable, Sequence

_RING = re.compile(r"_\d{5}_\d{14}(?=\.)")
"""dumpcap -b: ``name_00001_20260131235959.pcapng``."""
_NUMBERED = re.compile(r"(?<=\.pcap)\d{1,6}(?=$|\.)|(?<=\.cap)\d{1,6}(?=$|\.)|(?<=\.pcapng)\d{1,6}(?=$|\.)")
"""tcpdump -C: ``name.pcap``, ``name.pcap1``; with -W ``name.pcap00``."""
_DATED = re.compile(r"[-_.]?\d{4}-?\d{2}-?\d{2}[-_.T]?\d{2}[-:.]?\d{2}([-:.]?\d{2})?(?=[-_.])")
"""tcpdump -G with a strftime format: ``name-20260131-235959.pcap``."""


def without_rotation(path: str) -> str:
    """Return *path* without what rotation adds to a file's name."""
    folder, slash, name = path.rpartition("/")
    for pattern in (_RING, _NUMBERED, _DATED):
        shorter, found = pattern.subn("", name, count=1)
        if found:
            return folder + slash + shorter
    return path


def group_pieces(files: Sequence[str], names: dict[str, str], first_ns: Callable[[str], int | None]) -> list[list[str]]:
    """
    Group files that may be pieces of one capture, each group in order of time.

    Args:
        files: paths, in order.
        names: what the user called some of them; one name for several files makes pieces of them.
        first_ns: time of a file's first record, None if it has none.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for file in files:
        named = names.get(file)
        groups.setdefault(("name", named) if named else ("file", without_rotation(file)), []).append(file)
    found: list[list[str]] = []
    for group in groups.values():
        times = {file: first_ns(file) for file in group} if len(group) > 1 else {}
        found.append(sorted(group, key=lambda file: times.get(file) or 0))
    return found
