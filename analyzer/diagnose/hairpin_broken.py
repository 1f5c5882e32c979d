"""A container reaches one beside it by the host's address, and answers come back by another way than questions went."""

from collections.abc import Iterator

import numpy as np

from analyzer.diagnose.causes import affected
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import NEAR_CONTAINERS, Subject
from analyzer.model import Basis, Finding, Severity, endpoint
from analyzer.model.words import plural
from analyzer.schema import Columns
from analyzer.state.sysctl import BRIDGE_CALLS

CALLS = BRIDGE_CALLS[4]


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of connections whose destination was translated to one beside the client, and whose source was not."""
    context, table = subject.context, subject.context.connections
    by_target: dict[str, list[int]] = {}
    itself = False
    for number in np.flatnonzero(subject.target_moved & ~subject.source_moved).tolist():
        packets = context.packets_of(number)
        own = all(table[f"orig_{name}"][number] == table[f"reply_{name}"][number] for name in ("src", "src_hi"))
        if not subject.context.with_role(subject.first_row[packets[:1]], *NEAR_CONTAINERS)[0]:
            continue
        if own and not table["seen_reply"][number]:
            itself = True
        elif not _straight(subject, number):
            continue
        connection = subject.tracer.connection(number)
        key = endpoint(connection.original.dst, connection.original.dport)
        by_target.setdefault(key, []).extend(packets.tolist())
    for key, lost in by_target.items():
        yield CHECK.finding(
            f"{plural(len(lost), 'packet')} of connections to {key} from beside its container: no way back",
            (
                "The container reaches itself, and gets packets from its own address, which it drops as martians. "
                if itself
                else "Answers go straight over the bridge, with the container's own address, and the client, who "
                "asked another one, resets the connection. "
            )
            + affected(subject, lost),
            basis=Basis.OBSERVED,
            evidence=subject.evidence(lost),
            proof=(f"sysctl.txt: {CALLS} = 0",) if subject.host_of(lost[0]).sysctls.get(CALLS) == "0" else (),
        )
        subject.claim(lost)


def _straight(subject: Subject, number: int) -> bool:
    """Tell whether an answer reached the client with an address that it did not ask, or the client reset that."""
    context, table = subject.context, subject.context.connections
    frames = context.frames
    server, client, asked = (_end(table, number, name) for name in ("reply_src", "orig_src", "orig_dst"))
    ports = {point.id for point in context.points if point.role in NEAR_CONTAINERS[:2]}
    for packet in context.packets_of(number).tolist():
        rows = context.rows_of(packet)
        first = int(frames["point"][rows[0]])
        if not subject.reply[packet]:
            if _end(frames, rows[0], "dst") == server != asked and first in ports:
                return True
            continue
        arrived = [row for row in rows[1:] if int(frames["point"][row]) in ports - {first}]
        if any((_end(frames, row, "src"), _end(frames, row, "dst")) == (server, client) for row in arrived):
            return True
    return False


def _end(table: Columns, row: int, name: str) -> tuple[int, int]:
    """Return an address of a table, both halves."""
    return int(table[f"{name}_hi"][row]), int(table[name][row])


CHECK = Check(
    "hairpin-broken",
    Severity.ERROR,
    "captures (sysctl.txt)",
    "A container uses a published port of one beside it, or its own, and answers cannot come back as they must.",
    "Use the container's name; or masquerade what goes back to its own network, as dockerd does with "
    f'"userland-proxy": false, and keep {CALLS}=1.',
    look,
)
