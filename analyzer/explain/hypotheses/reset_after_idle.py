"""A connection was silent for a while, and what its client then sends is answered by a RST: the other end had left it.

HTTP's keep-alive, pools of database connections and load balancers close what is idle; a client that uses such a
connection once more meets that (RFC 9112 section 9.5).
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from analyzer.decode.offsets import FIN, PROTO_TCP, RST
from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.parties import ENDS
from analyzer.explain.tally import Count, Least, Most
from analyzer.explain.told import Told
from analyzer.model import Finding, Severity

IDLE_NS = 900_000_000
"""A pause that is none of the network's."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each server that resets connections which had been silent, with the requests that it resets."""
    flags = case.first("tcp_flags")
    resets = np.flatnonzero(
        (case.first("proto") == PROTO_TCP) & (flags & RST != 0) & case.reply & (case.connection >= 0)
    )
    found: dict[str, tuple[list[int], list[int]]] = {}
    for reset in resets.tolist():
        packets = case.packets_of(int(case.connection[reset]))
        before = packets[packets < reset]
        data = before[(case.first("payload_len")[before] > 0)]
        asked = data[~case.reply[data]]
        if not len(asked) or not case.reply[data].any():
            continue  # one that was never answered is refused for another reason
        late = int(asked[-1])
        if case.pause_ns[late] >= IDLE_NS and not case.reply[data[data > late]].any():
            server = str(case.context.src(int(case.first_row[reset])))
            of, pauses = found.setdefault(server, ([], []))
            of += [late, reset]
            pauses.append(int(case.pause_ns[late]))
    for server, (packets_of, pauses) in found.items():
        yield Cause(sorted(packets_of), partial(_tell, case, server, pauses), key=(server,))


def _tell(case: Case, server: str, pauses: list[int], packets: list[int]) -> Told:
    first = packets[0]
    of = case.packets_of(int(case.connection[first]), reply=True)
    resets = of[(case.first("tcp_flags")[of] & RST != 0)]
    others = of[(case.first("tcp_flags")[of] & RST == 0)]
    ttls = [int(case.first("ttl")[one[0]]) for one in (resets, others) if len(one)]
    return Told(
        {
            "server": server, "resets": Count(len(pauses)), "least_s": Least(min(pauses) / 1e9),
            "most_s": Most(max(pauses) / 1e9), "same_ttl": len(set(ttls)) == 1,
            "closed": Least(all(_closed(case, int(number)) for number in np.unique(case.connection[packets]))),
            "tried_again": Least(all(_again(case, int(number)) for number in np.unique(case.connection[packets]))),
        },
        evidence=case.evidence(packets, first=True),
    )  # fmt: skip


def _closed(case: Case, number: int) -> bool:
    """Tell whether the server had closed its side before (FIN), which the client did not heed."""
    answers = case.packets_of(number, reply=True)
    return bool((case.first("tcp_flags")[answers] & (FIN | RST) == FIN).any())


def _again(case: Case, number: int) -> bool:
    """Tell whether the same client got a new connection to the same server afterwards."""
    table = case.context.connections
    same = np.logical_and.reduce([table[name] == table[name][number] for name in ENDS])
    later = table["first_ns"] > table["first_ns"][number]
    return bool((same & later & (case.handshakes.granted > 0)).any())


def _completed(finding: Finding) -> Finding:
    """Whoever tries again gets what he wanted."""
    return replace(finding, severity=Severity.WARNING) if finding.facts["tried_again"] else finding


HYPOTHESIS = Hypothesis(
    "reset-after-idle",
    Severity.ERROR,
    "captures",
    "A connection that had carried answers was silent for a second and more, and the next request met a RST.",
    "Let the client close idle connections sooner than the server or what is between does, or send keepalives.",
    causes,
    Specific.MECHANISM,
    complete=_completed,
)
