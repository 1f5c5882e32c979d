"""A container reaches one beside it by the host's address, and answers come back by another way than questions went."""

from collections.abc import Iterator

import numpy as np

from analyzer.diagnose.causes import affected
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import NEAR_CONTAINERS, Subject
from analyzer.model import Basis, Finding, Severity, endpoint
from analyzer.model.words import plural

CALLS = "net.bridge.bridge-nf-call-iptables"


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of connections whose destination was translated to one beside the client, and whose source was not."""
    context, table = subject.context, subject.context.connections
    target = (table["orig_dst"] != table["reply_src"]) | (table["orig_dst_hi"] != table["reply_src_hi"])
    source = (table["orig_src"] != table["reply_dst"]) | (table["orig_src_hi"] != table["reply_dst_hi"])
    by_target: dict[str, list[int]] = {}
    itself = False
    for number in np.flatnonzero(target & ~source).tolist():
        packets = context.packets_of(number)
        own = all(table[f"orig_{name}"][number] == table[f"reply_{name}"][number] for name in ("src", "src_hi"))
        if not subject.with_role(subject.first_row[packets[:1]], *NEAR_CONTAINERS)[0]:
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
            proof=tuple(
                f"sysctl.txt: {CALLS} = {value}" for value in [subject.host.sysctls.get(CALLS)] if value == "0"
            ),
        )
        subject.claim(lost)


def _straight(subject: Subject, number: int) -> bool:
    """Tell whether an answer reached the client with the address that the client did not ask."""
    replies = subject.packets_of(number, reply=True)
    frames, last = subject.context.frames, subject.last_row[replies]
    table = subject.context.connections
    raw = (frames["src"][last] == table["reply_src"][number]) & (frames["dst"][last] == table["orig_src"][number])
    return bool((raw & subject.with_role(last, *NEAR_CONTAINERS[:2])).any())


CHECK = Check(
    "hairpin-broken",
    Severity.ERROR,
    "captures (sysctl.txt)",
    "A container uses a published port of one beside it, or its own, and answers cannot come back as they must.",
    "Use the container's name; or masquerade what goes back to its own network, as dockerd does with "
    '"userland-proxy": false, and keep net.bridge.bridge-nf-call-iptables=1.',
    look,
)
