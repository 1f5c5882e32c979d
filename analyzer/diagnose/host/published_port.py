"""A published port that no rule translates to its container."""

from ipaddress import ip_address

from analyzer.diagnose.host.subject import OUTSIDE, Words, uplinks
from analyzer.model import Address, Container, Finding, HostState, Severity
from analyzer.model.rules import Verdict
from analyzer.state.path import Path
from analyzer.state.rules.names import PROTOCOLS, TCP
from analyzer.state.rules.packet import Packet

WORDS = Words(
    "published-port-not-translated",
    Severity.ERROR,
    "Docker publishes this port, but no DNAT rule sends what comes in for it to the container. If docker-proxy runs it "
    "still answers, slowly and as if every client were the host; if not, nobody does.",
    "systemctl restart docker, so that it adds its rules again; see whether a firewall flushes the nat table.",
)


def check(host: HostState) -> list[Finding]:
    """Send the first packet of a client to each published port."""
    ways = uplinks(host)
    if not host.knows_rules(4) or not ways:
        return []
    own = next((ip for ip in ways[0].addresses if ip.version == 4), None)
    found: list[Finding] = []
    by_port = {(c.name, p): c for c in host.containers for p in c.published}  # a container stands once a network
    for (_, port), container in by_port.items():
        outside, _, inner = port.partition("->")
        address, _, number = outside.rpartition(":")
        target = _target(address, own)
        protocol = inner.partition("/")[2]
        if target is None or not container.addresses or not number.isdigit():
            continue
        packet = Packet(
            PROTOCOLS.get(protocol, TCP), OUTSIDE[4], target, 40_000, int(number), tcp_flags=2, length=60, ttl=64,
            iif=ways[0].name,
        )  # fmt: skip
        result = Path(host).received(packet)
        if result.verdict is not Verdict.UNKNOWN and not result.target_moved:
            title = f"published port {port} of {container.name} is not translated"
            found.append(WORDS.finding(title, _line(container)))
    return found


def _target(text: str, own: Address | None) -> Address | None:
    """Return the IPv4 address that a client outside would use; None for one that only the host itself has."""
    if text in ("0.0.0.0", ""):
        return own
    try:
        ip = ip_address(text.strip("[]"))
    except ValueError:
        return None
    return None if ip.version == 6 or ip.is_loopback else ip


def _line(container: Container) -> str:
    return f"docker-inspect.json: {container.name} Ports {', '.join(container.published)}"
