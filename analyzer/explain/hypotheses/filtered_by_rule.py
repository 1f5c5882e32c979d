"""A rule of the firewall, or a chain's policy, stops packets."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from ipaddress import ip_address, ip_network, summarize_address_range
from shlex import quote

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.edits import for_shell
from analyzer.explain.fates import Stopped
from analyzer.explain.firewalls import near_miss, not_listed, other_way, passage
from analyzer.explain.fixes import INVALID, ends, fix
from analyzer.explain.host.asked import FORWARD, OUTSIDE, Host, asked_by
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.remedy import answered, unblocked
from analyzer.explain.services import unserved
from analyzer.explain.stopped import by_cause, severity
from analyzer.explain.streams import leftovers
from analyzer.explain.tally import Least, Texts
from analyzer.explain.told import Facts, Told
from analyzer.model import Address, Finding, HostState, Severity
from analyzer.model.engine import GOSSIP_PORT, NO_ENGINE
from analyzer.model.finding import Fact
from analyzer.model.question import Elements, Member, Range
from analyzer.model.rules import Chain
from analyzer.state.rules.owner import keeper, owner

BANS = "fail2ban"
SERVICES = "kube-proxy"
FIREWALLS = ("ufw", "firewalld")
SWARM_PORTS = (2377, 4789, GOSSIP_PORT)
"""By which nodes talk: to managers, in VXLAN, and to each other."""
NONE = Chain("")
MOST_ENDS = 50
NATIVE = 3
"""Words of a chain with its table and family, which nftables' own have."""
PROHIBITED = {(4, 3, 9), (4, 3, 10), (4, 3, 13), (6, 1, 1)}
"""Administratively prohibited: RFC 1812 section 5.2.7.1, RFC 4443 section 3.1."""


def causes(case: Case) -> Iterator[Cause]:
    """Give rules and policies of this host, then firewalls elsewhere that say what they are."""
    yield from by_cause(case, HYPOTHESIS.name, _describe)
    by_source: dict[str, list[int]] = {}
    own = {packet for one in case.stopped.values() for cause in one for packet in cause.packets}
    for error in case.errors:
        if error.kind in PROHIBITED and error.quoted is not None and error.quoted not in own:
            by_source.setdefault(str(error.source), []).append(error.quoted)
    for source, packets in by_source.items():
        yield Cause(packets, partial(_elsewhere, case, source), also=case.troubled(packets))


def state(host: Host) -> Iterator[Told]:
    """Tell of rules that stop what should pass, but for those that Docker makes, and FORWARD's policy."""
    for blocked in host.blocked.get(HYPOTHESIS.name, ()):
        cause, rule = blocked.cause, blocked.cause.rule
        by = owner(rule, host.state) if rule is not None else None
        if cause.policy == FORWARD or (by or "").startswith("Docker"):
            continue
        facts: Facts = {"cause": cause.text, **asked_by(blocked)}
        if cause.policy is not None:
            facts["policy_of"] = " ".join(cause.policy)
        if rule is not None:
            facts |= {"chain": rule.chain, "number": rule.number or 0}
        if by is not None:
            facts["owner"] = by
        # Who manages a firewall keeps strangers out of what Docker publishes on purpose.
        kept_out = by in FIREWALLS and {one.who for one in blocked.questions} == {OUTSIDE}
        yield Told(facts, proof=cause.proof, severity=Severity.INFO if kept_out else None)


def _describe(case: Case, stopped: Stopped) -> Told:
    """Say where the rule stands, who made it, and what it takes to let the packets pass."""
    cause, rule = stopped.cause, stopped.cause.rule
    told = Told()
    first = fix(case, stopped.packets[0], cause, of_answer=cause.of_answer)
    if first is not None and not cause.past:
        told = (answered if cause.of_answer else unblocked)(case, stopped.packets[0], first)
    if rule is not None:
        told.facts |= {"chain": rule.chain, "number": rule.number or 0}
        if (by := owner(rule, stopped.host)) is not None:
            told.facts |= {"owner": by, **passage(case, stopped.packets[0], stopped.host)}
        told.facts |= _spoofed(stopped)
        if by == SERVICES:
            told = replace(told, facts=told.facts | {"commands": []} | unserved(case, stopped), tried="")
        elif listed := _listed(case, stopped) or (not_listed(case, stopped) if by is None else {}):
            told = replace(told, facts=told.facts | listed, tried="")
        if by == BANS and told.severity is None and "source" not in told.facts:
            told.severity = Severity.WARNING  # who is banned may well be who should be
    if (miss := near_miss(case, stopped)) is not None:
        told.facts |= miss
    if cause.policy is not None:
        lacking = _lacking(case, stopped) or other_way(case, stopped)
        if lacking:
            told = replace(told, facts=told.facts | lacking, tried="")
        told.facts |= {"policy_of": " ".join(cause.policy), "bridges": _bridges(case, stopped)}
        told.facts |= {"unmanaged": True} if stopped.host.engine == NO_ENGINE else {}
        if (by := keeper(stopped.host, *cause.policy)) is not None and not lacking:
            told = Told(told.facts | {"owner": by, "commands": [], **passage(case, stopped.packets[0], stopped.host)})
    ours = bool(case.beside_containers[stopped.packets].any()) or _own_try(case, stopped)
    ours |= (
        told.facts.get("owner") == SERVICES
        or cause.sent_by is not None
        or "zone_of_port" in told.facts
        or _of_peers(case, stopped)
    )
    if cause.sent_by is not None:
        told.facts["sent_by"] = cause.sent_by.text
    if cause.sent_by is not None or "zone_of_port" in told.facts:
        told.severity = told.severity or (Severity.ERROR if _never_answered(case, stopped) else None)
    ports = zip(case.context.frames["dport"][case.last_row[stopped.packets]].tolist(), stopped.packets, strict=True)
    told.facts |= {"strangers": Least(not ours), "strays": Least(_strays(case, stopped))}
    told.facts["tried_ports"] = Texts.of((str(port), int(case.numbers[packet])) for port, packet in ports)
    told.facts["vainly"] = _vainly(case, stopped)
    return told


