"""What a container sent never left it: its own rules, routes or interfaces, or it asked itself."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from shlex import quote

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.edits import for_shell
from analyzer.explain.hypothesis import Cause, Hypothesis
from analyzer.explain.inside import default_route, gateway_of, within
from analyzer.explain.symptoms import unanswered
from analyzer.explain.tally import Count, Least, Most
from analyzer.explain.told import Facts, Told
from analyzer.link.identity import has
from analyzer.model import Address, Container, Finding, HostState, Point, Role, Severity
from analyzer.model.rules import Rule, Table
from analyzer.packet.prove import KILLS
from analyzer.packet.questions import EMBEDDED
from analyzer.packet.stops import moved
from analyzer.schema import Addresses, Layer

NO_PORTS = "UdpNoPorts"
OUTPUT = "output"
MOST_OTHERS = 5
NO_ROUTES, REFUSED, RESETS = "IpOutNoRoutes", "TcpAttemptFails", "TcpOutRsts"
"""nstat's: own packets without a route, connections that failed while they were made, resets that were sent."""
SELF = ("0.0.0.0", "::", "::1")
COUNTED = ("failed", "failed_elsewhere", "resets", "resets_left")
"""Facts of refusals: as counters have them, and what captures show of each."""


@dataclass(frozen=True, slots=True)
class _Sender:
    """A container whose interface was captured, and its own namespace."""

    container: Container
    state: HostState
    point: Point
    silent: bool
    """It sent nothing at all."""
    owes: bool
    """Packets came to it that it did not answer."""


def causes(case: Case) -> Iterator[Cause]:
    """Give what kept packets inside, container by container."""
    for sender in _senders(case):
        everything = (*_rules(sender), *_routes(case, sender), *_itself(case, sender), *_resolver(case, sender))
        everything = everything or tuple(_without_reason(case, sender))
        for number, told in enumerate(everything):
            yield Cause.ready(told, sender.point.host or "", sender.container.name, number)


def _senders(case: Case) -> Iterator[_Sender]:
    """Give each container that was to be captured, once."""
    seen: set[str] = set()
    for point in case.context.points:
        host = case.hosts[point.host]
        state = host.inside.get(point.container or "")
        owner = next((c for c in host.containers if c.name == point.container), None)
        if state is None or owner is None or point.role not in (Role.VETH, Role.CONTAINER) or owner.name in seen:
            continue
        seen.add(owner.name)
        yield _Sender(owner, state, point, not _sent(case, point, owner), _owes(case, owner))


def _owes(case: Case, owner: Container) -> bool:
    addresses = [int(ip) for ip in owner.addresses]
    packets = unanswered(case)
    return bool(Addresses.of(case.context.frames, "dst")[case.last_row[packets]].among(addresses).any())


def _sent(case: Case, point: Point, owner: Container) -> bool:
    """Tell whether a container asked for anybody, or sent anything by IP, beside what IPv6 says by itself."""
    frames = case.context.frames
    own = (frames["point"] == point.id) & (frames["eth_src"] == (-1 if owner.mac is None else owner.mac))
    asked = has(frames["layers"], Layer.ARP) | has(frames["layers"], Layer.IPV4)
    talked = has(frames["layers"], Layer.IPV6) & has(frames["layers"], Layer.PORTS)
    return bool((own & (asked | talked)).any())


def _told(sender: _Sender, why: str, count: int, facts: Facts, *proof: str) -> Told:
    name = sender.container.name
    known: Facts = {
        "who": [name], "why": why, "count": count, "silent": Least(sender.silent), "owes": Most(sender.owes),
    }  # fmt: skip
    return Told(
        known | facts,
        proof=tuple(f"containers/{name}/{line}" for line in proof),
    )


