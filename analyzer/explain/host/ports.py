"""Published ports of a host that no rule sends to their container."""

from collections.abc import Iterator

from analyzer.explain.host.asked import TCP, Host
from analyzer.explain.host.networks import outside, uplinks
from analyzer.explain.told import Told
from analyzer.model.rules import Verdict
from analyzer.state.path import Path
from analyzer.state.rules.names import PROTOCOLS
from analyzer.state.rules.packet import Packet


def untranslated(host: Host) -> Iterator[Told]:
    """Send the first packet of a client to each published port."""
    state = host.state
    ways, far = uplinks(state), outside(state)
    if not state.knows_rules(4) or not ways or far is None:
        return
    own = next((ip for ip in ways[0].addresses if ip.version == 4), None)
    routed = {network.name for network in state.networks if 4 in network.routed}
    by_port = {(c.name, port.text): (c, port) for c in state.containers for port in c.ports}  # once a network
    for container, port in by_port.values():
        target = own if port.address is None else port.address
        if target is None or port.version == 6 or target.is_loopback or not container.addresses:
            continue
        if container.network in routed:
            continue  # reached by its own address, as is meant there
        packet = Packet(
            PROTOCOLS.get(port.protocol, TCP), far, target, 40_000, port.outside, tcp_flags=2, length=60, ttl=64,
            iif=ways[0].name,
        )  # fmt: skip
        result = Path(state).received(packet)
        if result.verdict is not Verdict.UNKNOWN and not result.target_moved:
            line = f"docker-inspect.json: {container.name} Ports {', '.join(container.published)}"
            yield Told({"port": port.text, "container": container.name, "nobody_asked": True}, proof=(line,))
