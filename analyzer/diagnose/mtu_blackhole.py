"""Long packets vanish on a link that takes less, and nobody tells their sender."""

from collections.abc import Iterator

from analyzer.diagnose.causes import affected, severity
from analyzer.diagnose.check import Check
from analyzer.diagnose.long_packets import Swallowed, swallowed
from analyzer.diagnose.subject import Subject
from analyzer.model import Basis, Finding, Severity
from analyzer.model.words import plural


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of flows outside tunnels."""
    for flow in subject.once(swallowed):
        if not flow.tunnelled:
            yield tell(subject, CHECK, flow)


def tell(subject: Subject, check: Check, flow: Swallowed) -> Finding:
    """Report one flow."""
    length = subject.first("ip_len")[flow.packets]
    last = subject.context.point(int(subject.last_row[flow.packets[0]])).name
    subject.claim(flow.packets)
    ports = (*subject.tracer.outcome(flow.packets[0]).onward, last)
    narrow = [line for name in ports if (line := _narrow(subject, name, int(length.min())))]
    return check.finding(
        f"packets of {int(length.min())} bytes and more vanish behind {last}, up to {flow.fits} bytes arrive",
        f"{plural(len(flow.packets), 'packet')} got no answer, however often they were sent, and no ICMP error said "
        f"that they are too long: a firewall drops it, or a tunnel is in the way. {affected(subject, flow.packets)}",
        basis=Basis.INFERRED,
        severity=severity(subject, flow.packets, check.severity, ended=True),
        evidence=subject.evidence(flow.packets),
        proof=tuple(narrow),
    )


def _narrow(subject: Subject, name: str, length: int) -> str | None:
    """Return the line of the dump that shows a point's interface to take less."""
    link = subject.link_at(name)
    if link is None or link.mtu is None or link.mtu >= length:
        return None
    return f"ip-addr.json: {link.name} mtu {link.mtu}"


CHECK = Check(
    "mtu-blackhole",
    Severity.ERROR,
    "captures",
    "Short packets of a flow are answered, long ones never, and no ICMP error says why.",
    "Let ICMP fragmentation needed and packet too big pass; until then --opt com.docker.network.driver.mtu=1400, or "
    "iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu.",
    look,
)
