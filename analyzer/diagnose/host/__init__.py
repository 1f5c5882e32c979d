"""A host's own state, without captures: ``hoptrace doctor``. One check per file, ``CHECKS`` is the whole list."""

from collections.abc import Callable
from functools import partial

from analyzer.diagnose.check import guarded
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
from analyzer.model import Finding, HostState
from analyzer.model.finding import worst_first

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

ONLY_HERE = (forward_policy.WORDS, mtu.WORDS, bridge_netfilter.WORDS)
"""What is not looked for where captures are: there, packets show it."""


def examine(host: HostState) -> tuple[Finding, ...]:
    """Run every check; worst findings first."""
    return worst_first(
        finding
        for check in CHECKS
        for finding in guarded(check.__module__.rpartition(".")[2].replace("_", "-"), partial(check, host))
    )
