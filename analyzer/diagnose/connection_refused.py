"""Nobody listens on a port: RST, or ICMP port unreachable."""

from collections.abc import Iterator

from analyzer.diagnose.causes import affected, severity
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Finding, Severity
from analyzer.model.words import plural
from analyzer.schema import Layer

PORT_UNREACHABLE = {(4, 3, 3), (6, 1, 4)}
PROTOCOL_UNREACHABLE = (4, 3, 2)
SHOWN_PORTS = 5


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of each host that refuses, with the ports."""
    refused: dict[str, dict[str, list[int]]] = {}
    for number in subject.handshakes.rejected():
        if number not in subject.claimed:
            connection = subject.tracer.connection(number)
            ports = refused.setdefault(str(connection.original.dst), {})
            ports.setdefault(f"{connection.original.dport}/tcp", []).append(int(subject.packets_of(number)[0]))
    for error in subject.errors:
        if error.kind in PORT_UNREACHABLE | {PROTOCOL_UNREACHABLE} and error.quoted is not None:
            of = subject.connection_of(error.quoted)
            tcp = bool(subject.context.layers(int(subject.first_row[error.quoted])) & Layer.TCP)
            if of is not None and of.id not in subject.claimed and not tcp:
                ports = refused.setdefault(str(of.original.dst), {})
                ports.setdefault(f"{of.original.dport}/{of.protocol}", []).append(error.quoted)
    for target, ports in refused.items():
        packets = sorted(packet for of_port in ports.values() for packet in of_port)
        more = f" and {len(ports) - SHOWN_PORTS} more" if len(ports) > SHOWN_PORTS else ""
        container = next((c.name for c in subject.host.containers if target in map(str, c.addresses)), None)
        where = f"{target} (container {container})" if container else target
        yield CHECK.finding(
            f"{where} refuses port {', '.join(list(ports)[:SHOWN_PORTS])}{more}",
            f"{plural(len(packets), 'packet')} reached it, and nobody listens there, or only on another address, such "
            f"as 127.0.0.1. {affected(subject, packets)}",
            severity=severity(subject, packets, Severity.ERROR),
            evidence=subject.evidence(packets),
        )
        subject.claim(packets)


CHECK = Check(
    "connection-refused",
    Severity.ERROR,
    "captures (docker-inspect.json)",
    "A SYN was answered by RST, or a datagram by ICMP port unreachable.",
    "See on the server whether the program runs and listens on 0.0.0.0 or ::, with ss -ltnup.",
    look,
)
