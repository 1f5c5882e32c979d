"""Frames go to a MAC that the destination does not have (any more)."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from shlex import quote

import numpy as np

from analyzer.decode.offsets import GROUP_BIT
from analyzer.explain.case import Case
from analyzer.explain.concerned import NEAR_CONTAINERS
from analyzer.explain.far_ends import FarEnd, Stranger, far_ends, strangers
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.inside import port_of, within
from analyzer.explain.told import Told
from analyzer.link.identity import has
from analyzer.link.sorting import changes, distinct_rows
from analyzer.model import Basis, Container, FdbEntry, Link, Severity, address, mac_text
from analyzer.schema import Layer


def causes(case: Case) -> Iterator[Cause]:
    """Compare the MAC that packets to containers were sent to with the one that the container has."""
    if case.one_sided:
        return
    context, last = case.context, case.last_row
    frames = context.frames
    macs = frames["eth_dst"][last]
    host = np.array(sorted(context.host_macs), np.int64)
    inside = case.context.with_role(last, *NEAR_CONTAINERS) & has(frames["layers"][last], Layer.MAC_DST)
    own = inside & (macs & GROUP_BIT == 0) & ~np.isin(macs, host) & has(frames["layers"][last], Layer.IPV4 | Layer.IPV6)
    known, renewed = _macs(case), _renewed(case)
    former = np.isin(macs, np.array(sorted(mac for _, mac, _ in renewed.values()), np.int64))
    by_pair: dict[tuple[str, int, int], list[int]] = {}
    for packet in np.flatnonzero(own & (former | ~np.isin(macs, np.array(sorted(known.values()), np.int64)))).tolist():
        row = int(last[packet])
        key = context.point(row).host, int(frames["dst_hi"][row]), int(frames["dst"][row])
        since, old, new = renewed.get(key, (0, 0, 0))
        late = int(macs[packet]) == old and int(frames["time_ns"][row]) >= since
        right = new if late else known.get(key)
        if right is not None and right != int(macs[packet]):
            by_pair.setdefault((str(context.dst(row)), int(macs[packet]), right), []).append(packet)
    for (ip, wrong, right), packets in by_pair.items():
        answered = np.append(context.connections["seen_reply"], False)[case.connection[packets]]
        if not answered.all():
            tell = partial(_tell, case, ip, wrong, right)
            yield Cause(
                packets, tell, Basis.STATED if any(wrong == old for _, old, _ in renewed.values()) else Basis.OBSERVED,
                (ip, wrong, right), also=case.troubled(packets),
            )  # fmt: skip
    yield from _nobodys(case)
    yield from _at_far_ends(case)
    yield from _at_other_ports(case)


def _at_far_ends(case: Case) -> Iterator[Cause]:
    """Give entries for other nodes' ends of a VXLAN that are wrong, here or there."""
    for end in far_ends(case):
        tell = partial(_far_end, end)
        key = end.host.name, str(end.entry.ip)
        yield Cause(end.packets, tell, Basis.STATED, key, specific=Specific.SETTING, also=case.troubled(end.packets))
    for one in strangers(case):
        tell = partial(_stranger, case, one)
        place = one.host.name, one.link.name, one.sent_to
        yield Cause(one.packets, tell, Basis.STATED, place, specific=Specific.SETTING, also=case.troubled(one.packets))


def _far_end(end: FarEnd, _: list[int]) -> Told:
    dev, wrong, right = quote(end.entry.dev), end.entry.mac, mac_text(end.has)
    way = next((entry for entry in end.host.fdb if entry.mac == wrong and entry.dev == end.entry.dev), None)
    commands = [f"ip neigh replace {end.entry.ip} lladdr {right} dev {dev} nud permanent"]
    proof = [f"ip-neigh.json: {end.entry.text}"]
    if way is not None and way.dst is not None:
        commands.append(f"bridge fdb replace {right} dev {dev} dst {way.dst} self permanent")
        proof.append(f"bridge-fdb.json: {way.text}")
    return Told(
        {"address": str(end.entry.ip), "sent_to": mac_text(end.entry.mac or end.has), "has": right,
         "prefix": str(end.route.dst), "dev": end.entry.dev, "commands": commands},
        proof=tuple(proof),
    )  # fmt: skip


def _stranger(case: Case, one: Stranger, packets: list[int]) -> Told:
    place = next((case.context.tunnel_of_row[row] for row in case.context.rows_of(packets[0])
                  if row in case.context.tunnel_of_row), None)  # fmt: skip
    table = case.context.tunnels
    peer = (
        address(6 if table["src_hi"][place] else 4, int(table["src_hi"][place]), int(table["src"][place]))
        if place is not None
        else None
    )
    has_mac = mac_text(one.link.mac or one.sent_to)
    return Told(
        {"address": str(case.context.dst(int(case.last_row[packets[0]]))), "sent_to": mac_text(one.sent_to),
         "has": has_mac, "arrived_at": one.link.name, "peer": str(peer or "the other node")},
        proof=(f"ip-addr.json: {one.link.name} link/ether {has_mac}",),
    )  # fmt: skip


def _at_other_ports(case: Case) -> Iterator[Cause]:
    """Give containers whose MAC their bridge has at another port than theirs: a static entry, or one that is learnt."""
    for host in case.hosts.states:
        macs = Counter(container.mac for container in host.containers if container.mac is not None)
        for container in host.containers:
            inner = host.interface_inside(container)
            port = port_of(host, container, inner) if inner is not None and inner.peer is not None else None
            if port is None or container.mac is None or macs[container.mac] > 1:
                continue
            entries = [e for e in host.fdb if e.mac == container.mac and e.master == port.master and e.dev != port.name]
            packets = case.towards(container.addresses) if entries else []
            if packets:
                tell = partial(_elsewhere, container, entries[0], port)
                key = host.name, container.name
                yield Cause(packets, tell, Basis.STATED, key, specific=Specific.SETTING)


