"""Expressions and matches of nftables to questions, from the JSON of ``nft -j`` (libnftables-json(5)).

What each is, is what nft(8) says and net/netfilter/nft_*.c do. What is not here becomes opaque, with what is missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from analyzer.model.question import (
    Alike,
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
)  # fmt: skip
from analyzer.state.rules.names import (
    DSCP,
    NFT_ICMP,
    NFT_ICMP6,
    NFT_ICMP6_CODES,
    NFT_ICMP_CODES,
    PROTOCOLS,
    TCP_FLAGS,
)  # fmt: skip
from analyzer.state.rules.nft_text import match_text, side
from analyzer.state.rules.values import addresses

Json = Any
WORD, BYTE, WORD6 = 0xFFFF_FFFF, 0xFF, (1 << 128) - 1
IPV6_HEADER = 40
MISSING = {
    "numgen": Missing.CHANCE, "jhash": Missing.CHANCE, "symhash": Missing.CHANCE, "socket": Missing.SOCKET,
    "ipsec": Missing.IPSEC, "osf": Missing.PAYLOAD, "tcp option": Missing.PAYLOAD, "ip option": Missing.PAYLOAD,
    "sctp chunk": Missing.PAYLOAD, "dccp option": Missing.PAYLOAD,
}  # fmt: skip
"""What is missing to evaluate an expression."""
META_MISSING = {
    "skuid": Missing.SOCKET, "skgid": Missing.SOCKET, "cgroup": Missing.SOCKET, "cpu": Missing.CHANCE,
    "random": Missing.CHANCE, "hour": Missing.CLOCK, "day": Missing.CLOCK, "time": Missing.CLOCK,
    "secpath": Missing.IPSEC, "ipsec": Missing.IPSEC, "priority": Missing.FIELD, "pkttype": Missing.FIELD,
    "rtclassid": Missing.FIELD, "iifgroup": Missing.FIELD, "oifgroup": Missing.FIELD, "iiftype": Missing.FIELD,
    "oiftype": Missing.FIELD,
}  # fmt: skip
_TYPES = ("unspec", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit")


@dataclass(frozen=True, slots=True)
class Kind:
    """What an expression's constants are called, and how many bits it has."""

    names: Mapping[str, Any]
    bits: int = WORD
    flags: bool = False
    """Its values are bits, of which a rule may ask for any."""


