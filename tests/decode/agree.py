"""Compares the vectorised decoder with the reference, frame by frame and column by column."""

import numpy as np

from analyzer.decode.reference import decode_frame
from analyzer.decode.vector import decode
from analyzer.read.records import BACK, FRONT, Interface, Records

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


def differences(records: Records, interfaces: list[Interface], keep: int = 1 << 30) -> list[str]:
    """Describe every value in which the two decoders differ."""
    fast = decode(records, interfaces, keep=keep)
    quotes = {int(row): index for index, row in enumerate(fast.quotes["row"])}
    tunnels = {int(row): index for index, row in enumerate(fast.tunnels["row"])}
    neighbours = {int(row): index for index, row in enumerate(fast.neighbours["row"])}
    found: list[str] = []
    for i in range(len(records)):
        data = records.buffer[records.start[i] : records.start[i] + records.cap_len[i]].tobytes()
        one = decode_frame(data, int(records.orig_len[i]), interfaces[int(records.interface[i])], keep=keep)
        for name, value in one.frame.items():
            if int(fast.frames[name][i]) != value:
                found.append(f"frame {i} {name}: {int(fast.frames[name][i])} is not {value} ({data[:80].hex()})")
        for table, index, expected in (
            (fast.quotes, quotes, one.quote),
            (fast.neighbours, neighbours, one.neighbour),
            (fast.tunnels, tunnels, one.tunnel),
        ):
            if (expected is None) != (i not in index):
                found.append(f"frame {i}: side row {i in index}, expected {expected} ({data[:80].hex()})")
            elif expected is not None:
                for name, value in expected.items():
                    if int(table[name][index[i]]) != value:
                        found.append(f"frame {i} side {name}: {int(table[name][index[i]])} is not {value}")
    return found
