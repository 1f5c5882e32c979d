"""Decodes a batch of records into FRAMES, KEYS and the side tables: compiled, or else by dpkt, frame by frame."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from analyzer.decode.cut_lengths import LINK_HEADER
from analyzer.decode.digest import KEYS as OF_RUN
from analyzer.decode.digest import WORDS, word_keys
from analyzer.decode.payloads import note
from analyzer.kernel import compiled
from analyzer.read.records import Interface, Records
from analyzer.schema import FRAMES, KEYS, NEIGHBOURS, QUOTES, TUNNELS, Bytes, Columns, Int64, Table

KEEP_ALL = 1 << 30
SIDE_TABLES = {"quotes": QUOTES, "neighbours": NEIGHBOURS, "tunnels": TUNNELS}
ROOM = 1_024
"""Rows of side tables that are written before they are put away."""
FEW = 512
"""Rows that are not worth a second thread."""


@dataclass(slots=True)
class Decoded:
    """Tables of one batch; ``row`` columns count from the batch's first frame."""

    frames: Columns
    quotes: Columns
    neighbours: Columns
    tunnels: Columns
    device: Int64
    """(n,) LINUX_SLL2 interface index, else 0: with it, one file is many points."""
    keyed: bool = False
    """Its keys were made, too."""


def decode(
    records: Records,
    interfaces: list[Interface],
    *,
    keep: int = KEEP_ALL,
    into: Columns | None = None,
    keys: Columns | None = None,
    means: "Means | None" = None,
) -> Decoded:
    """
    Decode a batch.

    Args:
        records: the batch.
        interfaces: of its file.
        keep: bytes that every point kept, from the network header on; digests cover no more.
        into: zeroed columns of FRAMES of as many rows, to be filled in; made if None.
        keys: columns of KEYS, likewise.
        means: what decodes, where many batches follow each other; made for the same *keep*.

    Returns:
        FRAMES with one row per record (``point`` is not filled in), and its side tables.
    """
    frames = FRAMES.empty(len(records)) if into is None else into
    frames["frame"][:] = np.arange(records.first_frame, records.first_frame + len(records))
    frames["time_ns"][:] = records.time_ns
    frames["cap_len"][:], frames["orig_len"][:] = records.cap_len, records.orig_len
    if compiled is None:
        from analyzer.decode.one_by_one import decode_each  # noqa: PLC0415 - dpkt is slow to import

        sides, device = decode_each(records, interfaces, keep, frames)
        return Decoded(frames, sides["quotes"], sides["neighbours"], sides["tunnels"], device)
    keys = KEYS.empty(len(records)) if keys is None else keys
    given = {name: getattr(records, name) for name in ("start", "cap_len", "orig_len", "interface")}
    device = np.zeros(len(records), np.int64)
    batch = _Batch(records.buffer, given, _kinds(interfaces), frames, keys, device)
    sides = (means or Means(keep)).decode(batch)
    long = np.flatnonzero(frames["payload_len"] > 8 * WORDS)  # others are digested while they are decoded
    if len(long):
        note(frames, records, interfaces, keys, long)
    return Decoded(frames, sides["quotes"], sides["neighbours"], sides["tunnels"], device, keyed=True)


class _Batch(NamedTuple):
    """What is compiled is given of a batch: where it is, and where what is decoded goes."""

    buffer: Bytes
    records: Columns
    interfaces: Columns
    frames: Columns
    keys: Columns
    device: Int64


class Means:
    """What decodes a reader's batches, one after the other, in one thread or several: each takes its share of rows."""

    def __init__(self, keep: int, threads: int = 1) -> None:
        self._hands = [_Hand(keep) for _ in range(threads if compiled is not None else 0)]
        self._helpers = ThreadPoolExecutor(threads - 1) if len(self._hands) > 1 else None

    def decode(self, batch: _Batch) -> dict[str, Columns]:
        """Fill in rows; return what lies aside."""
        rows = len(batch.device)
        if self._helpers is None or rows < FEW:
            pieces = list(self._hands[0].decode(batch, 0, rows))
        else:
            bounds = np.linspace(0, rows, len(self._hands) + 1).astype(np.int64).tolist()
            shares = zip(self._hands, bounds[:-1], bounds[1:], strict=True)
            mine, *others = [partial(hand.decode, batch, *share) for hand, *share in shares]
            helped = [self._helpers.submit(other) for other in others]
            pieces = [*mine(), *(piece for one in helped for piece in one.result())]
        if not pieces:
            return {name: table.empty(0) for name, table in SIDE_TABLES.items()}
        return {
            name: {column: np.concatenate([one[name][column] for one in pieces]) for column in table.dtypes}
            for name, table in SIDE_TABLES.items()
        }

    def close(self) -> None:
        """End its threads."""
        if self._helpers is not None:
            self._helpers.shutdown()


class _Hand:
    """Decodes in one thread, with room for what lies aside, which is used again and again."""

    def __init__(self, keep: int) -> None:
        assert compiled is not None
        self._decoder = compiled.Decoder(OF_RUN.get(), word_keys(OF_RUN.get()), keep)
        self._rooms = {name: _room(table) for name, table in SIDE_TABLES.items()}
        self._asides = compiled.Asides(**self._rooms)

    def decode(self, batch: _Batch, begin: int, end: int) -> list[dict[str, Columns]]:
        """Fill in the rows from *begin* to *end*; return what lies aside, piece by piece."""
        found = []
        while begin < end:
            begin = self._decoder.decode(*batch[:3], begin, end, *batch[3:5], self._asides, batch.device)
            counts = self._asides.taken()
            if any(counts):
                of_tables = zip(SIDE_TABLES.items(), counts, strict=True)
                found.append({name: _taken(self._rooms[name], table, count) for (name, table), count in of_tables})
        return found


def _taken(room: Columns, table: Table, count: int) -> Columns:
    """Take the first rows out, and leave zeros."""
    found = {name: room[name][:count].copy() for name in table.dtypes}
    for column in room.values():
        column[:count] = 0
    return found


def _kinds(interfaces: list[Interface]) -> Columns:
    """Return what decoding hangs on, interface by interface."""
    columns = {
        "link_type": [one.link_type for one in interfaces],
        "fcs_len": [one.fcs_len for one in interfaces],
        "link_header": [LINK_HEADER.get(one.link_type, 0) for one in interfaces],
    }
    return {name: np.array(values, np.int64) for name, values in columns.items()}


def _room(table: Table) -> Columns:
    """Return zeroed columns of a side table, and of all that is decoded of a frame."""
    return {name: np.zeros(ROOM, dtype) for name, dtype in (FRAMES.dtypes | table.dtypes).items()}