NUMBER, NAME = Kind({}), Kind({}, 0)
_STATES = Kind({state.lower(): state for state in ("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED")}, 0)
_KINDS: dict[Field, Kind] = {
    Field.PROTOCOL: Kind(PROTOCOLS, BYTE), Field.TCP_FLAGS: Kind(TCP_FLAGS, BYTE, flags=True),
    Field.ICMP_TYPE: Kind(NFT_ICMP, BYTE), Field.ICMP_CODE: Kind(NFT_ICMP_CODES, BYTE),
    Field.ICMP6_TYPE: Kind(NFT_ICMP6, BYTE), Field.ICMP6_CODE: Kind(NFT_ICMP6_CODES, BYTE),
    Field.DSCP: Kind(DSCP, 0x3F), Field.TTL: Kind({}, BYTE), Field.CT_STATE: _STATES,
    Field.VERSION: Kind({"ipv4": 4, "ipv6": 6, "ip": 4, "ip6": 6, "arp": 0, "vlan": 0, "8021q": 0, "8021ad": 0}),
    Field.SRC_TYPE: Kind({name: name.upper() for name in _TYPES}, 0),
    Field.DST_TYPE: Kind({name: name.upper() for name in _TYPES}, 0),
    Field.IIF: NAME, Field.OIF: NAME, Field.PORT_IN: NAME, Field.PORT_OUT: NAME, Field.CT_DIRECTION: NAME,
}  # fmt: skip
_STATUS = {
    "seen-reply": Field.CT_SEEN_REPLY, "assured": Field.CT_ASSURED, "confirmed": Field.CT_CONFIRMED,
    "snat": Field.CT_SNAT, "dnat": Field.CT_DNAT,
}  # fmt: skip
META = {
    "iifname": Of(Field.IIF, ""), "iif": Of(Field.IIF, ""), "oifname": Of(Field.OIF, ""), "oif": Of(Field.OIF, ""),
    "l4proto": Of(Field.PROTOCOL), "mark": Of(Field.MARK), "nfproto": Of(Field.VERSION), "protocol": Of(Field.VERSION),
    "length": Of(Field.LENGTH),
}  # fmt: skip
OTHERS = Unknown(Missing.PAYLOAD, "th of a protocol without ports")
"""``th`` reads the same bytes of every protocol: of ICMP, the checksum."""
PAYLOAD: dict[tuple[str, str], Expression] = {
    ("ip", "saddr"): Of(Field.SRC, version=4), ("ip", "daddr"): Of(Field.DST, version=4),
    ("ip", "protocol"): Of(Field.PROTOCOL, version=4), ("ip", "ttl"): Of(Field.TTL, version=4),
    ("ip", "length"): Of(Field.LENGTH, version=4), ("ip", "dscp"): Of(Field.DSCP, version=4),
    ("ip", "version"): Of(Field.VERSION, version=4),
    ("ip6", "saddr"): Of(Field.SRC, version=6), ("ip6", "daddr"): Of(Field.DST, version=6),
    ("ip6", "nexthdr"): Of(Field.PROTOCOL, version=6), ("ip6", "hoplimit"): Of(Field.TTL, version=6),
    ("ip6", "length"): Plus(Of(Field.LENGTH, version=6), -IPV6_HEADER), ("ip6", "dscp"): Of(Field.DSCP, version=6),
    ("tcp", "flags"): Of(Field.TCP_FLAGS),
    ("icmp", "type"): Of(Field.ICMP_TYPE), ("icmp", "code"): Of(Field.ICMP_CODE),
    ("icmpv6", "type"): Of(Field.ICMP6_TYPE), ("icmpv6", "code"): Of(Field.ICMP6_CODE),
    ("th", "sport"): Of(Field.SPORT, missing=OTHERS), ("th", "dport"): Of(Field.DPORT, missing=OTHERS),
    ("ether", "saddr"): Of(Field.SRC_MAC), ("ether", "daddr"): Of(Field.DST_MAC),
    ("ether", "type"): Of(Field.VERSION),
    **{(name, end): Of(field, protocol=PROTOCOLS[name])
       for name in ("tcp", "udp", "udplite", "sctp", "dccp")
       for end, field in (("sport", Field.SPORT), ("dport", Field.DPORT))},
}  # fmt: skip
_ORIGINAL = {"saddr": Field.CT_SRC, "daddr": Field.CT_DST, "proto-src": Field.CT_SPORT, "proto-dst": Field.CT_DPORT}
CT = {"state": Field.CT_STATE, "direction": Field.CT_DIRECTION, "mark": Field.CT_MARK}
ENDS = tuple(f"{way} {end}" for way in ("original", "reply") for end in _ORIGINAL)
_REPLY = {"saddr": Field.CT_REPLY_SRC, "daddr": Field.CT_REPLY_DST, "proto-src": Field.CT_REPLY_SPORT,
          "proto-dst": Field.CT_REPLY_DPORT}  # fmt: skip
_OPERATORS = {
    "<": Operator.LESS, ">": Operator.GREATER, "<=": Operator.AT_MOST, ">=": Operator.AT_LEAST,
    "==": Operator.IN, "!=": Operator.IN, "in": Operator.IN,
}  # fmt: skip


def match(told: Json) -> Question:
    """Return what a ``match`` statement asks."""
    text, op = match_text(told), told.get("op", "==")
    if op not in _OPERATORS:
        return Opaque(text)
    left = told["left"]
    if isinstance(left, dict) and left.get("ct", {}).get("key") == "status":
        return _status(told["right"], op, text)
    value = expression(left)
    if isinstance(value, Opaque):
        return Opaque(text, value.missing)
    kind = kind_of(value)
    if kind.flags and op == "in":
        wanted = _flags(told["right"], kind)
        return Opaque(text, Missing.VALUE) if wanted is None else Test(
            Bits(value, wanted), Elements((0,)), text, negated=True)  # fmt: skip
    if kind.flags and isinstance(told["right"], list):
        wanted = _flags(told["right"], kind)
        members = (Opaque(text, Missing.VALUE),) if wanted is None else (wanted,)
        return Test(value, Elements(members), text, negated=op == "!=")
    return Test(value, elements(told["right"], value), text, _OPERATORS[op], negated=op == "!=")


def _status(right: Json, op: str, text: str) -> Question:
    """Ask for any of the bits of conntrack's status; the whole word, nobody knows."""
    words = right if isinstance(right, list) else [right]
    if op != "in" or not all(isinstance(word, str) and word in _STATUS for word in words):
        return Opaque(text, Missing.FIELD)
    tests = tuple(Test(Of(_STATUS[word]), Elements((1,)), text) for word in words)
    return tests[0] if len(tests) == 1 else Either(tests, text)


