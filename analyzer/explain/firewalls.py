"""What a firewall's own program has to be told: from whom to whom, and which rule of its nearly lets it in."""

import re
from collections.abc import Iterator
from shlex import quote

from analyzer.explain.case import Case
from analyzer.explain.edits import for_shell
from analyzer.explain.fates import Stopped
from analyzer.explain.fixes import Words, ends
from analyzer.explain.told import Facts
from analyzer.model import HostState
from analyzer.model.firewalld import zone_of
from analyzer.model.rules import Rule, Table


def passage(case: Case, packet: int, host: HostState) -> Facts:
    """Say from whom a packet is, and to whom, as it is behind DNAT, and by which of Docker's bridges it comes."""
    seen, words = (every := list(ends(case, packet)))[0], every[-1]
    found: Facts = {"from": str(words.src), "to": str(words.dst)}
    if words.port is not None:
        found |= {"to_port": words.port, "to_protocol": words.protocol or ""}
    found |= {"asked_port": seen.port} if seen.port is not None else {}
    found["forwarded"] = words.dst is not None and not host.owns(words.dst)
    found["from_host"] = words.src is not None and host.owns(words.src)
    bridged = [network for network in host.networks if network.bridge is not None]
    came, goes = ([network for network in bridged if network.holds(end)] for end in (words.src, words.dst))
    found |= {"within": came[0].name} if came and came == goes else {}
    source = host.container_of_address(words.src) if words.src is not None else None
    found |= {"source": source.name} if source is not None else {}
    if came and came[0].bridge is not None:
        zone, assigned = zone_of(host.zones, came[0].bridge)
        found |= {"in_bridge": came[0].bridge} | ({"bridge_zone": zone.name} if zone is not None and assigned else {})
    return found | _zones(case, packet, host, seen)


def _zones(case: Case, packet: int, host: HostState, seen: Words) -> Facts:
    """Say which of firewalld's zones a packet came in by, and which one forwards its port."""
    built = case.tracer.prover.packet(packet, int(case.last_row[packet]))
    if built is None or not isinstance(built.iif, str) or not host.zones:
        return {}
    zone, assigned = zone_of(host.zones, built.iif)
    found: Facts = {"iif": built.iif, "unassigned": not assigned}
    found |= {"zone": zone.name} if zone is not None else {}
    if seen.port is None or zone is None or zone.forwards(seen.port, seen.protocol or ""):
        return found
    others = ((one.name, one.forwards(seen.port, seen.protocol or "")) for one in host.zones if one is not zone)
    name, port = next(((name, port) for name, port in others if port is not None), ("", ""))
    return found | ({"zone_of_port": name, "forward_port": port} if name else {})


def near_miss(case: Case, stopped: Stopped) -> Facts | None:
    """Return a rule before that would let a published port in, if it did not ask for the port before DNAT."""
    rule, connection = stopped.cause.rule, case.connection_of(stopped.packets[0])
    if rule is None or connection is None or rule.native:
        return None
    asked = connection.original.dport
    ports = [port for container in stopped.host.containers for port in container.ports]
    inner = next((p.inside for p in ports if (p.outside, p.protocol) == (asked, connection.protocol)), asked)
    table = next((t for t in stopped.host.tables if any(one is rule for one in t.rules())), None)
    for one in _before(table, rule) if table is not None and asked != inner else ():
        if one.target in ("ACCEPT", "RETURN") and re.search(rf"--dports? \S*\b{asked}\b", one.text):
            return {"near_miss": one.text, "asked_port": asked or 0, "inner_port": inner or 0}
    return None


def _before(table: Table, rule: Rule) -> Iterator[Rule]:
    """Give the rules that a packet may meet in FORWARD before one, in their order."""

    def met(name: str, above: tuple[str, ...]) -> Iterator[Rule]:
        chain = table.chains.get(name)
        for one in chain.rules if chain is not None and name not in above else ():
            yield one
            yield from met(one.target, (*above, name))

    found: list[Rule] = []
    for one in met("FORWARD", ()):
        if one is rule:
            yield from found
            return
        found.append(one)


OUT = re.compile(r"(?:\boifname|\boif|-o) \"?([\w.-]+)\"?(?= )")
LISTED = re.compile(r"^-A \S+ .*-m set --match-set (\S+) (src|dst) .*-j (?:RETURN|ACCEPT)$")


def other_way(case: Case, stopped: Stopped) -> Facts:
    """Return the interface that a chain lets packets leave by, where there is none of that name: a tunnel's old one."""
    label, name = stopped.cause.policy or ("", "")
    row = int(case.last_row[stopped.packets[0]])
    dst = case.context.dst(row)
    chosen = case.context.route_to(dst, row) if dst is not None else None
    link = stopped.host.link(chosen.route.dev or "") if chosen is not None else None
    if link is None or not link.tunnel:
        return {}
    for rule in (r for t in stopped.host.tables if t.label == label and name in t.chains for r in t.chains[name].rules):
        found = OUT.search(rule.text) if rule.target == "ACCEPT" else None
        if found is not None and stopped.host.link(found[1]) is None and not found[1].endswith(("*", "+")):
            command = f"nft insert rule {for_shell(f'{label} {name}')} oifname {quote(link.name)} accept"
            if not rule.native:
                command = f"iptables -I {quote(name)} -o {quote(link.name)} -j ACCEPT"
            return {"expects": found[1], "leaves_by": link.name, "commands": [command]}
    return {}


def not_listed(case: Case, stopped: Stopped) -> Facts:
    """Return the ipset whose members a chain lets pass before it drops the rest, and whose it is not."""
    rule, words = stopped.cause.rule, next(iter(ends(case, stopped.packets[0])))
    if rule is None or rule.native or rule.text != f"-A {rule.chain} -j {rule.target}":
        return {}
    chains = (t.chains.get(rule.chain) for t in stopped.host.tables if (t.dump, t.label) == (rule.dump, rule.table))
    for before in (one for chain in chains if chain is not None for one in chain.rules):
        found = LISTED.match(before.text)
        end = (words.src if found[2] == "src" else words.dst) if found is not None else None
        if found is not None and end is not None:
            network = next((n for n in stopped.host.networks if n.holds(end)), None)
            subnet = next((s for s in network.subnets if end in s), end) if network is not None else end
            return {"list": found[1], "not_in": str(subnet), "commands": [f"ipset add {quote(found[1])} {subnet}"]}
    return {}
