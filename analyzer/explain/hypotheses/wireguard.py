"""WireGuard takes packets and sends them to nobody: no peer is meant for their address, or it never shook hands."""

from collections.abc import Iterator
from functools import partial
from shlex import quote

from analyzer.decode.offsets import PROTO_UDP
from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.onward import MOST, onward
from analyzer.explain.stopped import severity
from analyzer.explain.told import Facts, Told
from analyzer.model import Address, HostState, Peer, Severity
from analyzer.model.finding import Symptom
from analyzer.state.routing import Chosen

LOST = (Symptom.LOST_INSIDE, Symptom.LOST_BEYOND, Symptom.UNANSWERED, Symptom.IGNORED)


def causes(case: Case) -> Iterator[Cause]:
    """Give each peer that has no keys, and each interface that has no peer for what is sent to it."""
    found: dict[tuple[str | None, str, str], tuple[Peer | None, Chosen | None, list[int]]] = {}
    for packet, dev, way in onward(case, _has_peers, *LOST):
        dst, host = case.context.dst(int(case.last_row[packet])), case.host_of(packet)
        peer = _peer(host, dev, dst) if dst is not None else None
        if dst is not None and (peer is None or peer.silent):
            key = host.name, dev, peer.key if peer is not None else ""
            found.setdefault(key, (peer, way, []))[2].append(packet)
    for host, peer, packet in _own_packets(case):
        found.setdefault((host.name, peer.dev, peer.key), (peer, None, []))[2].append(packet)
    for key, (peer, way, packets) in found.items():
        yield Cause(sorted(packets), partial(_tell, case, key[1], peer, way), key=key)


def _own_packets(case: Case) -> Iterator[tuple[HostState, Peer, int]]:
    """Give WireGuard's own packets to silent peers, which nobody answers: handshakes."""
    if not any(peer.silent for host in case.hosts.states for peer in host.peers):
        return
    lost = case.with_symptom(Symptom.LOST_BEYOND, Symptom.UNANSWERED)
    for packet in case.few_packets(lost[case.first("proto")[lost] == PROTO_UDP], MOST).tolist():
        host, row = case.host_of(packet), int(case.last_row[packet])
        ends = case.context.dst(row), case.context.value("dport", row)
        yield from ((host, peer, packet) for peer in host.peers if peer.silent and peer.endpoint == ends)


def _has_peers(host: HostState, name: str) -> bool:
    return any(peer.dev == name for peer in host.peers)


def _peer(host: HostState, dev: str, ip: Address) -> Peer | None:
    """Return whom an interface sends an address to: the peer with the longest prefix (wireguard, allowedips.c)."""
    fitting = ((prefix.prefixlen, peer) for peer in host.peers if peer.dev == dev for prefix in peer.allowed
               if prefix.version == ip.version and ip in prefix)  # fmt: skip
    return max(fitting, key=lambda one: one[0], default=(0, None))[1]


def _tell(case: Case, dev: str, peer: Peer | None, way: Chosen | None, packets: list[int]) -> Told:
    host = case.host_of(packets[0])
    facts: Facts = {"dev": dev}
    bad = severity(case, packets, Severity.ERROR)
    if peer is None:
        route = way.route.text if way is not None else ""
        facts |= {"route": route} | _not_allowed(case, host, dev, packets)
        return Told(facts, proof=(f"ip-route.json: {route}",), severity=bad)
    facts |= {"peer": peer.key, "age_s": peer.handshake_s if peer.handshake_s is not None else -1}
    when = "no handshake" if peer.handshake_s is None else f"latest handshake {peer.handshake_s} s ago"
    if peer.endpoint is not None:
        ip, port = peer.endpoint
        facts |= {"endpoint": str(ip), "port": port}
    return Told(facts, proof=(f"wg.txt: {dev} peer {peer.key}: {when}",), severity=bad)


def _not_allowed(case: Case, host: HostState, dev: str, packets: list[int]) -> Facts:
    """Say which address is nobody's, and which are somebody's."""
    dst = str(case.context.dst(int(case.last_row[packets[0]])))
    allowed = [f"{prefix}" for peer in host.peers if peer.dev == dev for prefix in peer.allowed]
    facts: Facts = {"address": dst, "allowed": allowed}
    only = [peer for peer in host.peers if peer.dev == dev]
    if len(only) == 1:
        wanted = ",".join([*allowed, f"{dst}/{128 if ':' in dst else 32}"])
        facts["commands"] = [f"wg set {quote(dev)} peer {quote(only[0].key)} allowed-ips {wanted}"]
    return facts


HYPOTHESIS = Hypothesis(
    "wireguard-no-peer",
    Severity.ERROR,
    "captures, wg.txt, ip-route.json",
    "Packets are sent to a WireGuard interface that has no peer for them, or whose peer never shook hands.",
    "wg show tells of each peer when it last shook hands, and which addresses are sent to it (allowed ips).",
    causes,
    Specific.SETTING,
)
