"""From packets that the recorded host state stopped to findings: one a cause, with what it counted and what helps."""

from collections.abc import Callable, Iterator

import numpy as np

from analyzer.decode.offsets import RST
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Stopped, Subject
from analyzer.model import Basis, Disposition, Finding, Severity
from analyzer.model.journey import BAD, CODES
from analyzer.model.words import plural

Remedy = tuple[str, str | None]
"""What to do, and what it changes as far as the recorded state can tell."""
VERBS = {Disposition.DROPPED: "dropped", Disposition.REJECTED: "rejected"}


def by_cause(
    subject: Subject, check: Check, explain: Callable[[Stopped], str], remedy: Callable[[Stopped], Remedy]
) -> Iterator[Finding]:
    """Tell of each cause of a check."""
    for one in subject.stopped.get(check.name, ()):
        stopped = Stopped(one.cause, one.host, [p for p in one.packets if subject.connection[p] not in subject.claimed])
        if not stopped.packets:
            continue
        advice, tried = remedy(stopped)
        count = plural(len(stopped.packets), "packet")
        what = f"answers to {count}" if stopped.cause.of_answer else count
        yield check.finding(
            f"{what} {VERBS[stopped.cause.disposition]}: {stopped.cause.text}",
            f"{explain(stopped)} {affected(subject, stopped.packets)}",
            basis=Basis.STATED,
            severity=severity(subject, stopped.packets, check.severity),
            evidence=subject.evidence(stopped.packets),
            proof=(*stopped.cause.proof, *counted(subject, stopped)),
            remedy=advice,
            tried=tried,
        )
        subject.claim(stopped.packets)


FEW = 8


def few(by_name: dict[str, list[int]], what: str) -> dict[str, list[int]]:
    """Put packets together if they are about too many names to tell each: one line for 500 peers, not 500 lines."""
    if len(by_name) <= FEW:
        return by_name
    return {f"{len(by_name):,} {what}": sorted(packet for packets in by_name.values() for packet in packets)}


def affected(subject: Subject, packets: list[int]) -> str:
    """Name the connections that packets are of."""
    numbers = list(dict.fromkeys(subject.connection[packets].tolist()))
    named = [str(subject.tracer.connection(number).original) for number in numbers[:3] if number >= 0]
    if not named:
        return ""
    more = f" and {len(numbers) - len(named)} more" if len(numbers) > len(named) else ""
    return f"Of {', '.join(named)}{more}."


def severity(subject: Subject, packets: list[int], worst: Severity, *, ended: bool = False) -> Severity:
    """
    Lower it to a warning where no container is concerned, or where the connections got through all the same.

    What *ended* a connection leaves no doubt that it did not get through.
    """
    if not subject.beside_containers[packets].any():
        return worst if worst is Severity.INFO else Severity.WARNING
    numbers = np.unique(subject.connection[packets])
    if not ended and (numbers >= 0).all() and all(_got_through(subject, number) for number in numbers.tolist()):
        return Severity.WARNING
    return worst


def _got_through(subject: Subject, connection: int) -> bool:
    """Tell whether both ends went on talking after the last packet that did not arrive."""
    packets = subject.packets_of(connection)
    bad = np.flatnonzero(np.isin(subject.tracer.ends[packets], [CODES[kind] for kind in BAD]))
    after = packets[bad[-1] + 1 :] if len(bad) else packets
    speaks = after[(subject.first("tcp_flags")[after] & RST == 0)]
    return bool(subject.reply[speaks].any() and not subject.reply[speaks].all())


SNMP = {
    "forwarding-disabled": {4: "IpInAddrErrors", 6: "Ip6InAddrErrors"},
    "reverse-path-filtered": {4: "TcpExtIPReversePathFilter"},
    "mtu-exceeded": {4: "IpFragFails", 6: "Ip6FragFails"},
}
"""What the kernel counts where it drops, by check and IP version (include/uapi/linux/snmp.h)."""


def counted(subject: Subject, stopped: Stopped) -> tuple[str, ...]:
    """Say how far a counter went while captures ran, the rule's or the kernel's, and how many packets are missing."""
    rule, missing = stopped.cause.rule, len(stopped.packets)
    before = stopped.host.counted_before(rule) if rule is not None else None
    if stopped.cause.past or (rule is not None and not rule.counts):
        return ()
    if rule is not None and before is not None:
        counts = f"counter: {before} before, {rule.packets} after"
        return (f"{counts}: {_compared(rule.packets - before, missing)}",)
    dst = subject.context.dst(int(subject.first_row[stopped.packets[0]]))
    name = SNMP.get(stopped.cause.check, {}).get(dst.version if dst is not None else 0, "")
    went = stopped.host.counted(name)
    return (f"nstat.txt: {name} went up by {_compared(went, missing)}",) if went else ()


def _compared(went: int, missing: int) -> str:
    if went < 0:
        return "it was set back meanwhile, so it tells nothing"
    if went < missing:
        return f"{went}, but {missing} packets are missing: others may have another cause"
    same = "just the packets that are missing" if went == missing else f"{missing} of them are in the captures"
    return f"{went}, {same}"
