"""What becomes of a packet in a host, by whom, and what was asked on the way: the account of one evaluation."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from analyzer.model.question import Unknown
from analyzer.model.rules import Chain, NatTarget, Rule, Step, Table, Verdict
from analyzer.model.tuple import Address


class Why(Enum):
    """What stops a packet: all causes that there are, in a few words, and the kernel's own place for it."""

    RULE = "a rule", "nf_hook_slow: NF_DROP, or ipt_REJECT, nft_reject"
    POLICY = "a policy", "ipt_do_table: policy of a base chain; nft_do_chain: NFTA_CHAIN_POLICY"
    NO_ROUTE = "no route", "ip_route_input_slow: no_route; ip6_pkt_discard"
    DEAD_END = "a route that leads nowhere", "fib_lookup: blackhole, unreachable, prohibit, throw as the last"
    ROUTING_RULE = "a routing rule", "fib4_rule_action: FR_ACT_BLACKHOLE, UNREACHABLE, PROHIBIT"
    FORWARDING = "forwarding is off", "ip_route_input_slow: !IN_DEV_FORWARD; ip6_forward"
    REVERSE_PATH = "reverse path filter", "fib_validate_source (SKB_DROP_REASON_IP_RPFILTER)"
    MARTIAN = "a destination that only the host itself may use", "ip_route_input_slow: martian_destination"
    TTL = "its TTL ends here", "ip_forward: too_many_hops; ip6_forward: hop_limit <= 1"
    MTU = "longer than the way out takes", "ip_forward: ip_exceeds_mtu; ip6_forward: ip6_pkt_too_big"
    NEIGHBOUR = "the next hop does not answer", "neigh_resolve_output: NUD_FAILED"

    @property
    def words(self) -> str:
        """A few words."""
        return str(self.value[0])

    @property
    def kernel(self) -> str:
        """Where the kernel decides it."""
        return str(self.value[1])


@dataclass(frozen=True, slots=True)
class Translation:
    """What a rule makes of a connection's end."""

    kind: NatTarget
    rule: Rule
    to: str | None
    """As the rule says; None for the address of the interface, or where an expression says it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One rule that was asked, and its answer."""

    hook: str
    depth: int
    """How many jumps led to its chain."""
    rule: Rule
    answer: bool | Unknown
    """It matched, did not, or nobody knows."""
    step: Step | None = None
    """The first question that it was not, or that nobody can answer."""


@dataclass(frozen=True, slots=True)
class Met:
    """A base chain that a packet met, or the routing decision between two hooks."""

    asked: int
    """How many rules had been asked before."""
    table: Table | None = None
    chain: Chain | None = None
    state: str | None = None
    """What conntrack said of the packet there; None if nobody knows."""
    route: Any = None
    """The route that was chosen (``analyzer.state.routing.Chosen``), or the words that stand for it."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """A question that nobody can answer, and on which something hangs."""

    unknown: Unknown
    rule: Rule | None = None
    text: str = ""
    """The question, as the rule says it."""

    def __str__(self) -> str:
        unknown, missing = self.unknown, self.unknown.missing
        if self.rule is None or not self.text:
            return f"cannot tell: {unknown}"
        what = "it" if unknown.what in ("", self.text) else f"the {unknown.what}"
        return f"cannot tell whether “{self.text}” matches: {what} {missing.words}"


@dataclass(slots=True)
class Account:
    """How it went: the verdict, what decided, and all that was asked on the way there."""

    verdict: Verdict = Verdict.ACCEPT
    why: Why | None = None
    """What stopped it."""
    rule: Rule | None = None
    """The one that decided; None if a policy did, or nothing."""
    policy: tuple[Table, str] | None = None
    """Table, and name of the base chain, of a policy that decided."""
    text: str = ""
    """Why the verdict is unknown, or what else ended the way."""
    undecided: Undecided | None = None
    """What the verdict hangs on, where it is unknown."""
    translations: list[Translation] = field(default_factory=list)
    matched: list[Rule] = field(default_factory=list)
    """All rules that counted it, in order."""
    trail: list[Asked] = field(default_factory=list)
    """All rules that were asked, in order."""
    met: list[Met] = field(default_factory=list)
    """All base chains and routing decisions, in order."""
    packet: Any = None
    """As it left, or as it came if it was stopped (``analyzer.state.rules.packet.Packet``)."""
    route: Any = None
    """The route that was taken (``analyzer.state.routing.Chosen``)."""
    cases: list["Account"] = field(default_factory=list)
    """Where something is undecided: how it goes in each case that was tried, this one's case first."""

    for_host: bool = False
    """It is for the host itself."""
    next_hop: Address | None = None
    """Who does not answer."""
    proof: tuple[str, ...] = ()
    """Lines of dumps that show what stopped it, each after its file's name, where no rule or route does."""

    @property
    def target_moved(self) -> bool:
        """Tell whether its destination was translated."""
        return any(not one.kind.of_source for one in self.translations)

    @property
    def source_moved(self) -> bool:
        """Tell whether its source was translated."""
        return any(one.kind.of_source for one in self.translations)

    def asked(self, *, matched: bool) -> list[Asked]:
        """Return the rules that matched, or those that did not."""
        return [one for one in self.trail if one.answer is matched]
