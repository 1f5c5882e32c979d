"""Expressions to values, and whether a value is what a rule wants: yes, no, or unknown because of something.

Takes the language of ``analyzer.model.question`` and a function that tells a packet's fields. An unknown value makes
every comparison with it unknown; nothing here can guess.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from weakref import WeakKeyDictionary

from analyzer.model import Address
from analyzer.model.question import (
    ABSENT,
    Absent,
    Alike,
    Answer,
    Bits,
    Constant,
    Either,
    Elements,
    Expression,
    Field,
    Glob,
    Joined,
    Mapped,
    Member,
    Missing,
    Named,
    Of,
    OneOf,
    Opaque,
    Operator,
    Plus,
    Question,
    Range,
    Test,
    Unknown,
    Value,
)  # fmt: skip

Look = Callable[[Field], Value]
Sets = Mapping[str, Elements]
DEEPEST = 8
"""Sets in sets, and maps in keys of maps."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What an evaluation needs: a packet's fields, and the sets of the rule's table."""

    look: Look
    sets: Sets

    def value(self, expression: Expression) -> Value:
        """Return what an expression is: a plain value, a tuple of a concatenation, unknown, or absent."""
        match expression:
            case Of():
                return self._field(expression)
            case Constant(value):
                return value
            case Bits(of, mask, flip):
                return _bits(self.value(of), mask, flip)
            case Plus(of, more):
                found = self.value(of)
                return found + more if isinstance(found, int) else _odd(found, "a sum")
            case Joined(parts):
                values = tuple(self.value(part) for part in parts)
                return ABSENT if ABSENT in values else values
            case Mapped(key, of):
                return self._mapped(key, of)
            case OneOf(low, high):
                return low if low == high else expression
            case Opaque(text, missing_one):
                return Unknown(missing_one, text)

    def _field(self, of: Of) -> Value:
        for asked, wanted in ((Field.VERSION, of.version), (Field.PROTOCOL, of.protocol)):
            if wanted is not None and self.look(asked) != wanted:
                return ABSENT
        found = self.look(of.field)
        return of.missing if found is ABSENT and of.missing is not None else found

    def answer(self, question: Question) -> Answer:
        """Tell whether a question is answered by yes; what is absent is no, negated or not."""
        found = self._asked(question)
        return False if isinstance(found, Absent) else found

    def results(self, key: Expression, of: Elements | str) -> Iterator[tuple[Answer, Any]]:
        """Give what a map may have for a key: an answer whether it does and its value, until one is yes."""
        elements = self.sets.get(of) if isinstance(of, str) else of
        value = Unknown(Missing.SET, f"@{of}") if elements is None else self.value(key)
        if isinstance(value, Absent) or elements is None:
            yield from [(value, None)] if isinstance(value, Unknown) else []
            return
        index = _pairs(elements)
        if not isinstance(value, Unknown | OneOf | tuple):
            if value in index.plain:
                yield True, index.plain[value]
                return
            candidates = index.others
        else:
            candidates = index.all
        for member, result in candidates:
            answer = self._fits(value, member)
            if answer is not False:
                yield answer, result
            if answer is True:
                return

    def _mapped(self, key: Expression, of: Elements | str) -> Value:
        for answer, result in self.results(key, of):
            return answer if isinstance(answer, Unknown) else self.value(result)
        return ABSENT

    def _asked(self, question: Question) -> Answer | Absent:
        if isinstance(question, Opaque):
            return Unknown(question.missing, question.text)
        if isinstance(question, Test):
            answer = self._tested(question)
        else:
            answers = [self._asked(part) for part in question.parts]
            decides = isinstance(question, Either)
            answer = _together(answers, decides=decides)
        return not answer if question.negated and isinstance(answer, bool) else answer

    def _tested(self, test: Test) -> Answer | Absent:
        value = self.value(test.value)
        if isinstance(value, Absent):
            return ABSENT
        if test.operator is Operator.IN:
            return self._fits(value, test.operand)
        return _ordered(value, test.operator, test.operand)

    def _fits(self, value: Value, elements: Elements, depth: int = 0) -> Answer:
        """Tell whether a value is one of a set's."""
        if isinstance(value, Unknown):
            return value
        index = _index(elements)
        answer = index.holds(value)
        if answer is True:
            return True
        unknown = answer if isinstance(answer, Unknown) else None
        for member in index.others:
            one = self._fits_one(value, member, depth)
            if one is True:
                return True
            unknown = unknown or (one if isinstance(one, Unknown) else None)
        return unknown or False

    def _fits_one(self, value: Value, member: Member, depth: int) -> Answer:
        if isinstance(member, Opaque):
            return Unknown(member.missing, member.text)
        if isinstance(member, Named):
            elements = self.sets.get(member.name)
            if elements is None or depth >= DEEPEST:
                return Unknown(Missing.SET, f"@{member.name}")
            return self._fits(value, elements, depth + 1)
        if isinstance(member, Alike) and isinstance(value, tuple):
            if len(member.parts) != len(value):
                return Unknown(Missing.VALUE, "a concatenation")
            answers = [self._fits(one, Elements((part,))) for one, part in zip(value, member.parts, strict=True)]
            together = _together(answers, decides=False)
            return False if isinstance(together, Absent) else together
        return Unknown(Missing.VALUE, str(member)[:40])


