"""Docker's own rules are gone: somebody flushed or replaced them after Docker had made them."""

from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.host.asked import FORWARD
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.told import Facts, Told
from analyzer.explain.untranslated import leaving, left_as_asked
from analyzer.model import Basis, HostState, Network, Severity

DUMP = "iptables-save.txt"
"""IPv4's: that is what Docker needs rules for in any case."""
TABLES = ("filter", "nat")
"""Those in which Docker makes rules; hooks there jump to its chains, or masquerade its networks."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each host whose rules are gone, with what is stopped, left as it is, or not translated for want of them."""
    for host in case.hosts.states:
        gone = _gone(host)
        packets = {packet for packet in _wanting(case, gone) if case.host_of(packet) is host}
        if packets:
            about = sorted(packets)
            yield Cause(about, partial(_tell, host, gone), Basis.STATED, (host.name,), also=case.troubled(about))


def _wanting(case: Case, gone: list[str]) -> Iterator[int]:
    """Give the packets that Docker's rules would have let pass, or translated."""
    if "nat" in gone:
        missing = leaving(case).get("missing")
        yield from missing.packets if missing is not None else ()
        yield from (
            int(packet)
            for first, _, _ in case.once(left_as_asked)
            for packet in case.packets_of(int(case.connection[first]))
        )
    if "filter" in gone:
        for one in case.stopped.get("filtered-by-rule", ()):
            yield from one.packets if one.cause.policy == FORWARD else ()


def _gone(host: HostState) -> list[str]:
    """Return the tables in which Docker should have rules and has none."""
    bridged = [network for network in host.networks if _needs_rules(network)]
    used = {container.network for container in host.containers if container.status.answers}
    if DUMP not in host.files or not any(network.name in used for network in bridged):
        return []
    if any(table.native and table.name.startswith("docker-") for table in host.tables):
        return []  # its nftables backend
    return [name for name in TABLES if not any(_dockers(host, name))]


def _needs_rules(network: Network) -> bool:
    return network.driver == "bridge" and network.bridge is not None and network.masquerades and not network.routed


def _dockers(host: HostState, table: str) -> Iterator[bool]:
    """Tell of each rule of a table whether a hook comes by it to what Docker makes."""
    subnets = {str(subnet) for network in host.networks for subnet in network.subnets}
    for one in host.tables:
        if not one.native and one.label == table and one.dump == DUMP:
            for rule in one.rules():
                masks = rule.target == "MASQUERADE" and any(f"-s {subnet}" in rule.text for subnet in subnets)
                yield rule.target.startswith("DOCKER") or masks


def _tell(host: HostState, gone: list[str], _: list[int]) -> Told:
    facts: Facts = {"tables": gone}
    proof = [f"{DUMP}: no rule of Docker's in *{name}" for name in gone]
    if host.makes_rules is not None:
        facts["makes_rules"] = host.makes_rules
    if host.makes_rules is False:
        proof.append('daemon.json: "iptables": false')
    return Told(facts, proof=tuple(proof))


HYPOTHESIS = Hypothesis(
    "docker-rules-gone",
    Severity.ERROR,
    "iptables-save.txt, docker-network-inspect.json, docker-inspect.json, captures",
    "Packets are stopped or not translated for want of Docker's rules: somebody flushed or replaced them.",
    "systemctl restart docker: it makes its rules again.",
    causes,
    Specific.ROOT,
)