def _elsewhere(container: Container, entry: FdbEntry, port: Link, packets: list[int]) -> Told:
    command = f"bridge fdb del {mac_text(entry.mac)} dev {quote(entry.dev)} master"
    return Told(
        {"container": container.name, "at_port": entry.dev, "port": port.name, "sent_to": mac_text(entry.mac),
         "commands": [command]},
        proof=(f"bridge-fdb.json: {entry.text}", f"ip-addr.json: {port.name}, the end of {container.name}'s veth"),
    )  # fmt: skip


def _tell(case: Case, ip: str, wrong: int, right: int, packets: list[int]) -> Told:
    host, row = case.host_of(packets[0]), int(case.first_row[packets[0]])
    sender = case.context.owner_of_mac(case.context.value("eth_src", row), row)
    state = host.inside.get(sender.name) if sender is not None else None
    sender, state = (None, host) if state is None else (sender, state)
    place = f"containers/{sender.name}/" if sender is not None else ""
    entries = [n for n in state.neighbours if str(n.ip) == ip and n.mac == wrong]
    commands = [f"ip neigh del {entry.ip} dev {quote(entry.dev)}" for entry in entries if entry.dev]
    return Told(
        {
            "address": ip,
            "sent_to": mac_text(wrong),
            "has": mac_text(right),
            "replaced": [ended.container.name for ended in host.ended if ended.container.mac == wrong],
            "commands": commands if sender is None else [within(sender.name, command) for command in commands],
        },
        proof=tuple(f"{place}ip-neigh.json: {entry.text}" for entry in entries),
    )


def _renewed(case: Case) -> dict[tuple[str | None, int, int], tuple[int, int, int]]:
    """Return by host and address since when a container that was made anew has another MAC: then, the old, the new."""
    found: dict[tuple[str | None, int, int], tuple[int, int, int]] = {}
    for host in case.hosts.states:
        for one in host.ended:
            for ip in one.container.addresses:
                now = host.container_of_address(ip)
                if now is not None and now.mac is not None and one.container.mac not in (None, now.mac):
                    found[host.name, *divmod(int(ip), 1 << 64)] = one.time_ns, one.container.mac or 0, now.mac
    return found


def _nobodys(case: Case) -> Iterator[Cause]:
    """Give containers that send to a MAC that nobody has: a static or stale entry for their gateway."""
    context, first = case.context, case.first_row
    layers, macs = case.first("layers"), case.first("eth_dst")
    containers = case.hosts.everywhere.containers
    known = context.host_macs | {c.mac for c in containers if c.mac is not None}
    leaves = context.with_role(first, *NEAR_CONTAINERS[:2]) & has(layers, Layer.MAC_DST)
    answered = np.append(context.connections["seen_reply"], True)[case.connection]
    strange = np.flatnonzero(leaves & (macs & GROUP_BIT == 0) & has(layers, Layer.IPV4 | Layer.IPV6) & ~answered)
    strange = strange[~np.isin(macs[strange], np.array(sorted(known), np.int64))] if context.host_macs else strange[:0]
    if len(strange):
        strange = strange[~np.isin(macs[strange], context.frames["eth_src"])]
    by_mac: dict[int, list[int]] = {}
    for packet in strange.tolist():
        by_mac.setdefault(int(macs[packet]), []).append(packet)
    for mac, packets in by_mac.items():
        yield Cause(packets, partial(_nobody, case, mac), Basis.INFERRED, (mac,), also=case.troubled(packets))


def _nobody(case: Case, mac: int, packets: list[int]) -> Told:
    src = case.context.src(int(case.first_row[packets[0]]))
    return Told({"sender": str(src), "sent_to": mac_text(mac)})


def _macs(case: Case) -> dict[tuple[str | None, int, int], int]:
    """Return each container's MAC by host and address: Docker's, else what the address sends from at its port."""
    context, first = case.context, case.first_row
    sends = context.with_role(first, *NEAR_CONTAINERS[:2]) & has(case.first("layers"), Layer.MAC_SRC)
    rows = first[sends]
    rows = rows[~np.isin(context.frames["eth_src"][rows], np.array(sorted(context.host_macs), np.int64))]
    names = ("point", "src_hi", "src", "eth_src")
    rows = rows[changes(*(context.frames[name][rows] for name in names))]  # many in a row are alike
    senders = distinct_rows(*(context.frames[name][rows] for name in names))
    found = {(context.points[point].host, high, low): mac for point, high, low, mac in senders}
    for host in case.hosts.states:
        known = [(container.mac, ip) for container in host.containers for ip in container.addresses]
        for mac, ip in known:
            if mac is not None:
                found.setdefault((host.name, *divmod(int(ip), 1 << 64)), mac)
    return found


HYPOTHESIS = Hypothesis(
    "neighbour-stale",
    Severity.ERROR,
    "captures (docker-inspect.json, ip-neigh.json)",
    "Packets for a container were sent to a MAC address that it does not have, and stayed unanswered.",
    "ip neigh flush ADDRESS where they were sent.",
    causes,
    Specific.MECHANISM,
    asks="ip neigh where they were sent",
)
