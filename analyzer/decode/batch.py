"""Decodes a batch of records into FRAMES, KEYS and the side tables: compiled, or else by dpkt, frame by frame."""

from dataclasses import dataclass

import numpy as np

from analyzer.decode.cut_lengths import LINK_HEADER
from analyzer.decode.digest import KEYS as OF_RUN
from analyzer.decode.digest import WORDS, word_keys
from analyzer.decode.payloads import note
from analyzer.kernel import compiled
from analyzer.read.records import Interface, Records
from analyzer.schema import FRAMES, KEYS, NEIGHBOURS, QUOTES, TUNNELS, Columns, Int64, Table

KEEP_ALL = 1 << 30
SIDE_TABLES = {"quotes": QUOTES, "neighbours": NEIGHBOURS, "tunnels": TUNNELS}
ROOM = 1_024
"""Rows of side tables that are written before they are put away."""


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
) -> Decoded:
    """
    Decode a batch.

    Args:
        records: the batch.
        interfaces: of its file.
        keep: bytes that every point kept, from the network header on; digests cover no more.
        into: zeroed columns of FRAMES of as many rows, to be filled in; made if None.
        keys: columns of KEYS, likewise.

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
    device = np.zeros(len(records), np.int64)
    decoder = compiled.Decoder(OF_RUN.get(), word_keys(OF_RUN.get()), keep)
    given = {name: getattr(records, name) for name in ("start", "cap_len", "orig_len", "interface")}
    kinds = _kinds(interfaces)
    pieces: dict[str, list[Columns]] = {name: [table.empty(0)] for name, table in SIDE_TABLES.items()}
    begin = 0
    while begin < len(records):
        rooms = {name: _room(table) for name, table in SIDE_TABLES.items()}
        asides = compiled.Asides(**rooms)
        begin = decoder.decode(records.buffer, given, kinds, begin, frames, keys, asides, device)
        counts = (asides.quoted, asides.messages, asides.tunnelled)
        for (name, table), count in zip(SIDE_TABLES.items(), counts, strict=True):
            pieces[name].append({column: rooms[name][column][:count] for column in table.dtypes})
    long = np.flatnonzero(frames["payload_len"] > 8 * WORDS)  # others are digested while they are decoded
    if len(long):
        note(frames, records, interfaces, keys, long)
    sides = {
        name: {column: np.concatenate([one[column] for one in of]) for column in SIDE_TABLES[name].dtypes}
        for name, of in pieces.items()
    }
    return Decoded(frames, sides["quotes"], sides["neighbours"], sides["tunnels"], device, keyed=True)


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
