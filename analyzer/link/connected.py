"""What is connected by keys that it has in common: the components of a graph, found for all at once."""

import numpy as np

from analyzer.link.sorting import changes, stable_order
from analyzer.schema import Int64


def connected(count: int, members: Int64, keys: Int64) -> Int64:
    """
    (count,) Return the least number of those that are connected with each.

    Args:
        count: how many there are, numbered from 0.
        members: (m,) numbers; one may have several keys.
        keys: (m,) from 0; whoever has one is connected with all others that do.
    """
    label = np.arange(count)
    if not len(members):
        return label
    order = stable_order(keys)
    members, start = members[order], np.flatnonzero(changes(keys[order]))
    length = np.diff(start, append=len(members))
    while True:
        # Whoever has a key takes the least label of all that do, and so does what their labels stood for until now.
        least = np.repeat(np.minimum.reduceat(label[members], start), length)
        found = label.copy()
        np.minimum.at(found, label[members], least)
        np.minimum.at(found, members, least)
        found = found[found]
        if (found == label).all():
            return label
        label = found
