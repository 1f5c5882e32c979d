"""Reads pcapng files (draft-ietf-opsawg-pcapng), in batches of records.

Takes a window, gives batches and fills in the file's FileInfo: every section and interface with its own link type,
snap length, time unit and offset; comments, drop counts and names. Blocks that hold no packet are passed over, but
those that Wireshark counts as a frame keep their frame number. Whole blocks before any damage are kept.
"""

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np

from analyzer.errors import InputError, UnknownFormatError
from analyzer.read.options import (
    interface_description,
    interface_statistics,
    name_resolution,
    options_of,
    text,
)
from analyzer.read.records import LINKTYPE_NONE, MAX_RECORD, Damage, FileInfo, Interface, Records
from analyzer.read.source import HEAD, Window
from analyzer.read.walk import Likeness, Shape, Walk, walk
from analyzer.schema import Array, Int64

SECTION_HEADER = 0x0A0D0D0A
BYTE_ORDER_MAGIC = 0x1A2B3C4D
INTERFACE_DESCRIPTION = 1
OBSOLETE_PACKET = 2
SIMPLE_PACKET = 3
NAME_RESOLUTION = 4
INTERFACE_STATISTICS = 5
ENHANCED_PACKET = 6
DECRYPTION_SECRETS = 10
_PACKETS = (OBSOLETE_PACKET, SIMPLE_PACKET, ENHANCED_PACKET)
JOURNAL = 9
FRAMES_WITHOUT_PACKET = (JOURNAL, 0x204, 0x208, 0x209, 0x210, 0x214, 0x216, 0x217, 0x221)
"""systemd journal entries and Sysdig events: Wireshark numbers them as frames."""

OPT_COMMENT = 1
MAX_BLOCK = 16 << 20
SMALLEST_BLOCK = 12
MOST_SECTIONS, MOST_INTERFACES = 4096, 16_384
"""Of a file: no capture has as many, and each takes far longer to be read than to be written."""
MOST_COMMENTS, MOST_NAMES, MOST_SECRETS = 100_000, 1_000_000, 1_000
"""Of a file; further ones are left out."""
MOST_SECONDS = 9_000_000_000
"""Since the epoch: what int64 holds in ns."""
_TELLING = (SECTION_HEADER, INTERFACE_DESCRIPTION, NAME_RESOLUTION, INTERFACE_STATISTICS, DECRYPTION_SECRETS)
"""Blocks without packets that tell something."""
SHAPE = Shape(header=8, length_at=4, base=0, minimum=SMALLEST_BLOCK, maximum=MAX_BLOCK, multiple=4, signature_at=0)
WORDS = (0, 4, 8, 12, 16, 20, 24, -4)
"""Of a block: type, length, interface, time in halves, captured and original length; and the length once more."""


def is_pcapng(magic: bytes) -> bool:
    """Tell a pcapng file by its first four bytes."""
    return int.from_bytes(magic[:4], "big") == SECTION_HEADER


def is_big_endian(head: bytes) -> bool:
    """Tell by a file's first bytes."""
    return head[8:12] == BYTE_ORDER_MAGIC.to_bytes(4, "big")


def first_interfaces(head: bytes) -> list[Interface]:
    """Return the interfaces described before the first packet, as far as *head* shows them."""
    byte_order: Literal["big", "little"] = "big" if is_big_endian(head) else "little"
    found: list[Interface] = []
    place = 0
    while place + SMALLEST_BLOCK <= len(head):
        kind = int.from_bytes(head[place : place + 4], byte_order)
        length = int.from_bytes(head[place + 4 : place + 8], byte_order)
        body = head[place + 8 : place + length - 4]
        if kind == INTERFACE_DESCRIPTION and len(body) >= 8:
            found.append(interface_description(body, ">" if byte_order == "big" else "<"))
        elif kind != SECTION_HEADER or length < SMALLEST_BLOCK:
            break
        place += max(length, SMALLEST_BLOCK)
    return found


def likeness(head: bytes) -> Likeness:
    """Return what packets look like, by a file's first bytes."""
    big = is_big_endian(head)
    kind = ENHANCED_PACKET.to_bytes(4, "big" if big else "little")
    return Likeness(SHAPE, ">" if big else "<", int.from_bytes(kind[:2], "little"), 0)


def final_drops(tail: bytes, order: Literal["big", "little"]) -> dict[int, int]:
    """
    Return the drops of interfaces that statistics at a file's end tell, by the last section's numbers.

    *tail* is the file's last bytes; every block repeats its length at its end, so blocks are walked backwards.
    """
    found: dict[int, int] = {}
    end = len(tail)
    while end >= SMALLEST_BLOCK:
        length = int.from_bytes(tail[end - 4 : end], order)
        start = end - length
        if length < SMALLEST_BLOCK or start < 0 or int.from_bytes(tail[start : start + 4], order) in _PACKETS:
            break
        if int.from_bytes(tail[start : start + 4], order) == INTERFACE_STATISTICS:
            body = tail[start + 8 : end - 4]
            dropped = interface_statistics(body, ">" if order == "big" else "<")
            if dropped is not None:
                found.setdefault(int.from_bytes(body[:4], order), dropped)
        end = start
    return found


