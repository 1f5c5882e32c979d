"""``iptables-save -c`` and ``ip6tables-save -c`` to tables of chains of rules, in the one language of all rules.

Every option of a rule becomes a question, one that is not known an opaque one, so that nothing is overlooked.
"""

import re
import shlex
from collections.abc import Collection, Iterable, Mapping

from analyzer.model.question import Missing, Opaque, Question
from analyzer.model.rules import Chain, Count, Jump, Rule, Statement, Table
from analyzer.state.rules.options import HOW, NOTHING, Option, question
from analyzer.state.rules.sets import IpSet
from analyzer.state.rules.targets import statements

LONGEST_RULE = 16_384
"""Characters; iptables itself takes far less, and splitting a line into words takes long."""
MOST_RULES = 200_000
DUMPS = {4: "iptables-save.txt", 6: "ip6tables-save.txt"}
LEGACY = {4: "iptables-legacy-save.txt", 6: "ip6tables-legacy-save.txt"}
"""Of xtables' own tables, where iptables is its variant for nftables."""
PRIORITIES = {"raw": -300, "mangle": -150, "filter": 0, "security": 50}
"""Of iptables' tables in their hooks (linux/netfilter_ipv4.h)."""
DSTNAT, SRCNAT = -100, 100
HOOKS = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}
"""The hooks that each table has chains for."""
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
FLAGS = frozenset(_FLAGS.split())
"""Options without a value."""
_TWO = frozenset(("--tcp-flags", "--match-set", "--chunk-types", "--add-set", "--del-set"))
"""Options with two."""


def parse_tables(
    lines: Iterable[str], version: int, sets: Mapping[str, IpSet] | None = None, file: str = ""
) -> list[Table]:
    """
    Read a dump, called *file*; *sets* are those that ``ipset save`` told.

    Raises:
        ValueError: it is not what ``iptables-save`` prints.
    """
    known = sets or {}
    found: dict[str, Table] = {}
    table, count = _table("", version, known, file), 0
    for line in lines:
        text = line.strip()
        if len(text) > LONGEST_RULE:
            raise ValueError(f"a rule of {len(text):,} characters")
        if text.startswith("*"):
            table = found.setdefault(text[1:], _table(text[1:], version, known, file))
        elif declared := _CHAIN.match(text):
            policy = None if declared[2] == "-" else declared[2]
            chain = _chain(table, declared[1])
            chain.policy, chain.packets = policy, int(declared[3] or 0)
        elif text.startswith(("-A ", "[")):
            count += 1
            if count > MOST_RULES:
                raise ValueError(f"more than {MOST_RULES:,} rules")
            _append(table, text, known)
    return list(found.values())


def _table(name: str, version: int, sets: Mapping[str, IpSet], file: str) -> Table:
    elements = {one: ip_set.elements for one, ip_set in sets.items()}
    return Table("ip6" if version == 6 else "ip", name, file or DUMPS[version], sets=elements)


def _chain(table: Table, name: str) -> Chain:
    """Return a table's chain, which is a hook's if it is called so."""
    found = table.chains.get(name)
    if found is None:
        found = table.chains[name] = Chain(name, packets=0)
        if name in HOOKS.get(table.name, ()):
            found.hook, found.policy = name.lower(), "ACCEPT"
            found.kind = "nat" if table.name == "nat" else "filter"
            of_nat = SRCNAT if name in ("INPUT", "POSTROUTING") else DSTNAT
            found.priority = PRIORITIES.get(table.name, of_nat)
    return found


def _append(table: Table, text: str, sets: Mapping[str, IpSet]) -> None:
    """Read a rule; of one that cannot be read, keep what it is about: it must not cost the others."""
    try:
        words = _words(text)
    except ValueError:
        words = None
    plain = _COUNTERS.sub("", text)
    named = re.match(r"-A (\S+)", plain)
    if named is None:
        raise ValueError(text[:80])
    chain = _chain(table, named[1])
    chain.rules.append(_rule(text, words, table, chain, sets))


def parse_rule(text: str, table: Table, sets: Mapping[str, IpSet] | None = None) -> Rule:
    """
    Read one line of a table, ``-A CHAIN ...``, as the last rule of its chain.

    Raises:
        ValueError: it is none.
    """
    words = _words(text)
    return _rule(text, words, table, table.chains.get(words[1], Chain(words[1])), sets or {})


def _words(text: str) -> list[str]:
    words = shlex.split(_COUNTERS.sub("", text))
    if len(words) < 2 or words[0] != "-A":
        raise ValueError(text[:80])
    return words


def _rule(text: str, words: list[str] | None, table: Table, chain: Chain, sets: Mapping[str, IpSet]) -> Rule:
    counters, plain = _COUNTERS.match(text), _COUNTERS.sub("", text)
    try:
        options, target, goto, of_target = _options(words or [])
        if words is None:
            raise ValueError(plain)
        questions = [question(option, sets) for option in options]
        does = _does(target, of_target, table.chains, goto=goto)
        comment = next((option.value for option in options if option.name == "--comment"), "")
    except ValueError:
        jump = re.search(r" -[jg] (\S+)", plain)
        target, comment = jump[1] if jump else "", ""
        questions, does = [Opaque(plain[:80], Missing.VALUE)], _does(target, (), table.chains, goto=False)
    asked: list[Question] = [one for one in questions if one is not NOTHING]
    return Rule(
        text=plain,
        table=table.label,
        chain=chain.name,
        number=len(chain.rules) + 1,
        steps=(*asked, Count(), *does),
        target=target,
        packets=int(counters[1]) if counters else 0,
        bytes=int(counters[2]) if counters else 0,
        dump=table.dump,
        comment=comment,
    )


def _does(target: str, options: tuple[Option, ...], chains: Collection[str], *, goto: bool) -> tuple[Statement, ...]:
    return (Jump(target, goto),) if goto or target in chains else statements(target, options)


def _options(words: list[str]) -> tuple[list[Option], str, bool, tuple[Option, ...]]:
    """Split a rule into what it asks, its target, whether it goes there for good, and the target's options."""
    asked: list[Option] = []
    of_target: list[Option] = []
    target, goto, module, negated = "", False, "", False
    named: list[str] = []
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
            named.append(value)
        else:
            (of_target if target else asked).append(Option(word, value, negated, target or module))
        negated = False
    asked += [Option("-m", module, False, module) for module in named if _bare(module, asked)]
    return asked, target, goto, tuple(of_target)


def _bare(module: str, asked: list[Option]) -> bool:
    """Tell whether a match asks something by its name alone: without options, or with such as only say how."""
    return not any(option.module == module and option.name not in HOW for option in asked)


def _values(option: str, words: list[str], place: int) -> list[str]:
    """Return the words that belong to an option; most have one, TCP flags and sets two."""
    if option in FLAGS:
        return []
    count = 2 if option in _TWO else 1
    found = words[place : place + count]
    if len(found) < count:
        raise ValueError(f"{option} without a value")
    return found
