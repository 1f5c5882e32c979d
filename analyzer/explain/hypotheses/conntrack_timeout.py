"""conntrack forgot a connection that was silent for longer than its timeout; what comes then fits none."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.decode.offsets import PROTO_TCP, PROTO_UDP
from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.tally import Most
from analyzer.explain.told import Told
from analyzer.model import Basis, HostState, Severity
from analyzer.schema import Int64
from analyzer.state.sysctl import sysctl, sysctl_line

TCP = "net.netfilter.nf_conntrack_tcp_timeout_established"
UDP, STREAM = "net.netfilter.nf_conntrack_udp_timeout", "net.netfilter.nf_conntrack_udp_timeout_stream"
"""Of datagrams that nobody has answered yet, and of connections that both sides have used "
"(nf_conntrack_proto_udp.c)."""
NS = 1_000_000_000


def causes(case: Case) -> Iterator[Cause]:
    """Give, by host and protocol, what came after a pause longer than conntrack remembers, and came to nothing."""
    found: dict[tuple[str | None, str], list[int]] = {}
    longest: dict[tuple[str | None, str], int] = {}
    ill = np.flatnonzero((case.symptom >= 0) & (case.connection >= 0))
    for number in np.unique(case.connection[ill]).tolist():
        packets = case.packets_of(number)
        host, proto = case.host_of(int(packets[0])), int(case.first("proto")[packets[0]])
        setting = _setting(case, packets, proto)
        timeout = sysctl(host, setting)
        if not timeout or not case.reply[packets].any():
            continue
        late, pause = _late(case, packets, timeout * NS)
        if len(late):
            key = host.name, setting
            found.setdefault(key, []).extend(late)
            longest[key] = max(longest.get(key, 0), pause)
    for (name, setting), packets_of in found.items():
        tell = partial(_tell, case.hosts[name], setting, longest[name, setting])
        yield Cause(sorted(packets_of), tell, Basis.STATED, (name, setting))


def _setting(case: Case, packets: Int64, proto: int) -> str:
    """Return which sysctl tells how long a connection is remembered while it is silent, empty for none."""
    if proto == PROTO_TCP:
        return TCP
    if proto != PROTO_UDP:
        return ""
    before = packets[: int(np.argmax(case.pause_ns[packets]))]
    return STREAM if case.reply[before].any() and not case.reply[before].all() else UDP


def _late(case: Case, packets: Int64, timeout_ns: int) -> tuple[list[int], int]:
    """Return the packets after the first pause that was too long which came to nothing, and how long it was, ns."""
    pauses = case.pause_ns[packets]
    long = np.flatnonzero(pauses >= timeout_ns)
    if not len(long):
        return [], 0
    after = packets[long[0] :]
    ill = after[case.symptom[after] >= 0]
    good = after[case.reply[after] & (case.symptom[after] < 0)]
    # If an answer got through first, conntrack knew the connection still, or again.
    if not len(ill) or (len(good) and good[0] < ill[0]):
        return [], 0
    return ill.tolist(), int(pauses[long[0]])


def _tell(host: HostState, setting: str, pause_ns: int, packets: list[int]) -> Told:
    return Told(
        {"setting": setting, "timeout_s": sysctl(host, setting) or 0, "pause_s": Most(pause_ns / NS)},
        proof=(sysctl_line(host, setting),),
    )


HYPOTHESIS = Hypothesis(
    "conntrack-timeout",
    Severity.ERROR,
    "captures, sysctl.txt",
    "A connection was silent for longer than conntrack remembers, and what came then was dropped or not translated.",
    "Let the program send keepalives more often than that, or raise the timeout.",
    causes,
    Specific.ROOT,
)
