"""Long packets of an overlay network vanish: with VXLAN's 50 bytes they are too long for the network below."""

from collections.abc import Iterator

from analyzer.diagnose.check import Check
from analyzer.diagnose.long_packets import swallowed
from analyzer.diagnose.mtu_blackhole import tell
from analyzer.diagnose.subject import Subject
from analyzer.model import Finding, Severity


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of flows inside tunnels."""
    for flow in subject.once(swallowed):
        if flow.tunnelled:
            yield tell(subject, CHECK, flow)


CHECK = Check(
    "vxlan-mtu",
    Severity.ERROR,
    "captures",
    "Short packets of an overlay network arrive, long ones vanish: a link below does not take VXLAN's 50 bytes more.",
    "docker network create --opt com.docker.network.driver.mtu=1400: 50 less than the smallest link between the hosts.",
    look,
)
