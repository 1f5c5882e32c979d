"""Native nftables rules, from ``nft -j list ruleset`` (libnftables-json(5)): Docker's nftables backend writes such.

Tables that ``iptables-save`` shows as well are left to it: their rules stand here as ``xt``, without their targets.
Whether an expression holds is yes, no, or None, because nobody here knows.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Any, Self

from analyzer.model import Address, mac_text
from analyzer.model.rules import NativeChain, NativeRule, NativeTable, Rule
from analyzer.state.rules.packet import SOMEWHERE, Packet

Json = Any
Answer = bool | None
Owner = Callable[[Address], str]
IPTABLES = frozenset(("raw", "mangle", "nat", "filter", "security"))
MOST_STATEMENTS = 500_000
_PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "sctp": 132, "udplite": 136, "dccp": 33}
_ICMP_TYPES = {
    "echo-reply": 0, "destination-unreachable": 3, "source-quench": 4, "redirect": 5, "echo-request": 8,
    "router-advertisement": 9, "router-solicitation": 10, "time-exceeded": 11, "parameter-problem": 12,
    "timestamp-request": 13, "timestamp-reply": 14, "info-request": 15, "info-reply": 16, "address-mask-request": 17,
    "address-mask-reply": 18,
}  # fmt: skip
ICMP6_TYPES = {
    "destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4, "echo-request": 128,
    "echo-reply": 129, "mld-listener-query": 130, "mld-listener-report": 131, "mld-listener-done": 132,
    "mld-listener-reduction": 132, "nd-router-solicit": 133, "nd-router-advert": 134, "nd-neighbor-solicit": 135,
    "nd-neighbor-advert": 136, "nd-redirect": 137, "router-renumbering": 138, "ind-neighbor-solicit": 141,
    "ind-neighbor-advert": 142, "mld2-listener-report": 143,
}  # fmt: skip
_ICMP_CODES = {
    "net-unreachable": 0, "host-unreachable": 1, "prot-unreachable": 2, "port-unreachable": 3, "frag-needed": 4,
    "net-prohibited": 9, "host-prohibited": 10, "admin-prohibited": 13,
}  # fmt: skip
ICMP6_CODES = {
    "no-route": 0, "admin-prohibited": 1, "addr-unreachable": 3, "port-unreachable": 4, "policy-fail": 5,
    "reject-route": 6,
}  # fmt: skip
_NAMES = {
    ("icmp", "type"): _ICMP_TYPES, ("icmp", "code"): _ICMP_CODES,
    ("icmpv6", "type"): ICMP6_TYPES, ("icmpv6", "code"): ICMP6_CODES,
}  # fmt: skip
"""What numbers are called in rules, by protocol and field: the same name is another number in the other family."""
IPV6_HEADER = 40
_FLAGS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32}


def parse_native(text: str, elsewhere: Collection[str] = ("ip", "ip6")) -> list[NativeTable]:
    """
    Read a dump; iptables' tables of the families in *elsewhere* are left out.

    Raises:
        ValueError, LookupError, TypeError: it is not what ``nft -j`` prints.
    """
    found: dict[tuple[str, str], NativeTable] = {}
    count = 0
    for item in json.loads(text)["nftables"]:
        (kind, value), *_ = item.items()
        if kind == "table":
            found[value["family"], value["name"]] = NativeTable(value["family"], value["name"])
            continue
        table = found.get((value.get("family"), value.get("table")))
        if table is None:
            continue
        if kind == "chain":
            chain = NativeChain(table, value["name"], value.get("hook"), value.get("type"), int(value.get("prio", 0)))
            chain.policy = value.get("policy", "accept")
            table.chains[chain.name] = chain
        elif kind in ("set", "map"):
            table.sets[value["name"]] = list(value.get("elem", ()))
        elif kind == "rule":
            count += len(value["expr"])
            if count > MOST_STATEMENTS:
                raise ValueError(f"more than {MOST_STATEMENTS:,} statements")
            table.chains[value["chain"]].rules.append(NativeRule(value["expr"], _shown(table, value)))
    return [table for table in found.values() if table.name not in IPTABLES or table.family not in elsewhere]


def _shown(table: NativeTable, value: Json) -> Rule:
    counters: list[Json] = [s["counter"] for s in value["expr"] if isinstance(s.get("counter"), dict)]
    counter = counters[0] if counters else {}
    text = " ".join(filter(None, map(_text, value["expr"])))
    return Rule(
        text=f"{table.family} {table.name} {value['chain']}: {text}",
        table=f"{table.family} {table.name}",
        chain=value["chain"],
        options=(),
        target=_target(value["expr"]),
        target_options=(),
        goto=False,
        packets=int(counter.get("packets", 0)),
        bytes=int(counter.get("bytes", 0)),
        handle=int(value["handle"]) if "handle" in value else None,
        counts=bool(counters),
    )


def _target(statements: list[Json]) -> str:
    """Return what a rule ends with, as iptables would call it: a verdict, or the chain that it jumps to."""
    for kind, told in (item for statement in statements for item in statement.items()):
        if kind in ("accept", "drop", "reject", "return"):
            return str(kind).upper()
        if kind in ("jump", "goto"):
            return str(told["target"])
    return ""


def base_chains(tables: Iterable[NativeTable], version: int, hook: str) -> Iterator[NativeChain]:
    """Give the base chains of a hook."""
    families = ("inet", "ip6" if version == 6 else "ip")
    for table in tables:
        if table.family in families:
            yield from (chain for chain in table.chains.values() if chain.hook == hook)


def holds(match: Json, packet: Packet, owner: Owner, table: NativeTable) -> Answer:
    """Tell whether a ``match`` statement holds."""
    wanted, op = match["right"], match.get("op", "==")
    if isinstance(match["left"], dict) and "&" in match["left"]:
        return _masked(match, packet)
    found = value(match["left"], packet, owner)
    if found is ABSENT:
        return False
    if found is None:
        return None
    if op in ("==", "in", "!="):
        inside = contains(wanted, found, table)
        return inside if op != "!=" or inside is None else not inside
    if isinstance(found, int) and isinstance(wanted, int):
        return {"<": found < wanted, ">": found > wanted, "<=": found <= wanted, ">=": found >= wanted}.get(op)
    return None


ABSENT = object()
"""The packet has no such field: no rule that asks for it matches."""


def value(left: Json, packet: Packet, owner: Owner) -> Any:
    """Return what an expression is of a packet; None if nobody knows, ABSENT if it has none."""
    if not isinstance(left, dict):
        return None
    if "concat" in left:
        parts = [value(part, packet, owner) for part in left["concat"]]
        return ABSENT if ABSENT in parts else None if None in parts else tuple(parts)
    if "meta" in left:
        return _meta(left["meta"]["key"], packet)
    if "payload" in left:
        return _payload(left["payload"], packet)
    if "ct" in left:
        return _ct(left["ct"]["key"], packet) if left["ct"].get("dir") != "reply" else None
    if "fib" in left and left["fib"].get("result") == "type":
        flags = left["fib"].get("flags") or []
        flags = [flags] if isinstance(flags, str) else flags
        if len(flags) == 1 and flags[0] in ("saddr", "daddr"):
            return owner(packet.src if flags[0] == "saddr" else packet.dst).lower()
    return None


def _meta(key: str, packet: Packet) -> Any:
    known: dict[str, Any] = {
        "iifname": packet.iif or "",
        "iif": packet.iif or "",
        "oifname": None if packet.oif == SOMEWHERE else packet.oif or "",
        "oif": None if packet.oif == SOMEWHERE else packet.oif or "",
        "l4proto": packet.protocol,
        "mark": packet.mark,
        "nfproto": "ipv6" if packet.src.version == 6 else "ipv4",
        "protocol": "ip6" if packet.src.version == 6 else "ip",
        "length": packet.length,
    }
    return known.get(key)


def _payload(field_of: Json, packet: Packet) -> Any:
    protocol, name = field_of.get("protocol"), field_of.get("field")
    if protocol in ("ip", "ip6"):
        if protocol != ("ip6" if packet.src.version == 6 else "ip"):
            return ABSENT
        payload = None if packet.length is None else packet.length - IPV6_HEADER  # what ip6 calls its length
        known = {
            "saddr": packet.src,
            "daddr": packet.dst,
            "protocol": packet.protocol,
            "nexthdr": packet.protocol,
            "ttl": packet.ttl,
            "hoplimit": packet.ttl,
            "length": packet.length if protocol == "ip" else payload,
        }
        return known.get(name)
    if protocol in ("th", packet.protocol):
        if name in ("sport", "dport"):
            port = packet.sport if name == "sport" else packet.dport
            return ABSENT if port is None and packet.protocol in ("icmp", "icmpv6") else port
        number = {"type": packet.icmp_type, "code": packet.icmp_code}.get(name)
        return None if number is None else _Named(number, _NAMES.get((protocol, name), {}))
    if protocol == "ether":
        return mac_text(packet.src_mac) if name == "saddr" and packet.src_mac is not None else None
    return ABSENT if protocol in _PROTOCOLS else None


class _Named(int):
    """A number that rules may call by a name."""

    names: Mapping[str, int]

    def __new__(cls, number: int, names: Mapping[str, int]) -> Self:
        found = super().__new__(cls, number)
        found.names = names
        return found


def _ct(key: str, packet: Packet) -> Any:
    if key == "state":
        return packet.ct_state.lower() if packet.ct_state else None
    if key == "direction":
        return None if packet.ct_reply is None else "reply" if packet.ct_reply else "original"
    if key in ("saddr", "daddr", "proto-src", "proto-dst") and packet.ct_original is not None:
        return packet.ct_original[("saddr", "daddr", "proto-src", "proto-dst").index(key)]
    if key == "status":
        return frozenset((["dnat"] if packet.ct_dnat else []) + (["snat"] if packet.ct_snat else []))
    return None


def _masked(match: Json, packet: Packet) -> Answer:
    """Compare ``tcp flags & (fin|syn) == syn`` and ``meta mark & 1 == 1``."""
    left, mask = match["left"]["&"]
    if left == {"payload": {"protocol": "tcp", "field": "flags"}}:
        if packet.protocol != "tcp":
            return False
        found = packet.tcp_flags
    elif left == {"meta": {"key": "mark"}}:
        found = packet.mark
    else:
        return None
    bits, wanted = _bits(mask), _bits(match["right"])
    if found is None or bits is None or wanted is None:
        return None
    equal = found & bits == wanted
    return {"==": equal, "!=": not equal}.get(match.get("op", "=="))


def _bits(text: Json) -> int | None:
    if isinstance(text, int):
        return text
    words = text if isinstance(text, list) else text.get("|", []) if isinstance(text, dict) else [text]
    known = [_FLAGS.get(word) if isinstance(word, str) else _bits(word) for word in words]
    found = [bit for bit in known if bit is not None]
    return sum(found) if len(found) == len(known) and found else None


def contains(wanted: Json, found: Any, table: NativeTable) -> Answer:
    """Tell whether a value is what a rule wants: equal, inside a prefix or range, or one of a set."""
    if isinstance(wanted, str) and wanted.startswith("@"):
        elements = table.sets.get(wanted[1:])
        return None if elements is None else contains({"set": elements}, found, table)
    if isinstance(wanted, dict) and "set" in wanted:
        return _any(wanted["set"], found, table)
    if isinstance(wanted, list):
        return _any(wanted, found, table)
    if isinstance(wanted, dict):
        if "elem" in wanted:
            return contains(wanted["elem"]["val"], found, table)
        if "concat" in wanted and isinstance(found, tuple):
            answers = [contains(w, f, table) for w, f in zip(wanted["concat"], found, strict=False)]
            return False if False in answers else None if None in answers else True
        if "prefix" in wanted and not isinstance(found, int | str | tuple | frozenset):
            prefix = ip_network(f"{wanted['prefix']['addr']}/{wanted['prefix']['len']}", strict=False)
            return prefix.version == found.version and found in prefix
        if "range" in wanted:
            return _between(wanted["range"], found)
        return None
    return _equal(wanted, found)


def _any(elements: list[Json], found: Any, table: NativeTable) -> Answer:
    answers = [contains(element, found, table) for element in elements]
    return True if True in answers else None if None in answers else False


def _between(ends: list[Json], found: Any) -> Answer:
    if isinstance(found, int):
        return int(ends[0]) <= found <= int(ends[1])
    if isinstance(found, str | tuple | frozenset):
        return None
    first, last = ip_address(ends[0]), ip_address(ends[1])
    return first.version == found.version and int(first) <= int(found) <= int(last)


def _equal(wanted: Json, found: Any) -> Answer:
    if isinstance(found, frozenset):
        return wanted in found
    if isinstance(found, str) and isinstance(wanted, str):
        names = {"icmpv6": "ipv6-icmp"}
        if wanted.endswith("*"):
            return found.startswith(wanted[:-1])
        return found == wanted or names.get(found) == wanted
    if isinstance(found, str) and isinstance(wanted, int):
        return _PROTOCOLS.get(found) == wanted
    if isinstance(found, int) and isinstance(wanted, str):
        return found == found.names[wanted] if isinstance(found, _Named) and wanted in found.names else None
    if isinstance(found, int):
        return bool(found == wanted)
    try:
        return bool(found == ip_address(str(wanted)))
    except ValueError:
        return None


def verdict_of(vmap: Json, packet: Packet, owner: Owner, table: NativeTable) -> Json | None:
    """Return the statement that a verdict map gives; None if it has none, ``{"unknown": ...}`` if nobody knows."""
    found = value(vmap["key"], packet, owner)
    if found is ABSENT:
        return None
    data = vmap["data"]
    pairs = table.sets.get(data[1:]) if isinstance(data, str) else data.get("set") if isinstance(data, dict) else None
    if found is None or pairs is None:
        return {"unknown": None}
    for key, statement in pairs:
        answer = contains(key, found, table)
        if answer is None:
            return {"unknown": None}
        if answer:
            return statement
    return None


def _text(statement: Json) -> str:
    """Say a statement about as ``nft`` does."""
    (kind, told), *_ = statement.items()
    if kind == "match":
        op = "" if told.get("op") in ("==", "in") else f"{told.get('op')} "
        return f"{_side(told['left'])} {op}{_side(told['right'])}"
    if kind in ("jump", "goto"):
        return f"{kind} {told['target']}"
    if kind in ("dnat", "snat", "redirect"):
        told = told or {}
        port = f":{_side(told['port'])}" if "port" in told else ""
        return f"{kind} to {_side(told.get('addr', ''))}{port}"
    if kind == "vmap":
        return f"{_side(told['key'])} vmap {_side(told['data'])}"
    if kind == "mangle":
        return f"{_side(told['key'])} set {_side(told['value'])}"
    if kind == "reject" and isinstance(told, dict):
        return f"reject with {told.get('type', '')} {told.get('expr', '')}".rstrip()
    return "" if kind == "counter" else str(kind)


def _side(told: Json) -> str:
    if isinstance(told, dict):
        (kind, inner), *_ = told.items()
        if kind == "payload":
            return f"{inner.get('protocol', '@')} {inner.get('field', '')}"
        if kind in ("meta", "ct"):
            return str(inner["key"]) if kind == "meta" else f"ct {inner['key']}"
        if kind == "prefix":
            return f"{inner['addr']}/{inner['len']}"
        if kind == "range":
            return f"{inner[0]}-{inner[1]}"
        if kind == "set":
            return "{ " + ", ".join(_side(one) for one in inner) + " }"
        if kind == "&":
            return " & ".join(_side(one) for one in inner)
        if kind == "|":
            return "|".join(_side(one) for one in inner)
        if kind == "concat":
            return " . ".join(_side(one) for one in inner)
        return str(kind)
    if isinstance(told, list):
        return ",".join(_side(one) for one in told)
    return str(told)