def _never_answered(case: Case, stopped: Stopped) -> bool:
    """Tell whether a connection of theirs never got an answer."""
    numbers = [int(case.connection[packet]) for packet in stopped.packets[:MOST_ENDS]]
    return any(number >= 0 and not case.context.connections["seen_reply"][number] for number in numbers)


def _whole(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """Return what lets whole networks pass a base chain of nftables' own: Docker's decide what passes there."""
    chain, bridges = str(facts.get("policy_of", "")), facts.get("bridges")
    if not isinstance(bridges, list) or not bridges:
        return {}
    if len(chain.split()) < NATIVE:
        if not facts.get("unmanaged") or chain != "filter FORWARD":
            return {}
        answers = " -m conntrack --ctstate RELATED,ESTABLISHED"
        ways = [f"{way} {quote(str(name))}{more}" for name in bridges for way, more in (("-i", ""), ("-o", answers))]
        return {"whole": [f"iptables -I FORWARD {way} -j ACCEPT" for way in ways]}
    rule = f"nft insert rule {for_shell(chain)}"
    names = quote("{ " + ", ".join(f'"{name}"' for name in bridges) + " }")
    answers = " ct state established,related" if facts.get("unmanaged") else ""
    return {"whole": [f"{rule} iifname {names} accept", f"{rule} oifname {names}{answers} accept"]}


def _bridges(case: Case, stopped: Stopped) -> Texts:
    """Return the bridges of containers that send what is forwarded, or are to get it."""
    found: dict[str, int] = {}
    bridges = {link.name for link in stopped.host.links if link.kind == "bridge"}
    for packet in stopped.packets[:MOST_ENDS]:
        *_, words = ends(case, packet)
        for network in stopped.host.networks if words.dst is not None and not stopped.host.owns(words.dst) else ():
            if network.bridge and (network.holds(words.src) or network.holds(words.dst)):
                found.setdefault(network.bridge, int(case.numbers[packet]))
        for end in (words.src, words.dst):
            owner = stopped.host.container_of_address(end) if end is not None else None
            if owner is not None and owner.engine == NO_ENGINE and owner.network in bridges:
                found.setdefault(owner.network, int(case.numbers[packet]))
    return Texts(found)


def _spoofed(stopped: Stopped) -> Facts:
    """Say that a rule before routing drops by a private source alone, of which containers are, too."""
    rule = stopped.cause.rule
    found = re.search(r"-s (\S+/\d+)", rule.text) if rule is not None else None
    if rule is None or found is None or rule.chain != "PREROUTING" or " -i " in rule.text or rule.native:
        return {}
    uplink = next((r.dev for r in stopped.host.routes if r.dst.prefixlen == 0 and r.dev is not None), None)
    try:
        inside = any(ip_network(found.group(1), strict=False).overlaps(subnet) for n in stopped.host.networks
                     for subnet in n.subnets if subnet.version == 4)  # fmt: skip
    except ValueError:
        return {}
    return {"spoofed": found.group(1), "uplink": uplink} if inside and uplink is not None else {}


def _listed(case: Case, stopped: Stopped) -> Facts:
    """Return the element of a named set by which a rule of nftables' own meets a packet."""
    rule, row = stopped.cause.rule, int(case.last_row[stopped.packets[0]])
    found = re.search(r"\b(saddr|daddr) @(\S+)", rule.text) if rule is not None and rule.native else None
    if rule is None or found is None:
        return {}
    end = case.context.src(row) if found.group(1) == "saddr" else case.context.dst(row)
    elements = _set_of(stopped.host, rule.table, found.group(2))
    member = next((one for one in elements.members if _holds(one, end)), None) if elements is not None else None
    if member is None:
        return {}
    text = _element(member)
    return {"set": found.group(2), "element": text,
            "commands": [f"nft delete element {rule.table} {found.group(2)} {{ {text} }}"]}  # fmt: skip


def _set_of(host: HostState, table: str, name: str) -> Elements | None:
    return next((one.sets.get(name) for one in host.tables if one.native and one.label == table), None)


def _holds(member: Member, ip: Address | None) -> bool:
    if isinstance(member, Range):
        low, high = member.low, member.high
        same = not isinstance(low, int) and not isinstance(high, int) and ip is not None and low.version == ip.version
        return same and int(low) <= int(ip or 0) <= int(high)
    return member == ip


def _element(member: Member) -> str:
    """As nft writes it: an address, a prefix, or both ends of a range."""
    if not isinstance(member, Range):
        return str(member)
    low, high = ip_address(str(member.low)), ip_address(str(member.high))
    nets = list(summarize_address_range(low, high))
    return str(nets[0]) if len(nets) == 1 else f"{low}-{high}"


def _lacking(case: Case, stopped: Stopped) -> Facts:
    """Return the set of interfaces by which others are accepted in a chain, and that lacks this packet's."""
    label, name = stopped.cause.policy or ("", "")
    packet = stopped.packets[0]
    built = case.tracer.prover.packet(packet, int(case.last_row[packet]))
    chain = next(
        (t.chains[name] for t in stopped.host.tables if t.native and t.label == label and name in t.chains), NONE
    )
    for rule in chain.rules:
        found = re.search(r"\biifname @(\S+)", rule.text)
        elements = _set_of(stopped.host, label, found.group(1)) if found is not None else None
        if found is None or elements is None or built is None or not isinstance(built.iif, str):
            continue
        bridges = {one.bridge for one in stopped.host.networks}
        if "accept" in rule.text and built.iif in bridges and any(one in bridges for one in elements.members):
            return {"set": found.group(1), "lacks": built.iif,
                    "commands": [f'nft add element {label} {found.group(1)} {{ "{built.iif}" }}']}  # fmt: skip
    return {}


SCANNED = 5
"""Ports that nobody asks for one after the other who wants something."""


def _completed(finding: Finding) -> Finding:
    """Strangers that are kept out are what rules are for; they look around, if they try many ports, or a dead one."""
    left_out = {"tried_ports", "vainly"}
    facts = {name: fact for name, fact in finding.facts.items() if name not in left_out}
    facts |= _whole(facts)
    if facts.pop("strays", False):
        facts.pop("commands", None)
        return replace(finding, facts=facts | {"strays": True}, severity=Severity.INFO, tried=None)
    if not facts.pop("strangers", False):
        return replace(finding, facts=facts)
    ports = finding.facts["tried_ports"]
    scanned = isinstance(ports, list) and len(ports) >= SCANNED
    facts.pop("commands", None)
    severity = Severity.INFO if scanned or finding.facts["vainly"] else finding.severity
    return replace(finding, facts=facts | {"strangers": True}, severity=severity, tried=None)


def _strays(case: Case, stopped: Stopped) -> bool:
    """Tell whether a rule for what fits no connection met nothing but the last of connections from before."""
    rule = stopped.cause.rule
    return rule is not None and INVALID.search(rule.text) is not None and leftovers(case, stopped.packets)


def _vainly(case: Case, stopped: Stopped) -> bool:
    """Tell whether nobody listens at the first packet's port, which is the host's own."""
    row = int(case.last_row[stopped.packets[0]])
    dst, port = case.context.dst(row), case.context.value("dport", row)
    protocol = {6: "tcp", 17: "udp"}.get(case.context.value("proto", row))
    if dst is None or protocol is None or not stopped.host.knows_listeners or not stopped.host.owns(dst):
        return False
    return stopped.host.listener(protocol, dst, port) is None


def _own_try(case: Case, stopped: Stopped) -> bool:
    """Tell whether the host itself sent any of it."""
    return any(case.context.made_by_host(int(case.first_row[packet])) for packet in stopped.packets[:MOST_ENDS])


def _of_peers(case: Case, stopped: Stopped) -> bool:
    """Tell whether any of it is what nodes with overlay networks tell each other, or another node sent it."""
    overlays = [network for network in stopped.host.networks if network.driver == "overlay"]
    if not overlays:
        return False
    peers, rows = {ip for one in overlays for ip in one.peers}, case.last_row[stopped.packets[:MOST_ENDS]]
    told = bool(np.isin(case.context.frames["dport"][rows], SWARM_PORTS).any())
    return told or any(case.context.src(row) in peers for row in rows.tolist())


def _elsewhere(case: Case, source: str, packets: list[int]) -> Told:
    return Told({"prohibited_by": source}, severity=severity(case, packets, Severity.ERROR))


HYPOTHESIS = Hypothesis(
    "filtered-by-rule",
    Severity.ERROR,
    "iptables-save.txt, ip6tables-save.txt or nft-ruleset.json (sysctl.txt, ip-route.json; host-before for counters)",
    "A firewall rule or a chain's policy drops or rejects packets, here or where an ICMP error says so.",
    "Delete the rule, or accept the traffic before it.",
    causes,
    Specific.SETTING,
    state=state,
    complete=_completed,
    asks="iptables-save -c (nft list ruleset) before and after: the rule's counter",
)
