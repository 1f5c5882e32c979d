"""A packet's way through hooks, tables and chains, in the kernel's order, and what was asked on it.

The order is that of hook priorities (linux/netfilter_ipv4.h): raw, conntrack, mangle, nat, filter; nat is asked for a
connection's first packet only. Where a question that matters cannot be answered, an answer is assumed: whoever walks
again with another assumption sees the other case. So an answer that does not matter costs nothing, and one that does
cannot be overlooked.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analyzer.model.question import (
    ABSENT,
    Both,
    Either,
    Elements,
    Field,
    Missing,
    Of,
    OneOf,
    Opaque,
    Question,
    Range,
    Test,
    Unknown,
    Value,
)  # fmt: skip
from analyzer.model.rules import (
    Chain,
    Count,
    Decide,
    Dispatch,
    InZone,
    Jump,
    NatTarget,
    Return,
    Rule,
    Statement,
    Table,
    Translate,
    Unfollowed,
    Untrack,
    Verdict,
    Write,
)  # fmt: skip
from analyzer.model.verdict import Asked, Met, Translation, Undecided, Why
from analyzer.state.rules.packet import Packet
from analyzer.state.rules.values import Asking

DEEPEST = 64
"""Jumps into each other; the kernel refuses loops."""
MOST_RULES_ASKED = 200_000
DSTNAT, SRCNAT = -100, 100
CONNTRACK = -200
"""Before this priority, conntrack has not seen the packet."""
WORD = 0xFFFF_FFFF
QUESTIONS = (Test, Either, Both, Opaque)
Look = Callable[[Packet, Field], Value | None]
"""Tells fields that the host's state gives, and None of all others."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Addresses of the host itself, which translations give: of interfaces, by the packet that is translated."""

    redirected: Callable[[Packet], Any]
    masqueraded: Callable[[Packet], Any]


class Ended(Exception):  # noqa: N818 - it is how a verdict is reached, no error
    """Carries the verdict out of the chains."""

    def __init__(self, verdict: Verdict, why: Why | None, **told: Any) -> None:
        super().__init__(verdict)
        self.verdict, self.why, self.told = verdict, why, told


