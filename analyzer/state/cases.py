"""What nobody can answer is tried both ways: where all cases come to the same, it was of no matter."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from analyzer.model.question import Missing, Unknown
from analyzer.model.rules import Verdict
from analyzer.model.verdict import Account, Undecided
from analyzer.state.rules.packet import Packet
from analyzer.state.rules.walk import Ended, Walk

MOST_CASES = 32
"""Ways that are walked."""
Way = Callable[[Walk, Packet], Packet]
Walked = Callable[[tuple[bool, ...]], tuple[Account, Walk]]
"""Walks under assumptions, and tells how it went."""
_MAY_DIFFER = ("src", "dst", "sport", "dport", "mark", "ttl", "ct_mark", "dscp", "ct_state")


def one_case(packet: Packet, way: Way, walk: Walk) -> Account:
    """Walk once."""
    account = Account(
        translations=walk.translations, matched=walk.matched, trail=walk.trail, met=walk.met, packet=packet
    )
    try:
        account.packet = way(walk, packet)
    except Ended as ended:
        account.verdict, account.why = ended.verdict, ended.why
        for name, value in ended.told.items():
            setattr(account, name, value)
        if account.undecided is not None:
            account.text = str(account.undecided)
    return account


def explored(walked: Walked) -> Account:
    """Walk, and again for each other answer to what nobody can answer."""
    cases: list[tuple[Account, Walk]] = []
    todo: list[tuple[bool, ...]] = [()]
    while todo and len(cases) < MOST_CASES:
        assumed = todo.pop(0)
        account, walk = walked(assumed)
        cases.append((account, walk))
        todo += [
            (*assumed, *(False,) * (place - len(assumed)), True) for place in range(len(assumed), len(walk.undecided))
        ]
    return _together(cases, complete=not todo)


def _together(cases: list[tuple[Account, Walk]], *, complete: bool) -> Account:
    """Make one account of all cases: the first one's if they come to the same, else unknown, by what it hangs on."""
    first, walk = cases[0]
    if len(cases) == 1:
        return first
    outcomes = {_outcome(account) for account, _ in cases}
    first.cases = [account for account, _ in cases]
    if len(outcomes) == 1 and complete:
        if first.verdict is Verdict.ACCEPT:
            first.packet = _merged([account.packet for account, _ in cases])
        return first
    alone = {case.assumed.index(True): account for account, case in cases if case.assumed.count(True) == 1}
    hangs = [place for place, account in sorted(alone.items()) if _outcome(account) != _outcome(first)]
    undecided = walk.undecided[hangs[0] if hangs else 0]
    if len(outcomes) == 1:
        undecided = Undecided(Unknown(Missing.OUTCOMES), undecided.rule)
    return replace(
        first, verdict=Verdict.UNKNOWN, why=None, rule=undecided.rule, policy=None, text=str(undecided),
        undecided=undecided,
    )  # fmt: skip


def _outcome(account: Account) -> tuple[Any, ...]:
    """Return what must be the same for cases to come to the same."""
    if account.verdict is not Verdict.ACCEPT:
        return (account.verdict,)
    return account.verdict, tuple(one.kind for one in account.translations), account.packet.oif


def _merged(packets: list[Packet]) -> Packet:
    """Return what is alike in all packets; all else is not known."""
    found = packets[0]
    for other in packets[1:]:
        unlike: dict[str, Any] = {name: None for name in _MAY_DIFFER if getattr(found, name) != getattr(other, name)}
        found = replace(found, **unlike)
    return found
