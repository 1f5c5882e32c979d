"""A container reaches one beside it by the host's address, and answers come back by another way than questions went."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.explain.case import Case
from analyzer.explain.concerned import NEAR_CONTAINERS
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.told import Told
from analyzer.model import Severity, endpoint
from analyzer.schema import Addresses, Columns
from analyzer.state.sysctl import BRIDGE_CALLS

CALLS = BRIDGE_CALLS[4]


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


def _tell(case: Case, asked: str, itself: bool, packets: list[int]) -> Told:
    off = case.host_of(packets[0]).sysctls.get(CALLS) == "0"
    return Told(
        {"asked": asked, "itself": itself},
        proof=(f"sysctl.txt: {CALLS} = 0",) if off else (),
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
