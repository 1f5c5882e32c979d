"""How many bytes of its frames every point kept, told from frames that were cut, whatever files declare."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from analyzer.read import records as link_types
from analyzer.read.records import LINKTYPE_NONE, FileInfo, Source
from analyzer.schema import Columns, Layer

LINK_HEADER = {
    link_types.LINKTYPE_ETHERNET: 14,
    link_types.LINKTYPE_PPP: 4,
    link_types.LINKTYPE_LINUX_SLL: 16,
    link_types.LINKTYPE_LINUX_SLL2: 20,
    link_types.LINKTYPE_NULL: 4,
    link_types.LINKTYPE_LOOP: 4,
}
_TAGS = 8
"""Bytes that two VLAN tags take from what a snap length leaves."""
_PPPOE = 8
"""Bytes of its header, and of PPP's protocol field."""
_TUNNEL = 70
"""Bytes of the headers that VXLAN puts in front of an inner network header, over IPv6 and so at most."""


@dataclass(slots=True)
class CutLengths:
    """Captured lengths of the frames that were cut."""

    _lengths: dict[int, Counter[int]] = field(default_factory=dict)
    _layers: dict[int, int] = field(default_factory=dict)

    def add(self, frames: Columns) -> None:
        """Count the cut ones of some rows of FRAMES."""
        all_cut = np.flatnonzero(frames["cap_len"] < frames["orig_len"])
        of_point = frames["point"][all_cut]
        for point in np.unique(of_point).tolist():
            cut = all_cut[of_point == point]
            lengths, counts = np.unique(frames["cap_len"][cut], return_counts=True)
            self._lengths.setdefault(point, Counter()).update(dict(zip(lengths.tolist(), counts.tolist(), strict=True)))
            layers = int(np.bitwise_or.reduce(frames["layers"][cut]))
            self._layers[point] = self._layers.get(point, 0) | layers

    def merge(self, other: "CutLengths", points: Sequence[int]) -> None:
        """Add what was counted elsewhere; *points* are what those are called here."""
        for own, lengths in other._lengths.items():
            point = points[own]
            self._lengths.setdefault(point, Counter()).update(lengths)
            self._layers[point] = self._layers.get(point, 0) | other._layers[own]

    def kept(self, sources: Sequence[Source], files: Sequence[FileInfo], keep: int) -> int:
        """Return the bytes from the network header on that every point kept of a cut frame, at most *keep*."""
        for point, counts in self._lengths.items():
            source = sources[point]
            link_type = files[source.file].interfaces[source.interface].link_type
            if link_type == LINKTYPE_NONE:
                continue
            # The usual length of a cut frame is the snap length; a lone shorter one is a broken record.
            usual = max(sorted(counts), key=lambda length: counts[length])
            layers = self._layers[point]
            taken = LINK_HEADER.get(link_type, 0)
            taken += _PPPOE if layers & Layer.PPP and link_type != link_types.LINKTYPE_PPP else 0
            taken += (_TAGS if layers & Layer.VLAN else 0) + (_TUNNEL if layers & Layer.TUNNEL else 0)
            keep = min(keep, usual - taken)
        return max(keep, 0)