def expression(told: Json) -> Expression:
    """Return what an expression is."""
    if not isinstance(told, dict) or not told:
        return Opaque(str(told)[:80])
    (kind, inner), *_ = told.items()
    if kind == "concat":
        parts = tuple(expression(part) for part in inner)
        opaque = next((part for part in parts if isinstance(part, Opaque)), None)
        return opaque or Joined(parts)
    if kind == "meta":
        known = META.get(inner["key"])
        return known or Opaque(side(told), META_MISSING.get(inner["key"], Missing.MATCH))
    if kind == "payload":
        return PAYLOAD.get((inner.get("protocol", ""), inner.get("field", "")), Opaque(side(told), Missing.PAYLOAD))
    if kind == "ct":
        return _ct(inner, told)
    if kind == "fib":
        return _fib(inner, told)
    if kind in ("&", "|", "^"):
        return _bits(kind, inner, told)
    if kind == "map":
        return _map(inner)
    if kind == "exthdr" and inner.get("name") == "frag" and "field" not in inner:
        return Opaque(side(told), Missing.FIELD)
    return Opaque(side(told), MISSING.get(kind, Missing.MATCH))


def _ct(inner: Json, told: Json) -> Expression:
    key, way = inner["key"], inner.get("dir")
    if key in CT:
        return Of(CT[key])
    family, space, name = key.rpartition(" ")
    field = (_REPLY if way == "reply" else _ORIGINAL).get(name)
    if field is None or way not in ("reply", "original", None):
        return Opaque(side(told), {"zone": Missing.ZONE, "count": Missing.HISTORY}.get(key, Missing.MATCH))
    return Of(field, version={"ip": 4, "ip6": 6}.get(family) if space else None)


def _fib(inner: Json, told: Json) -> Expression:
    flags = inner.get("flags") or []
    flags = [flags] if isinstance(flags, str) else flags
    if inner.get("result") == "type" and len(flags) == 1 and flags[0] in ("saddr", "daddr"):
        return Of(Field.SRC_TYPE if flags[0] == "saddr" else Field.DST_TYPE)
    if inner.get("result") == "oif" and {"saddr", "iif"} <= set(flags) <= {"saddr", "iif", "mark"}:
        return Of(Field.WAY_BACK)  # compared with false or true alone: missing, exists
    return Opaque(side(told))


def _bits(kind: str, inner: Json, told: Json) -> Expression:
    """Read ``mark & 0xff``, ``(mark & 0xff) | 0x10``, ``mark ^ 1``: all are ``(x & mask) ^ flip``."""
    value: Expression | None = None
    for place, one in enumerate(inner):
        if place == 0:
            value = expression(one)
            continue
        assert value is not None
        number = _constant(one, kind_of(value))
        if isinstance(value, Opaque) or number is None:
            return Opaque(side(told), value.missing if isinstance(value, Opaque) else Missing.VALUE)
        whole = WORD6 if kind_of(value).bits == WORD else kind_of(value).bits
        if kind == "&":
            value = Bits(value, number)
        elif kind == "|":  # bits are set: cleared first, then flipped
            value = Bits(value, whole & ~number, number)
        else:
            value = Bits(value, whole, number)
    return value or Opaque(side(told), Missing.VALUE)


def _map(inner: Json) -> Expression:
    key = expression(inner["key"])
    if isinstance(key, Opaque):
        return key
    data = inner["data"]
    if isinstance(data, str):
        return Mapped(key, data.removeprefix("@"))
    return Mapped(key, pairs(data.get("set", []), key, result))


def kind_of(value: Expression) -> Kind:
    """Return what constants are that an expression is compared with."""
    while isinstance(value, Bits | Plus):
        value = value.of
    return _KINDS.get(value.field, NUMBER) if isinstance(value, Of) else NUMBER


def _flags(told: Json, kind: Kind) -> int | None:
    """Add up flags, given as a list, joined by ``|``, alone, or as a number."""
    if isinstance(told, int):
        return told
    words = told if isinstance(told, list) else told.get("|", []) if isinstance(told, dict) else [told]
    found = [kind.names.get(word) if isinstance(word, str) else _flags(word, kind) for word in words]
    known = [bit for bit in found if bit is not None]
    if not known or len(known) < len(found):
        return None
    total = 0
    for bit in known:
        total |= bit
    return total


def _constant(told: Json, kind: Kind) -> int | None:
    if isinstance(told, dict | list) or (isinstance(told, str) and kind.flags):
        return _flags(told, kind)
    if isinstance(told, bool):
        return int(told)
    if isinstance(told, int):
        return told
    try:
        return int(ip_address(told))
    except ValueError:
        found = kind.names.get(told)
        return found if isinstance(found, int) else None


def elements(told: Json, value: Expression | None) -> Elements:
    """Return what a match compares a value with."""
    if isinstance(told, dict) and "set" in told:
        return Elements(tuple(member(one, value) for one in told["set"]))
    if isinstance(told, list):
        return Elements(tuple(member(one, value) for one in told))
    return Elements((member(told, value),))


