"""The host resets a connection of a container: an answer was INVALID to conntrack, so it was not translated back.

Such an answer is for the host's own address, where nobody knows the connection (nf_conntrack_proto_tcp.c,
tcp_in_window); the host answers with RST, and the server gives the connection up.
"""

import re
from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.decode.offsets import RST
from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.tally import Most
from analyzer.explain.told import Facts, Told
from analyzer.link.identity import has
from analyzer.model import Basis, HostState, Role, Severity
from analyzer.model.finding import Symptom
from analyzer.model.rules import Rule
from analyzer.schema import Addresses, Layer
from analyzer.state.sysctl import sysctl

TIMEOUT = "net.netfilter.nf_conntrack_tcp_timeout_established"
DEFAULT_TIMEOUT_S = 432_000
"""Five days (nf_conntrack_proto_tcp.c)."""
LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"


def causes(case: Case) -> Iterator[Cause]:
    """Give RSTs that the host itself sent in connections that it translates."""
    table = case.context.connections
    translated = np.append(case.source_moved, False)[case.connection] & ~case.reply
    begins = case.context.with_role(case.first_row, Role.UPLINK)
    known = np.maximum(case.connection, 0)
    src = Addresses.of(case.context.frames, "src")[case.first_row]
    outer = Addresses.of(table, "reply_dst")[known].same(src) if len(table["proto"]) else translated
    flags, tcp = case.first("tcp_flags"), has(case.first("layers"), Layer.TCP)
    resets = np.flatnonzero(translated & begins & outer & tcp & (flags & RST != 0)).tolist()
    by_host: dict[tuple[str | None, bool], list[int]] = {}
    firsts: dict[int, int] = {}
    for reset in resets:
        host, first = case.host_of(reset), firsts.setdefault(int(case.connection[reset]), reset)
        forgotten = _idle(case, first) >= _timeout(host) * 1_000_000_000
        by_host.setdefault((host.name, forgotten), []).append(reset)
    for (name, forgotten), of in by_host.items():
        invalid = 0 if forgotten else case.hosts[name].counted("conntrack.invalid") or 0
        basis = Basis.STATED if invalid else Basis.INFERRED
        idle = max(_idle(case, reset) for reset in of) if forgotten else None
        tell = partial(_tell, case, idle, invalid)
        also = [*case.troubled(of), *_untranslated(case, of)]
        yield Cause(of, tell, basis, also=also, key=(name, forgotten))


def _untranslated(case: Case, resets: list[int]) -> Iterator[int]:
    """Give the answers that went no further than where the host took them for its own: what came before each RST."""
    lost = set(case.with_symptom(Symptom.LOST_INSIDE).tolist())
    for reset in resets:
        answers = case.packets_of(int(case.connection[reset]), reply=True)
        yield from (packet for packet in answers.tolist() if packet < reset and packet in lost)


def _tell(case: Case, idle_ns: int | None, invalid: int, packets: list[int]) -> Told:
    name = case.context.point(int(case.first_row[packets[0]])).name
    facts: Facts = {"where": name}
    zone = _one_way_zone(case.host_of(packets[0]))
    if zone is not None:
        facts |= {"zone_rule": zone.text, "commands": [f"iptables -t raw -D {zone.text[3:]}"]}
    if idle_ns is not None:
        facts["idle_s"] = Most(round(idle_ns / 1e9))
    proof = (f"conntrack-stats.txt: invalid went up by {invalid}",) if invalid else ()
    shown = (f"{zone.dump}: {zone.text}",) if zone is not None else ()
    return Told(facts, proof=(*shown, *proof))


def _one_way_zone(host: HostState) -> Rule | None:
    """Return a rule that puts into a conntrack zone what comes in by one interface: answers come in by another one."""
    found = (rule for rule in host.rules() if rule.table == "raw" and " -i " in rule.text)
    return next((rule for rule in found if re.search(r"-j CT .*--zone [1-9]", rule.text)), None)


def _idle(case: Case, reset: int) -> int:
    """Return how long nothing passed before the answer that was reset, ns."""
    packets = case.packets_of(int(case.connection[reset]))
    before = packets[packets < reset]
    return int(case.pause_ns[before[-1]]) if len(before) else 0


def _timeout(host: HostState) -> int:
    """Return after how many seconds of silence conntrack forgets an established connection."""
    return sysctl(host, TIMEOUT) or DEFAULT_TIMEOUT_S


HYPOTHESIS = Hypothesis(
    "conntrack-invalid-reset",
    Severity.ERROR,
    "captures (conntrack-stats.txt before and after)",
    "The host sent an RST in a container's connection, for conntrack did not recognise an answer.",
    f"iptables -I INPUT -m conntrack --ctstate INVALID -j DROP, or sysctl -w {LIBERAL}=1.",
    causes,
    Specific.MECHANISM,
    asks="conntrack -S before and after (invalid)",
)
