"""The sentence that stands first: who cannot do what, and why. Then what several sentences share."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from analyzer.model.finding import Fact
from analyzer.model.words import plural

Facts = dict[str, Fact]
SHOWN = 2


class Verb(Enum):
    """What somebody cannot do."""

    REACH = "reach"
    ANSWER = "get an answer"
    RESOLVE = "resolve"
    SEND = "send"


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of one finding."""

    detail: str
    """What was counted, and where."""
    explanation: str = ""
    cause: str = ""
    """What acts, and what it does: the end of the first sentence; empty where nobody is kept from anything."""
    verb: Verb = Verb.REACH
    remedy: str | None = None
    """None for what the check says of itself."""


def heading(f: Facts, words: Words) -> str:
    """Say who cannot do what, and why; what was counted, where that is nobody's trouble."""
    who, what = texts(f, "who"), texts(f, "what")
    if not words.cause or not who or not what:
        return words.detail
    subject, one = several(who), len(set(who)) == 1
    protocols = ", ".join(texts(f, "protocols"))
    there = several(what) + (f" ({protocols})" if protocols else "")
    return f"{subject} {_predicate(f, words.verb, there, what, one=one)}: {words.cause}"


def _predicate(f: Facts, verb: Verb, there: str, what: Sequence[str], *, one: bool) -> str:
    tries, failed = number(f, "tries"), number(f, "failed")
    if verb is Verb.RESOLVE:
        return f"cannot resolve {f.get('names') or 'names'}"
    if verb is Verb.SEND:
        bare = list(dict.fromkeys(without_port(text) for text in what))
        return f"cannot send more than {number(f, 'fits') or number(f, 'mtu')} bytes to {several(bare)}"
    if verb is Verb.ANSWER and failed >= tries:
        return f"{'gets' if one else 'get'} no answer from {there}"
    if not tries or failed >= tries:
        return f"cannot reach {there}"
    reaches = "reaches" if one else "reach"
    if failed:
        return f"{reaches} {there} only sometimes, {tries - failed:,} of {tries:,}"
    return f"{reaches} {there} slowly"


def without_port(text: str) -> str:
    """Return an endpoint's address or name: ``db:5432``, ``[fe80::1]:53``."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, colon, port = text.rpartition(":")
    return host if colon and port.isdigit() and ":" not in host else text


def several(items: Sequence[str]) -> str:
    """Join two names, and count the others."""
    named = list(dict.fromkeys(items))
    more = f" and {len(named) - SHOWN:,} more" if len(named) > SHOWN else ""
    return ", ".join(named[:SHOWN]) + more


def texts(f: Facts, name: str) -> list[str]:
    """Return a fact that is a list."""
    found = f.get(name)
    return found if isinstance(found, list) else []


def number(f: Facts, name: str) -> Any:
    """Return a fact that is a number, 0 without."""
    return f.get(name, 0)


def packets(f: Facts, word: str = "packet") -> str:
    """Count the packets."""
    return plural(number(f, "packets"), word)


def affected(f: Facts) -> str:
    """Name the connections."""
    named = texts(f, "connections")
    if not named:
        return ""
    more = f" and {number(f, 'more_connections')} more" if f.get("more_connections") else ""
    return f"Of {', '.join(named)}{more}."


def offered(f: Facts, rest: str = ".") -> str | None:
    """Offer what was tried; where it does not help, say that instead. None if there is nothing to offer."""
    commands = "; ".join(texts(f, "commands"))
    if not commands:
        return None
    if f.get("outcome") == "not-enough":
        return f"Not enough, for something else stops the packet after it: {commands}{rest}"
    unsure = " Whether that is enough, the recorded rules do not decide." if f.get("outcome") == "undecided" else ""
    return f"{commands}{rest}{unsure}"
