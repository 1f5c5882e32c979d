"""A server takes a connection, and says nothing in it: it closes it, resets it, or lets the client wait."""

from collections.abc import Iterator
from functools import partial
from ipaddress import ip_address

import numpy as np

from analyzer.decode.offsets import FIN, PROTO_TCP
from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.inside import receiver
from analyzer.explain.parties import name_of
from analyzer.explain.tally import Count, Most
from analyzer.explain.told import Facts, Told
from analyzer.model import Connection, Listener, NatKind, Severity, endpoint
from analyzer.model.engine import GOSSIP_PORT
from analyzer.schema import Addresses, Array

GIVES_UP_NS = 3_000_000_000
"""How long a client waited that then closed the connection: no program is done so late with what it only sends."""
PATIENT_NS = 5_000_000_000
"""How long one waited that still did when captures ended."""
CLOSED, RESET, WAITED = "closed", "reset", "waited"


def causes(case: Case) -> Iterator[Cause]:
    """Give each server that granted connections and sent no data in them, by how that ended."""
    spoke = np.unique(case.connection[case.reply & (case.first("payload_len") > 0) & ~_too_late(case)])
    table = case.context.connections
    relayed = (table["relayed_to"] >= 0) | (table["relayed_from"] >= 0)
    mute = (case.handshakes.granted > 0) & ~relayed
    mute[spoke[spoke >= 0]] = False
    mute[_by_proxy(case)] = False
    if any(network.driver == "overlay" for host in case.hosts.states for network in host.networks):
        mute[table["reply_sport"] == GOSSIP_PORT] = False
    found: dict[tuple[str, str], list[int]] = {}
    for number in np.flatnonzero(mute).tolist():
        ended = _ended(case, number)
        if ended is not None:
            kind, packets = ended
            of = case.tracer.connection(number).reply
            found.setdefault((endpoint(of.src, of.sport), kind), []).extend(packets)
    for (server, kind), packets in found.items():
        yield Cause(sorted(packets), partial(_tell, case, server, kind), key=(server, kind))


def _too_late(case: Case) -> Array:
    """(packets,) bool: each comes after the client closed its connection."""
    ends = ~case.reply & ((case.first("tcp_flags") & FIN != 0) | case.resets) & (case.connection >= 0)
    ends &= case.first("proto") == PROTO_TCP
    closed = np.full(len(case.context.connections["proto"]) + 1, np.iinfo(np.int64).max)
    np.minimum.at(closed, case.connection[ends], np.flatnonzero(ends))
    found: Array = np.arange(len(ends)) > closed[case.connection]
    return found


def _by_proxy(case: Case) -> Array:
    """(connections,) bool: docker-proxy takes it, which does as the container behind it does."""
    table = case.context.connections
    own = [int(ip) for host in case.hosts.states for link in host.links for ip in link.addresses]
    ports = {port.outside for host in case.hosts.states for one in host.containers for port in one.ports}
    to_host = Addresses.of(table, "reply_src").among([*own, int(ip_address("127.0.0.1")), int(ip_address("::1"))])
    found: Array = to_host & np.isin(table["reply_sport"], sorted(ports))
    return found


def _ended(case: Case, number: int) -> tuple[str, list[int]] | None:
    """Return how a connection without a word of the server ended, and the client's data; None if that is usual."""
    of = case.packets_of(number)
    reply, flags, times = case.reply[of], case.first("tcp_flags")[of], case.first("time_ns")[of]
    data = of[~reply & (case.first("payload_len")[of] > 0)]
    if (case.symptom[data] >= 0).any():
        return None  # it may not have got there
    ends = (flags & FIN != 0) | case.resets[of]
    theirs, ours = np.flatnonzero(ends & reply), np.flatnonzero(ends & ~reply)
    last = int(times[ours[0]]) if len(ours) else case.end_ns
    if len(theirs) and (not len(ours) or theirs[0] < ours[0]):
        if not case.resets[of[theirs[0]]]:
            return CLOSED, data.tolist() or of[~reply][:1].tolist()
        return (RESET, data.tolist()) if len(data) and _its_own(case, number, int(of[theirs[0]])) else None
    if (case.first("window")[of[reply]] == 0).any():
        return None  # it does not even read
    heard = len(data) and bool((reply & (of > data[-1])).any())  # acknowledged
    patience = GIVES_UP_NS if len(ours) else PATIENT_NS
    if not heard or len(theirs) or last - int(times[of == data[-1]][0]) < patience:
        return None
    spread = int(times[of == data[-1]][0] - times[of == data[0]][0])
    return (WAITED, data.tolist()) if spread < GIVES_UP_NS and not case.one_sided else None


def _its_own(case: Case, number: int, reset: int) -> bool:
    """Tell whether a RST has the TTL of all that the server sends."""
    ttls = case.first("ttl")[case.packets_of(number, reply=True)]
    return bool((ttls == case.first("ttl")[reset]).all())


def _tell(case: Case, server: str, kind: str, packets: list[int]) -> Told:
    numbers = np.unique(case.connection[packets]).tolist()
    waits = [_waited(case, case.tracer.connection(number)) for number in numbers]
    connection = case.tracer.connection(numbers[0])
    row = int(case.first_row[packets[0]])
    queue = _queue(case, packets[0]) if kind == WAITED else None
    waiting: Facts = {} if queue is None else {"waiting": queue.waiting, "program": queue.program}
    return Told(
        waiting
        | _masked(case, connection, row)
        | {
            "server": server, "name": name_of(case, connection.reply.src, row), "kind": kind,
            "count": Count(len(numbers)), "longest_s": Most(max(waits) / 1e9),
            "asked": Most(bool((case.first("payload_len")[packets] > 0).any())),
        },
        severity=Severity.ERROR if kind == RESET else Severity.WARNING,
    )  # fmt: skip


def _masked(case: Case, connection: Connection, row: int) -> Facts:
    """Say as whom the server sees a client of its own network, where a rule translates what stays on the bridge."""
    change = next((one for one in connection.nat if one.kind is NatKind.SNAT and one.rule), None)
    host = case.context.host_at(row)
    ends = [host.container_of_address(ip) for ip in (connection.original.src, connection.reply.src)]
    if change is None or None in ends or len({one.network for one in ends if one is not None}) != 1:
        return {}
    return {"seen_as": change.after, "masked_by": str(change.rule)}


def _queue(case: Case, packet: int) -> Listener | None:
    """Return who listens for it, if it leaves connections waiting to be accepted."""
    of, row = receiver(case, packet), int(case.last_row[packet])
    dst = case.context.dst(row)
    found = of.state.listener("tcp", dst, case.context.value("dport", row)) if of is not None and dst else None
    return found if found is not None and found.waiting else None


def _waited(case: Case, connection: Connection) -> int:
    """Return how long a client waited, ns."""
    asked = case.packets_of(connection.id, reply=False)
    data = asked[case.first("payload_len")[asked] > 0]
    begun = int(case.first("time_ns")[data[0] if len(data) else asked[0]])
    ends = asked[(case.first("tcp_flags")[asked] & FIN != 0) | case.resets[asked]]
    return (int(case.first("time_ns")[ends[0]]) if len(ends) else case.end_ns) - begun


HYPOTHESIS = Hypothesis(
    "request-unanswered",
    Severity.WARNING,
    "captures",
    "A server granted a connection and sent no data in it: it closed it, reset it after the first request, or let the "
    "client wait for three seconds and more.",
    "See in the server's log what it does with such connections.",
    causes,
    Specific.KIND,
)
