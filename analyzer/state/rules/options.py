"""Options of iptables' rules to questions: one small function each, by the option and the match that it belongs to.

What each asks is what ``iptables-extensions(8)`` says and net/netfilter/xt_*.c do. Takes an option with its value as
``iptables-save`` prints it, gives a question; an option that is not here is opaque, with what is missing to answer it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import ip_address, ip_network

from analyzer.model.question import (
    Bits,
    Both,
    Either,
    Elements,
    Expression,
    Field,
    Glob,
    Joined,
    Member,
    Missing,
    Named,
    Of,
    Opaque,
    Operator,
    Question,
    Range,
    Test,
)  # fmt: skip
from analyzer.state.rules.names import (
    DSCP,
    ICMP,
    ICMP6,
    XT_ICMP,
    XT_ICMP6,
    XT_TCP_FLAGS,
    protocol_number,
)  # fmt: skip
from analyzer.state.rules.sets import IpSet
from analyzer.state.rules.values import addresses


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a rule, e.g. ``! -o docker0``: a match, or what the target shall do."""

    name: str
    value: str
    negated: bool
    module: str
    """``-m`` before it, or the target for a target's options; empty for iptables' own."""

    @property
    def text(self) -> str:
        """As the rule says it."""
        return f"{'! ' if self.negated else ''}{self.name} {self.value}".strip()


Reader = Callable[[Option], Question]
NOTHING = Both((), "")
"""A question whose answer is always yes."""
MISSING = {
    "limit": Missing.RATE, "hashlimit": Missing.RATE, "statistic": Missing.CHANCE, "recent": Missing.HISTORY,
    "connlimit": Missing.HISTORY, "connbytes": Missing.HISTORY, "quota": Missing.HISTORY, "rateest": Missing.HISTORY,
    "time": Missing.CLOCK, "string": Missing.PAYLOAD, "u32": Missing.PAYLOAD, "tcpmss": Missing.PAYLOAD,
    "owner": Missing.SOCKET, "socket": Missing.SOCKET, "cgroup": Missing.SOCKET, "bpf": Missing.PROGRAM,
    "policy": Missing.IPSEC, "set": Missing.SET,
}  # fmt: skip
"""What is missing to answer matches that are not evaluated; all others are not known."""


def question(option: Option, sets: Mapping[str, IpSet]) -> Question:
    """Return what an option asks, of *sets* that were recorded; opaque where nobody here can answer it."""
    reader = _OPTIONS.get((option.module, option.name)) or _OPTIONS.get(("", option.name))
    if reader is None and option.name == "--match-set":
        reader = partial(_set, sets=sets)
    if reader is None:
        return Opaque(option.text, MISSING.get(option.module, Missing.MATCH))
    try:
        found = reader(option)
    except (ValueError, LookupError):  # no value that iptables would take
        return Opaque(option.text, Missing.VALUE)
    if option.negated and not isinstance(found, Opaque) and found is not NOTHING:
        return replace(found, negated=not found.negated, text=option.text)
    return found


def _test(option: Option, value: Expression | Field, *members: Member) -> Test:
    expression = Of(value) if isinstance(value, Field) else value
    return Test(expression, Elements(members), option.text.removeprefix("! "))


def _address(option: Option, field: Field) -> Question:
    host, slash, mask = option.value.partition("/")
    if slash and not mask.isdecimal():
        return _masked(option, field, host, mask)
    return _test(option, field, addresses(ip_network(option.value, strict=False)))


def _masked(option: Option, field: Field, host: str, mask: str) -> Question:
    """Compare with a netmask, which may have holes (``-s 10.0.0.1/255.0.0.255``)."""
    low, bits = ip_address(host), int(ip_address(mask))
    return _test(
        option, Bits(Of(field), bits), ip_address(int(low) & bits) if low.version == 4 else type(low)(int(low) & bits)
    )


