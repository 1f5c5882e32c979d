"""The kernel does not forward: nothing gets from a container to anywhere."""

from analyzer.diagnose.host.subject import Words, bridges
from analyzer.model import Finding, HostState, Severity
from analyzer.state.sysctl import sysctl, sysctl_line

NAME = "net.ipv4.ip_forward"
WORDS = Words(
    "forwarding-disabled",
    Severity.ERROR,
    "The kernel drops every packet that is not for the host itself, so containers reach nothing but the host and each "
    "other. Docker turns forwarding on when it starts; something turned it off again.",
    f"sysctl -w {NAME}=1, and set it in /etc/sysctl.d so that it stays.",
)


def check(host: HostState) -> list[Finding]:
    """Report net.ipv4.ip_forward = 0 on a host with bridge networks."""
    if sysctl(host, NAME) != 0 or not any(bridges(host)):
        return []
    return [WORDS.finding("IPv4 forwarding is off", sysctl_line(host, NAME))]
