"""The sentence that stands first: who cannot do what, and why. Then what several sentences share."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from analyzer.model.finding import Fact
from analyzer.model.words import plural

Facts = dict[str, Fact]
SHOWN = 2
PROXY_PORT = ":3128"
"""Squid's, and by custom other HTTP proxies'."""


class Verb(Enum):
    """What somebody cannot do."""

    REACH = "reach"
    ANSWER = "get an answer"
    RESOLVE = "resolve"
    SEND = "send"
    OPEN = "open connections"
    GET = "get"
    KEEP = "keep a connection"
    USE = "use"


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
    there = several(_ends(what)) + (f" ({protocols})" if protocols else "")
    where = f", on {f['host']}" if f.get("host") else ""
    return f"{subject} {_predicate(f, words.verb, there, one=one)}: {words.cause}{where}"


def reached_otherwise(f: Facts) -> str:
    """Say that nobody noticed."""
    names = texts(f, "reached")
    return f" {several(names)} was reached by another of its addresses, so nobody noticed." if names else ""


def by_xdp(f: Facts, words: Words, remedy: str) -> Words:
    """Say that nobody knows whether answers came: somebody takes what comes in before captures see it."""
    program, dev = f.get("xdp"), f.get("xdp_at")
    if not program or not words.cause:
        return words
    return replace(
        words,
        cause=f"{words.cause}; XDP program {program} on {dev} sees answers before any capture, and may drop them",
        remedy=f"First see whether {program} drops the answers, by the counters and settings of whoever loaded it (a "
        f"firewall, Cilium, CrowdSec), or by ethtool -S {dev} (xdp_drop). If it does not: {words.remedy or remedy}",
    )


def for_proxy(f: Facts, words: Words, remedy: str) -> Words:
    """Say that what was asked is a proxy's port by custom: containers are told to ask it by their environment."""
    what = texts(f, "what")
    if not words.cause or not what or any(not text.endswith(PROXY_PORT) for text in what):
        return words
    who = several(texts(f, "who"))
    return replace(
        words,
        cause=f"{words.cause}; by its port it is an HTTP proxy",
        remedy=f"{words.remedy or remedy} If there is no proxy any more: {who} is told to use one by HTTP_PROXY and "
        "HTTPS_PROXY in its environment, which come from compose, from docker run -e, from ~/.docker/config.json "
        "(proxies), or from its image; take them away there, and make the container again.",
    )


def _predicate(f: Facts, verb: Verb, there: str, *, one: bool) -> str:
    if verb is Verb.RESOLVE:
        return f"cannot resolve {several(texts(f, 'asked_names')) or 'names'}"
    if verb is Verb.OPEN:
        return "cannot open connections"
    if verb is Verb.USE:
        return f"cannot use {there}"
    if verb is Verb.GET:
        return f"cannot get {there}"
    if verb is Verb.KEEP:
        return f"{'loses its connection' if one else 'lose their connections'} to {there}"
    if verb is Verb.SEND:
        bare = several([without_port(text) for text in texts(f, "what")])
        much = f"{f['least']} bytes or more" if f.get("least") else f"more than {f['mtu']} bytes"
        if f.get("of_replies"):
            return f"cannot get {much} at once from {bare}"
        return f"cannot send {much} to {bare}"
    return _reaches(f, there, one=one, answer=verb is Verb.ANSWER)


def _reaches(f: Facts, there: str, *, one: bool, answer: bool) -> str:
    """Say whether every try failed, or some did, or only packets were lost."""
    tries, failed, lost, of = (number(f, name) for name in ("tries", "failed", "packets", "of_packets"))
    if failed >= tries:
        return f"{'gets' if one else 'get'} no answer from {there}" if answer else f"cannot reach {there}"
    if failed:
        return f"{'reaches' if one else 'reach'} {there} only sometimes, {tries - failed:,} of {tries:,} tries"
    if lost < of:
        what = "answers from" if f.get("of_replies") else "packets to"
        return f"{'loses' if one else 'lose'} {lost:,} of {of:,} {what} {there}"
    return f"cannot use {there}"


def _ends(what: Sequence[str]) -> list[str]:
    """Leave out the ports of an end that several of them, or none, were asked of."""
    by_end: dict[str, list[str]] = {}
    for text in dict.fromkeys(what):
        by_end.setdefault(without_port(text), []).append(text)
    return [one for end, of in by_end.items() for one in (of if len(of) <= SHOWN and end not in of else [end])]


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


def commands(f: Facts) -> tuple[str, ...]:
    """Return what to type; nothing, if it was tried and does not help."""
    return () if f.get("outcome") == "not-enough" else tuple(texts(f, "commands"))


def offered(f: Facts, advice: str) -> str | None:
    """Offer what was tried; where it does not help, say that instead. None if there is nothing to offer."""
    tried = "; ".join(texts(f, "commands"))
    if not tried:
        return None
    if f.get("outcome") == "not-enough":
        return f"Not enough, for something else stops the packet after it: {tried}"
    unsure = " Whether that is enough, the recorded rules do not decide." if f.get("outcome") == "undecided" else ""
    return advice + unsure
