"""Strict reverse path filtering on a host with more than one way out."""

from analyzer.diagnose.host.subject import Words, sysctl
from analyzer.model import Finding, HostState, Link, Severity

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
    strict = [link for link in links if _effective(host, link) == STRICT]
    titles = ", ".join(link.name for link in strict)
    lines = [f"sysctl.txt: net.ipv4.conf.{name}.rp_filter = {value}" for name, value in _lines(host, strict)]
    title = f"strict reverse path filtering on {titles}, with {len(links)} uplinks"
    return [WORDS.finding(title, *lines)] if strict else []


def _effective(host: HostState, link: Link) -> int:
    """Return the larger of the interface's value and that of all, as IN_DEV_RPFILTER does."""
    return max(sysctl(host, f"net.ipv4.conf.{name}.rp_filter") or 0 for name in ("all", link.name))


def _lines(host: HostState, links: list[Link]) -> list[tuple[str, int]]:
    names = ("all", *(link.name for link in links))
    values = [(name, sysctl(host, f"net.ipv4.conf.{name}.rp_filter")) for name in names]
    return [(name, value) for name, value in values if value is not None]
