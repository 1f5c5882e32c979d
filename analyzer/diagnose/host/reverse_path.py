"""Strict reverse path filtering on a host with more than one way out."""

from analyzer.diagnose.host.subject import Words
from analyzer.model import Finding, HostState, Severity
from analyzer.state.sysctl import reverse_path, sysctl_line

STRICT = 1
WORDS = Words(
    "reverse-path-filtered",
    Severity.WARNING,
    "With several uplinks, an answer may come in by another one than the route back to its sender uses. Strict reverse "
    "path filtering (RFC 3704) drops such packets, and counts them in IPReversePathFilter only.",
    "sysctl -w net.ipv4.conf.all.rp_filter=2 (loose), and the same for each uplink.",
)


def check(host: HostState) -> list[Finding]:
    """Report rp_filter = 1 where two interfaces have routes by a gateway."""
    devices = dict.fromkeys(r.dev for r in host.routes if r.gateway is not None and r.gateway.version == 4 and r.dev)
    links = [link for link in (host.link(dev) for dev in devices) if link is not None]
    if len(links) < 2:
        return []
    modes = {link.name: reverse_path(host, link.name) for link in links}
    strict = {name: mode for name, mode in modes.items() if mode is not None and mode.value == STRICT}
    titles = ", ".join(strict)
    lines = dict.fromkeys(sysctl_line(host, setting) for mode in strict.values() for setting in mode.names)
    title = f"strict reverse path filtering on {titles}, with {len(links)} uplinks"
    return [WORDS.finding(title, *lines)] if strict else []
