"""Which route the kernel takes: rules in order of priority, then the longest prefix of a table (fib_rules, fib_lookup).

Takes a HostState, gives the route and why it was this one. Without recorded rules, the kernel's own are assumed.
"""

from dataclasses import dataclass
from ipaddress import ip_network

from analyzer.model import Address, HostState, Route, RoutingRule
from analyzer.model.host import Prefix

DEFAULT_RULES = tuple(
    RoutingRule(priority, version, None, None, None, None, False, table, None, f"{priority}: from all lookup {table}")
    for version in (4, 6)
    for priority, table in ((0, "local"), (32766, "main"), (32767, "default"))
)
NO_WAY = ("blackhole", "unreachable", "prohibit", "throw")


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


def choose(
    host: HostState, dst: Address, *, src: Address | None = None, mark: int = 0, iif: str | None = None
) -> Chosen | None:
    """Return the route for a packet; None if there is none, or none was recorded."""
    rules = [rule for rule in host.routing_rules if rule.version == dst.version]
    rules = rules or [rule for rule in DEFAULT_RULES if rule.version == dst.version]
    for rule in sorted(rules, key=lambda rule: rule.priority):
        if _matches(rule, dst, src, mark, iif) is rule.negated:
            continue
        if rule.action in NO_WAY[:3]:
            return Chosen(Route(_everything(dst), None, None, 0, "", rule.text, rule.action), rule)
        if rule.table is None:
            continue
        route = _lookup(host, rule.table, dst)
        if route is not None and route.kind != "throw":
            return Chosen(route, rule)
    return None


def _everything(dst: Address) -> Prefix:
    return ip_network("0.0.0.0/0" if dst.version == 4 else "::/0")


def _matches(rule: RoutingRule, dst: Address, src: Address | None, mark: int, iif: str | None) -> bool:
    return (
        (rule.dst is None or dst in rule.dst)
        and (rule.src is None or (src is not None and src in rule.src))
        and (rule.iif is None or rule.iif == iif)
        and (rule.mark is None or mark & rule.mark[1] == rule.mark[0])
    )


def _lookup(host: HostState, table: str, dst: Address) -> Route | None:
    fitting = [r for r in host.routes if r.table == table and r.dst.version == dst.version and dst in r.dst]
    return min(fitting, key=lambda r: (-r.dst.prefixlen, r.metric), default=None)
