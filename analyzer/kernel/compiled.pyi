"""Types of what is compiled."""

from typing import Protocol

from analyzer.schema import Array, Bytes, Columns, Int64

LAYERS: dict[str, int]
LINK_TYPES: dict[str, int]
NUMBERS: dict[str, int]

class Shape(Protocol):
    @property
    def header(self) -> int: ...
    @property
    def length_at(self) -> int: ...
    @property
    def base(self) -> int: ...
    @property
    def minimum(self) -> int: ...
    @property
    def maximum(self) -> int: ...
    @property
    def multiple(self) -> int: ...

class Asides:
    def __init__(self, quotes: Columns, neighbours: Columns, tunnels: Columns) -> None: ...
    def taken(self) -> tuple[int, int, int]: ...

class Decoder:
    def __init__(self, keys: tuple[int, ...], halves: Array, keep: int) -> None: ...
    def decode(
        self,
        buffer: Bytes,
        records: Columns,
        interfaces: Columns,
        begin: int,
        count: int,
        frames: Columns,
        keys: Columns,
        asides: Asides,
        device: Int64,
    ) -> int: ...

def walk(
    buffer: Bytes,
    begin: int,
    end: int,
    shape: Shape,
    big_endian: bool,
    offsets: Int64,
    starts: Int64,
    words: Int64,
) -> tuple[int, int, bool]: ...
def number(key: Int64, secret: int, group: Int64, first: Int64) -> int: ...
def settle(key: Int64, begins: Int64, places: Int64) -> None: ...
