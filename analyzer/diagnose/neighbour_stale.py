"""Frames go to a MAC that the destination does not have (any more)."""

from collections.abc import Iterator

import numpy as np

from analyzer.correlate.identity import has
from analyzer.correlate.sorting import changes, distinct_rows
from analyzer.decode.offsets import GROUP_BIT
from analyzer.diagnose.causes import affected
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import NEAR_CONTAINERS, Subject
from analyzer.model import Basis, Finding, Severity, mac_text
from analyzer.model.words import plural
from analyzer.schema import Layer


def look(subject: Subject) -> Iterator[Finding]:
    """Compare the MAC that packets to containers were sent to with the one that the container has."""
    if subject.one_sided:
        return
    context, last = subject.context, subject.last_row
    frames = context.frames
    macs = frames["eth_dst"][last]
    host = np.array(sorted(context.host_macs), np.int64)
    inside = subject.context.with_role(last, *NEAR_CONTAINERS) & has(frames["layers"][last], Layer.MAC_DST)
    own = inside & (macs & GROUP_BIT == 0) & ~np.isin(macs, host) & has(frames["layers"][last], Layer.IPV4 | Layer.IPV6)
    known = _macs(subject)
    by_pair: dict[tuple[str, int, int], list[int]] = {}
    for packet in np.flatnonzero(own & ~np.isin(macs, np.array(sorted(known.values()), np.int64))).tolist():
        row = int(last[packet])
        right = known.get((context.point(row).host, int(frames["dst_hi"][row]), int(frames["dst"][row])))
        if right is not None:
            by_pair.setdefault((str(context.dst(row)), int(macs[packet]), right), []).append(packet)
    for (ip, wrong, right), packets in by_pair.items():
        answered = np.append(context.connections["seen_reply"], False)[subject.connection[packets]]
        if answered.all():
            continue
        entries = (n for n in subject.host_of(packets[0]).neighbours if str(n.ip) == ip and n.mac == wrong)
        yield CHECK.finding(
            f"{plural(len(packets), 'packet')} for {ip} went to {mac_text(wrong)}, which is not its MAC",
            f"{ip} has {mac_text(right)}. Whoever sent them has an old or wrong neighbour entry, and does not ask "
            f"again while it holds. {affected(subject, packets)}",
            basis=Basis.OBSERVED,
            evidence=subject.evidence(packets),
            proof=tuple(f"ip-neigh.json: {entry.text}" for entry in entries),
            remedy=f"ip neigh del {ip} dev the interface, or ip neigh flush {ip}, where they were sent.",
        )
        subject.claim(packets)
    yield from _nobodys(subject)


def _nobodys(subject: Subject) -> Iterator[Finding]:
    """Tell of containers that send to a MAC that nobody has: a static or stale entry for their gateway."""
    context, first = subject.context, subject.first_row
    layers, macs = subject.first("layers"), subject.first("eth_dst")
    containers = subject.hosts.everywhere.containers
    known = context.host_macs | {c.mac for c in containers if c.mac is not None}
    leaves = context.with_role(first, *NEAR_CONTAINERS[:2]) & has(layers, Layer.MAC_DST)
    answered = np.append(context.connections["seen_reply"], True)[subject.connection]
    strange = np.flatnonzero(leaves & (macs & GROUP_BIT == 0) & has(layers, Layer.IPV4 | Layer.IPV6) & ~answered)
    strange = strange[~np.isin(macs[strange], np.array(sorted(known), np.int64))] if context.host_macs else strange[:0]
    if len(strange):
        strange = strange[~np.isin(macs[strange], context.frames["eth_src"])]
    by_mac: dict[int, list[int]] = {}
    for packet in subject.unclaimed(strange).tolist():
        by_mac.setdefault(int(macs[packet]), []).append(packet)
    for mac, packets in by_mac.items():
        src = context.src(int(first[packets[0]]))
        yield CHECK.finding(
            f"{src} sends {plural(len(packets), 'packet')} to {mac_text(mac)}, which nobody has",
            "No frame comes from that MAC, and neither the host nor a container has it: the sender's neighbour entry, "
            f"for its gateway as it seems, is wrong. {affected(subject, packets)}",
            basis=Basis.INFERRED,
            evidence=subject.evidence(packets),
            remedy="ip neigh in the container shows the entry; ip neigh del it, and see who made it permanent.",
        )
        subject.claim(packets)


def _macs(subject: Subject) -> dict[tuple[str | None, int, int], int]:
    """Return each container's MAC by host and address: Docker's, else what the address sends from at its port."""
    context, first = subject.context, subject.first_row
    sends = context.with_role(first, *NEAR_CONTAINERS[:2]) & has(subject.first("layers"), Layer.MAC_SRC)
    rows = first[sends]
    rows = rows[~np.isin(context.frames["eth_src"][rows], np.array(sorted(context.host_macs), np.int64))]
    names = ("point", "src_hi", "src", "eth_src")
    rows = rows[changes(*(context.frames[name][rows] for name in names))]  # many in a row are alike
    senders = distinct_rows(*(context.frames[name][rows] for name in names))
    found = {(context.points[point].host, high, low): mac for point, high, low, mac in senders}
    for host in subject.hosts.states:
        known = [(container.mac, ip) for container in host.containers for ip in container.addresses]
        for mac, ip in known:
            if mac is not None:
                found.setdefault((host.name, *divmod(int(ip), 1 << 64)), mac)
    return found


CHECK = Check(
    "neighbour-stale",
    Severity.ERROR,
    "captures (docker-inspect.json, ip-neigh.json)",
    "Packets for a container were sent to a MAC address that it does not have, and stayed unanswered.",
    "ip neigh flush ADDRESS where they were sent.",
    look,
)
