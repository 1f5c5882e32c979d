"""Selections in the manner of Wireshark's display filters: ``-Y 'ip.addr == 8.8.8.8 && tcp.port == 80'``.

A selection picks journeys after correlation. A test is true for a journey if any of its hops passes it, so both
addresses of a translated packet find it; ``&&``, ``||`` and ``!`` then combine journeys, not frames.
"""

import re
from collections.abc import Callable
from difflib import get_close_matches

import numpy as np

from analyzer.errors import SelectionError
from analyzer.journey.build import Tracer
from analyzer.journey.fields import FIELDS, PROTOCOLS
from analyzer.journey.matches import CONTAINS, Matches
from analyzer.model.overview import NameQuery
from analyzer.packet.context import Context
from analyzer.schema import Array

_TOKEN = re.compile(r"\s*(==|!=|<=|>=|<|>|&&|\|\||[!(){},]|\"[^\"]*\"|[^\s(){},!=<>&|\"]+)")
_WORDS = {"and": "&&", "or": "||", "not": "!", "eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">="}
SIGNS = ("==", "!=", "<", ">", "<=", ">=", CONTAINS, "in")
TRUE, FALSE = ("1", "true"), ("0", "false")


def no_names() -> list[NameQuery]:
    """Return no questions to name servers."""
    return []


def select(
    context: Context,
    tracer: Tracer,
    text: str,
    names: Callable[[], list[NameQuery]] = no_names,
    says: Callable[[], dict[int, str]] = dict,
) -> list[int]:
    """
    Return the journeys that *text* picks, in order.

    Args:
        context: tables.
        tracer: of the same.
        text: the selection.
        names: gives questions to name servers, by the numbers that packets have in *context*.
        says: gives what payloads say, likewise.

    Raises:
        SelectionError: *text* cannot be understood.
    """
    try:
        chosen = _Parser(Matches(context, tracer, names, says), text).parse()
    except RecursionError:
        raise SelectionError("-Y: nested too deeply") from None
    found: list[int] = np.flatnonzero(chosen).tolist()
    return found


class _Parser:
    """Recursive descent; every part gives (packets,) bool."""

    def __init__(self, matches: Matches, text: str) -> None:
        self._matches = matches
        self._text = text
        self._tokens = [_WORDS.get(token.lower(), token) for token in self._split(text)]

    def _split(self, text: str) -> list[str]:
        tokens: list[str] = []
        place = 0
        while place < len(text.rstrip()):
            found = _TOKEN.match(text, place)
            if found is None:
                raise self._error(f"not understood from {text[place:].strip()!r} on")
            tokens.append(found[1])
            place = found.end()
        return tokens

    def _error(self, what: str) -> SelectionError:
        return SelectionError(f"-Y {self._text}: {what}")

    def _unknown(self, kind: str, name: str) -> SelectionError:
        near = get_close_matches(name.lower(), [*FIELDS, *PROTOCOLS], 1)
        meant = f"did you mean {near[0]}? " if near else ""
        return self._error(f"unknown {kind} {name!r}; {meant}hoptrace fields lists what there is")

    def parse(self) -> Array:
        result = self._or()
        if self._tokens:
            raise self._error(f"unexpected {self._tokens[0]!r}")
        return result

    def _next(self) -> str:
        if not self._tokens:
            raise self._error("ends too early")
        return self._tokens.pop(0)

    def _or(self) -> Array:
        result = self._and()
        while self._tokens[:1] == ["||"]:
            self._tokens.pop(0)
            result = result | self._and()
        return result

    def _and(self) -> Array:
        result = self._not()
        while self._tokens[:1] == ["&&"]:
            self._tokens.pop(0)
            result = result & self._not()
        return result

    def _not(self) -> Array:
        token = self._next()
        if token == "!":
            return ~self._not()
        if token == "(":
            result = self._or()
            if self._next() != ")":
                raise self._error("a ) is missing")
            return result
        if not self._tokens or self._tokens[0].lower() not in SIGNS:
            return self._alone(token)
        field, sign = token.lower(), self._next().lower()
        if field not in FIELDS:
            raise self._unknown("field", token)
        if sign != "in":
            return self._compared(field, sign, self._next())
        result = self._compared(field, "==", self._first_of_several())
        while (token := self._next()) != "}":
            result = result | self._compared(field, "==", self._next() if token == "," else token)
        return result

    def _first_of_several(self) -> str:
        if self._next() != "{":
            raise self._error("in needs values in braces, as in {80, 443}")
        return self._next()

    def _alone(self, name: str) -> Array:
        """Tell for which a protocol or a switch is there."""
        found = self._matches.protocol(name.lower())
        if found is not None:
            return found
        known = FIELDS.get(name.lower())
        if known is None:
            raise self._unknown("protocol or field", name)
        if known.kind != "switch":
            raise self._error(f"{name} needs a value, as in {name} == {known.example}")
        return self._matches.switch(name.lower())

    def _compared(self, field: str, sign: str, text: str) -> Array:
        value, kind = text.strip('"'), FIELDS[field].kind
        if sign == CONTAINS and kind != "text":
            raise self._error(f"{field} is no text, which could contain something")
        if sign not in ("==", "!=", CONTAINS) and kind != "number":
            raise self._error(f"{field} has no order")
        try:
            found = self._switched(field, value) if kind == "switch" else self._matches.test(field, _equal(sign), value)
        except ValueError:
            raise self._error(f"{field} cannot be {value!r}; {FIELDS[field].example} would be one") from None
        return ~found if sign == "!=" else found

    def _switched(self, field: str, value: str) -> Array:
        if value.lower() not in (*TRUE, *FALSE):
            raise ValueError(value)
        found = self._matches.switch(field)
        return found if value.lower() in TRUE else ~found


def _equal(sign: str) -> str:
    """Return what is asked of hops: what is unequal is all that no hop is equal to."""
    return "==" if sign == "!=" else sign
