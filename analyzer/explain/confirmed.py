"""A kernel is asked: what findings say of packets that the host stopped, and what a remedy makes of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.model import Basis, Finding, HostState
from analyzer.model.replay import Account, Agreement, End, Replay, Replayed

if TYPE_CHECKING:
    from analyzer.explain.case import Case

Change = Callable[[HostState], HostState]
Ask = Callable[[Sequence[int], Change | None], Replay]
"""Replays journeys in their host, or in one that was changed."""
MOST_REMEDIES = 20
"""Remedies that are tried in a kernel."""
STOPS = (End.DROPPED, End.REJECTED)
GO_ON = frozenset(("masquerade-missing", "published-port-not-translated"))
"""Checks of packets that go on, but not as they should."""


def confirmed(ask: Ask, findings: Sequence[Finding]) -> list[Finding]:
    """Send what stated findings name as evidence through a kernel: where it does as they say, they are confirmed."""
    journeys = sorted({j for finding in findings for j in _journeys(finding)})
    if not journeys:
        return list(findings)
    by_journey = {one.journey: one for one in ask(journeys, None).journeys}
    replayed = ([by_journey[j] for j in _journeys(finding) if j in by_journey] for finding in findings)
    return [_with_basis(finding, told) for finding, told in zip(findings, replayed, strict=True)]


def _journeys(finding: Finding) -> list[int]:
    if finding.basis is not Basis.STATED:
        return []
    return list(dict.fromkeys(one.journey for one in finding.evidence if one.journey is not None))


def _with_basis(finding: Finding, replayed: Sequence[Replayed]) -> Finding:
    """Confirm a finding if the kernel stopped what it names, or let it go on, just as hoptrace says."""
    said = [one for one in replayed if one.agreement is not Agreement.UNSAID]
    kernels = [one.kernel for one in said if one.kernel is not None and one.agreement is Agreement.AGREES]
    if not said or len(kernels) < len(said):
        return finding
    if finding.check not in GO_ON and any(kernel.end not in STOPS for kernel in kernels):
        return finding
    line = f"a kernel, asked in the rebuilt host: {kernels[0]}"
    return replace(finding, basis=Basis.CONFIRMED, proof=(*finding.proof, line))


def helped(case: "Case", packet: int, change: Change, told: str) -> str | None:
    """
    Try a remedy in a kernel: say how the packet then goes on, None if it is stopped all the same.

    *told* is what hoptrace says of it, and stays where no kernel can be asked, or it says nothing.
    """
    if case.ask is None or case.asked >= MOST_REMEDIES:
        return told
    case.asked += 1
    one = next(iter(case.ask([int(case.numbers[packet])], change).journeys), None)
    if one is None or one.kernel is None or one.kernel.end is End.UNKNOWN:
        return told
    if one.kernel.end in STOPS:
        return None
    return f"{told}; in a kernel, it then {_goes_on(one.kernel)}"


def _goes_on(account: Account) -> str:
    """Say how a packet went on."""
    return f"is {account}" if account.end is End.DELIVERED else str(account)
