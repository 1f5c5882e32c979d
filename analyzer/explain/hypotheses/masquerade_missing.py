"""Packets leave the host with a container's address, for no rule masquerades them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from ipaddress import ip_network

from analyzer.decode.offsets import ACK, PROTO_TCP, SYN
from analyzer.explain.case import Case
from analyzer.explain.edits import Fix, for_shell, with_rule, without_rule
from analyzer.explain.fixes import ip_version
from analyzer.explain.host import masquerade
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.remedy import offered, tried
from analyzer.explain.stopped import severity
from analyzer.explain.told import Facts, Told
from analyzer.explain.untranslated import is_public, leaving, network_of, subnet_and_bridge
from analyzer.model import Basis, HostState, Network, Severity
from analyzer.model.engine import DOCKER, Prefix
from analyzer.model.firewalld import zone_of
from analyzer.model.question import ABSENT
from analyzer.model.rules import Rule
from analyzer.packet.prove import Translated
from analyzer.state.path import Path

SOURCE, OUT = re.compile(r"(?<!! )-s ([\d.:a-f]+/\d+)"), re.compile(r"(?<!! )-o (\S+)")
"""The source and the way out that a rule of iptables is for."""
MORE = re.compile(r" -[dmp] ")
"""What a rule may ask for besides."""


def causes(case: Case) -> Iterator[Cause]:
    """Give unanswered packets that no rule would translate."""
    found = leaving(case).get("missing")
    if found is None:
        return
    packets, known = found.packets, found.translated is Translated.NO
    untracked = case.tracer.prover.untracked(packets[0], case.context.rows_of(packets[0]))
    also = case.troubled(packets)
    if untracked is not None:
        yield Cause(packets, partial(_not_tracked, case, untracked), Basis.STATED, (untracked.text,), also=also)
    else:
        basis = Basis.STATED if known else Basis.INFERRED
        yield Cause(packets, partial(_tell, case, known), basis, also=also)


def _left(case: Case, packet: int) -> Facts:
    """Say as whom it left, and where."""
    src = case.context.src(int(case.first_row[packet]))
    return {"as_address": str(src), "where": case.context.point(int(case.last_row[packet])).name}


def _tell(case: Case, known: bool, packets: list[int]) -> Told:
    packet = packets[0]
    network = network_of(case, packet)
    subnet, bridge = subnet_and_bridge(case, packet)
    source = subnet.network_address if subnet.num_addresses == 1 else subnet
    rule = f"-A POSTROUTING -s {source} ! -o {shlex.quote(bridge)} -j MASQUERADE"
    change = with_rule("nat", rule, ip_version(case, packet))
    helps = tried(case, packet, change, whole_way=True, translated=True) if known else ""
    flush = Fix(f"conntrack -D -s {case.context.src(int(case.first_row[packet]))}", change)
    tool = "ip6tables" if ip_version(case, packet) == 6 else "iptables"
    told = offered([Fix(f"{tool} -t nat {rule}", change), flush], helps)
    if not known:
        del told.facts["outcome"]
    return Told(
        told.facts
        | _left(case, packet)
        | {"known": known}
        | _elsewhere(case, packet, network)
        | _switched_off(case.host_of(packet), network)
        | _by_firewalld(case, packet)
        | _by_calico(case.host_of(packet))
        | _public(case, packet, subnet)
        | (_near_miss(case, packet, subnet) if known else {}),
        proof=(f"{tool}-save.txt: no rule of *nat POSTROUTING matches",) if known else (),
        severity=severity(case, packets, Severity.ERROR),
        tried=told.tried,
    )


def _by_firewalld(case: Case, packet: int) -> Facts:
    """Name the zone of the way out where firewalld makes the host's rules, and does not masquerade there."""
    where, zones = case.context.point(int(case.last_row[packet])), case.host_of(packet).zones
    zone, _ = zone_of(zones, where.interface or where.name)
    return {"zone": zone.name} if zone is not None and not zone.masquerades else {}


def _by_calico(host: HostState) -> Facts:
    """Tell whether Calico's pools are routed here: what goes from pod to pod must not be translated."""
    pools = any("cali-nat-outgoing" in table.chains for table in host.tables)
    return {"calico": True, "commands": []} if pools else {}


def _public(case: Case, packet: int, subnet: Prefix) -> Facts:
    """Say whose route back may be missing outside, where the address is one that needs no translation."""
    if not is_public(case.context.src(int(case.first_row[packet]))):
        return {}
    link = case.link_at(case.context.point(int(case.last_row[packet])).name)
    own = [ip for ip in link.addresses if ip.version == 6 and not ip.is_link_local] if link is not None else []
    return {"public": str(subnet), "host_address": str(own[0]) if own else "this host"}


