"""IPv6 is not forwarded, although a network has IPv6 addresses."""

from analyzer.diagnose.host.subject import Words, bridges, inside
from analyzer.model import Finding, HostState, Severity
from analyzer.state.sysctl import sysctl, sysctl_line

NAME = "net.ipv6.conf.all.forwarding"
WORDS = Words(
    "forwarding-disabled",
    Severity.ERROR,
    "Containers have IPv6 addresses, but the kernel forwards no IPv6 packet.",
    f"sysctl -w {NAME}=1; on an uplink that gets its address by router advertisement also "
    "net.ipv6.conf.UPLINK.accept_ra=2.",
)


def check(host: HostState) -> list[Finding]:
    """Report it where a bridge network has an IPv6 subnet."""
    if sysctl(host, NAME) != 0:
        return []
    networks = [network.name for network, _ in bridges(host) if inside(network, 6) is not None]
    if not networks:
        return []
    return [WORDS.finding(f"IPv6 forwarding is off, network {networks[0]} needs it", sysctl_line(host, NAME))]
