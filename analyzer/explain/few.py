"""The first ones of what one client wants of one port: what limits are of, since all of that is in one part."""

import numpy as np

from analyzer.link.sorting import changes, group_rows, lengths
from analyzer.schema import Array, Columns, Int64


def errands(table: Columns) -> Int64:
    """
    (connections + 1,) What one client wants of one port, as a number; the last is for what has no connection.

    Of one server, where answers came, or of all that gave none: as the data is cut. *table* is CONNECTIONS.
    """
    if not len(table["proto"]):
        return np.full(1, -1)
    names = ("proto", "orig_src_hi", "orig_src", "orig_dport")
    good = table["seen_reply"] & ~table["reset"]
    servers = (np.where(good, table[name], 0) for name in ("orig_dst_hi", "orig_dst"))
    group, _ = group_rows(*(table[name] for name in names), *servers, good)
    return np.append(group, -1)


def first_of_each(group: Int64, most: int) -> Array:
    """(n,) bool: the first *most* rows of each group."""
    order = np.argsort(group, kind="stable")
    start = np.flatnonzero(changes(group[order]))
    found = np.zeros(len(group), bool)
    found[order] = np.arange(len(group)) - np.repeat(start, lengths(start, len(group))) < most
    return found