@dataclass(slots=True)
class _Index:
    """A set's plain elements and ranges, to be found without asking each."""

    plain: frozenset[Any] = frozenset()
    globs: tuple[str, ...] = ()
    ranges: dict[str, tuple[list[Any], list[Any]]] = field(default_factory=dict)
    """Lows and highs, apart from each other, by the kind of value."""
    excepted: bool = False
    lengths: dict[str, dict[int, dict[int, bool]]] = field(default_factory=dict)
    """Where some are excepted: networks by kind, prefix length and number; False for those."""
    others: tuple[Member, ...] = ()
    sorts: frozenset[str] = frozenset()
    """Sorts of all elements but the others."""

    def holds(self, value: Any) -> Answer:
        """Tell whether a value is one of them."""
        if isinstance(value, OneOf):
            return self._holds_all(value)
        if self.sorts and _sort(value) not in self.sorts:
            return Unknown(Missing.VALUE, "the rule")  # a port is no network
        if self.excepted:
            return self._longest(value)
        if isinstance(value, tuple) and any(isinstance(part, Unknown | OneOf) for part in value):
            return self._holds_about(value)
        if value in self.plain:
            return True
        if isinstance(value, str):
            return value.startswith(self.globs) if self.globs else False
        kind = _kind(value)
        if kind not in self.ranges:
            return False
        lows, highs = self.ranges[kind]
        place = bisect_right(lows, value) - 1
        return place >= 0 and bool(value <= highs[place])

    def _holds_about(self, value: tuple[Any, ...]) -> Answer:
        """Tell whether a concatenation of which parts are not known can be one of them."""
        for one in (one for one in self.plain if isinstance(one, tuple) and len(one) == len(value)):
            pairs = zip(value, one, strict=True)
            if all(isinstance(found, Unknown | OneOf) or found == wanted for found, wanted in pairs):
                unknown = next((part for part in value if isinstance(part, Unknown)), None)
                return unknown or Unknown(Missing.FIELD, "which of a range is taken")
        return False

    def _holds_all(self, span: OneOf) -> Answer:
        """Tell whether all values that it may be are in, or none is."""
        lows, highs = self.ranges.get(_kind(span.low), ([], []))
        points = [(one, one) for one in self.plain if _kind(one) == _kind(span.low)]
        parts = [*zip(lows, highs, strict=True), *points]
        if any(low <= span.low and span.high <= high for low, high in parts):
            return True
        if self.excepted or any(low <= span.high and span.low <= high for low, high in parts):
            return Unknown(Missing.FIELD, f"which of {span.low}-{span.high} is taken")
        return False

    def _longest(self, value: Any) -> bool:
        kind = _kind(value)
        width = {"4": 32, "6": 128}.get(kind)
        by_length = self.lengths.get(kind, {})
        for length in sorted(by_length, reverse=True):
            found = by_length[length].get(int(value) >> (width - length)) if width is not None else None
            if found is not None:
                return found
        return False


_INDEXES: WeakKeyDictionary[Elements, _Index] = WeakKeyDictionary()


def _index(elements: Elements) -> _Index:
    found = _INDEXES.get(elements)
    if found is None:
        found = _INDEXES[elements] = _indexed(elements)
    return found


@dataclass(slots=True)
class _Pairs:
    """A map's keys, plain ones to be found without asking each."""

    plain: dict[Any, Any]
    others: list[tuple[Elements, Any]]
    all: list[tuple[Elements, Any]]


_PAIRS: WeakKeyDictionary[Elements, _Pairs] = WeakKeyDictionary()


def _pairs(elements: Elements) -> _Pairs:
    found = _PAIRS.get(elements)
    if found is None:
        keyed = [(member, Elements((member,)), result) for member, result in elements.pairs]
        is_plain = int | str | IPv4Address | IPv6Address
        plain = {member: result for member, _, result in reversed(keyed) if isinstance(member, is_plain)}
        others = [(of, result) for member, of, result in keyed if not isinstance(member, is_plain)]
        found = _PAIRS[elements] = _Pairs(plain, others, [(of, result) for _, of, result in keyed])
    return found


