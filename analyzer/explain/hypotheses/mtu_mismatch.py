"""A bridge whose packets may be larger than what the uplink carries."""

from collections.abc import Iterator
from functools import partial
from shlex import quote

from analyzer.explain.case import Case
from analyzer.explain.host.asked import Host
from analyzer.explain.host.networks import bridges, uplinks
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.inside import within
from analyzer.explain.long_packets import LONG, missing
from analyzer.explain.tally import Count
from analyzer.explain.told import Facts, Told
from analyzer.model import Basis, HostState, Link, Network, Severity


def causes(case: Case) -> Iterator[Cause]:
    """Compare both ends of containers' veths, where one dropped something: what is too long dies between them."""
    for host in case.hosts.states:
        for name, state in host.inside.items():
            for inner in state.links:
                outer = next((link for link in host.links if link.index == inner.peer and link.kind == "veth"), None)
                if outer is not None and inner.kind == "veth" and (told := _between(host, state, name, inner, outer)):
                    yield Cause.ready(told, host.name or "", name, inner.name, counted=True)
    by_network: dict[tuple[str, str], tuple[Network, Link, Link, list[int]]] = {}
    for packet, uplink, network, bridge in _too_long_to_come(case):
        key = case.host_of(packet).name or "", network.name
        by_network.setdefault(key, (network, bridge, uplink, []))[3].append(packet)
    for key, (network, bridge, uplink, packets) in by_network.items():
        tell = partial(_hole, case, network, bridge, uplink)
        yield Cause(packets, tell, Basis.STATED, (*key, "hole"), specific=Specific.ROOT)


def _too_long_to_come(case: Case) -> Iterator[tuple[int, Link, Network, Link]]:
    """Give packets behind data that never came, for a container that takes longer packets than the uplink does."""
    for packet, hole in case.once(missing).items():
        row, host = int(case.first_row[packet]), case.host_of(packet)
        link, connection = case.link_at(case.context.point(row).name), case.connection_of(packet)
        if connection is None or link is None or link.mtu is None or hole < LONG:
            continue
        ends = connection.original.src, connection.reply.src
        owner = next((c for c in map(host.container_of_address, ends) if c is not None), None)
        network = host.network_of(owner) if owner is not None else None
        bridge = host.link(network.bridge or "") if network is not None else None
        if network is not None and bridge is not None and bridge.mtu is not None and bridge.mtu > link.mtu:
            yield packet, link, network, bridge


def _hole(case: Case, network: Network, bridge: Link, uplink: Link, packets: list[int]) -> Told:
    holes = case.once(missing)
    return Told(
        {
            "network": network.name, "mtu": bridge.mtu or 0, "uplink": uplink.name, "limit": uplink.mtu or 0,
            "missing": Count(sum(holes[packet] for packet in packets)),
        },
        evidence=case.evidence(packets, first=True),
        proof=(f"ip-addr.json: {bridge.name} mtu {bridge.mtu}", f"ip-addr.json: {uplink.name} mtu {uplink.mtu}"),
        severity=Severity.ERROR,
    )  # fmt: skip


def _between(host: HostState, state: HostState, container: str, inner: Link, outer: Link) -> Told | None:
    """Tell of an interface that sends longer packets than its other end takes (is_skb_forwardable), and did."""
    if inner.mtu is None or outer.mtu is None or inner.mtu == outer.mtu:
        return None
    sender, of = (inner, state) if inner.mtu > outer.mtu else (outer, host)
    lost = of.counted(f"link.{sender.name}.tx.dropped") or 0
    if lost <= 0:
        return None
    place = f"containers/{container}/"
    return Told(
        {
            "container": container, "inner": inner.name, "outer": outer.name, "mtu": inner.mtu, "limit": outer.mtu,
            "lost": lost, "commands": [_widened(container, inner, outer)],
        },
        proof=(
            f"{place}ip-addr.json: {inner.name} mtu {inner.mtu}", f"ip-addr.json: {outer.name} mtu {outer.mtu}",
            f"{place if sender is inner else ''}ip-addr.json: {sender.name} tx dropped went up by {lost}",
        ),
        severity=Severity.ERROR,
    )  # fmt: skip


def _widened(container: str, inner: Link, outer: Link) -> str:
    """Give the end that takes less what the other one sends."""
    if (inner.mtu or 0) > (outer.mtu or 0):
        return f"ip link set {quote(outer.name)} mtu {inner.mtu}"
    return within(container, f"ip link set {quote(inner.name)} mtu {outer.mtu}")


def state(host: Host) -> Iterator[Told]:
    """Compare the MTU of each bridge with that of the best uplink."""
    ways = uplinks(host.state)
    limit = ways[0].mtu if ways else None
    if limit is None:
        return
    for network, bridge in bridges(host.state):
        if bridge.mtu is not None and bridge.mtu > limit:
            lines = (f"ip-addr.json: {link.name} mtu {link.mtu}" for link in (bridge, ways[0]))
            facts: Facts = {
                "network": network.name,
                "mtu": bridge.mtu,
                "uplink": ways[0].name,
                "limit": limit,
            }
            yield Told(facts, proof=tuple(lines))


HYPOTHESIS = Hypothesis(
    "mtu-mismatch",
    Severity.WARNING,
    "ip-addr.json, containers/NAME/ip-addr.json before and after (hoptrace doctor: dumps alone)",
    "The ends of a container's veth have two MTUs, and one drops; or a network's is larger than the uplink's.",
    "Give the network the uplink's MTU.",
    causes,
    state=state,
)
