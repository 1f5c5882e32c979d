"""A rule gives connections to other machines to a socket of this host (TPROXY), and nobody answers there."""

import re
from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.decode.offsets import PROTO_TCP
from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.symptoms import silent_connections
from analyzer.explain.told import Facts, Told
from analyzer.model import Basis, Severity, address
from analyzer.model.rules import Rule, dump_of
from analyzer.state.sysctl import BRIDGE_CALLS, sysctl, sysctl_line

PORT = re.compile(r"--on-port (\d+)|\btproxy (?:ip6? )?to \S*:(\d+)")


def causes(case: Case) -> Iterator[Cause]:
    """Give silent connections by the rule that takes them, and say of those that work who answers in between."""
    by_rule: dict[str, tuple[Rule, list[int]]] = {}
    for number in silent_connections(case):
        packets = case.packets_of(number, reply=False).tolist()
        rule = case.tracer.prover.taken(packets[0], case.context.hop_rows(packets[0]))
        if rule is not None:
            by_rule.setdefault(rule.text, (rule, []))[1].extend(packets)
    for text, (rule, packets) in by_rule.items():
        yield Cause(sorted(packets), partial(_tell, case, rule), Basis.STATED, ("silent", text))
    for (end, port), first in _taken(case).items():
        yield Cause([], partial(_works, end, port, first), key=("works", end, port))


def _tell(case: Case, rule: Rule, packets: list[int]) -> Told:
    found = PORT.search(rule.text)
    number = int(found[1] or found[2]) if found else 0
    host, row = case.host_of(packets[0]), int(case.last_row[packets[0]])
    dst = case.context.dst(row)
    listener = host.listener("tcp", dst, number) if dst is not None else None
    anyone = next((one for one in host.listeners if one.protocol == "tcp" and one.port == number), listener)
    facts: Facts = {
        "rule": rule.text, "chain": rule.chain, "number": rule.number or 0, "port": number,
        "program": (anyone.program or "a program") if anyone is not None else "",
    }  # fmt: skip
    proof = [f"{dump_of(rule.text, 4 if dst is None else dst.version)}: {rule.text}"]
    setting = BRIDGE_CALLS[4 if dst is None else dst.version]
    bridge = host.link(case.tracer.prover.interface(case.context.point(row)) or "")
    if anyone is not None and bridge is not None and bridge.kind == "bridge" and sysctl(host, setting) == 1:
        facts |= {"bridge": bridge.name, "setting": setting, "commands": [f"sysctl -w {setting}=0"]}
        proof.append(sysctl_line(host, setting))
    return Told(facts, proof=tuple(proof))


def _taken(case: Case) -> dict[tuple[str, int], int]:
    """Return by address and port who is answered for, with the first packet of a connection to it."""
    context, table = case.context, case.context.connections
    relayed = (table["relayed_to"] >= 0) & case.my_connections & (table["proto"] == PROTO_TCP)
    found: dict[tuple[str, int], int] = {}
    for number in np.flatnonzero(relayed).tolist():
        onward = int(table["relayed_to"][number])
        same = all(
            table[f"orig_{name}"][number] == table[f"orig_{name}"][onward] for name in ("dst_hi", "dst", "dport")
        )
        turned = all(table[f"orig_src{half}"][number] == table[f"orig_src{half}"][onward] for half in ("_hi", ""))
        version = int(table["version"][number])
        dst = address(version, int(table["orig_dst_hi"][number]), int(table["orig_dst"][number]))
        first = int(context.packets_of(number)[0])
        if same and not turned and not case.host_of(first).owns(dst):
            found.setdefault((str(dst), int(table["orig_dport"][number])), first)
    return found


def _works(end: str, port: int, first: int, _: list[int]) -> Told:
    return Told({"address": end, "asked_port": port, "works": True, "journey": first}, severity=Severity.INFO)


HYPOTHESIS = Hypothesis(
    "transparent-proxy",
    Severity.ERROR,
    "captures, iptables-save.txt or nft-ruleset.json, ip-rule.json, ip-route.json (ss.txt, sysctl.txt)",
    "A rule gives connections to others to a socket of this host (TPROXY), where nobody answers (info: it does).",
    "See who listens on the rule's port (ss -ltnp), or REDIRECT to it instead.",
    causes,
    Specific.SETTING,
    asks="ss -ltnp and sysctl net.bridge.bridge-nf-call-iptables on the host",
)