def _indexed(elements: Elements) -> _Index:
    index = _Index(excepted=bool(elements.excepted))
    if index.excepted:
        for members, holds in ((elements.members, True), (elements.excepted, False)):
            for member in members:
                _add_network(index, member, holds=holds)
        return index
    plain, globs, ranges, others = set[Any](), list[str](), dict[str, list[Range]](), list[Member]()
    for member in elements.members:
        if isinstance(member, Range):
            ranges.setdefault(_kind(member.low), []).append(member)
        elif isinstance(member, Glob):
            globs.append(member.prefix)
        elif isinstance(member, Named | Alike | Opaque):
            flat = _flat(member)
            if flat is None:
                others.append(member)
            else:
                plain.add(flat)
        else:
            plain.add(member)
    index.plain, index.globs, index.others = frozenset(plain), tuple(globs), tuple(others)
    sorts = {
        *map(_sort, plain),
        *("address" if kind in "46" else kind for kind in ranges),
        *(["name"] if globs else []),
    }
    index.sorts = frozenset(sorts)
    index.ranges = {kind: _apart(found) for kind, found in ranges.items()}
    return index


def _flat(member: Member) -> tuple[Any, ...] | None:
    """Return a concatenation of plain values as the tuple that it is."""
    if isinstance(member, Alike) and all(
        isinstance(part, int | str | IPv4Address | IPv6Address) for part in member.parts
    ):
        return member.parts
    return None


def _apart(ranges: Iterable[Range]) -> tuple[list[Any], list[Any]]:
    """Join ranges that overlap, in order."""
    lows, highs = list[Any](), list[Any]()
    for one in sorted(ranges, key=lambda one: one.low):
        if highs and one.low <= highs[-1]:
            highs[-1] = max(highs[-1], one.high)
        else:
            lows.append(one.low)
            highs.append(one.high)
    return lows, highs


def _add_network(index: _Index, member: Member, *, holds: bool) -> None:
    low, high = (member.low, member.high) if isinstance(member, Range) else (member, member)
    if not isinstance(low, IPv4Address | IPv6Address):
        index.others = (*index.others, Opaque(str(member)[:40], Missing.SET))
        return
    width = 32 if low.version == 4 else 128
    length = width - (int(high) - int(low)).bit_length() if isinstance(high, type(low)) else width
    index.lengths.setdefault(_kind(low), {}).setdefault(length, {})[int(low) >> (width - length)] = holds


def _kind(value: Any) -> str:
    """Tell apart what cannot be put in one order."""
    if isinstance(value, IPv4Address | IPv6Address):
        return str(value.version)
    return "number" if isinstance(value, int) else "name"


def _sort(value: Any) -> str:
    """Tell apart what cannot be compared."""
    if isinstance(value, OneOf):
        return _sort(value.low)
    if isinstance(value, tuple):
        return "tuple"
    kind = _kind(value)
    return "address" if kind in ("4", "6") else kind


def _bits(value: Value, mask: int, flip: int) -> Value:
    if mask == 0 and isinstance(value, Unknown | int):
        return flip
    if isinstance(value, int):
        return (value & mask) ^ flip
    if isinstance(value, IPv4Address | IPv6Address):
        return type(value)((int(value) & mask) ^ flip)
    return _odd(value, "bits")


def _odd(value: Any, what: str) -> Value:
    """Hand on what is no number."""
    return value if isinstance(value, Unknown | Absent) else Unknown(Missing.VALUE, what)


def _ordered(value: Any, operator: Operator, operand: Elements) -> Answer:
    if isinstance(value, Unknown):
        return value
    wanted = operand.members[0] if len(operand.members) == 1 else None
    ordered = int | IPv4Address | IPv6Address
    if not isinstance(value, ordered) or not isinstance(wanted, ordered) or _kind(value) != _kind(wanted):
        return Unknown(Missing.VALUE, f"{operator} {wanted}")
    low: Any = wanted
    return bool({
        Operator.LESS: value < low, Operator.GREATER: value > low,
        Operator.AT_MOST: value <= low, Operator.AT_LEAST: value >= low,
    }[operator])  # fmt: skip


def _together(answers: Sequence[Answer | Absent], *, decides: bool) -> Answer | Absent:
    """Join answers by and, or by or: *decides* is the answer that decides for all."""
    known = [answer for answer in answers if not isinstance(answer, Absent)]
    if not decides and len(known) < len(answers):
        return ABSENT
    if answers and not known:
        return ABSENT
    if any(answer is decides for answer in known):
        return decides
    return next((answer for answer in known if isinstance(answer, Unknown)), not decides)


def addresses(network: Any) -> Range | Address:
    """Return a network as the range of its addresses, one of a single address as that."""
    low, high = network.network_address, network.broadcast_address
    return low if low == high else Range(low, high)
