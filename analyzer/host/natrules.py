"""Reads the translating rules of ``iptables-save`` and ``ip6tables-save``, to name the rule behind a rewrite.

It does not evaluate rulesets: a rule is named only where all its matches are understood and no other rule fits.
"""

import re
import shlex
from collections.abc import Iterable
from ipaddress import ip_network

from analyzer.model import Address, NatRule
from analyzer.model.host import Prefix

_COUNTERS = re.compile(r"^\[\d+:\d+\]\s+")
LONGEST_RULE = 16_384
"""Characters; iptables itself takes far less, and splitting a line into words takes long."""
_TARGETS = ("MASQUERADE", "SNAT", "DNAT")
_FLAGS = {"-m": 1, "--comment": 1, "--random": 0, "--random-fully": 0, "--persistent": 0}


def parse_nat_rules(lines: Iterable[str]) -> tuple[NatRule, ...]:
    """Read the rules of the nat table that translate."""
    found: list[NatRule] = []
    table = ""
    for line in lines:
        if len(line) > LONGEST_RULE:
            raise ValueError(f"a rule of {len(line):,} characters")
        text = _COUNTERS.sub("", line.strip())
        if text.startswith("*"):
            table = text[1:]
        if table == "nat" and text.startswith("-A "):
            rule = _rule(text)
            if rule is not None:
                found.append(rule)
    return tuple(found)


def _rule(text: str) -> NatRule | None:
    words = shlex.split(text)
    chain = words[1]
    values: dict[str, str] = {}
    negated: set[str] = set()
    exact, negate, place = True, False, 2
    while place < len(words):
        word = words[place]
        if word == "!":
            negate, place = True, place + 1
            continue
        if word in _FLAGS:
            place += 1 + _FLAGS[word]
            continue
        if word in ("-s", "-d", "-p", "-o", "-j", "--dport", "--to-destination", "--to-source"):
            values[word] = words[place + 1]
            if negate:
                negated.add(word)
        elif not (word == "-i" and negate):  # "! -i docker0": Docker's published ports, true from outside
            exact = False
        negate, place = False, place + 2
    target = values.get("-j", "")
    if target not in _TARGETS:
        return None
    return NatRule(
        text=text,
        chain=chain,
        target=target,
        src=_prefix(values.get("-s")),
        dst=_prefix(values.get("-d")),
        protocol=values.get("-p"),
        dport=int(values["--dport"]) if values.get("--dport", "").isdigit() else None,
        out_interface=values.get("-o"),
        out_negated="-o" in negated,
        to=values.get("--to-destination") or values.get("--to-source"),
        exact=exact and not negated - {"-o"} and values.get("--dport", "0").isdigit(),
    )


def _prefix(text: str | None) -> Prefix | None:
    return ip_network(text, strict=False) if text else None


def rule_for_snat(rules: Iterable[NatRule], src: Address, dst: Address) -> NatRule | None:
    """Return the one MASQUERADE or SNAT rule that fits a packet which left its bridge."""
    fitting = [
        rule
        for rule in rules
        if rule.target in ("MASQUERADE", "SNAT")
        and rule.exact
        and _contains(rule.src, src)
        and _contains(rule.dst, dst)
    ]
    return fitting[0] if len(fitting) == 1 else None


def rule_for_dnat(rules: Iterable[NatRule], protocol: str, dport: int | None, to: str) -> NatRule | None:
    """Return the one DNAT rule that sends *dport* to *to*, ``address:port``."""
    fitting = [
        rule
        for rule in rules
        if rule.target == "DNAT" and rule.to == to and rule.protocol in (None, protocol) and rule.dport in (None, dport)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _contains(prefix: Prefix | None, ip: Address) -> bool:
    return prefix is None or (prefix.version == ip.version and ip in prefix)
