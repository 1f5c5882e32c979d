"""Tables and journeys to findings: what a person should act on.

One check per file. ``CHECKS`` is the whole list, in the order in which they run: causes before symptoms, for a check
that explains why a connection failed claims it, and those after it leave it alone.
"""

from dataclasses import replace
from functools import partial

from analyzer.diagnose import (
    ambiguous_packets,
    arp_unanswered,
    asymmetric_path,
    bad_checksum,
    capture_doubles,
    capture_gap,
    capture_loss,
    client_address_hidden,
    connection_refused,
    conntrack_contradiction,
    conntrack_full,
    conntrack_invalid_reset,
    container_name,
    dns_conntrack_race,
    dns_failed,
    dns_unanswered,
    docker_proxy,
    duplicate_address,
    embedded_dns,
    filtered_by_rule,
    forwarding_disabled,
    hairpin_broken,
    high_latency,
    host_unreachable,
    loss_beyond,
    loss_inside,
    mac_moved,
    masquerade_missing,
    mtu_blackhole,
    mtu_exceeded,
    nat_clash,
    nat_port_rewritten,
    neighbour_stale,
    network_isolation,
    published_port,
    reverse_path_filtered,
    stale_conntrack,
    subnet_overlap,
    syn_unanswered,
    ttl_exceeded,
    two_clocks,
    untranslated_leak,
    vxlan_checksum,
    vxlan_mtu,
    zero_window,
)
from analyzer.diagnose.check import Check, guarded
from analyzer.diagnose.confirmed import confirmed
from analyzer.diagnose.subject import Subject
from analyzer.model import Finding
from analyzer.model.finding import worst_first

CHECKS: tuple[Check, ...] = (
    # What makes the captures, or what is made of them, doubtful.
    capture_loss.CHECK,
    capture_gap.CHECK,
    capture_doubles.CHECK,
    two_clocks.CHECK,
    conntrack_contradiction.CHECK,
    ambiguous_packets.CHECK,
    # What the recorded state of the host stops.
    subnet_overlap.CHECK,
    forwarding_disabled.CHECK,
    reverse_path_filtered.CHECK,
    network_isolation.CHECK,
    filtered_by_rule.CHECK,
    conntrack_full.CHECK,
    nat_clash.CHECK,
    # Translations.
    hairpin_broken.CHECK,
    published_port.CHECK,
    stale_conntrack.CHECK,
    masquerade_missing.CHECK,
    untranslated_leak.CHECK,
    conntrack_invalid_reset.CHECK,
    nat_port_rewritten.CHECK,
    docker_proxy.CHECK,
    client_address_hidden.CHECK,
    # Neighbours and ways.
    duplicate_address.CHECK,
    mac_moved.CHECK,
    neighbour_stale.CHECK,
    arp_unanswered.CHECK,
    host_unreachable.CHECK,
    ttl_exceeded.CHECK,
    asymmetric_path.CHECK,
    # Packets that are too long, or broken.
    mtu_exceeded.CHECK,
    mtu_blackhole.CHECK,
    vxlan_mtu.CHECK,
    vxlan_checksum.CHECK,
    bad_checksum.CHECK,
    # What the ends do.
    connection_refused.CHECK,
    container_name.CHECK,
    embedded_dns.CHECK,
    dns_conntrack_race.CHECK,
    dns_failed.CHECK,
    zero_window.CHECK,
    high_latency.CHECK,
    # What is left: where it was lost is known, why is not.
    loss_inside.CHECK,
    dns_unanswered.CHECK,
    syn_unanswered.CHECK,
    loss_beyond.CHECK,
)


MOST_ALIKE = 8
"""Findings of one check that are told one by one."""


def diagnose(subject: Subject) -> tuple[Finding, ...]:
    """Run every check; worst findings first."""
    found: list[Finding] = []
    for check in CHECKS:
        subject.running = check.name
        found += _few(guarded(check.name, partial(check.look, subject)))
    return worst_first(found if subject.ask is None else confirmed(subject.ask, found))


def _few(findings: list[Finding]) -> list[Finding]:
    """Put those together that go beyond what anybody reads: a thousand alike are one cause, told a thousand times."""
    if len(findings) <= MOST_ALIKE:
        return findings
    kept, rest = findings[: MOST_ALIKE - 1], findings[MOST_ALIKE - 1 :]
    titles = "; ".join(finding.title for finding in rest[:MOST_ALIKE])
    more = f"; and {len(rest) - MOST_ALIKE:,} more" if len(rest) > MOST_ALIKE else ""
    worst = worst_first(rest)[0]
    evidence = tuple(finding.evidence[0] for finding in rest[:MOST_ALIKE] if finding.evidence)
    return [*kept, replace(worst, title=f"{len(rest):,} more like these", explanation=f"{titles}{more}.", proof=(),
                           evidence=evidence, tried=None)]  # fmt: skip
