"""What journeys and connections are called: J12, C0."""

import re

from analyzer.errors import SelectionError

CALLED = re.compile(r"[JjCc]?[0-9]{1,18}")
"""More digits do not fit into 64 bits."""


def read_which(text: str) -> tuple[int, bool]:
    """
    Read a journey's number, as in J12, or a connection's, as in C0; tell whether it is a connection's.

    Raises:
        SelectionError: it is neither.
    """
    if text[:1] in ("C", "c"):
        return _number(text[1:], f"{text}: not a connection; they are called C0, C1, ..."), True
    return read_journey(text), False


def read_journey(text: str) -> int:
    """
    Read a journey's number.

    Raises:
        SelectionError: it is none.
    """
    digits = text.removeprefix("J").removeprefix("j")
    return _number(digits, f"{text}: not a journey; they are called J0, J1, ...")


def _number(digits: str, otherwise: str) -> int:
    if not (CALLED.fullmatch(digits) and digits.isdecimal()):
        raise SelectionError(otherwise)
    return int(digits)
