"""conntrack's table is full, or nearly."""

from analyzer.diagnose.host.subject import Words
from analyzer.model import Finding, HostState, Severity
from analyzer.state.sysctl import sysctl, sysctl_line

COUNT, MOST = "net.netfilter.nf_conntrack_count", "net.netfilter.nf_conntrack_max"
NEARLY = 0.9


def check(host: HostState) -> list[Finding]:
    """Compare the number of entries with the limit."""
    count, most = sysctl(host, COUNT), sysctl(host, MOST)
    if count is None or not most or count < NEARLY * most:
        return []
    words = Words(
        "conntrack-full",
        Severity.ERROR if count >= most else Severity.WARNING,
        "When the table is full, the kernel drops the first packet of every new connection, and logs "
        "'nf_conntrack: table full'.",
        f"sysctl -w {MOST}={2 * most}, and look with conntrack -L who holds so many entries.",
    )
    title = f"conntrack holds {count:,} of {most:,} entries"
    return [words.finding(title, sysctl_line(host, COUNT), sysctl_line(host, MOST))]
