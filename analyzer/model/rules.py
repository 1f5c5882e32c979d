"""Rules of netfilter: as ``iptables-save -c`` prints them, and as ``nft -j list ruleset`` does."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a rule, e.g. ``! -o docker0``: a match, or what the target shall do."""

    name: str
    value: str
    negated: bool
    module: str
    """``-m`` before it, or the target for a target's options; empty for iptables' own."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule."""

    text: str
    """As ``iptables-save`` prints it, without counters."""
    table: str
    chain: str
    options: tuple[Option, ...]
    target: str
    """``ACCEPT``, ``DROP``, ..., or a chain; empty for a rule that only counts."""
    target_options: tuple[Option, ...]
    goto: bool
    packets: int
    bytes: int
    handle: int | None = None
    """By which ``nft`` deletes it; None of iptables' own."""
    counts: bool = True
    """It has a counter; nftables' own may have none."""

    @property
    def native(self) -> bool:
        """Tell whether it is nftables' own: its table has a family."""
        return " " in self.table

    def told(self, name: str) -> str | None:
        """Return the value of a target's option."""
        return next((option.value for option in self.target_options if option.name == name), None)


@dataclass(frozen=True, slots=True)
class Policy:
    """What becomes of packets that no rule of a base chain decides about."""

    verdict: str
    """``ACCEPT`` or ``DROP``."""
    packets: int | None
    """How many it decided about; None where nobody counts them, as in nftables."""


@dataclass(slots=True)
class Chain:
    """A chain: rules in order, and what becomes of a packet that none of them decides about."""

    name: str
    policy: str | None
    """Of a built-in chain; None of a user's, which returns."""
    packets: int = 0
    """Counted by the policy."""
    rules: list[Rule] = field(default_factory=list)


@dataclass(slots=True)
class Ruleset:
    """All tables of one family."""

    version: int
    tables: dict[str, dict[str, Chain]] = field(default_factory=dict)
    sets: dict[str, frozenset[str]] = field(default_factory=dict)
    """Members of ipsets, where a dump has them."""

    def rules(self) -> Iterator[Rule]:
        """Give every rule, in order."""
        return (rule for chains in self.tables.values() for chain in chains.values() for rule in chain.rules)


@dataclass(slots=True)
class NativeChain:
    """A chain; a base chain if it has a hook."""

    table: "NativeTable"
    name: str
    hook: str | None = None
    kind: str | None = None
    priority: int = 0
    policy: str = "accept"
    rules: list["NativeRule"] = field(default_factory=list)


@dataclass(slots=True)
class NativeRule:
    """A rule, and the same as everybody else knows it."""

    statements: list[Any]
    shown: Rule


@dataclass(slots=True)
class NativeTable:
    """A table with its chains, and the elements of its named sets and maps."""

    family: str
    name: str
    chains: dict[str, NativeChain] = field(default_factory=dict)
    sets: dict[str, list[Any]] = field(default_factory=dict)