def pairs(told: Json, key: Expression | None, read: Callable[[Json], Any]) -> Elements:
    """Return the elements of a map."""
    return Elements(pairs=tuple((member(one[0], key), read(one[1])) for one in told))


def member(told: Json, value: Expression | None) -> Member:
    """Return an element of a set, as values of an expression are."""
    if isinstance(told, dict):
        (kind, inner), *_ = told.items()
        if kind == "elem":
            return member(inner["val"], value)
        if kind == "concat":
            parts = value.parts if isinstance(value, Joined) else (None,) * len(inner)
            if len(parts) != len(inner):
                return Opaque(side(told), Missing.VALUE)
            return Alike(tuple(member(one, part) for one, part in zip(inner, parts, strict=True)))
        if kind == "prefix":
            return _prefix(inner)
        if kind == "range":
            low, high = (member(one, value) for one in inner)
            plain = not isinstance(low, Opaque | str | Glob) and not isinstance(high, Opaque | str | Glob)
            return Range(low, high) if plain and type(low) is type(high) else Opaque(side(told), Missing.VALUE)  # type: ignore[arg-type]
        wanted = _flags(told, kind_of(value)) if kind == "|" and value is not None else None
        return Opaque(side(told)) if wanted is None else wanted
    if isinstance(told, str):
        return Named(told[1:]) if told.startswith("@") else _plain(told, value)
    return int(told) if isinstance(told, int) else Opaque(str(told)[:40], Missing.VALUE)


def _prefix(inner: Json) -> Member:
    try:
        return addresses(ip_network(f"{inner['addr']}/{inner['len']}", strict=False))
    except ValueError:
        return Opaque(side({"prefix": inner}), Missing.VALUE)


def _plain(text: str, value: Expression | None) -> Member:
    """Read a constant by what it is compared with: an address, a name for a number, or a name."""
    kind = NUMBER if value is None else kind_of(value)
    if text in kind.names:
        found: Member = kind.names[text]
        return found
    if kind is NAME:
        return Glob(text[:-1]) if text.endswith("*") else text
    of = value.field if isinstance(value, Of) else None
    if of in (Field.SRC_MAC, Field.DST_MAC):
        return int(text.replace(":", ""), 16) if text.count(":") == 5 else Opaque(text, Missing.VALUE)
    try:
        return int(text, 0) if text[:1].isdecimal() and text.isalnum() else ip_address(text)
    except ValueError:
        # The elements of a named set are read without knowing what they are: names stay names.
        return text if value is None else Opaque(text, Missing.VALUE)


_TYPES_OF_SETS = {
    "ifname": Field.IIF, "inet_proto": Field.PROTOCOL, "mark": Field.MARK, "ct_state": Field.CT_STATE,
    "icmp_type": Field.ICMP_TYPE, "icmp_code": Field.ICMP_CODE, "icmpv6_type": Field.ICMP6_TYPE,
    "icmpv6_code": Field.ICMP6_CODE, "ether_addr": Field.SRC_MAC, "dscp": Field.DSCP, "fib_addrtype": Field.SRC_TYPE,
    "nf_proto": Field.VERSION, "ether_type": Field.VERSION, "ipv4_addr": Field.SRC, "ipv6_addr": Field.SRC,
    "inet_service": Field.DPORT, "tcp_flag": Field.TCP_FLAGS, "ct_dir": Field.CT_DIRECTION, "iface_index": Field.IIF,
}  # fmt: skip


def of_type(told: Json) -> Expression | None:
    """Return what the elements of a named set are values of."""
    if isinstance(told, list):
        parts = tuple(of_type(one) or Opaque(str(one)[:40]) for one in told)
        return Joined(parts)
    if isinstance(told, dict):
        return expression(told.get("typeof", told))
    field = _TYPES_OF_SETS.get(told)
    return None if field is None else Of(field)


def result(told: Json) -> Expression:
    """Return a value that a map gives, or a translation has."""
    if isinstance(told, dict):
        (kind, inner), *_ = told.items()
        if kind == "concat":
            return Joined(tuple(result(one) for one in inner))
        if kind == "range":
            low, high = (member(one, None) for one in inner)
            plain = not isinstance(low, Opaque) and not isinstance(high, Opaque)
            return OneOf(low, high) if plain else Opaque(side(told), Missing.VALUE)  # type: ignore[arg-type]
        if kind == "prefix":
            return Opaque(side(told), Missing.TARGET)
        return expression(told)
    return constant(told, None)


def constant(told: Json, value: Expression | None) -> Expression:
    """Return a value that is written as what it is, by the names of an expression."""
    found = member(told, value)
    fixed = not isinstance(found, Opaque | Named | Alike | Range | Glob)
    return Constant(found) if fixed else Opaque(str(told)[:80], Missing.VALUE)  # type: ignore[arg-type]
