"""A container reaches one beside it by the host's address, and answers come back by another way than questions went."""

import shlex
from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.concerned import NEAR_CONTAINERS
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.told import Facts, Told
from analyzer.model import Basis, NatKind, Severity, endpoint
from analyzer.schema import Addresses, Columns
from analyzer.state.path import translate
from analyzer.state.sysctl import BRIDGE_CALLS, sysctl, sysctl_line

CALLS = BRIDGE_CALLS[4]
MOST = 2_000
"""Connections of one client to one port that the rules are asked about."""


def causes(case: Case) -> Iterator[Cause]:
    """Give connections whose destination was translated to one beside the client, and whose source was not."""
    context, table = case.context, case.context.connections
    by_target: dict[tuple[str, bool], list[int]] = {}
    from_itself = Addresses.of(table, "orig_src").same(Addresses.of(table, "reply_src")) & ~table["seen_reply"]
    for number in np.flatnonzero(case.target_moved & ~case.source_moved).tolist():
        packets = context.packets_of(number)
        itself = bool(from_itself[number])
        if not case.context.with_role(case.first_row[packets[:1]], *NEAR_CONTAINERS)[0]:
            continue
        if itself or _straight(case, number):
            connection = case.tracer.connection(number)
            key = endpoint(connection.original.dst, connection.original.dport), itself
            by_target.setdefault(key, []).extend(packets.tolist())
    for (asked, itself), lost in by_target.items():
        yield Cause(sorted(lost), partial(_tell, case, asked, itself), key=(asked, itself))
    for (asked, port), lost in _kept_by_port(case).items():
        yield Cause(sorted(lost), partial(_by_port, case, asked, port), Basis.STATED, (asked, port))


def _tell(case: Case, asked: str, itself: bool, packets: list[int]) -> Told:
    off = case.host_of(packets[0]).sysctls.get(CALLS) == "0"
    facts: Facts = {"asked": asked, "itself": itself}
    return Told(
        facts | _caught(case, packets[0]),
        proof=(f"sysctl.txt: {CALLS} = 0",) if off else (),
    )


def _caught(case: Case, packet: int) -> Facts:
    """Name a rule that translates what is for somebody elsewhere, for it does not say whose address it is for."""
    connection = case.connection_of(packet)
    host, row = case.host_of(packet), int(case.first_row[packet])
    if connection is None or host.owns(connection.original.dst) or not host.links:
        return {}
    rule = next((one.rule for one in connection.nat if one.kind is NatKind.DNAT and one.rule), None)
    if rule is None or case.context.owner_of_address(connection.original.dst, row) is not None:
        return {}
    return {"caught": rule, "catches_all": " -d " not in rule and "daddr" not in rule}


def _kept_by_port(case: Case) -> dict[tuple[str, str], list[int]]:
    """
    Return packets that a rule sends back to who sent them, while a bridge still has them, by what was asked and port.

    A bridge gives nothing to the port that it came by, unless that is in hairpin mode (should_deliver() of
    net/bridge/br_forward.c).
    """
    table, found = case.context.connections, dict[tuple[str, str], list[int]]()
    silent = np.flatnonzero(~table["seen_reply"] & ~case.target_moved)
    for number in case.few_connections(silent, MOST).tolist():
        packets = case.context.packets_of(number)
        rows = case.context.rows_of(int(packets[0]))
        host, connection = case.host_of(int(packets[0])), case.tracer.connection(number)
        flow, link = connection.original, case.link_at(case.context.point(rows[0]).name)
        port = next((one for one in host.ports if link is not None and one.dev == link.name), None)
        if len(rows) > 1 or port is None or port.hairpin or not host.owns(flow.dst):
            continue
        today = translate(host, flow)
        back = today is not None and today.packet is not None and today.packet.dst == flow.src
        if back and sysctl(host, BRIDGE_CALLS[flow.src.version]) == 1:
            asked = endpoint(flow.dst, flow.dport)
            found.setdefault((asked, port.dev), []).extend(case.packets_of(number, reply=False).tolist())
    return found


def _by_port(case: Case, asked: str, port: str, packets: list[int]) -> Told:
    host, connection = case.host_of(packets[0]), case.tracer.connection(int(case.connection[packets[0]]))
    today = translate(host, connection.original)
    to = today.packet.dport if today is not None and today.packet is not None else None
    inside: Facts = {"inside": to} if isinstance(to, int) else {}
    return Told(
        inside | {"asked": asked, "port": port, "commands": [f"bridge link set dev {shlex.quote(port)} hairpin on"]},
        proof=(
            f"bridge-link.json: {port}: hairpin off",
            sysctl_line(host, BRIDGE_CALLS[connection.original.src.version]),
        ),
    )


def _straight(case: Case, number: int) -> bool:
    """Tell whether an answer reached the client with an address that it did not ask, or the client reset that."""
    context, table = case.context, case.context.connections
    frames = context.frames
    server, client, asked = (_end(table, number, name) for name in ("reply_src", "orig_src", "orig_dst"))
    ports = {point.id for point in context.points if point.role in NEAR_CONTAINERS[:2]}
    for packet in context.packets_of(number).tolist():
        rows = context.rows_of(packet)
        first = int(frames["point"][rows[0]])
        if not case.reply[packet]:
            if _end(frames, rows[0], "dst") == server != asked and first in ports:
                return True
            continue
        arrived = [row for row in rows[1:] if int(frames["point"][row]) in ports - {first} and _of_client(case, row)]
        if any((_end(frames, row, "src"), _end(frames, row, "dst")) == (server, client) for row in arrived):
            return True
    return False


def _of_client(case: Case, row: int) -> bool:
    """Tell whether a frame was seen at its receiver, as far as containers' addresses are known."""
    point, dst = case.context.point(row), case.context.dst(row)
    if point.container is None or not case.hosts.everywhere.containers:
        return True
    owner = case.context.owner_of_address(dst, row) if dst is not None else None
    return owner is not None and owner.name == point.container


def _end(table: Columns, row: int, name: str) -> tuple[int, int]:
    """Return an address of a table, both halves."""
    return int(table[f"{name}_hi"][row]), int(table[name][row])


HYPOTHESIS = Hypothesis(
    "hairpin-broken",
    Severity.ERROR,
    "captures (sysctl.txt)",
    "A container uses a published port of one beside it, or its own, and answers cannot come back as they must.",
    "Put both on a network of their own, and use the container's name; or masquerade what goes back to its own "
    f'network, as dockerd does with "userland-proxy": false, and set {CALLS}=1.',
    causes,
    Specific.SETTING,
)