class Walk:
    """One walk, under assumptions: the n-th is the answer to the n-th question that nobody can answer, else no."""

    def __init__(
        self,
        tables: Sequence[Table],
        look: Look,
        ends: Ends,
        *,
        skip: Collection[Rule] = (),
        assumed: Sequence[bool] = (),
    ) -> None:
        """Take rules, what the host's state tells of packets, and rules in *skip* that shall not match."""
        self._tables, self._look, self._ends = tables, look, ends
        self._skip = {id(rule) for rule in skip}
        self.assumed = tuple(assumed)
        self.undecided: list[Undecided] = []
        self.trail: list[Asked] = []
        self.met: list[Met] = []
        self.matched: list[Rule] = []
        self.translations: list[Translation] = []
        self._hook, self._left = "", MOST_RULES_ASKED

    def assume(self, undecided: Undecided) -> bool:
        """Return the answer that is assumed to a question that nobody can answer."""
        place = len(self.undecided)
        self.undecided.append(undecided)
        return place < len(self.assumed) and self.assumed[place]

    def hook(self, packet: Packet, hook: str, families: Collection[str] = (), *, nat: bool = True) -> Packet:
        """
        Ask the chains of a hook, of tables of *families*, in the order of their priorities; those of *nat* or not.

        Raises:
            Ended: the packet goes no further.
        """
        self._hook = hook
        families = families or ("inet", "ip6" if packet.version == 6 else "ip")
        for priority, table, chain in _base_chains(self._tables, families, hook):
            if hook in ("prerouting", "output") and priority >= DSTNAT:
                packet = as_known(packet)
            if hook in ("input", "postrouting") and priority >= SRCNAT:
                packet = from_known(packet)
            if chain.kind == "nat" and not (nat and self._asks_nat(packet, chain, hook)):
                continue
            state = packet.ct_state
            if priority < CONNTRACK:  # conntrack has not seen it yet, which xt_conntrack calls invalid
                packet = replace(packet, ct_state="INVALID")
            self.met.append(Met(len(self.trail), table, chain, packet.ct_state))
            packet, accepted = self._chain(packet, table, chain, 0)
            if not accepted and chain.policy == "DROP":
                raise Ended(Verdict.DROP, Why.POLICY, policy=(table, chain.name))
            if priority < CONNTRACK and packet.ct_state == "INVALID":
                packet = self._in_zone(replace(packet, ct_state=state))
        if hook in ("prerouting", "output"):
            return as_known(packet)
        return from_known(packet) if hook in ("input", "postrouting") else packet

    def routed(self, route: Any) -> None:
        """Note where a routing decision leads."""
        self.met.append(Met(len(self.trail), route=route))

    def ask(self, packet: Packet, sets: Any) -> Asking:
        """Return what evaluates questions about a packet."""

        def look(field: Field) -> Value:
            told = self._look(packet, field)
            return packet.look(field) if told is None else told

        return Asking(look, sets)

    def _asks_nat(self, packet: Packet, chain: Chain, hook: str) -> bool:
        """Tell whether a nat chain is asked: for a connection's first packet, of which no other one has decided."""
        if packet.nat_src if hook in ("input", "postrouting") else packet.nat_dst:
            return False
        if packet.ct_state is None and chain.rules:
            return self.assume(Undecided(Unknown(Missing.FIELD, Field.CT_STATE)))
        return packet.ct_state == "NEW"

    def _chain(self, packet: Packet, table: Table, chain: Chain, depth: int) -> tuple[Packet, bool]:
        """Go through a chain; tell whether it accepted, else it returned."""
        if depth > DEEPEST:
            self._unknown(None, Missing.LOOP, f"chain {chain.name}")
        for rule in chain.rules:
            if id(rule) in self._skip:
                continue
            self._left -= 1
            if self._left < 0:
                self._unknown(rule, Missing.COUNT, f"chain {chain.name}")
            packet, end = self._rule(packet, table, rule, depth)
            if end is not None:
                return packet, end
        return packet, False

    def _rule(self, packet: Packet, table: Table, rule: Rule, depth: int) -> tuple[Packet, bool | None]:
        """Ask one rule; tell whether its chain ends, accepting or returning, else None."""
        asking = self.ask(packet, table.sets)
        granted = False
        noted = len(self.trail)
        self.trail.append(Asked(self._hook, depth, rule, answer=True))
        for place, step in enumerate(rule.steps):
            if isinstance(step, QUESTIONS):
                answer = asking.answer(step)
                if answer is True or (granted and answer is not False):
                    continue
                if isinstance(answer, Unknown):
                    granted = self._granted(asking, rule, place, answer)
                    if granted:
                        continue
                self.trail[noted] = Asked(self._hook, depth, rule, answer, step)
                return packet, None
            if isinstance(step, Count):
                self.matched.append(rule)
                continue
            packet, end = self._statement(packet, table, rule, step, depth)
            if end is None:  # a map that has nothing for the packet ends the rule, as if it did not match
                self.trail[noted] = Asked(self._hook, depth, rule, answer=False)
            if end is not _NEXT_STEP:
                return packet, end
            asking, granted = self.ask(packet, table.sets), False
        return packet, None

    def _granted(self, asking: Asking, rule: Rule, place: int, unknown: Unknown) -> bool:
        """Decide about a question that nobody can answer: of no matter, or assumed."""
        rest = rule.steps[place + 1 :]
        for step in rest:
            if isinstance(step, QUESTIONS):
                if asking.answer(step) is False:
                    return False
            elif not isinstance(step, Count):
                break
        if all(isinstance(step, (*QUESTIONS, Count)) for step in rest):
            return False  # whether it only logs or counts is of no matter
        return self.assume(Undecided(unknown, rule, _text(rule.steps[place])))

    def _statement(
        self, packet: Packet, table: Table, rule: Rule, step: Statement, depth: int
    ) -> tuple[Packet, bool | None]:
        """Do one statement; tell how it goes on: the next step, or the chain ends, accepting or returning."""
        match step:
            case Decide(verdict):
                if verdict is Verdict.ACCEPT:
                    return packet, True
                raise Ended(verdict, Why.RULE, rule=rule)
            case Return():
                return packet, False
            case Jump(name, goto):
                if name not in table.chains:
                    self._unknown(rule, Missing.CHAIN, f"rule “{rule.text}”")
                packet, accepted = self._chain(packet, table, table.chains[name], depth + 1)
                return packet, True if accepted else False if goto else _NEXT_STEP
            case Dispatch():
                found = self._dispatched(packet, table, rule, step)
                return (packet, None) if found is None else self._statement(packet, table, rule, found, depth)
            case Translate():
                translated = self._translate(packet, table, rule, step)
                return (packet, None) if translated is None else (translated, True)
            case Write(field, expression, lenient):
                value = self.ask(packet, table.sets).value(expression)
                if value is ABSENT:
                    return packet, _NEXT_STEP if lenient else None
                without = field is Field.CT_MARK and packet.look(field) is ABSENT  # no connection that could have one
                return (packet if without else _written(packet, field, value)), _NEXT_STEP
            case Untrack():  # what conntrack has seen stays so (nft_notrack_eval, notrack_tg)
                return (replace(packet, ct_state="UNTRACKED") if _untracked_yet(packet) else packet), _NEXT_STEP
            case InZone():
                return replace(packet, zoned=rule), _NEXT_STEP
            case Unfollowed(text, missing):
                self._unknown(rule, missing, text)
        return packet, _NEXT_STEP

    def _in_zone(self, packet: Packet) -> Packet:
        """
        Look at another zone's entry: it has seen the same packets, so its state is the same, but not how it translates.

        Of a packet that a bridge passes on, no translation is asked for that matters further on.
        """
        rule = packet.zoned
        if rule is None or packet.ct_state in ("NEW", "INVALID", "UNTRACKED"):
            return packet
        if not packet.bridged:
            self._unknown(rule, Missing.ZONE, "target CT --zone")
        known = replace(packet, ct_to=None, ct_from=None, ct_original=None, ct_answers=None)
        return replace(known, ct_dnat=None, ct_snat=None, ct_mark=None)

    def _dispatched(self, packet: Packet, table: Table, rule: Rule, step: Dispatch) -> Statement | None:
        for answer, result in self.ask(packet, table.sets).results(step.key, step.of):
            if answer is True:
                return result  # type: ignore[no-any-return]
            assert isinstance(answer, Unknown)
            if result is None:
                self._unknown(rule, answer.missing, answer.what)
            if self.assume(Undecided(answer, rule, step.text)):
                return result  # type: ignore[no-any-return]
        return None

    def _translate(self, packet: Packet, table: Table, rule: Rule, step: Translate) -> Packet | None:
        """Give the packet its new end, as far as the rule says it; None if its map has nothing for the packet."""
        asking = self.ask(packet, table.sets)
        address = None if step.address is None else asking.value(step.address)
        port = None if step.port is None else asking.value(step.port)
        if isinstance(address, tuple):  # a map may give both
            address, port = address[0], address[1]
        if address is ABSENT or port is ABSENT:
            return None
        self.translations.append(Translation(step.kind, rule, step.to))
        if step.kind is NatTarget.MASQUERADE:
            address = self._ends.masqueraded(packet)
        if step.kind is NatTarget.REDIRECT:
            address = self._ends.redirected(packet)
        fields = (Field.SRC, Field.SPORT) if step.kind.of_source else (Field.DST, Field.DPORT)
        end = {field: value for field, value in zip(fields, (address, port), strict=True) if value is not None}
        known: dict[str, Any] = {_WRITTEN[one]: None if isinstance(value, Unknown) else value
                                 for one, value in end.items()}  # fmt: skip
        new, moved = replace(packet, **known), _moved(asking, step.kind, end)
        if not step.kind.of_source:
            redirected = packet.redirected or step.kind is NatTarget.REDIRECT
            return replace(new, ct_dnat=moved, nat_dst=True, redirected=redirected)
        if port is None:  # it is kept unless another connection has it
            new, moved = replace(new, sport=None), moved or None
        return replace(new, ct_snat=moved, nat_src=True)

    def _unknown(self, rule: Rule | None, missing: Missing, what: str) -> None:
        raise Ended(Verdict.UNKNOWN, None, rule=rule, undecided=Undecided(Unknown(missing, what), rule))