def interface(pattern: str) -> Member:
    """Return what an interface is compared with: a name that ends in + stands for all that begin so."""
    return Glob(pattern[:-1]) if pattern.endswith("+") else pattern


def _interface(option: Option, field: Field) -> Question:
    return _test(option, Of(field, ""), interface(option.value))


def _protocol(option: Option) -> Question:
    if option.value in ("all", "0"):
        return Both((), option.text) if option.negated else NOTHING
    number = protocol_number(option.value)
    return Opaque(option.text, Missing.VALUE) if number is None else _test(option, Field.PROTOCOL, number)


def ports(text: str) -> list[Member]:
    """Read ``80``, ``80:90``, ``:90``, ``80:`` and lists of them."""
    found: list[Member] = []
    for one in text.split(","):
        low, colon, high = one.partition(":")
        first, last = int(low or 0), int(high or (65_535 if colon else low))
        found.append(Range(first, last) if colon else first)
    return found


def _ports(option: Option, *fields: Field) -> Question:
    tests = tuple(_test(option, field, *ports(option.value)) for field in fields)
    return tests[0] if len(tests) == 1 else Either(tests, option.text.removeprefix("! "))


_STATES = ("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED")


def _state(option: Option) -> Question:
    """Compare the state, and whether its ends are translated (xt_conntrack.c counts both as states)."""
    words = option.value.split(",")
    parts: list[Question] = [_test(option, Field.CT_STATE, *(word for word in words if word in _STATES))]
    for word, field in (("DNAT", Field.CT_DNAT), ("SNAT", Field.CT_SNAT)):
        if word in words:
            parts.append(_test(option, field, 1))
    if not set(words) <= {*_STATES, "DNAT", "SNAT"}:
        raise ValueError(option.value)
    return parts[0] if len(parts) == 1 else Either(tuple(parts), option.text.removeprefix("! "))


_STATUS = {"EXPECTED": None, "SEEN_REPLY": Field.CT_SEEN_REPLY, "ASSURED": Field.CT_ASSURED,
           "CONFIRMED": Field.CT_CONFIRMED}  # fmt: skip


def _status(option: Option) -> Question:
    parts = [_STATUS[word] for word in option.value.split(",")]
    if option.value == "NONE" or None in parts:
        return Opaque(option.text, Missing.FIELD)
    tests = tuple(_test(option, field, 1) for field in parts if field is not None)
    return tests[0] if len(tests) == 1 else Either(tests, option.text.removeprefix("! "))


def _types(option: Option, field: Field) -> Question:
    return _test(option, field, *option.value.split(","))


def _mark(option: Option, field: Field) -> Question:
    value, _, mask = option.value.partition("/")
    bits = int(mask, 0) if mask else 0xFFFF_FFFF
    return _test(option, Bits(Of(field), bits), int(value, 0))


def _icmp(option: Option, protocol: int) -> Question:
    version6 = protocol == ICMP6
    kind, code = (Field.ICMP6_TYPE, Field.ICMP6_CODE) if version6 else (Field.ICMP_TYPE, Field.ICMP_CODE)
    if option.value in ("any", "255"):
        return _test(option, Field.PROTOCOL, protocol)
    named = (XT_ICMP6 if version6 else XT_ICMP).get(option.value)
    if named is None:
        number, _, detail = option.value.partition("/")
        named = int(number), int(detail) if detail else None
    tests = [_test(option, kind, named[0]), *([_test(option, code, named[1])] if named[1] is not None else [])]
    return tests[0] if len(tests) == 1 else Both(tuple(tests), option.text.removeprefix("! "))


def _flags(option: Option) -> Question:
    words = ["FIN,SYN,RST,ACK", "SYN"] if option.name == "--syn" else option.value.split(" ")
    mask, wanted = (sum(XT_TCP_FLAGS[flag] for flag in word.split(",")) for word in words)
    return _test(option, Bits(Of(Field.TCP_FLAGS), mask), wanted)