def _completed(finding: Finding) -> Finding | None:
    """Say nothing of a container that owes answers: what it did not send may be those, which are told as such."""
    facts = dict(finding.facts)
    silent, why = facts["silent"], facts["why"]
    if why == "itself":  # a health check may well be refused for a while
        failed, elsewhere, resets, sent = (int(facts.pop(name)) for name in COUNTED)  # type: ignore[arg-type]
        left = min(failed - elsewhere, resets - sent)
        facts["count"] = left
        if left <= 0 or (facts.pop("checked") and not silent) or left <= int(facts.pop("blocked")):  # type: ignore[arg-type]
            return None
    if facts.pop("owes") or (why == "unknown" and not silent):
        return None
    worst = Severity.ERROR if silent or why == "resolver" else Severity.WARNING
    return replace(finding, facts=facts, severity=Severity.INFO if why == "unknown" else worst)


def _without_reason(case: Case, sender: _Sender) -> Iterator[Told]:
    """Give a container in which a command ran that sent nothing, though nothing is known to have kept it back."""
    ran = case.hosts[sender.point.host].ran
    if sender.silent and sender.container.name in ran:
        routes = [route.text for route in sender.state.routes if route.table == "main"][:3]
        facts: Facts = {"ran": " ".join(ran), "servers": [str(ip) for ip in sender.state.resolvers]}
        yield _told(sender, "unknown", 0, facts, *(f"ip-route.json: {route}" for route in routes))


def _rules(sender: _Sender) -> Iterator[Told]:
    """Give the rules, and the policy, that stopped what the container itself sent, by their counters."""
    for table in sender.state.tables:
        own = _reached(table)
        for rule in (rule for rule in table.rules() if rule.chain in own and rule.target in KILLS):
            if rule.counts and (went := moved(sender.state, rule)):
                facts: Facts = {"rule": rule.text, "chain": rule.chain, "number": rule.number or 0}
                yield _told(sender, "rule", went, facts | _deleted(sender, rule), f"{rule.dump}: {rule.text}")
        for chain in table.chains.values():
            if chain.hook == OUTPUT and chain.policy == "DROP" and (went := _policy_went(sender, table, chain.name)):
                facts = {"policy_of": f"{table.label} {chain.name}"}
                yield _told(sender, "policy", went, facts, f"{table.dump}: {table.label} {chain.name}: policy drop")


def _reached(table: Table) -> set[str]:
    """Return the chains that a packet may come to from the hook of what is sent."""
    found = {chain.name for chain in table.chains.values() if chain.hook == OUTPUT}
    todo = list(found)
    while todo:
        chain = table.chains.get(todo.pop())
        further = {rule.target for rule in chain.rules if rule.target in table.chains} if chain is not None else set()
        todo += sorted(further - found)
        found |= further
    return found


def _deleted(sender: _Sender, rule: Rule) -> Facts:
    if rule.native:
        return {}
    tool = "ip6tables" if rule.dump.startswith("ip6") else "iptables"
    return {"commands": [within(sender.container.name, f"{tool} -t {quote(rule.table)} -D {for_shell(rule.text[3:])}")]}


def _policy_went(sender: _Sender, table: Table, chain: str) -> int:
    now, before = (sender.state.policy(table, chain, before=past) for past in (False, True))
    counts = [policy.packets for policy in (now, before) if policy is not None and policy.packets is not None]
    return counts[0] - counts[1] if len(counts) == 2 else 0


def _routes(case: Case, sender: _Sender) -> Iterator[Told]:
    """Give what was sent without a way to its destination, and what the container lacks for it."""
    went = sender.state.counted(NO_ROUTES) or 0
    if went <= 0:
        return
    links = [link for link in sender.state.links if not link.loopback]
    facts: Facts = {
        "down": [link.name for link in links if link.down],
        "without_address": [link.name for link in links if not any(ip.version == 4 for ip in link.addresses)],
        "default": any(route.dst.prefixlen == 0 and route.kind == "unicast" for route in sender.state.routes),
    }
    facts["internal"] = _internal(case, sender)
    gateway = gateway_of(case, sender.container, 4)
    if gateway is not None and not facts["default"] and not facts["down"] and links:
        facts["commands"] = [within(sender.container.name, default_route(gateway, links[0].name).command)]
    proof = [f"nstat.txt: {NO_ROUTES} went up by {went}"]
    proof += [f"ip-route.json: {route.text}" for route in sender.state.routes if route.table == "main"][:3]
    yield _told(sender, "no-route", went, facts, *proof)


