"""A client comes to a published port, and no rule sends it to the container."""

import shlex
from collections.abc import Iterator

import numpy as np

from analyzer.diagnose.causes import affected
from analyzer.diagnose.changed import tried, with_rule
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Address, Basis, Container, Finding, FlowTuple, HostState, Role, Severity
from analyzer.model.rules import Verdict
from analyzer.model.words import plural
from analyzer.state.path import translate


def look(subject: Subject) -> Iterator[Finding]:
    """Compare connections from outside with what Docker publishes."""
    context, table = subject.context, subject.context.connections
    published = {
        (host.name, *key): (container, port)
        for host in subject.hosts.states
        for container in reversed(host.containers)
        for key, port in container.published_ports().items()
    }
    straight = ~subject.target_moved & (table["orig_dport"] == table["reply_sport"])
    by_port: dict[tuple[Container, str], list[int]] = {}
    for number in np.flatnonzero(straight).tolist() if published else ():
        protocol = {6: "tcp", 17: "udp"}.get(int(table["proto"][number]), "")
        packet = int(context.packets_of(number)[0])
        host = context.host_at(int(subject.first_row[packet]))
        known = published.get((host.name, protocol, int(table["orig_dport"][number])))
        if known is None or number in subject.claimed:
            continue
        flow = subject.tracer.connection(number).original
        if context.point(int(subject.first_row[packet])).role is Role.UPLINK and _untranslated(host, *known, flow):
            by_port.setdefault(known, []).append(packet)
    for (container, port), packets in by_port.items():
        relayed = bool((table["relayed_to"][subject.connection[packets]] >= 0).all())
        rule = _rule(subject.host_of(packets[0]), container, port)
        helps = tried(subject, packets[0], with_rule("nat", rule), whole_way=True) if rule is not None else None
        yield CHECK.finding(
            f"published port {port} of {container.name} is not translated",
            f"{plural(len(packets), 'connection')} came for it from outside, and no DNAT rule sends it on. "
            + ("docker-proxy relays it, slowly and as if the host were the client. " if relayed else "")
            + affected(subject, packets),
            basis=Basis.STATED,
            severity=Severity.WARNING if relayed else Severity.ERROR,
            evidence=subject.evidence(packets),
            proof=("iptables-save.txt: no rule of *nat DOCKER matches",),
            tried=helps,
            remedy=f"{CHECK.remedy} The rule: iptables -t nat {rule}" if helps is not None else CHECK.remedy,
        )
        subject.claim(packets)


def _rule(host: HostState, container: Container, port: str) -> str | None:
    """Return the rule that Docker makes for a published port."""
    outside, _, inner = port.partition("->")
    number, _, protocol = inner.partition("/")
    bridge = next((n.bridge for n in host.networks if n.name == container.network), None)
    target = next((ip for ip in container.addresses if ip.version == 4), None)
    if bridge is None or target is None:
        return None
    if protocol not in ("tcp", "udp") or not number.isdigit():
        return None
    asked = f"-A DOCKER ! -i {shlex.quote(bridge)} -p {protocol} -m {protocol} --dport {outside.rpartition(':')[2]}"
    return f"{asked} -j DNAT --to-destination {target}:{number}"


def _untranslated(host: HostState, container: Container, port: str, flow: FlowTuple) -> bool:
    """Tell whether Docker should have a rule for it, by the container's addresses, and has none."""
    dst: Address = flow.dst
    if not host.owns(dst) or not any(ip.version == dst.version for ip in container.addresses):
        return False
    outside = port.partition("->")[0].rpartition(":")[0]
    if outside.startswith(("127.", "[::1]", "::1")):
        return False
    result = translate(host, flow)
    return result is not None and result.verdict is not Verdict.UNKNOWN and not result.target_moved


CHECK = Check(
    "published-port-not-translated",
    Severity.ERROR,
    "docker-inspect.json, iptables-save.txt, ip-route.json",
    "Clients outside use a port that Docker publishes, and no DNAT rule sends them to the container.",
    "systemctl restart docker, so that it adds its rules again; see whether a firewall flushes the nat table.",
    look,
)