_NEXT_STEP: Any = object()
_WRITTEN = {
    Field.MARK: "mark", Field.CT_MARK: "ct_mark", Field.TTL: "ttl", Field.DSCP: "dscp", Field.SRC: "src",
    Field.DST: "dst", Field.SPORT: "sport", Field.DPORT: "dport", Field.SRC_MAC: "src_mac", Field.DST_MAC: "dst_mac",
}  # fmt: skip
_TYPES = {Field.SRC: Field.SRC_TYPE, Field.DST: Field.DST_TYPE}


def _moved(asking: Asking, kind: NatTarget, end: dict[Field, Any]) -> bool | None:
    """
    Tell whether the end that a packet is given is another one than it had, None if nobody knows.

    Where nothing changes, nf_nat_setup_info() does not call it translated.
    """
    own = kind in (NatTarget.MASQUERADE, NatTarget.REDIRECT)
    stays = [asking.answer(_stays(field, value, own=own)) for field, value in end.items()]
    if False in stays:
        return True
    told = not any(isinstance(value, Unknown | OneOf) for value in end.values())
    return False if told and all(answer is True for answer in stays) else None


def _stays(field: Field, value: Any, *, own: bool) -> Question:
    """Ask whether an address or port may be what it was; of an unknown address, whether both are the host's *own*."""
    if isinstance(value, OneOf):
        low: Any = value.low
        high: Any = value.high
        return Test(Of(field), Elements((Range(low, high),)), "")
    if not isinstance(value, Unknown):
        return Test(Of(field), Elements((value,)), "")
    if own and field in _TYPES:
        return Test(Of(_TYPES[field]), Elements(("LOCAL",)), "")
    return Opaque(value.what, value.missing)


