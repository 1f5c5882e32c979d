"""From packets that the recorded host state stopped to causes: one each, with what it counted and what helps."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from analyzer.decode.offsets import RST
from analyzer.explain.case import Case
from analyzer.explain.fates import Stopped
from analyzer.explain.hypothesis import Cause
from analyzer.explain.told import Facts, Moved, Told
from analyzer.model import Basis, Disposition, Severity
from analyzer.model.journey import BAD, CODES

Describe = Callable[[Case, Stopped], Told]


def by_cause(case: Case, check: str, describe: Describe, worst: Severity = Severity.ERROR) -> Iterator[Cause]:
    """Give each cause that a check is to tell of; *describe* adds what only it knows."""
    for one in case.stopped.get(check, ()):
        moved = _moved(case, one)
        yield Cause(
            one.packets,
            partial(_tell, case, one, describe, worst),
            Basis.STATED,
            (one.host.name, one.cause.text),
            counted=_kernel_says(case, one.packets) is not None,
            went=moved.went if moved is not None else None,
        )


def _tell(case: Case, one: Stopped, describe: Describe, worst: Severity, packets: list[int]) -> Told:
    stopped = Stopped(one.cause, one.host, packets)
    told = describe(case, stopped)
    cause = stopped.cause
    facts: Facts = {"cause": cause.text, "rejected": cause.disposition is Disposition.REJECTED}
    if cause.of_answer:
        facts["of_answer"] = True
    if cause.past:
        facts["past"] = True
    return Told(
        facts=facts | told.facts,
        proof=(*cause.proof, *told.proof, *((says,) if (says := _kernel_says(case, packets)) else ())),
        moved=_moved(case, stopped),
        severity=severity(case, packets, worst) if told.severity is None else told.severity,
        tried=told.tried,
    )


def severity(case: Case, packets: list[int], worst: Severity, *, ended: bool = False) -> Severity:
    """
    Lower it to a warning where no container is concerned, or where the connections got through all the same.

    What *ended* a connection leaves no doubt that it did not get through.
    """
    near = np.array(packets, np.int64)[case.beside_containers[packets]]
    numbers = np.unique(case.connection[near]).tolist()
    if any(ended or number < 0 or not _got_through(case, number) for number in numbers):
        return worst
    return worst if worst is Severity.INFO else Severity.WARNING


def _got_through(case: Case, connection: int) -> bool:
    """Tell whether both ends went on talking after the last packet that did not arrive."""
    packets = case.packets_of(connection)
    bad = np.flatnonzero(np.isin(case.tracer.ends[packets], [CODES[kind] for kind in BAD]))
    after = packets[bad[-1] + 1 :] if len(bad) else packets
    speaks = after[(case.first("tcp_flags")[after] & RST == 0)]
    return bool(case.reply[speaks].any() and not case.reply[speaks].all())


def _kernel_says(case: Case, packets: list[int]) -> str | None:
    """Return what the kernel itself says of the first of the packets that it speaks of."""
    for packet in packets:
        if (drop := case.tracer.outcome(packet).drop) is not None:
            return f"{drop.told_by}: {drop.reason} in {drop.function}"
    return None


SNMP = {
    "forwarding-disabled": {4: "IpInAddrErrors", 6: "Ip6InAddrErrors"},
    "reverse-path-filtered": {4: "TcpExtIPReversePathFilter"},
    "mtu-exceeded": {4: "IpFragFails", 6: "Ip6FragFails"},
}
"""What the kernel counts where it drops, by check and IP version (include/uapi/linux/snmp.h)."""


def _moved(case: Case, stopped: Stopped) -> Moved | None:
    """Return the rule's counter, or the kernel's, where both dumps have it."""
    cause, host = stopped.cause, stopped.host
    if cause.past or (cause.rule is not None and not cause.rule.counts):
        return None
    before = host.counted_before(cause.rule) if cause.rule is not None else None
    if cause.rule is not None and before is not None:
        return Moved("counter", before, cause.rule.packets, shows_both=True)
    dst = case.context.dst(int(case.first_row[stopped.packets[0]]))
    name = SNMP.get(cause.check, {}).get(dst.version if dst is not None else 0, "")
    went = host.counted(name)
    return Moved(f"nstat.txt: {name}", 0, went) if went else None
