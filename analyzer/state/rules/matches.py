"""Whether a rule's options match a packet: yes, no, or None, because nobody here knows.

One function per option. What each compares, is what ``iptables-extensions(8)`` says and net/netfilter/xt_*.c do.
"""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from analyzer.model import Address, mac_text
from analyzer.model.rules import Option, Ruleset
from analyzer.state.rules.packet import SOMEWHERE, Packet

Owner = Callable[[Address], str]
"""Tells the type of an address, as rtnetlink(7) does: ``LOCAL``, ``BROADCAST``, ``MULTICAST`` or ``UNICAST``."""
Answer = bool | None

_TCP_FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32, "ALL": 63, "NONE": 0}
_ICMP_NAMES = {
    "any": None,
    "echo-reply": (0, None),
    "destination-unreachable": (3, None),
    "network-unreachable": (3, 0),
    "host-unreachable": (3, 1),
    "port-unreachable": (3, 3),
    "fragmentation-needed": (3, 4),
    "redirect": (5, None),
    "echo-request": (8, None),
    "time-exceeded": (11, None),
}
ICMP6_NAMES = {
    "destination-unreachable": (1, None),
    "no-route": (1, 0),
    "communication-prohibited": (1, 1),
    "address-unreachable": (1, 3),
    "port-unreachable": (1, 4),
    "packet-too-big": (2, None),
    "time-exceeded": (3, None),
    "parameter-problem": (4, None),
    "echo-request": (128, None),
    "echo-reply": (129, None),
    "router-solicitation": (133, None),
    "router-advertisement": (134, None),
    "neighbour-solicitation": (135, None),
    "neighbor-solicitation": (135, None),
    "neighbour-advertisement": (136, None),
    "neighbor-advertisement": (136, None),
    "redirect": (137, None),
}
_NUMBERS = {"icmp": "1", "igmp": "2", "tcp": "6", "udp": "17", "gre": "47", "esp": "50", "ipv6-icmp": "58",
            "icmpv6": "58", "sctp": "132", "udplite": "136", "dccp": "33", "all": "0"}  # fmt: skip


def matches(options: tuple[Option, ...], packet: Packet, owner: Owner, rules: Ruleset) -> tuple[Answer, Option | None]:
    """Compare all options: False if one does not match, else None if one is unknown, with that one; else True."""
    unknown: Option | None = None
    for option in options:
        compare = _OPTIONS.get(option.name)
        try:
            answer = None if compare is None else compare(option, packet, owner, rules)
        except (ValueError, LookupError, TypeError):  # no value that iptables would take
            answer = None
        if answer is None:
            unknown = unknown or option
        elif answer is option.negated:
            return False, None
    return (None, unknown) if unknown is not None else (True, None)


@lru_cache(maxsize=65_536)
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text, strict=False)


def _address(text: str, ip: Address) -> bool:
    prefix = _network(text)
    return prefix.version == ip.version and ip in prefix


