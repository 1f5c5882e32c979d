"""A bridge whose packets may be larger than what the uplink carries."""

from dataclasses import replace

from analyzer.diagnose.host.subject import Words, bridges, uplinks
from analyzer.model import Finding, HostState, Severity

WORDS = Words(
    "mtu-mismatch",
    Severity.WARNING,
    "Containers send packets that do not fit the uplink. The kernel tells them so by ICMP; wherever that is "
    "filtered, large transfers hang while small ones work.",
    "Give the network the uplink's MTU.",
)


def check(host: HostState) -> list[Finding]:
    """Compare the MTU of each bridge with that of the best uplink."""
    ways = uplinks(host)
    if not ways or ways[0].mtu is None:
        return []
    uplink, limit = ways[0], ways[0].mtu
    advice = (
        f'"mtu": {limit} in /etc/docker/daemon.json, or for one network docker network create -o '
        f"com.docker.network.driver.mtu={limit}."
    )
    words = replace(WORDS, remedy=advice)
    return [
        words.finding(
            f"network {network.name} has MTU {bridge.mtu}, the uplink {uplink.name} only {limit}",
            f"ip-addr.json: {bridge.name} mtu {bridge.mtu}",
            f"ip-addr.json: {uplink.name} mtu {limit}",
        )
        for network, bridge in bridges(host)
        if bridge.mtu is not None and bridge.mtu > limit
    ]
