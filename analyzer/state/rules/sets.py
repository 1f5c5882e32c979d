"""``ipset save`` to elements that rules can ask for.

A set has kinds (``hash:ip,port``: ``ip`` and ``port``), and its elements are of them in order. Sets of sets and what
else cannot be read keep their name, and what asks for them is not decidable.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from analyzer.model.question import Alike, Elements, Member, Missing, Opaque, Range
from analyzer.state.rules.names import TCP, protocol_number
from analyzer.state.rules.values import addresses

KINDS = frozenset(("ip", "net", "port", "mark", "iface", "mac"))


@dataclass(slots=True)
class IpSet:
    """One set."""

    kinds: tuple[str, ...]
    elements: Elements = field(default_factory=Elements)


def parse_sets(lines: Iterable[str]) -> dict[str, IpSet]:
    """Read a dump; sets of kinds that are not known are left out."""
    kinds: dict[str, tuple[str, ...]] = {}
    members: dict[str, tuple[list[Member], list[Member]]] = {}
    for line in lines:
        words = line.split()
        if len(words) >= 3 and words[0] == "create":
            of = tuple(words[2].partition(":")[2].split(","))
            if words[2].startswith(("hash:", "bitmap:")) and set(of) <= KINDS:
                kinds[words[1]], members[words[1]] = of, ([], [])
        elif len(words) >= 3 and words[0] == "add" and words[1] in kinds:
            excepted = "nomatch" in words[3:]
            members[words[1]][excepted].append(_element(words[2], kinds[words[1]]))
    return {name: IpSet(kinds[name], Elements(tuple(inside), tuple(out))) for name, (inside, out) in members.items()}


def _element(text: str, kinds: tuple[str, ...]) -> Member:
    """Read ``10.0.0.0/8``, ``10.0.0.1,tcp:80``, ``10.0.0.0/8,eth0``, ``80``."""
    try:
        parts: list[Member] = []
        for word, kind in zip(text.split(","), kinds, strict=True):
            parts += _part(word, kind)
    except ValueError:
        return Opaque(text, Missing.SET)
    return parts[0] if len(parts) == 1 else Alike(tuple(parts))


def _part(word: str, kind: str) -> list[Member]:
    if kind in ("ip", "net"):
        low, dash, high = word.partition("-")
        return [Range(ip_address(low), ip_address(high)) if dash else addresses(ip_network(word, strict=False))]
    if kind == "mac":
        return [int(word.replace(":", ""), 16)]
    if kind == "mark":
        return [int(word, 0)]
    if kind == "iface":
        if word.startswith("physdev:"):
            raise ValueError(word)
        return [word]
    name, colon, number = word.rpartition(":")
    protocol = protocol_number(name) if colon else TCP
    if protocol is None:
        raise ValueError(word)
    low, dash, high = number.partition("-")
    return [protocol, Range(int(low), int(high)) if dash else int(low)]
