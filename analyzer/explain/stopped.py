"""From packets that the recorded host state stopped to causes: one each, with what it counted and what helps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from analyzer.decode.offsets import RST
from analyzer.explain.case import Case
from analyzer.explain.died import Stopped
from analyzer.explain.hypothesis import Cause
from analyzer.explain.told import Told
from analyzer.model import Basis, Disposition, Severity
from analyzer.model.finding import Fact
from analyzer.model.journey import BAD, CODES

Describe = Callable[[Case, Stopped], Told]


def by_cause(case: Case, check: str, describe: Describe, worst: Severity = Severity.ERROR) -> Iterator[Cause]:
    """Give each cause that a check is to tell of; *describe* adds what only it knows."""
    for one in case.stopped.get(check, ()):
        yield Cause(
            one.packets,
            partial(_tell, case, one, describe, worst),
            Basis.STATED,
            counted=(moved := _moved(case, one)) is not None and moved.went >= len(one.packets),
        )


def _tell(case: Case, one: Stopped, describe: Describe, worst: Severity, packets: list[int]) -> Told:
    stopped = Stopped(one.cause, one.host, packets)
    told = describe(case, stopped)
    cause = stopped.cause
    facts: dict[str, Fact] = {"cause": cause.text, "rejected": cause.disposition is Disposition.REJECTED}
    if cause.of_answer:
        facts["of_answer"] = True
    if cause.past:
        facts["past"] = True
    return Told(
        facts=facts | told.facts,
        proof=(*cause.proof, *_counted(case, stopped)),
        severity=severity(case, packets, worst) if told.severity is None else told.severity,
        tried=told.tried,
    )


FEW = 8


def few(by_name: dict[str, list[int]]) -> dict[str, list[int]]:
    """Put packets together, under no name, if they are about too many names to tell each: one line for 500 peers."""
    if len(by_name) <= FEW:
        return by_name
    return {"": sorted(packet for packets in by_name.values() for packet in packets)}


def severity(case: Case, packets: list[int], worst: Severity, *, ended: bool = False) -> Severity:
    """
    Lower it to a warning where no container is concerned, or where the connections got through all the same.

    What *ended* a connection leaves no doubt that it did not get through.
    """
    if not case.beside_containers[packets].any():
        return worst if worst is Severity.INFO else Severity.WARNING
    numbers = np.unique(case.connection[packets])
    if not ended and (numbers >= 0).all() and all(_got_through(case, number) for number in numbers.tolist()):
        return Severity.WARNING
    return worst


def _got_through(case: Case, connection: int) -> bool:
    """Tell whether both ends went on talking after the last packet that did not arrive."""
    packets = case.packets_of(connection)
    bad = np.flatnonzero(np.isin(case.tracer.ends[packets], [CODES[kind] for kind in BAD]))
    after = packets[bad[-1] + 1 :] if len(bad) else packets
    speaks = after[(case.first("tcp_flags")[after] & RST == 0)]
    return bool(case.reply[speaks].any() and not case.reply[speaks].all())


SNMP = {
    "forwarding-disabled": {4: "IpInAddrErrors", 6: "Ip6InAddrErrors"},
    "reverse-path-filtered": {4: "TcpExtIPReversePathFilter"},
    "mtu-exceeded": {4: "IpFragFails", 6: "Ip6FragFails"},
}
"""What the kernel counts where it drops, by check and IP version (include/uapi/linux/snmp.h)."""


@dataclass(frozen=True, slots=True)
class _Moved:
    """A counter, and how far it went while captures ran."""

    name: str
    """Of the kernel's own; empty for a rule's."""
    before: int
    after: int

    @property
    def went(self) -> int:
        return self.after - self.before


def _moved(case: Case, stopped: Stopped) -> _Moved | None:
    """Return the rule's counter, or the kernel's, where both dumps have it."""
    cause, host = stopped.cause, stopped.host
    if cause.past or (cause.rule is not None and not cause.rule.counts):
        return None
    before = host.counted_before(cause.rule) if cause.rule is not None else None
    if cause.rule is not None and before is not None:
        return _Moved("", before, cause.rule.packets)
    dst = case.context.dst(int(case.first_row[stopped.packets[0]]))
    name = SNMP.get(cause.check, {}).get(dst.version if dst is not None else 0, "")
    went = host.counted(name)
    return _Moved(name, 0, went) if went else None


def _counted(case: Case, stopped: Stopped) -> tuple[str, ...]:
    """Say how far a counter went while captures ran, and how many packets are missing."""
    moved, missing = _moved(case, stopped), len(stopped.packets)
    if moved is None:
        return ()
    if moved.went < 0:
        said = "it was set back meanwhile, so it tells nothing"
    elif moved.went < missing:
        said = f"{moved.went}, but {missing} packets are missing: others may have another cause"
    else:
        same = (
            "just the packets that are missing" if moved.went == missing else f"{missing} of them are in the captures"
        )
        said = f"{moved.went}, {same}"
    if moved.name:
        return (f"nstat.txt: {moved.name} went up by {said}",)
    return (f"counter: {moved.before} before, {moved.after} after: {said}",)
