"""Two containers of one network with the same MAC: the bridge sends to either, by turns."""

from collections import defaultdict

from analyzer.diagnose.host.subject import Words
from analyzer.model import Finding, HostState, Severity, mac_text

WORDS = Words(
    "duplicate-address",
    Severity.ERROR,
    "The bridge learns a MAC at the port where it was last seen, so frames for one of the two arrive at the other.",
    "Start one of them without --mac-address, or with another one.",
)


def check(host: HostState) -> list[Finding]:
    """Compare the MACs of each network's containers."""
    owners: dict[tuple[str, int], list[str]] = defaultdict(list)
    for container in host.containers:
        if container.mac is not None:
            owners[container.network, container.mac].append(container.name)
    return [
        WORDS.finding(
            f"{' and '.join(names)} have one MAC in network {network}",
            *(f"docker-inspect.json: {name} MacAddress {mac_text(mac)}" for name in names),
        )
        for (network, mac), names in owners.items()
        if len(names) > 1
    ]
