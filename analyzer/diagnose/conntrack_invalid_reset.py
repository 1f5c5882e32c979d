"""The host resets a connection of a container: an answer was INVALID to conntrack, so it was not translated back.

Such an answer is for the host's own address, where nobody knows the connection (nf_conntrack_proto_tcp.c,
tcp_in_window); the host answers with RST, and the server gives the connection up.
"""

from collections.abc import Iterator

import numpy as np

from analyzer.correlate.identity import has
from analyzer.decode.offsets import RST
from analyzer.diagnose.causes import affected
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Basis, Finding, HostState, Role, Severity
from analyzer.model.words import plural
from analyzer.schema import Layer
from analyzer.state.sysctl import sysctl

TIMEOUT = "net.netfilter.nf_conntrack_tcp_timeout_established"
DEFAULT_TIMEOUT_S = 432_000
"""Five days (nf_conntrack_proto_tcp.c)."""
LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of RSTs that the host itself sent in connections that it translates."""
    table = subject.context.connections
    translated = np.append(subject.source_moved, False)[subject.connection] & ~subject.reply
    begins = subject.context.with_role(subject.first_row, Role.UPLINK)
    outer = np.logical_and.reduce([
        np.append(table[f"reply_{name}"], 0)[subject.connection] == subject.first(other)
        for name, other in (("dst", "src"), ("dst_hi", "src_hi"))
    ])  # fmt: skip
    flags, tcp = subject.first("tcp_flags"), has(subject.first("layers"), Layer.TCP)
    resets = np.flatnonzero(translated & begins & outer & tcp & (flags & RST != 0)).tolist()
    if not resets:
        return
    invalid = subject.host_of(resets[0]).counted("conntrack.invalid")
    name = subject.context.point(int(subject.first_row[resets[0]])).name
    idle = _idle(subject, resets[0])
    forgotten = idle >= _timeout(subject.host_of(resets[0])) * 1_000_000_000
    why = (
        f"after {idle / 1e9:.0f} s of silence, when conntrack had forgotten the connection. It was"
        if forgotten
        else "that conntrack takes for INVALID, e.g. out of the window, or whose entry somebody deleted. It was"
    )
    yield CHECK.finding(
        f"{plural(len(resets), 'RST')} sent by the host itself at {name}, in containers' connections",
        f"An answer came {why} not translated back, the host took it for itself, and reset a connection that it does "
        f"not know. {affected(subject, resets)}",
        basis=Basis.STATED if invalid and not forgotten else Basis.INFERRED,
        evidence=subject.evidence(resets),
        proof=(f"conntrack-stats.txt: invalid went up by {invalid}",) if invalid and not forgotten else (),
        remedy=f"TCP keepalive, more often than {TIMEOUT} says, or a larger {TIMEOUT}." if forgotten else None,
    )
    subject.claim(resets)


def _idle(subject: Subject, reset: int) -> int:
    """Return how long nothing passed before the answer that was reset, ns."""
    packets = subject.packets_of(int(subject.connection[reset]))
    times = subject.first("time_ns")
    before = packets[packets < reset]
    return int(times[before[-1]]) - int(times[before[-2]]) if len(before) > 1 else 0


def _timeout(host: HostState) -> int:
    """Return after how many seconds of silence conntrack forgets an established connection."""
    return sysctl(host, TIMEOUT) or DEFAULT_TIMEOUT_S


CHECK = Check(
    "conntrack-invalid-reset",
    Severity.ERROR,
    "captures (conntrack-stats.txt before and after)",
    "The host sent an RST in a container's connection, for conntrack did not recognise an answer.",
    f"iptables -I INPUT -m conntrack --ctstate INVALID -j DROP, or sysctl -w {LIBERAL}=1.",
    look,
)
