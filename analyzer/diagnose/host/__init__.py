"""A host's own state, without captures: ``hoptrace doctor``. One check per file, ``CHECKS`` is the whole list."""

from collections.abc import Callable

from analyzer.diagnose.host import (
    bridge_netfilter,
    conntrack_table,
    duplicate_mac,
    forward_policy,
    forwarding,
    forwarding6,
    masquerade,
    mtu,
    overlap,
    published_port,
    reverse_path,
)
from analyzer.model import Finding, HostState, Severity

CHECKS: tuple[Callable[[HostState], list[Finding]], ...] = (
    forwarding.check,
    forwarding6.check,
    forward_policy.check,
    masquerade.check,
    published_port.check,
    mtu.check,
    overlap.check,
    bridge_netfilter.check,
    reverse_path.check,
    conntrack_table.check,
    duplicate_mac.check,
)


def examine(host: HostState) -> tuple[Finding, ...]:
    """Run every check; worst findings first."""
    order = list(Severity)
    found = [finding for check in CHECKS for finding in check(host)]
    return tuple(sorted(found, key=lambda f: (order.index(f.severity), f.check, f.title)))
