"""Rules below IP that may have stopped the question, or its answer."""

from collections.abc import Iterator
from shlex import quote

from analyzer.explain.absent.asked import Asked, Why
from analyzer.explain.edits import for_shell
from analyzer.explain.told import Facts
from analyzer.model.engine import GOSSIP_PORT
from analyzer.model.rules import Rule
from analyzer.packet.prove import KILLS
from analyzer.packet.stops import moved
from analyzer.state.rules.owner import owner

BELOW_IP = ("arp", "bridge", "netdev")
"""Families of tables that see ARP."""
MOST = 50
"""Packets that one rule stops which are looked at."""


def rules(asked: Asked) -> Iterator[Why]:
    """Give rules below IP that dropped something meanwhile: what they match of ARP is not evaluated."""
    for table in asked.host.tables:
        for rule in table.rules() if table.family in BELOW_IP else ():
            if rule.target in KILLS and rule.counts and moved(asked.host, rule):
                yield Why(_rule(rule, table.family), (f"{rule.dump}: {table.label} {rule.chain}: {rule.text}",))


def answered(asked: Asked) -> Iterator[Why]:
    """Look whether answers were seen, and got lost: with the rules below IP that do not count."""
    at = asked.question.answered_at
    if at is not None:
        silent = [
            f"{table.label} {rule.chain}: {rule.text}"
            for table in asked.host.tables
            for rule in (table.rules() if table.family in BELOW_IP else ())
            if rule.target in KILLS and not rule.counts
        ]
        facts: Facts = {"why": "answers-lost", "answered_at": at, "rules": silent[:3]}
        yield Why(facts, tuple(f"nft-ruleset.json: {text}" for text in silent[:3]))


def within_bridge(asked: Asked) -> Iterator[Why]:
    """Look whether IP's rules stop a question of NDP from port to port, as br_netfilter shows it to them."""
    case, question = asked.case, asked.question
    packet = case.asking.get((question.point, question.request_frame)) if question.protocol == "ndp" else None
    rows = case.context.hop_rows(packet) if packet is not None else []
    if packet is None or not case.tracer.prover.bridged(rows[-1]):
        return
    stopped = case.tracer.prover.why(packet, rows, lost=True)
    if stopped is not None and not stopped.unknown and stopped.check == "filtered-by-rule":
        facts: Facts = {"why": "within-bridge", "cause": stopped.text}
        if stopped.rule is not None and (by := owner(stopped.rule, asked.host)) is not None:
            facts["owner"] = by
        yield Why(facts, stopped.proof)


def untold(asked: Asked) -> Iterator[Why]:
    """Look whether a rule keeps other nodes from telling which of them has an overlay's address."""
    case, frames = asked.case, asked.case.context.frames
    network = next((n for n in asked.host.networks if n.driver == "overlay" and n.holds(asked.ip)), None)
    if network is None or asked.owner is not None:
        return
    for one in case.stopped.get("filtered-by-rule", ()):
        rows = case.last_row[one.packets[:MOST]]
        if one.host is asked.host and any((frames[port][rows] == GOSSIP_PORT).any() for port in ("dport", "sport")):
            yield Why({"why": "untold", "network": network.name, "cause": one.cause.text}, one.cause.proof)


def _rule(rule: Rule, family: str) -> Facts:
    command = f"nft delete rule {for_shell(rule.table)} {quote(rule.chain)} handle {rule.handle}"
    return {
        "why": "rule", "family": family, "rule": rule.text, "chain": f"{rule.table} {rule.chain}",
        "number": rule.number or 0, "commands": [command] if rule.handle is not None else [],
    }  # fmt: skip
