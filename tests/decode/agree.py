"""Compares what is compiled with the reference, frame by frame and column by column."""

from dataclasses import replace
from unittest.mock import patch

import numpy as np

from analyzer.decode import batch
from analyzer.decode.batch import SIDE_TABLES, Decoded, decode
from analyzer.decode.payloads import note
from analyzer.link.keys import make_keys
from analyzer.read.records import BACK, FRONT, Interface, Records
from analyzer.schema import KEYS, Columns

Frame = tuple[bytes, int]
"""Captured bytes, and length on the wire."""


def pack(frames: list[Frame]) -> Records:
    """Lay frames into a buffer of noise, as a chunk of a file would have them among other records."""
    size = FRONT + sum(len(data) + 16 for data, _ in frames) + BACK
    buffer = np.random.default_rng(1).integers(0, 256, size, np.uint8)
    starts, place = [], FRONT
    for data, _ in frames:
        place += 16
        starts.append(place)
        buffer[place : place + len(data)] = np.frombuffer(data, np.uint8)
        place += len(data)
    count = len(frames)
    return Records(
        buffer=buffer,
        start=np.array(starts, np.int64),
        cap_len=np.array([len(data) for data, _ in frames], np.int64),
        orig_len=np.array([orig for _, orig in frames], np.int64),
        time_ns=np.arange(count, dtype=np.int64),
        interface=np.zeros(count, np.int32),
        first_frame=1,
    )


def by_reference(records: Records, interfaces: list[Interface], keep: int = 1 << 30) -> tuple[Decoded, Columns]:
    """Decode with dpkt, and make keys of that."""
    keys = KEYS.empty(len(records))
    records = replace(records, buffer=np.append(records.buffer, np.zeros(BACK, np.uint8)))
    with patch.object(batch, "compiled", None):
        found = decode(records, interfaces, keep=keep)
    make_keys(found.frames, found.quotes, found.neighbours, keep, keys)
    note(found.frames, records, interfaces, keys)
    return found, keys


def differences(records: Records, interfaces: list[Interface], keep: int = 1 << 30) -> list[str]:
    """Describe every value in which the two decoders differ."""
    keys = KEYS.empty(len(records))
    fast = decode(records, interfaces, keep=keep, keys=keys)
    slow, others = by_reference(records, interfaces, keep)
    tables = [("frames", fast.frames, slow.frames)]
    tables += [("keys", keys, others)] if fast.keyed else []
    tables += [(name, getattr(fast, name), getattr(slow, name)) for name in SIDE_TABLES]
    tables += [("devices", {"device": fast.device}, {"device": slow.device})]
    found: list[str] = []
    for name, mine, right in tables:
        for column, values in right.items():
            if len(mine[column]) != len(values):
                found.append(f"{name}: {len(mine[column])} rows are not {len(values)}")
                continue
            for row in np.flatnonzero(mine[column] != values).tolist():
                frame = int(right["row"][row]) if name in SIDE_TABLES else row
                data = records.buffer[records.start[frame] :][: min(records.cap_len[frame], 80)].tobytes().hex()
                found.append(f"frame {frame}, {name}.{column}: {mine[column][row]} is not {values[row]} ({data})")
    return found