def _yes(option: Option, field: Field) -> Question:
    return _test(option, field, 1)


def _is_in(option: Option, field: Field) -> Question:
    """Ask whether it came, or will leave, by a bridge's port at all."""
    return replace(_test(option, Of(field, ""), ""), negated=True)


def _length(option: Option) -> Question:
    return _test(option, Field.LENGTH, *ports(option.value))


def _ttl(option: Option) -> Question:
    operator = {"eq": Operator.IN, "lt": Operator.LESS, "gt": Operator.GREATER}[option.name[-2:]]
    return replace(_test(option, Field.TTL, int(option.value)), operator=operator)


def _range(option: Option, field: Field) -> Question:
    low, _, high = option.value.partition("-")
    return _test(option, field, Range(ip_address(low), ip_address(high or low)))


def _mac(option: Option) -> Question:
    return _test(option, Field.SRC_MAC, int(option.value.replace(":", ""), 16))


_SIDES = {"src": (Field.SRC, Field.SPORT, Field.IIF), "dst": (Field.DST, Field.DPORT, Field.OIF)}


def _set(option: Option, sets: Mapping[str, IpSet]) -> Question:
    """Ask for an element: addresses, ports ... of one side or the other, in the set's order (``src,dst``)."""
    name, _, words = option.value.partition(" ")
    ways = words.split(",")
    if name not in sets:
        return Opaque(option.text, Missing.SET)
    kinds = sets[name].kinds
    if len(ways) < len(kinds):
        raise ValueError(option.value)
    parts: list[Expression] = []
    for kind, way in zip(kinds, ways, strict=False):
        address, port, device = _SIDES[way]
        parts += {
            "ip": (Of(address),), "net": (Of(address),), "port": (Of(Field.PROTOCOL), Of(port)),
            "mark": (Of(Field.MARK),), "iface": (Of(device, ""),), "mac": (Of(Field.SRC_MAC),),
        }[kind]  # fmt: skip
    return _test(option, parts[0] if len(parts) == 1 else Joined(tuple(parts)), Named(name))


def _dscp(option: Option) -> Question:
    value = DSCP.get(option.value.lower()) if option.name == "--dscp-class" else int(option.value, 0)
    if value is None:
        raise ValueError(option.value)
    return _test(option, Field.DSCP, value)


def _nothing(option: Option) -> Question:
    return NOTHING


HOW = frozenset(("--validmark", "--accept-local"))
"""Options that say how something is asked, not what."""


def _way_back(option: Option) -> Question:
    """Ask whether the way to the source is the one that the packet came by (xt_rpfilter.c)."""
    return _test(option, Field.WAY_BACK, 0 if option.name == "--invert" else 1)


def _socket(option: Option) -> Question:
    """
    Ask for a socket that takes the packet (xt_socket.c): what begins a connection to another machine has none yet.

    Listeners count only if they are bound to that very address.
    """
    begun = replace(_test(option, Field.CT_STATE, "NEW"), negated=True)
    return Both((begun, Opaque(option.text, Missing.SOCKET)), option.text)


