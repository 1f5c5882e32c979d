"""``iptables-save -c`` and ``ip6tables-save -c`` to tables of chains of rules.

Takes the dump, gives a Ruleset; every option of a rule is kept, known or not, so that nothing is overlooked.
"""

import re
import shlex
from collections.abc import Iterable

from analyzer.model.rules import Chain, Option, Rule, Ruleset

LONGEST_RULE = 16_384
"""Characters; iptables itself takes far less, and splitting a line into words takes long."""
MOST_RULES = 200_000
_COUNTERS = re.compile(r"^\[(\d+):(\d+)\]\s+")
_CHAIN = re.compile(r"^:(\S+)\s+(\S+)(?:\s+\[(\d+):(\d+)\])?")
_FLAGS = """
    --syn --random --random-fully --persistent --notrack --physdev-is-bridged --physdev-is-in --physdev-is-out
    --socket-exists --clamp-mss-to-pmtu --limit-iface-in --limit-iface-out --log-tcp-options --log-ip-options
    --log-uid --log-tcp-sequence --checksum-fill --save-mark --restore-mark --rcheck --update --set --remove --rsource
    --rdest --transparent --nowildcard --return-nomatch --soft -f --fragment --validmark --loose --accept-local
    --invert --rt-0-res --fragmore --fragfirst --fraglast --connlimit-saddr --connlimit-daddr --queue-bypass
    --queue-cpu-fanout --kerneltz --contiguous --strict --next --update-counters --update-subcounters
    --log-macdecode --rateest-delta --rateest-lt --rateest-gt --rateest-eq --exist --reap --fragres --ahres
    --icase
"""
UNREAD = "(unread)"
"""Option of a rule that could not be read: whether it matches, nobody knows."""
FLAGS = frozenset(_FLAGS.split())
"""Options without a value."""


def parse_ruleset(lines: Iterable[str], version: int) -> Ruleset:
    """
    Read a dump.

    Raises:
        ValueError: it is not what ``iptables-save`` prints.
    """
    found = Ruleset(version)
    chains: dict[str, Chain] = {}
    table, count = "", 0
    for line in lines:
        text = line.strip()
        if len(text) > LONGEST_RULE:
            raise ValueError(f"a rule of {len(text):,} characters")
        if text.startswith("*"):
            table = text[1:]
            chains = found.tables.setdefault(table, {})
        elif chain := _CHAIN.match(text):
            policy = None if chain[2] == "-" else chain[2]
            chains[chain[1]] = Chain(chain[1], policy, int(chain[3] or 0))
        elif text.startswith(("-A ", "[")):
            rule = _rule_or_less(text, table)
            count += 1
            if count > MOST_RULES:
                raise ValueError(f"more than {MOST_RULES:,} rules")
            chains.setdefault(rule.chain, Chain(rule.chain, None)).rules.append(rule)
    return found


def parse_sets(lines: Iterable[str]) -> dict[str, frozenset[str]]:
    """Read ``ipset save``: members of the sets of addresses and networks; other kinds are left out."""
    kinds: dict[str, str] = {}
    found: dict[str, set[str]] = {}
    for line in lines:
        words = line.split()
        if len(words) >= 3 and words[0] == "create":
            kinds[words[1]] = words[2]
        elif len(words) >= 3 and words[0] == "add" and kinds.get(words[1]) in ("hash:ip", "hash:net"):
            found.setdefault(words[1], set()).add(words[2])
    known = {name: found.get(name, set()) for name, kind in kinds.items() if kind in ("hash:ip", "hash:net")}
    return {name: frozenset(members) for name, members in known.items()}


def _rule_or_less(text: str, table: str) -> Rule:
    """Read a rule; of one that cannot be read, keep what it is about: it must not cost the others."""
    try:
        return parse_rule(text, table)
    except ValueError:
        counters, plain = _COUNTERS.match(text), _COUNTERS.sub("", text)
        chain, target = re.match(r"-A (\S+)", plain), re.search(r" -[jg] (\S+)", plain)
        if chain is None:
            raise
        return Rule(
            text=plain,
            table=table,
            chain=chain[1],
            options=(Option(UNREAD, plain, negated=False, module=""),),
            target=target[1] if target else "",
            target_options=(),
            goto=False,
            packets=int(counters[1]) if counters else 0,
            bytes=int(counters[2]) if counters else 0,
        )


def parse_rule(text: str, table: str) -> Rule:
    """
    Read one line of a table, ``-A CHAIN ...``.

    Raises:
        ValueError: it is none.
    """
    counters = _COUNTERS.match(text)
    text = _COUNTERS.sub("", text)
    words = shlex.split(text)
    if len(words) < 2 or words[0] != "-A":
        raise ValueError(text[:80])
    options: list[Option] = []
    of_target: list[Option] = []
    target, goto, module, negated = "", False, "", False
    place = 2
    while place < len(words):
        word = words[place]
        place += 1
        if word == "!":
            negated = True
            continue
        values = _values(word, words, place)
        place += len(values)
        value = " ".join(values)
        if word in ("-j", "-g"):
            target, goto = value, word == "-g"
        elif word == "-m":
            module = value
        else:
            (of_target if target else options).append(Option(word, value, negated, target or module))
        negated = False
    return Rule(
        text=text,
        table=table,
        chain=words[1],
        options=tuple(options),
        target=target,
        target_options=tuple(of_target),
        goto=goto,
        packets=int(counters[1]) if counters else 0,
        bytes=int(counters[2]) if counters else 0,
    )


def _values(option: str, words: list[str], place: int) -> list[str]:
    """Return the words that belong to an option; most have one, TCP flags and sets two."""
    if option in FLAGS:
        return []
    count = 2 if option in ("--tcp-flags", "--match-set", "--chunk-types", "--add-set", "--del-set") else 1
    found = words[place : place + count]
    if len(found) < count:
        raise ValueError(f"{option} without a value")
    return found
