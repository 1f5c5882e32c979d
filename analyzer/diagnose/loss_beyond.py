"""Packets or their answers are lost outside this host."""

from collections.abc import Iterator

import numpy as np

from analyzer.correlate.identity import has
from analyzer.decode.offsets import PROTO_UDP
from analyzer.diagnose.causes import affected, few
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Basis, Disposition, Finding, Severity
from analyzer.model.journey import CODES
from analyzer.model.words import plural
from analyzer.schema import Int64, Layer


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of each peer towards which, or from which, packets were lost."""
    yield from _between_hosts(subject)
    outward = np.concatenate([_sent_again(subject), _unanswered(subject)])
    for packets, towards in ((outward, True), (subject.tracer.late_segments, False)):
        by_peer: dict[str, list[int]] = {}
        for packet in np.unique(subject.unclaimed(packets.astype(np.int64))).tolist():
            row = int(subject.last_row[packet] if towards else subject.first_row[packet])
            peer = subject.context.dst(row) if towards else subject.context.src(row)
            if peer not in subject.absent:
                by_peer.setdefault(str(peer), []).append(packet)
        for name, lost in few(by_peer, "peers").items():
            yield _finding(subject, name, lost, towards=towards)


def _between_hosts(subject: Subject) -> Iterator[Finding]:
    """Tell of packets that left one captured host and did not come to the other."""
    by_place: dict[tuple[str, str, str], list[int]] = {}
    for packet in subject.unclaimed(subject.tracer.ended(Disposition.LOST)).tolist():
        if (hosts := subject.between_hosts(packet)) is not None:
            by_place.setdefault((*hosts, subject.tracer.outcome(packet).reason), []).append(packet)
    for (one, other, why), packets in by_place.items():
        yield CHECK.finding(
            f"{plural(len(packets), 'packet')} lost between {one} and {other}",
            f"They were {why}: neither host lost them. {affected(subject, packets)}",
            basis=Basis.INFERRED,
            evidence=subject.evidence(packets),
            remedy=f"Look at what is between {one} and {other}: switches, cables, a firewall, a tunnel's MTU.",
        )
        subject.claim(packets)


def _finding(subject: Subject, peer: str, packets: list[int], *, towards: bool) -> Finding:
    point = subject.context.point(int((subject.last_row if towards else subject.first_row)[packets[0]])).name
    if towards:
        title = f"{plural(len(packets), 'packet')} towards {peer}, or their answers, lost beyond {point}"
        why = f"They left by {point} and were not answered in time, or were sent again: it was not this host."
    else:
        title = f"{plural(len(packets), 'packet')} from {peer} lost before {point}"
        why = f"They came to {point} only after what follows them, sent again: the originals never reached this host."
    subject.claim(packets)
    return CHECK.finding(
        title, f"{why} {affected(subject, packets)}", basis=Basis.INFERRED, evidence=subject.evidence(packets)
    )  # fmt: skip


def _left(subject: Subject, packets: Int64) -> Int64:
    found: Int64 = packets[subject.tracer.ends[packets] == CODES[Disposition.LEFT_HOST]]
    return found


def _sent_again(subject: Subject) -> Int64:
    """Return the packets that left, and that TCP sent again."""
    return _left(subject, np.unique(subject.tracer.sent_again[1]))


def _unanswered(subject: Subject) -> Int64:
    """Return pings that left without an answer, and datagrams of clients whose server answers most of them."""
    layers, proto = subject.first("layers"), subject.first("proto")
    table = subject.context.connections
    known = subject.connection >= 0
    asked, answered = (
        np.bincount(subject.connection[known & way], minlength=len(table["proto"]))
        for way in (~subject.reply, subject.reply)
    )
    # Gossip and streams of media have no answers to wait for: ports differ, and most questions are answered.
    client = (table["orig_sport"] != table["orig_dport"]) & (answered * 2 >= asked)
    datagram = (proto == PROTO_UDP) & np.append(client, False)[subject.connection]
    asks = _left(subject, np.flatnonzero((has(layers, Layer.ECHO) | datagram) & ~subject.reply & known))
    quoted = {error.quoted for error in subject.errors}
    missing: list[int] = []
    asks = asks[(asked > answered)[subject.connection[asks]]]
    for packet, number in zip(asks.tolist(), subject.connection[asks].tolist(), strict=True):
        answers = subject.tracer.answers(number).answered_by
        if packet not in answers and packet not in quoted and subject.waited(packet):
            missing.append(packet)
    return np.array(missing, np.int64)


CHECK = Check(
    "loss-beyond-host",
    Severity.WARNING,
    "captures",
    "Packets left by the uplink and were sent again or never answered, or arrived only when they were sent again.",
    "Nothing on this host: test the way beyond it, e.g. with mtr, and ask whoever runs it.",
    look,
)