def _near_miss(case: Case, packet: int, subnet: Prefix) -> Facts:
    """Name a rule that would translate it, but for its source or its way out."""
    src, where = case.context.src(int(case.first_row[packet])), case.context.point(int(case.last_row[packet]))
    out = where.interface or where.name
    rules = (one for one in case.host_of(packet).rules() if one.target in ("MASQUERADE", "SNAT") and not one.native)
    for rule in (one for one in rules if one.chain == "POSTROUTING" and not MORE.search(one.text)):
        found, dev = SOURCE.search(rule.text), OUT.search(rule.text)
        if found is None or src is None:
            continue
        of = ip_network(found[1])
        if src in of and dev is not None and dev[1] != out:
            return {"near": rule.text, "near_why": f"it is for what leaves by {dev[1]}, and this leaves by {out}"}
        alike = of.version == subnet.version and (of.overlaps(subnet) or _resembles(of, subnet))
        if alike and src not in of:
            return {"near": rule.text, "near_why": f"it is for {of}, and {src} is not in it"}
    return {}


def _elsewhere(case: Case, packet: int, network: Network | None) -> Facts:
    """Name a network of the same container that masquerades, where this one was made not to."""
    src = case.context.src(int(case.first_row[packet]))
    host = case.host_of(packet)
    owner = host.container_of_address(src) if src is not None else None
    if owner is None or network is None or network.masquerades:
        return {}
    of = {one.network for one in host.containers if one.name == owner.name}
    others = [n.name for n in host.networks if n.name in of - {network.name} and n.masquerades and not n.internal]
    return {"network": network.name, "container": owner.name, "other_networks": others} if others else {}


def _switched_off(host: HostState, network: Network | None) -> Facts:
    """Name a network that was made not to masquerade; dockerd that makes no rules makes all of them so."""
    if host.makes_rules is False and network is not None and network.engine == DOCKER:
        return {"no_rules": True}
    return {"made_without": network.name} if network is not None and not network.masquerades else {}


def _not_tracked(case: Case, rule: Rule, packets: list[int]) -> Told:
    """Report packets that a rule takes out of connection tracking: nat is never asked for them."""
    change = without_rule(rule)
    helps = tried(case, packets[0], change, whole_way=True, translated=True)
    rules = [rule, *_of_answers(case, packets[0], rule)]
    told = offered(
        [Fix(f"iptables -t {shlex.quote(one.table)} -D {for_shell(one.text[3:])}", change) for one in rules], helps
    )
    return Told(
        told.facts | _left(case, packets[0]) | {"untracked_by": rule.text},
        proof=(f"iptables-save.txt: {rule.text}",),
        tried=told.tried,
    )


def _of_answers(case: Case, packet: int, first: Rule) -> list[Rule]:
    """Return the rules that would keep the answers out of connection tracking, too: they count as much."""
    row, host = int(case.last_row[packet]), case.host_of(packet)
    built, point = case.tracer.prover.packet(packet, int(case.first_row[packet])), case.context.point(row)
    own = next((link for link in host.links if link.name == (point.interface or point.name)), None)
    address = next((ip for ip in own.addresses if built and ip.version == built.version), None) if own else None
    if built is None or own is None or address is None:
        return []
    answer = replace(
        built, src=built.dst, dst=address, sport=built.dport, dport=built.sport, iif=own.name, port_in=ABSENT,
        src_mac=None, ttl=None, ct_state="NEW", tcp_flags=SYN | ACK if built.protocol == PROTO_TCP else None,
    )  # fmt: skip
    found = Path(host, skip=[first]).received(answer)
    return [rule for rule in found.matched if rule.untracks and rule is not first]


def _resembles(one: Prefix, other: Prefix) -> bool:
    """Tell whether a prefix looks like another one that somebody mistyped: as long, and half of it the same."""
    differs = int(one.network_address) ^ int(other.network_address)
    return one.prefixlen == other.prefixlen and differs >> (one.max_prefixlen - one.prefixlen // 2) == 0


HYPOTHESIS = Hypothesis(
    "masquerade-missing",
    Severity.ERROR,
    "captures (iptables-save.txt, ip-route.json)",
    "Unanswered packets left the host with a container's address, and no rule translates it.",
    "Add the MASQUERADE rule of the network.",
    causes,
    Specific.SETTING,
    state=masquerade.missing,
)
