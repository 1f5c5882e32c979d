"""A rule that is not Docker's translates a published port before Docker's own rule is asked."""

import re
from collections.abc import Iterator
from functools import partial
from ipaddress import ip_address
from shlex import quote

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.edits import for_shell
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.told import Facts, Told
from analyzer.model import Basis, Container, HostState, Severity
from analyzer.model.rules import NatTarget, Rule
from analyzer.packet.prove import target_of

MOST = 2_000
"""Connections of one client to one port that are run through the rules."""
PROTOCOLS = {6: "tcp", 17: "udp"}


def causes(case: Case) -> Iterator[Cause]:
    """Give each port that goes elsewhere than to the container that publishes it, and came to nothing there."""
    table, found = case.context.connections, dict[tuple[str, str], tuple[Container, Rule, list[int]]]()
    published = {
        (host.name, protocol, port): (container, text)
        for host in case.hosts.states
        for container in reversed(host.containers)
        for (protocol, port), text in container.published_ports().items()
    }
    vain = np.flatnonzero(~case.answered_in_the_end)
    for number in case.few_connections(vain if any(host.containers for host in case.hosts.states) else vain[:0], MOST):
        packets = case.packets_of(int(number))
        row = int(case.first_row[packets[0]])
        host, dst = case.context.host_at(row), case.context.dst(row)
        asked = PROTOCOLS.get(int(table["proto"][number]), ""), int(table["orig_dport"][number])
        if dst is None or not host.owns(dst):
            continue
        for one in case.tracer.prover.translations(int(packets[0]), [row]):
            target = target_of(one) if one.kind is NatTarget.DNAT else None
            if target is None or host.container_of_address(target) is not None:
                continue
            known = published.get((host.name, *asked)) or _meant(host, one.rule, *asked)
            if known is not None and target not in known[0].addresses:
                container, text = known
                found.setdefault((text, one.rule.text), (container, one.rule, []))[2].extend(packets.tolist())
    for key2, (container, rule, of) in found.items():
        yield Cause(sorted(of), partial(_tell, container, rule, key2[0]), Basis.STATED, key=key2)


def _meant(host: HostState, rule: Rule, protocol: str, port: int) -> tuple[Container, str] | None:
    """Return the container that another DNAT rule of the same table sends a port to, with that rule."""
    wanted = re.compile(rf"^-A \S+ .*-p {protocol} .*--dport {port} -j DNAT --to-destination \[?([\da-f.:]+?)\]?:\d+$")
    for other in host.rules():
        told = wanted.match(other.text) if (other.dump, other.table) == (rule.dump, rule.table) else None
        container = host.container_of_address(ip_address(told[1])) if told is not None else None
        if container is not None:
            return container, other.text
    return None


def _tell(container: Container, rule: Rule, port: str, _: list[int]) -> Told:
    tool = "ip6tables" if rule.dump.startswith("ip6") else "iptables"
    facts: Facts = {
        "container": container.name, "port": port, "rule": rule.text, "chain": rule.chain, "number": rule.number or 0,
        "commands": [] if rule.native else [f"{tool} -t {quote(rule.table)} -D {for_shell(rule.text[3:])}"],
    }  # fmt: skip
    if port.startswith("-A "):
        to = re.search(r"--dport (\d+)", port)
        facts |= {"before": port, "port": f"{to[1]}" if to is not None else port}
        return Told(facts, proof=(f"{rule.dump}: {rule.text}", f"{rule.dump}: {port}"))
    return Told(facts, proof=(f"{rule.dump}: {rule.text}", f"docker-inspect.json: {container.name} {port}"))


HYPOTHESIS = Hypothesis(
    "published-port-shadowed",
    Severity.ERROR,
    "captures, docker-inspect.json, iptables-save.txt",
    "A DNAT rule comes before Docker's and sends a published port to somebody who is no container, in vain.",
    "Delete the rule that is left over, or publish another port.",
    causes,
    Specific.ROOT,
)
