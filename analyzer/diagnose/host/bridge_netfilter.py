"""iptables does not see what a bridge passes on, so networks are not isolated as Docker means it."""

from analyzer.diagnose.host.subject import Words, bridges
from analyzer.model import Finding, HostState, Severity
from analyzer.state.sysctl import BRIDGE_CALLS, sysctl, sysctl_line

NAME = BRIDGE_CALLS[4]
WORDS = Words(
    "bridge-netfilter-off",
    Severity.INFO,
    "Packets between containers of one bridge do not pass iptables: --icc=false does not hold, and a published port "
    "reached from the same bridge by the host's address may not be translated back.",
    f"modprobe br_netfilter && sysctl -w {NAME}=1",
)


def check(host: HostState) -> list[Finding]:
    """Report bridge-nf-call-iptables = 0."""
    if sysctl(host, NAME) != 0 or not any(bridges(host)):
        return []
    return [WORDS.finding("bridges do not ask iptables", sysctl_line(host, NAME))]
