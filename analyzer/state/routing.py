"""Which route the kernel takes: rules in order of priority, then the longest prefix of a table (fib_rules, fib_lookup).

Takes a HostState and what the rules may ask of a packet, gives the route and why it was this one. A selector that
cannot be decided is left to whoever asks. Without recorded rules, the kernel's own are assumed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_network

from analyzer.model import Address, HostState, Route, RoutingRule
from analyzer.model.engine import Prefix
from analyzer.model.question import ABSENT, Absent, Field, Missing, OneOf, Unknown

DEFAULT_RULES = tuple(
    RoutingRule(priority, version, None, None, None, None, False, table, None, f"{priority}: from all lookup {table}")
    for version in (4, 6)
    for priority, table in ((0, "local"), (32766, "main"), (32767, "default"))
)
NO_WAY = ("blackhole", "unreachable", "prohibit", "throw")
MOST_JUMPS = 64
OWN_IIF = "lo"
"""By what the host's own packets come in, as rules ask for it (LOOPBACK_IFINDEX of ip_route_output_key_hash)."""
Decide = Callable[[RoutingRule, Unknown], bool]
"""Assumes an answer to whether a rule fits."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What rules and routes may ask of a packet; None is not known, but for the source, which may not be chosen yet."""

    dst: Address
    src: Address | None = None
    mark: int | None = 0
    iif: str | Absent | None = ABSENT
    oif: str | Absent | None = ABSENT
    protocol: int | None = None
    sport: int | OneOf | Absent | None = None
    dport: int | OneOf | Absent | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """A route, and the rule that led to its table."""

    route: Route
    rule: RoutingRule

    @property
    def why(self) -> str:
        """Say why it was chosen."""
        prefix = self.route.dst.prefixlen
        length = f"longest prefix /{prefix}" if prefix else "no other prefix fits"
        return f"{length} in table {self.route.table}, by rule “{self.rule.text}”"


def no(rule: RoutingRule, unknown: Unknown) -> bool:
    """Take a selector that cannot be decided for one that does not fit."""
    return False


def choose(host: HostState, sought: Sought, decide: Decide = no) -> Chosen | None:
    """Return the route for a packet; None if there is none, or none was recorded."""
    version = sought.dst.version
    rules = [rule for rule in host.routing_rules if rule.version == version]
    rules = sorted(rules or [rule for rule in DEFAULT_RULES if rule.version == version], key=lambda rule: rule.priority)
    place, jumps = 0, 0
    while place < len(rules):
        rule = rules[place]
        place += 1
        if not _applies(host, rule, sought, decide):
            continue
        if rule.goto is not None and jumps < MOST_JUMPS:
            there = next((n for n, other in enumerate(rules) if other.priority == rule.goto), None)
            place, jumps = (place if there is None else there), jumps + 1
        if rule.action in NO_WAY[:3]:
            return Chosen(Route(everywhere(sought.dst), None, None, 0, "", rule.text, rule.action), rule)
        route = None if rule.table is None else _lookup(host, rule.table, sought)
        if route is None or route.kind == "throw":
            continue
        if rule.suppress is not None and route.kind not in NO_WAY and route.dst.prefixlen <= rule.suppress:
            continue  # a route that is an error is never suppressed (fib_rules_lookup)
        return Chosen(route, rule)
    return None


def everywhere(dst: Address) -> Prefix:
    """Return the prefix of all addresses of an address' version."""
    return ip_network("0.0.0.0/0" if dst.version == 4 else "::/0")


def _applies(host: HostState, rule: RoutingRule, sought: Sought, decide: Decide) -> bool:
    """Tell whether a rule is one for the packet, negated or not (fib_rule_match)."""
    fits = _fits(host, rule, sought)
    return decide(rule, fits) if isinstance(fits, Unknown) else fits is not rule.negated


def _fits(host: HostState, rule: RoutingRule, sought: Sought) -> bool | Unknown:
    unknown: Unknown | None = None
    for answer in _answers(host, rule, sought):
        if answer is False:
            return False
        if isinstance(answer, Unknown):
            unknown = unknown or answer
    return True if unknown is None else unknown


def _answers(host: HostState, rule: RoutingRule, sought: Sought) -> Iterator[bool | Unknown]:
    """Give what each selector says that the rule has; most have none."""
    if rule.dst is not None:
        yield sought.dst in rule.dst
    if rule.src is not None:
        yield sought.src is not None and sought.src in rule.src
    if rule.iif is not None:
        yield _same(rule.iif, OWN_IIF if sought.iif is ABSENT else sought.iif, Field.IIF)
    if rule.oif is not None:
        yield _same(rule.oif, sought.oif, Field.OIF)
    if rule.mark is not None and rule.mark != (0, 0):
        value, mask = rule.mark
        yield _known(sought.mark, Field.MARK, lambda found: found & mask == value)
    if rule.protocol is not None:
        yield _known(sought.protocol, Field.PROTOCOL, lambda found: found == rule.protocol)
    if rule.sport is not None:
        yield _within(rule.sport, sought.sport, Field.SPORT)
    if rule.dport is not None:
        yield _within(rule.dport, sought.dport, Field.DPORT)
    for word in rule.unread:
        yield _other(host, word, sought)


def _other(host: HostState, word: str, sought: Sought) -> bool | Unknown:
    """Answer for a selector that is not followed, where the answer does not hang on it."""
    if word == "l3mdev" and host.links and not any(link.kind == "vrf" for link in host.links):
        return False
    if word == "uidrange" and isinstance(sought.iif, str):
        return False  # what is forwarded belongs to no user (INVALID_UID)
    return Unknown(Missing.FIELD, word)


def _same(wanted: str, found: str | Absent | None, field: Field) -> bool | Unknown:
    return Unknown(Missing.FIELD, field) if found is None else found == wanted


def _within(ports: tuple[int, int], found: int | OneOf | Absent | None, field: Field) -> bool | Unknown:
    if isinstance(found, Absent):
        return False
    plain = found if isinstance(found, int) else None
    return _known(plain, field, lambda port: ports[0] <= port <= ports[1])


def _known(found: int | None, field: Field, fits: Callable[[int], bool]) -> bool | Unknown:
    return Unknown(Missing.FIELD, field) if found is None else fits(found)


def _lookup(host: HostState, table: str, sought: Sought) -> Route | None:
    dst = sought.dst
    fitting = [r for r in host.routes if r.table == table and r.dst.version == dst.version and dst in r.dst]
    if isinstance(sought.oif, str):  # a socket that is bound to an interface takes routes by that one alone
        fitting = [r for r in fitting if r.kind != "unicast" or sought.oif in r.devices]
    return min(fitting, key=lambda r: (-r.dst.prefixlen, r.metric), default=None)
