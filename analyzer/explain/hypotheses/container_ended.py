"""A container ended, or left a network, while somebody talked to it: what was sent after that found nobody."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.stopped import severity
from analyzer.explain.told import Facts, Told
from analyzer.link.sorting import first_places
from analyzer.model import Basis, Severity
from analyzer.model.engine import Ended
from analyzer.schema import Addresses, Array, Int64


def causes(case: Case) -> Iterator[Cause]:
    """Give each container that ended, with what was sent to it afterwards and not answered."""
    for host in case.hosts.states:
        for one in host.ended:
            packets = _in_vain(case, one)
            if len(packets):
                key = host.name, one.container.name, one.container.network
                also = case.troubled(packets.tolist())
                yield Cause(packets.tolist(), partial(_tell, case, one), Basis.STATED, key, also=also)


def _in_vain(case: Case, one: Ended) -> Int64:
    """Return what was for the container after it had ended, in connections of which it sent nothing more but RSTs."""
    own = [int(ip) for ip in one.container.addresses]
    times = case.first("time_ns")
    back = one.back_ns if one.back_ns is not None else case.end_ns + 1
    late = (times >= one.time_ns) & ((times < back) | _begun_before(case, one.time_ns))
    dst, src = (Addresses.of(case.context.frames, end) for end in ("dst", "src"))
    towards = late & dst[case.last_row].among(own) & (case.connection >= 0)
    answers = late & src[case.first_row].among(own) & ~case.resets
    count = len(case.context.connections["proto"])
    alive = np.bincount(case.connection[answers & (case.connection >= 0)], minlength=count) > 0
    asked = np.array([q for ip in one.container.addresses for q in case.vain_questions.get(ip, ())], np.int64)
    resets = (times >= one.time_ns) & src[case.first_row].among(own) & case.resets & _begun_before(case, one.time_ns)
    sent = np.flatnonzero((towards | resets) & ~np.append(alive, False)[case.connection])
    return np.union1d(sent[_wants(case, sent)], asked[late[asked]])


def _begun_before(case: Case, time_ns: int) -> Array:
    """(packets,) bool: each is of a connection that is older than that: whoever starts anew does not know it."""
    found: Array = np.append(case.context.connections["first_ns"] < time_ns, False)[case.connection]
    return found


def _wants(case: Case, packets: Int64) -> Array:
    """(n,) bool: each is of a connection of which something was sent again or reset, or that nobody answered at all."""
    count = len(case.context.connections["proto"]) + 1
    again = np.zeros(count, bool)
    again[case.connection[case.sent_again]] = True
    again[case.connection[case.symptom >= 0]] = True
    again[case.connection[case.resets]] = True
    again[np.flatnonzero(first_places(case.connection[case.reply], count - 1) < 0)] = True
    again[-1] = False
    found: Array = again[case.connection[packets]]
    return found


def _tell(case: Case, one: Ended, packets: list[int]) -> Told:
    code = one.exit_code
    facts: Facts = {"container": one.container.name, "how": one.how, "network": one.container.network}
    if code is not None:
        facts["exit_code"] = code
    what = "disconnect" if one.how == "disconnected" else "die" + (f" {code}" if code is not None else "")
    return Told(
        facts,
        severity=severity(case, packets, Severity.ERROR, ended=True),
        proof=(f"docker-events.json: {one.container.name} {what}",),
    )


HYPOTHESIS = Hypothesis(
    "container-ended",
    Severity.ERROR,
    "docker-events.json, docker-inspect.json of before, captures",
    "A container ended, was restarted or left a network while somebody talked to it.",
    "docker logs NAME says why it ended; let clients connect again.",
    causes,
    Specific.ROOT,
)
