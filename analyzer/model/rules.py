"""One language for rules of every tool: a rule is what it asks, what it changes, how it decides, in the rule's order.

Front ends make it of what ``iptables-save`` and ``nft -j`` print (``analyzer.state.rules``).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from analyzer.model.question import Both, Either, Elements, Expression, Field, Missing, Opaque, Test


class Verdict(StrEnum):
    """What the host does with a packet."""

    ACCEPT = "accept"
    DROP = "drop"
    REJECT = "reject"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Count:
    """The rule counts here."""


@dataclass(frozen=True, slots=True)
class Write:
    """A field is set."""

    field: Field
    value: Expression
    lenient: bool = False
    """Where there is nothing to write, the rule goes on: iptables' targets do, in nftables that ends the rule."""


@dataclass(frozen=True, slots=True)
class Untrack:
    """The packet is not tracked."""


class NatTarget(StrEnum):
    """Which end a rule translates, and where to."""

    DNAT = "DNAT"
    SNAT = "SNAT"
    MASQUERADE = "MASQUERADE"
    REDIRECT = "REDIRECT"

    @property
    def of_source(self) -> bool:
        """Tell whether it is the source that changes."""
        return self in (NatTarget.SNAT, NatTarget.MASQUERADE)


@dataclass(frozen=True, slots=True)
class InZone:
    """Its connection's entry is one of another zone."""


@dataclass(frozen=True, slots=True)
class Translate:
    """A connection's end is translated; that ends the table, or the base chain."""

    kind: NatTarget
    address: Expression | None
    """None where the rule says none: it stays, or the interface gives it."""
    port: Expression | None
    to: str | None
    """As iptables would say it."""


@dataclass(frozen=True, slots=True)
class Decide:
    """The packet's fate in this hook's table or base chain."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Return:
    """Back to the chain before, or to the policy."""


@dataclass(frozen=True, slots=True)
class Jump:
    """On in another chain."""

    chain: str
    goto: bool = False
    """Without coming back behind this rule."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What a verdict map says."""

    key: Expression
    of: Elements | str
    text: str


@dataclass(frozen=True, slots=True)
class Unfollowed:
    """A statement of which nobody knows here what it does to a packet."""

    text: str
    missing: Missing = Missing.TARGET


Statement = Count | Write | Untrack | InZone | Translate | Decide | Return | Jump | Dispatch | Unfollowed
Step = Test | Either | Both | Opaque | Statement


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule."""

    text: str
    """As ``iptables-save`` prints it, without counters; of nftables about as ``nft`` does, behind table and chain."""
    table: str
    """``filter``, or with its family: ``inet firewall``."""
    chain: str
    number: int
    """Its place in the chain, from 1."""
    steps: tuple[Step, ...] = field(default=(), compare=False, repr=False)
    target: str = ""
    """``ACCEPT``, ``DROP``, ... or the chain that it jumps to; empty for one that only counts."""
    packets: int = 0
    bytes: int = 0
    handle: int | None = None
    """By which ``nft`` deletes it; None of iptables' own."""
    counts: bool = True
    """It has a counter; nftables' own may have none."""
    dump: str = "iptables-save.txt"
    """The file that it stands in."""
    comment: str = ""

    @property
    def native(self) -> bool:
        """Tell whether it is nftables' own: its table has a family."""
        return " " in self.table

    @property
    def nat(self) -> Translate | None:
        """Return what it translates."""
        return next((step for step in self.steps if isinstance(step, Translate)), None)

    @property
    def untracks(self) -> bool:
        """Tell whether it takes packets out of connection tracking."""
        return any(isinstance(step, Untrack) for step in self.steps)

    def same(self, other: "Rule") -> bool:
        """Tell whether another dump's rule is this one."""
        return (self.dump, self.table, self.text) == (other.dump, other.table, other.text)

    def writes(self, what: Field) -> bool:
        """Tell whether it changes a field."""
        return any(isinstance(step, Write) and step.field is what for step in self.steps)


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
    policy: str | None = None
    """``ACCEPT`` or ``DROP`` of a base chain; None of a user's, which returns."""
    packets: int | None = None
    """Counted by the policy; None where nobody counts."""
    rules: list[Rule] = field(default_factory=list)
    hook: str | None = None
    """Of a base chain: ``prerouting``, ``input``, ``forward``, ``output``, ``postrouting``, ``ingress``, ``egress``."""
    kind: str = "filter"
    """``filter``, ``nat`` or ``route``."""
    priority: int = 0
    devices: tuple[str, ...] = ()
    """Of ingress and egress."""


@dataclass(slots=True)
class Table:
    """A table of one family: its chains by name, and what its named sets and maps hold."""

    family: str
    """``ip``, ``ip6``, ``inet``, ``arp``, ``bridge`` or ``netdev``."""
    name: str
    dump: str
    """The file that it stands in."""
    chains: dict[str, Chain] = field(default_factory=dict)
    sets: Mapping[str, Elements] = field(default_factory=dict)
    told: list[dict[str, Any]] = field(default_factory=list, repr=False)
    """What the dump says of nftables' own, item by item: JSON of ``nft -j``."""

    @property
    def native(self) -> bool:
        """Tell whether it is nftables' own."""
        return self.dump == NFT

    @property
    def label(self) -> str:
        """As people call it: ``filter``, or with its family if it is nftables' own."""
        return f"{self.family} {self.name}" if self.native else self.name

    @property
    def versions(self) -> tuple[int, ...]:
        """IP versions of the packets that it may see."""
        return {"ip": (4,), "ip6": (6,), "arp": ()}.get(self.family, (4, 6))

    @property
    def matters(self) -> bool:
        """Tell whether it does anything to any packet."""
        return any(chain.rules or chain.policy not in (None, "ACCEPT") for chain in self.chains.values())

    def rules(self) -> Iterator[Rule]:
        """Give every rule, in order."""
        return (rule for chain in self.chains.values() for rule in chain.rules)


NFT = "nft-ruleset.json"
"""Where nftables' own rules stand."""
_IPTABLES = {4: "iptables-save.txt", 6: "ip6tables-save.txt"}


def dump_of(text: str, version: int) -> str:
    """Return the file that a rule stands in, by its text."""
    return _IPTABLES[version] if text.startswith("-A ") else NFT


def masquerades(text: str | None) -> bool:
    """Tell by a rule's text, comments aside, whether it gives the host's own address."""
    if text is None:
        return False
    if text.startswith("-"):
        return re.search(r"(?:^| )-j MASQUERADE(?: |$)", text) is not None
    return re.search(r"\bmasquerade\b", text.partition(' comment "')[0]) is not None


def ports_at_random(text: str | None) -> bool:
    """Tell by a rule's text, comments aside, whether it chooses source ports as it likes."""
    said = re.sub(r'"[^"]*"', "", text or "")
    wanted = r"(?:^| )--random(?:-fully)?(?: |$)" if said.startswith("-") else r"\b(?:masquerade|snat)\b.*\brandom\b"
    return re.search(wanted, said) is not None