def _internal(case: Case, sender: _Sender) -> list[str]:
    """Return the container's networks, if all of them are internal: those lead nowhere by design."""
    host = case.hosts[sender.point.host]
    of = [host.network_of(one) for one in host.containers if one.name == sender.container.name]
    known = [network for network in of if network is not None]
    return [n.name for n in known] if known and len(known) == len(of) and all(n.internal for n in known) else []


def _itself(case: Case, sender: _Sender) -> Iterator[Told]:
    """Give the connections that the container refused itself: it asked for its own loopback address."""
    failed, resets = (sender.state.counted(name) or 0 for name in (REFUSED, RESETS))
    refused = min(failed, resets)
    if refused > 0:
        facts: Facts = {"others": _listening_beside(case, sender), "failed": failed, "resets": resets}
        facts["blocked"] = _blocked(case, sender)
        facts |= {"failed_elsewhere": Count(_refused(case, sender)), "resets_left": Count(_resets(case, sender))}
        facts["checked"] = sender.container.status.health is not None
        yield _told(sender, "itself", refused, facts, f"nstat.txt: {REFUSED} went up by {failed}, {RESETS} by {resets}")


def _refused(case: Case, sender: _Sender) -> int:
    """Count the connections of the container that others refused, or were never answered: those failed elsewhere."""
    sources = Addresses.of(case.context.connections, "orig_src").among([int(ip) for ip in sender.container.addresses])
    failed = np.zeros(len(sources), bool)
    failed[[*case.handshakes.rejected(), *case.handshakes.unanswered()]] = True
    return int(np.count_nonzero(sources & failed & case.my_connections))


def _blocked(case: Case, sender: _Sender) -> int:
    """Count the names for which the container was told an address of its own, as blocklists do: it asks itself then."""
    own = [query for query in case.names if query.asker in sender.container.addresses]
    return sum(any(ip in SELF or ip.startswith("127.") for ip in query.records) for query in own)


def _resets(case: Case, sender: _Sender) -> int:
    """Count the RSTs of the container that left it: those refused others."""
    own = Addresses.of(case.context.frames, "src")[case.first_row].among([int(ip) for ip in sender.container.addresses])
    return int(np.count_nonzero(own & case.resets & case.mine))


def _listening_beside(case: Case, sender: _Sender) -> list[str]:
    """Return what listens in other containers of the same networks: ``db:5432``."""
    host = case.hosts[sender.point.host]
    networks = {one.network for one in host.containers if one.name == sender.container.name}
    beside = {one.name for one in host.containers if one.network in networks and one.name != sender.container.name}
    return [
        f"{name}:{one.port}"
        for name in sorted(beside & host.inside.keys())
        for one in host.inside[name].listeners
        if one.protocol == "tcp" and not (isinstance(one.address, Address) and one.address.is_loopback)
    ][:MOST_OTHERS]


def _resolver(case: Case, sender: _Sender) -> Iterator[Told]:
    """Give name servers of resolv.conf on the container's own loopback, where nobody listens."""
    state = sender.state
    own = [ip for ip in state.resolvers if ip.is_loopback and ip != EMBEDDED]
    went = state.counted(NO_PORTS) or 0
    if own and len(own) == len(state.resolvers) and went > 0 and state.listener("udp", own[0], 53) is None:
        host = case.hosts[sender.point.host]
        others = [str(ip) for ip in host.resolvers if not ip.is_loopback]
        facts: Facts = {"servers": [str(ip) for ip in own], "hosts_servers": others}
        yield _told(sender, "resolver", went, facts, f"resolv.conf: nameserver {own[0]}",
                    f"nstat.txt: {NO_PORTS} went up by {went}")  # fmt: skip


HYPOTHESIS = Hypothesis(
    "nothing-left",
    Severity.ERROR,
    "captures, containers/NAME/ before and after (nstat.txt, iptables-save.txt, ip-route.json)",
    "What a container sent never got to its interface: counters in its own namespace say so.",
    "Look inside: nsenter -t PID -n, then ip route, ip link, iptables -L OUTPUT -v.",
    causes,
    complete=_completed,
)