def _untracked_yet(packet: Packet) -> bool:
    """Tell whether a packet has no connection: conntrack has not seen it yet, or took it for invalid."""
    return packet.ct_state == "INVALID"


def _written(packet: Packet, field: Field, value: Value) -> Packet:
    known = None if isinstance(value, Unknown | OneOf) else value
    if isinstance(known, int):
        known = max(known, 0) & (0xFF if field in (Field.TTL, Field.DSCP) else WORD)
    return replace(packet, **{_WRITTEN[field]: known})  # type: ignore[arg-type]


def _text(step: Any) -> str:
    return str(getattr(step, "text", ""))


def _base_chains(tables: Iterable[Table], families: Collection[str], hook: str) -> Iterator[tuple[int, Table, Chain]]:
    """Give a hook's chains in the order of their priorities; equal ones in that of the dumps."""
    found = [
        (chain.priority, table, chain)
        for table in tables
        if table.family in families
        for chain in table.chains.values()
        if chain.hook == hook
    ]
    return iter(sorted(found, key=lambda one: one[0]))


def from_known(packet: Packet) -> Packet:
    """Return a packet with the source that conntrack gives it."""
    if packet.ct_from is None:
        return packet
    address, port = packet.ct_from
    return replace(packet, src=address, sport=packet.sport if port is None else port, ct_from=None)


def as_known(packet: Packet) -> Packet:
    """Return a packet with the destination that conntrack gives it."""
    if packet.ct_to is None:
        return packet
    address, port = packet.ct_to
    return replace(packet, dst=address, dport=packet.dport if port is None else port, ct_to=None)