_OPTIONS: dict[tuple[str, str], Reader] = {
    ("", "-s"): partial(_address, field=Field.SRC),
    ("", "-d"): partial(_address, field=Field.DST),
    ("", "-i"): partial(_interface, field=Field.IIF),
    ("", "-o"): partial(_interface, field=Field.OIF),
    ("", "-p"): _protocol,
    ("socket", "--transparent"): _socket,
    ("", "-f"): partial(_yes, field=Field.FRAGMENT),
    ("", "--sport"): lambda option: _ports(option, Field.SPORT),
    ("", "--dport"): lambda option: _ports(option, Field.DPORT),
    ("multiport", "--sports"): lambda option: _ports(option, Field.SPORT),
    ("multiport", "--dports"): lambda option: _ports(option, Field.DPORT),
    ("multiport", "--ports"): lambda option: _ports(option, Field.SPORT, Field.DPORT),
    ("conntrack", "--ctstate"): _state,
    ("state", "--state"): _state,
    ("conntrack", "--ctstatus"): _status,
    ("conntrack", "--ctdir"): lambda option: _test(option, Field.CT_DIRECTION, option.value.lower()),
    ("conntrack", "--ctproto"): lambda option: _test(option, Field.PROTOCOL, int(option.value)),
    ("conntrack", "--ctorigsrc"): partial(_address, field=Field.CT_SRC),
    ("conntrack", "--ctorigdst"): partial(_address, field=Field.CT_DST),
    ("conntrack", "--ctreplsrc"): partial(_address, field=Field.CT_REPLY_SRC),
    ("conntrack", "--ctrepldst"): partial(_address, field=Field.CT_REPLY_DST),
    ("conntrack", "--ctorigsrcport"): lambda option: _ports(option, Field.CT_SPORT),
    ("conntrack", "--ctorigdstport"): lambda option: _ports(option, Field.CT_DPORT),
    ("conntrack", "--ctreplsrcport"): lambda option: _ports(option, Field.CT_REPLY_SPORT),
    ("conntrack", "--ctrepldstport"): lambda option: _ports(option, Field.CT_REPLY_DPORT),
    ("addrtype", "--src-type"): partial(_types, field=Field.SRC_TYPE),
    ("addrtype", "--dst-type"): partial(_types, field=Field.DST_TYPE),
    ("mark", "--mark"): partial(_mark, field=Field.MARK),
    ("connmark", "--mark"): partial(_mark, field=Field.CT_MARK),
    ("comment", "--comment"): _nothing,
    ("icmp", "--icmp-type"): partial(_icmp, protocol=ICMP),
    ("icmp6", "--icmpv6-type"): partial(_icmp, protocol=ICMP6),
    ("tcp", "--tcp-flags"): _flags,
    ("tcp", "--syn"): _flags,
    ("physdev", "--physdev-is-bridged"): partial(_yes, field=Field.BRIDGED),
    ("physdev", "--physdev-in"): partial(_interface, field=Field.PORT_IN),
    ("physdev", "--physdev-out"): partial(_interface, field=Field.PORT_OUT),
    ("physdev", "--physdev-is-in"): partial(_is_in, field=Field.PORT_IN),
    ("physdev", "--physdev-is-out"): partial(_is_in, field=Field.PORT_OUT),
    ("length", "--length"): _length,
    ("ttl", "--ttl-eq"): _ttl,
    ("ttl", "--ttl-lt"): _ttl,
    ("ttl", "--ttl-gt"): _ttl,
    ("hl", "--hl-eq"): _ttl,
    ("hl", "--hl-lt"): _ttl,
    ("hl", "--hl-gt"): _ttl,
    ("iprange", "--src-range"): partial(_range, field=Field.SRC),
    ("iprange", "--dst-range"): partial(_range, field=Field.DST),
    ("mac", "--mac-source"): _mac,
    ("dscp", "--dscp"): _dscp,
    ("dscp", "--dscp-class"): _dscp,
    ("nfacct", "--nfacct-name"): _nothing,
    ("recent", "--set"): _nothing,
    **{("recent", how): _nothing for how in ("--name", "--mask", "--rsource", "--rdest")},
    ("rpfilter", "-m"): _way_back,
    ("rpfilter", "--invert"): _way_back,
    ("rpfilter", "--validmark"): _nothing,
    ("rpfilter", "--accept-local"): _nothing,
    **{(module, "-m"): _nothing for module in ("tcp", "udp", "udplite", "sctp", "dccp", "icmp", "icmp6", "comment")},
}
"""All that is evaluated, by match and option."""
KNOWN = tuple(_OPTIONS)
"""Match and option of each."""