def _source(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    return _address(option.value, packet.src)


def _destination(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    return _address(option.value, packet.dst)


def _interface(pattern: str, name: str | None) -> bool:
    """Compare as iptables does: a name that ends in + stands for all that begin so."""
    name = name or ""
    return name.startswith(pattern[:-1]) if pattern.endswith("+") else name == pattern


def _in(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    return _interface(option.value, packet.iif)


def _out(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    return None if packet.oif == SOMEWHERE else _interface(option.value, packet.oif)


def _protocol(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    wanted = _NUMBERS.get(option.value, option.value)
    return wanted in ("0", _NUMBERS.get(packet.protocol, packet.protocol))


def _port(text: str, port: int) -> bool:
    low, colon, high = text.partition(":")
    return int(low or 0) <= port <= int(high or (65535 if colon else low))


def _ports(text: str, *ports: int | None) -> Answer:
    known = [port for port in ports if port is not None]
    if len(known) < len(ports):
        return None
    return any(_port(one, port) for one in text.split(",") for port in known)


def _sport(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    return _ports(option.value, packet.sport)


def _dport(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    return _ports(option.value, packet.dport)


def _any_port(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    return _ports(option.value, packet.sport, packet.dport)


def _state(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    if packet.ct_state is None:
        return None
    wanted = set(option.value.split(","))
    known = {packet.ct_state}
    known |= {"DNAT"} if packet.ct_dnat else set()
    known |= {"SNAT"} if packet.ct_snat else set()
    return bool(wanted & known)


def _direction(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    return None if packet.ct_reply is None else packet.ct_reply is (option.value == "REPLY")


def _original(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    """Compare an end of conntrack's original tuple."""
    if packet.ct_original is None:
        return None
    src, dst, sport, dport = packet.ct_original
    if option.name in ("--ctorigsrc", "--ctorigdst"):
        return _address(option.value, src if option.name == "--ctorigsrc" else dst)
    return _ports(option.value, sport if option.name == "--ctorigsrcport" else dport)


def _source_type(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    return owner(packet.src) in option.value.split(",")


def _destination_type(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    return owner(packet.dst) in option.value.split(",")


def _mark(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    if option.module != "mark":
        return None  # connmark's are the connection's
    value, _, mask = option.value.partition("/")
    return packet.mark & int(mask or "0xffffffff", 0) == int(value, 0)


def _comment(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    return not option.negated


def _icmp_type(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    version6 = option.name == "--icmpv6-type"
    if packet.protocol != ("icmpv6" if version6 else "icmp"):
        return False
    names = ICMP6_NAMES if version6 else _ICMP_NAMES
    if option.value in names:
        found = names[option.value]
        if found is None:
            return True
        kind, code = found
    else:
        number, _, detail = option.value.partition("/")
        if not number.isdigit():
            return None
        kind, code = int(number), int(detail) if detail else None
    if packet.icmp_type is None:
        return None
    return packet.icmp_type == kind and (code is None or packet.icmp_code == code)


def _flags(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    if packet.tcp_flags is None:
        return None
    words = ["FIN,SYN,RST,ACK", "SYN"] if option.name == "--syn" else option.value.split(" ")
    mask, wanted = (sum(_TCP_FLAGS[flag] for flag in word.split(",")) for word in words)
    return packet.tcp_flags & mask == wanted


def _is_bridged(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    return packet.bridged


def _physdev_in(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    return _interface(option.value, packet.physdev_in)


def _physdev_out(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    return _interface(option.value, packet.physdev_out)


def _length(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    return None if packet.length is None or option.module != "length" else _port(option.value, packet.length)


def _ttl(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    if packet.ttl is None:
        return None
    wanted = int(option.value)
    return {"eq": packet.ttl == wanted, "lt": packet.ttl < wanted, "gt": packet.ttl > wanted}[option.name[-2:]]


def _range(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    low, _, high = option.value.partition("-")
    ip = packet.src if option.name == "--src-range" else packet.dst
    first, last = ip_address(low), ip_address(high or low)
    return first.version == ip.version and int(first) <= int(ip) <= int(last)


def _mac(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    return None if packet.src_mac is None else mac_text(packet.src_mac) == option.value.lower()


def _set(option: Option, packet: Packet, owner: Owner, rules: Ruleset) -> Answer:
    name, _, way = option.value.partition(" ")
    if name not in rules.sets or way not in ("src", "dst"):
        return None
    ip = packet.src if way == "src" else packet.dst
    return any(_address(member, ip) for member in rules.sets[name])


_OPTIONS: dict[str, Callable[[Option, Packet, Owner, Ruleset], Answer]] = {
    "-s": _source,
    "-d": _destination,
    "-i": _in,
    "-o": _out,
    "-p": _protocol,
    "--sport": _sport,
    "--dport": _dport,
    "--sports": _sport,
    "--dports": _dport,
    "--ports": _any_port,
    "--ctstate": _state,
    "--state": _state,
    "--ctdir": _direction,
    "--ctorigsrc": _original,
    "--ctorigdst": _original,
    "--ctorigsrcport": _original,
    "--ctorigdstport": _original,
    "--src-type": _source_type,
    "--dst-type": _destination_type,
    "--mark": _mark,
    "--comment": _comment,
    "--icmp-type": _icmp_type,
    "--icmpv6-type": _icmp_type,
    "--tcp-flags": _flags,
    "--syn": _flags,
    "--physdev-is-bridged": _is_bridged,
    "--physdev-in": _physdev_in,
    "--physdev-out": _physdev_out,
    "--length": _length,
    "--ttl-eq": _ttl,
    "--ttl-lt": _ttl,
    "--ttl-gt": _ttl,
    "--hl-eq": _ttl,
    "--hl-lt": _ttl,
    "--hl-gt": _ttl,
    "--src-range": _range,
    "--dst-range": _range,
    "--mac-source": _mac,
    "--match-set": _set,
}
