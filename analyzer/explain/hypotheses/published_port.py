"""A published port that no rule translates."""

import shlex
from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.edits import with_rule
from analyzer.explain.host import ports
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.remedy import tried
from analyzer.explain.tally import Least
from analyzer.explain.told import Facts, Told
from analyzer.explain.untranslated import left_as_asked
from analyzer.model import Basis, Container, HostState, Severity


def causes(case: Case) -> Iterator[Cause]:
    """Compare connections from outside with what Docker publishes."""
    by_port: dict[tuple[Container, str], list[int]] = {}
    for packet, container, port in case.once(left_as_asked):
        by_port.setdefault((container, port), []).append(packet)
    for (container, port), packets in by_port.items():
        tell, key = partial(_tell, case, container, port), (container.name, port)
        yield Cause(packets, tell, Basis.STATED, key, also=case.troubled(packets))


def _tell(case: Case, container: Container, port: str, packets: list[int]) -> Told:
    relayed = bool((case.context.connections["relayed_to"][case.connection[packets]] >= 0).all())
    rule = _rule(case.host_of(packets[0]), container, port)
    helps = tried(case, packets[0], with_rule("nat", rule), whole_way=True) if rule is not None else None
    facts: Facts = {"port": port, "container": container.name, "relayed": Least(relayed)}
    if helps is not None:
        facts["commands"] = [f"iptables -t nat {rule}"]
    return Told(
        facts,
        severity=Severity.WARNING if relayed else Severity.ERROR,
        proof=("iptables-save.txt: no rule of *nat DOCKER matches",),
        tried=helps,
    )


def _rule(host: HostState, container: Container, port: str) -> str | None:
    """Return the rule that Docker makes for a published port."""
    outside, _, inner = port.partition("->")
    number, _, protocol = inner.partition("/")
    network = host.network_of(container)
    bridge = network.bridge if network is not None else None
    target = next((ip for ip in container.addresses if ip.version == 4), None)
    if bridge is None or target is None:
        return None
    if protocol not in ("tcp", "udp") or not number.isdigit():
        return None
    asked = f"-A DOCKER ! -i {shlex.quote(bridge)} -p {protocol} -m {protocol} --dport {outside.rpartition(':')[2]}"
    return f"{asked} -j DNAT --to-destination {target}:{number}"


HYPOTHESIS = Hypothesis(
    "published-port-not-translated",
    Severity.ERROR,
    "docker-inspect.json, iptables-save.txt, ip-route.json",
    "Clients outside use a port that Docker publishes, and no DNAT rule sends them to the container.",
    "systemctl restart docker, so that it adds its rules again; see whether a firewall flushes the nat table.",
    causes,
    Specific.SETTING,
    state=ports.untranslated,
)