def read_pcapng(window: Window, info: FileInfo) -> Iterator[Records]:
    """
    Give the file's records in batches; *info* is filled in as they are read.

    Raises:
        UnknownFormatError: a first section of an unknown version.
        InputError: the first section header is cut or contradicts itself.
    """
    reader = _Reader(window, info)
    try:
        yield from reader.batches()
    except _DamageError as damage:
        if not info.interfaces and not info.frames:
            kind = UnknownFormatError if "version" in str(damage) else InputError
            raise kind(f"{info.name}: {damage} at byte {damage.offset}") from None
        info.damage = Damage(damage.offset, str(damage), damage.limited)
    if window.problem:
        if info.damage is None:
            info.damage = Damage(window.offset, window.problem)
        else:
            info.damage.problem += f"; {window.problem}"


class _DamageError(Exception):
    def __init__(self, offset: int, problem: str, *, limited: bool = False) -> None:
        super().__init__(problem)
        self.offset, self.limited = offset, limited


class _Reader:
    """State of a file: the byte order of the current section, and what is known."""

    def __init__(self, window: Window, info: FileInfo) -> None:
        self.window = window
        self.info = info
        self.order = "<"
        self._begun = 0
        """Sections so far."""
        self._none: int | None = None
        """Place in ``info.interfaces`` of the one for records that are no packets."""

    def batches(self) -> Iterator[Records]:
        window = self.window
        head = window.bytes(HEAD)
        if window.enter():
            self._pass_over(head)
        needed = 0
        while window.fill(needed):
            needed = 0
            if self._at_section():
                self._begin_section(window.begin)
            found = walk(window.buffer, window.begin, window.end, SHAPE, self.order, WORDS)
            stop = found.stop
            for piece, words in self._sections(found):
                if len(piece) and self._is_section(int(piece[0])) and piece[0] != window.begin:
                    order = self.order
                    self._begin_section(int(piece[0]))
                    if self.order != order:  # lengths were read the wrong way round from here on
                        stop = int(piece[0])
                        break
                yield from self._batch(piece, words)
            window.take(stop - window.begin)
            if stop != found.stop or (len(found.start) and self._at_section()):
                continue
            if found.broken:
                length = self._word(window.bytes(8), 4)
                raise _DamageError(window.offset, f"block of {length} bytes")
            left = window.end - window.begin
            if window.eof and left:
                raise _DamageError(window.offset, f"block cut: {left} bytes left of it")
            if not len(found.start) and left >= SHAPE.header:
                needed = self._word(window.bytes(8), 4)

    def _pass_over(self, head: bytes) -> None:
        """Take interfaces from a file's first bytes, where its records are read from a later place on."""
        self.order = ">" if is_big_endian(head) else "<"
        self.info.big_endian = self.order == ">"
        self._begun = 1
        self.info.interfaces += first_interfaces(head)
        self.info.section += range(len(self.info.interfaces))

    def _sections(self, found: Walk) -> list[tuple[Int64, Int64]]:
        """Cut the walk before each section header: it may change the byte order, and forgets the interfaces."""
        begins = np.flatnonzero(found.words[0][1:] == SECTION_HEADER) + 1
        pieces = np.split(found.start, begins), np.split(found.words, begins, axis=1)
        return list(zip(*pieces, strict=True)) if len(found.start) else []

    def _is_section(self, place: int) -> bool:
        return is_pcapng(self.window.buffer[place : place + 4].tobytes())

    def _at_section(self) -> bool:
        return self.window.begin + 4 <= self.window.end and self._is_section(self.window.begin)

    def _word(self, data: bytes, at: int) -> int:
        return int.from_bytes(data[at : at + 4], "big" if self.order == ">" else "little")

    def _begin_section(self, place: int) -> None:
        offset = self.window.offset + place - self.window.begin
        head = self.window.buffer[place : min(place + 28, self.window.end)].tobytes()
        if len(head) < 28:
            raise _DamageError(offset, f"section header cut: needed 28 bytes, found {len(head)}")
        for order, name in ((">", "big"), ("<", "little")):
            if int.from_bytes(head[8:12], "big" if name == "big" else "little") == BYTE_ORDER_MAGIC:
                self.order = order
                break
        else:
            raise _DamageError(offset, f"section header without byte-order magic: {head[8:12].hex()}")
        self._begun += 1
        if self._begun > MOST_SECTIONS:
            raise _DamageError(offset, f"not read on: more than {MOST_SECTIONS:,} sections", limited=True)
        self.info.big_endian = self.order == ">"
        half = np.frombuffer(head, f"{self.order}u2")
        major, minor = int(half[6]), int(half[7])
        if major != 1 or minor not in (0, 2):
            raise _DamageError(offset, f"pcapng version {major}.{minor}, known is 1.0")
        self.info.section = []

    def _batch(self, starts: Int64, words: Int64) -> Iterator[Records]:
        """Give the packets among the blocks at *starts*, and take in what the others tell; *words* are theirs."""
        types, lengths = words[:2]
        usable, problem = self._usable(words)
        begin = starts[usable] if problem is not None else 0
        starts, types, lengths = starts[:usable], types[:usable], lengths[:usable]
        described = self._described() + np.cumsum(types == INTERFACE_DESCRIPTION)
        empty = np.isin(types, FRAMES_WITHOUT_PACKET)
        first_empty = int(np.argmax(empty)) if empty.any() else usable
        for index in np.flatnonzero(np.isin(types, _TELLING)).tolist():
            if index > first_empty:
                self._not_a_packet()
            self._take_in(int(types[index]), int(starts[index]), int(lengths[index]))
        simple = (types == SIMPLE_PACKET) & (lengths >= 16) & (described > 0)
        frames = np.flatnonzero(
            (types == ENHANCED_PACKET) | (types == OBSOLETE_PACKET) & (lengths >= 32) | simple | empty
        )
        if len(frames):
            if first_empty < usable:
                self._not_a_packet()
            yield self._packets(starts[frames], words[:, frames])
        if problem is not None:
            text, limited = problem
            raise _DamageError(self.window.offset + int(begin) - self.window.begin, text, limited=limited)

    def _usable(self, words: Int64) -> tuple[int, tuple[str, bool] | None]:
        """Count the blocks before the first that cannot be used; say what is wrong with that, and if it is a limit."""
        types, lengths, _, _, _, _, _, trailing = words
        enhanced, old = types == ENHANCED_PACKET, (types == OBSOLETE_PACKET) & (lengths >= 32)
        cap_len = np.where(enhanced | old, words[5], 0)
        interface = np.where(enhanced | old, words[2], 0)
        interface[old] = self._half(interface[old])
        describes = np.cumsum(types == INTERFACE_DESCRIPTION)
        described = self._described() + describes
        too_long = (cap_len > lengths - 32) & (enhanced | old) | (cap_len > MAX_RECORD)
        checks: tuple[tuple[Array, Callable[[int], str], bool], ...] = (
            (
                trailing != lengths,
                lambda i: f"block length {lengths[i]} at its start, {trailing[i]} at its end",
                False,
            ),
            (
                (types == INTERFACE_DESCRIPTION) & (lengths < 20),
                lambda i: f"interface block of {lengths[i]} bytes, needs 20",
                False,
            ),
            (enhanced & (lengths < 32), lambda i: f"packet block of {lengths[i]} bytes, needs 32", False),
            (too_long & enhanced, lambda i: f"packet of {cap_len[i]} bytes in a block of {lengths[i]}", False),
            (
                enhanced & (interface >= described),
                lambda i: f"packet of interface {interface[i]}, {described[i]} are described",
                False,
            ),
            (old & (too_long | (interface >= described)), lambda i: f"packet of {cap_len[i]} bytes", False),
            (
                len(self.info.interfaces) + describes > MOST_INTERFACES,
                lambda _: f"not read on: more than {MOST_INTERFACES:,} interfaces",
                True,
            ),
        )
        first, problem = len(types), None
        for wrong, message, limited in checks:
            index = int(np.argmax(wrong)) if wrong.any() else len(types)
            if index < first:
                first, problem = index, (message(index), limited)
        return first, problem

    def _described(self) -> int:
        return len(self.info.section)

    def _half(self, words: Array) -> Array:
        """Return the 16 bits that come first in words."""
        return words >> 16 if self.order == ">" else words & 0xFFFF

    def _packets(self, starts: Int64, words: Int64) -> Records:
        """Read packets of all kinds, and the blocks that Wireshark counts among them."""
        types, lengths, about, high, low, cap_len, orig_len, _ = words
        simple, old = types == SIMPLE_PACKET, types == OBSOLETE_PACKET
        timed = old | (types == ENHANCED_PACKET)
        number = np.where(timed, about, 0)
        number[old] = self._half(number[old])
        section = np.array([*self.info.section, -1], np.int32)
        interface = section[number]
        interface[~timed & ~simple] = -1 if self._none is None else self._none
        cap_len, orig_len = np.where(timed, cap_len, 0), np.where(timed, orig_len, 0)
        if simple.any():
            orig_len[simple] = about[simple]
            limit = self.info.interfaces[self.info.section[0]].snap_len or MAX_BLOCK
            cap_len[simple] = np.minimum(np.minimum(orig_len[simple], limit), lengths[simple] - 16)
        ticks = (high << 32 | low).view(np.uint64)
        first = self.info.frames + 1
        self.info.frames += len(starts)
        self._comments(starts, lengths, np.where(types == ENHANCED_PACKET, cap_len, lengths), first)
        place = starts + np.where(timed, 28, np.where(simple, 12, 0))
        time_ns = self._time_ns(ticks * timed, interface)
        return Records(self.window.buffer, place, cap_len, np.maximum(orig_len, cap_len), time_ns, interface, first)

    def _comments(self, starts: Int64, lengths: Int64, cap_len: Int64, first: int) -> None:
        """Take in the comments of packets that have options behind *cap_len* bytes."""
        for index in np.flatnonzero(lengths - 32 - ((cap_len + 3) & ~3) >= 8).tolist():
            if len(self.info.comments) >= MOST_COMMENTS:
                return
            place = int(starts[index]) + 28 + (int(cap_len[index]) + 3) // 4 * 4
            data = self.window.buffer[place : int(starts[index] + lengths[index]) - 4].tobytes()
            for code, value in options_of(data, self.order):
                if code == OPT_COMMENT:
                    self.info.comments.append((first + index, text(value)))

    def _time_ns(self, ticks: Array, interface: Array) -> Int64:
        """Convert times by what each one's interface says."""
        used, of_record = np.unique(interface, return_inverse=True)
        known = [self.info.interfaces[index] for index in used.tolist()]
        offset = np.array([max(min(one.offset_s, MOST_SECONDS), -MOST_SECONDS) for one in known], np.int64)[of_record]
        units = [one.units_per_second for one in known]
        distinct = {unit: place for place, unit in enumerate(dict.fromkeys(units))}
        kind = np.array([distinct[unit] for unit in units])[of_record]
        time_ns = np.zeros(len(ticks), np.int64)
        for unit, place in distinct.items():
            rows = kind == place if len(distinct) > 1 else slice(None)
            time_ns[rows] = to_ns(ticks[rows], unit, offset[rows])
        return time_ns

    def _take_in(self, kind: int, start: int, length: int) -> None:
        """Take in a block that holds no packet."""
        body = self.window.buffer[start + 8 : start + length - 4].tobytes()
        if kind == INTERFACE_DESCRIPTION:
            self.info.section.append(len(self.info.interfaces))
            self.info.interfaces.append(interface_description(body, self.order))
        elif kind == INTERFACE_STATISTICS and len(body) >= 12:
            index = self._word(body, 0)
            if index < self._described():
                dropped = interface_statistics(body, self.order)
                if dropped is not None:
                    self.info.interfaces[self.info.section[index]].dropped = dropped
        elif kind == NAME_RESOLUTION and len(self.info.names) < MOST_NAMES:
            self.info.names.update(name_resolution(body, self.order))
        elif kind == DECRYPTION_SECRETS and len(self.info.secrets) < MOST_SECRETS:
            self.info.secrets.append(body)
        elif kind == SECTION_HEADER:
            self.info.comments.extend((0, text(v)) for c, v in options_of(body[16:], self.order) if c == OPT_COMMENT)

    def _not_a_packet(self) -> int:
        """Return the interface for records that are no packets; it is made when first needed, and no section's."""
        if self._none is None:
            self._none = len(self.info.interfaces)
            self.info.interfaces.append(Interface(link_type=LINKTYPE_NONE, snap_len=0))
        return self._none


def to_ns(ticks: Array, units_per_second: int, offset_s: int | Int64) -> Int64:
    """Convert uint64 ticks to ns since the epoch, exactly; what int64 cannot hold ends at its bounds."""
    unit = np.uint64(min(units_per_second, 2**64 - 1))
    seconds = np.minimum(ticks // unit, np.uint64(MOST_SECONDS)).astype(np.int64)
    fraction = ticks % unit
    if units_per_second <= 1_000_000_000:
        below = fraction * np.uint64(1_000_000_000) // unit
    elif units_per_second % 1_000_000_000 == 0:
        below = fraction // (unit // np.uint64(1_000_000_000))
    else:
        # Rare powers of two above 2^30: Python's integers do not overflow.
        below = np.array([int(f) * 1_000_000_000 // units_per_second for f in fraction], np.uint64)
    whole: Int64 = np.clip(seconds + np.clip(offset_s, -MOST_SECONDS, MOST_SECONDS), -MOST_SECONDS, MOST_SECONDS)
    time_ns: Int64 = whole * 1_000_000_000 + below.astype(np.int64)
    return time_ns
