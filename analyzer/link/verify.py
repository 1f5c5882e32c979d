"""Compares frames that shall be one packet before and after translation, byte by byte, as far as both were kept.

An identity takes in the first bytes of a payload; datagrams that begin alike may go on otherwise. Those that a point
saw more than once are told apart by all that was kept of them everywhere. And what both captures kept of a payload must
be equal, and a UDP checksum must have changed as the translation changes it (RFC 1624).
"""

from collections.abc import Callable, Sequence

import numpy as np

from analyzer.decode.digest import DIGEST_BYTES, mix_rows
from analyzer.decode.payloads import COLUMNS, NONE, Payloads, kept_bytes, may_be_refined
from analyzer.decode.reader import Opener
from analyzer.decode.reread import read_blocks
from analyzer.decode.tables import FrameTables
from analyzer.link.sorting import changes, lengths
from analyzer.schema import Array, Columns, Int64

Rows = Callable[[Int64], Int64]
"""Tells what rows are called among all."""


class Verifier:
    """Reads frames again from where they were captured."""

    def __init__(self, captures: Sequence[Opener], tables: FrameTables) -> None:
        """Take what opens the files, and what reading them told."""
        self._captures, self._tables = captures, tables

    def refine(self, frames: Columns, identity: Int64, called: Rows) -> Int64:
        """
        Tell apart datagrams that a point saw more than once with one identity, by all bytes that every one kept.

        Args:
            frames: FRAMES with COMPARED of KEYS, all of their identities; n rows.
            identity: (n,) of KEYS, changed in place.
            called: tells what rows are called among all.

        Returns:
            The rows whose identity is another one now.
        """
        rows = np.flatnonzero(may_be_refined(frames))
        rows = rows[np.lexsort((frames["point"][rows], identity[rows]))]
        same = identity[rows[1:]] == identity[rows[:-1]]
        again = same & (frames["point"][rows[1:]] == frames["point"][rows[:-1]])
        rows = rows[np.isin(identity[rows], np.unique(identity[rows[1:][again]]))]
        if not len(rows):
            return rows
        start = np.flatnonzero(changes(identity[rows]))
        kept = np.repeat(np.minimum.reduceat(kept_bytes(frames, rows), start), lengths(start, len(rows)))
        longer = kept > DIGEST_BYTES
        rows, kept = rows[longer], kept[longer]
        digests, _ = self._told(frames, rows, kept, called)
        rows, digests = rows[digests != 0], digests[digests != 0]
        identity[rows] = mix_rows(identity[rows].view(np.uint64), digests.view(np.uint64)).view(np.int64)
        changed: Int64 = rows
        return changed

    def contradict(self, frames: Columns, before: Int64, after: Int64, called: Rows) -> Array:
        """
        Tell where two frames cannot be one packet.

        Args:
            frames: FRAMES with COMPARED of KEYS.
            before: (n,) rows of it.
            after: (n,) rows of it, of equal identity.
            called: tells what rows are called among all.

        Returns:
            (n,) bool; False also where a frame cannot be read any more.
        """
        wrong = np.zeros(len(before), bool)
        # A shorter payload is in the identity as a whole.
        long = np.flatnonzero(frames["payload_len"][before] > DIGEST_BYTES)
        kept = np.minimum(kept_bytes(frames, before[long]), kept_bytes(frames, after[long]))
        asked = np.concatenate((before[long], after[long])), np.concatenate((kept, kept))
        digests, invariants = (column.reshape(2, -1) for column in self._told(frames, *asked, called))
        read = (digests != 0).all(axis=0)
        summed = (invariants != NONE).all(axis=0)
        wrong[long] = read & ((digests[0] != digests[1]) | summed & (invariants[0] != invariants[1]))
        return wrong

    def _told(self, frames: Columns, rows: Int64, kept: Int64, called: Rows) -> tuple[Int64, Int64]:
        """Return the same as ``_digests``; of all that was captured it was noted while frames were decoded."""
        digests, invariants = frames["payload"][rows].copy(), frames["checksum"][rows].astype(np.int64)
        others = np.flatnonzero((digests == 0) | (kept_bytes(frames, rows) != kept))
        digests[others], invariants[others] = self._digests(frames, rows[others], kept[others], called)
        return digests, invariants

    def _digests(self, frames: Columns, rows: Int64, kept: Int64, called: Rows) -> tuple[Int64, Int64]:
        """Digest *kept* bytes of each row's payload, 0 where it cannot be read; and return its checksum's invariant."""
        digests, invariants = np.zeros(len(rows), np.int64), np.full(len(rows), NONE)
        order = np.argsort(rows, kind="stable")
        asked = called(rows[order])
        for block in read_blocks(self._captures, self._tables, asked):  # in order
            first, last = np.searchsorted(asked, block.row[[0, -1]] + (0, 1)).tolist()
            of_block = np.searchsorted(block.row, asked[first:last])
            found = block.row[of_block] == asked[first:last]
            places, of_block = order[first:last][found], of_block[found]
            seen = Payloads({name: frames[name][rows[places]] for name in COLUMNS}, block, of_block)
            digests[places] = seen.digests(kept[places])
            invariants[places] = seen.invariants()
        return digests, invariants
