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
    quoted: int
    messages: int
    tunnelled: int
    def __init__(self, quotes: Columns, neighbours: Columns, tunnels: Columns) -> None: ...

class Decoder:
    def __init__(self, keys: tuple[int, ...], halves: Array, keep: int) -> None: ...
    def decode(
        self,
        buffer: Bytes,
        records: Columns,
        interfaces: Columns,
        begin: int,
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
