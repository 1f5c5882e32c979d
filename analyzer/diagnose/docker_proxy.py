"""docker-proxy ends clients' connections and opens its own: the container sees the host as its client."""

from collections.abc import Iterator

import numpy as np

from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Finding, Role, Severity, endpoint
from analyzer.model.words import plural


def look(subject: Subject) -> Iterator[Finding]:
    """Count relayed connections by the port that they came for."""
    table = subject.context.connections
    by_port: dict[str, list[int]] = {}
    for number in np.flatnonzero(table["relayed_to"] >= 0).tolist():
        if _of_a_container(subject, int(table["relayed_to"][number])):
            continue  # a reverse proxy
        flow = subject.tracer.connection(number).original
        by_port.setdefault(endpoint(flow.dst, flow.dport), []).append(number)
    for port, numbers in by_port.items():
        inner = subject.tracer.connection(int(table["relayed_to"][numbers[0]]))
        packets = [int(subject.context.packets_of(number)[0]) for number in numbers[:5]]
        yield CHECK.finding(
            f"docker-proxy relays {port} to {endpoint(inner.original.dst, inner.original.dport)}",
            f"{plural(len(numbers), 'connection')}: the container sees {inner.original.src} as the client, and every "
            "byte goes through a process.",
            evidence=subject.evidence(packets, first=True),
        )


def _of_a_container(subject: Subject, connection: int) -> bool:
    """Tell whether a container opened a connection: it was first seen at its port."""
    first = subject.first_row[subject.context.packets_of(connection)[:1]]
    return bool(subject.context.with_role(first, Role.VETH, Role.CONTAINER)[0])


CHECK = Check(
    "docker-proxy-in-path",
    Severity.INFO,
    "captures",
    "docker-proxy relays connections, so the client's address is hidden from the container.",
    'Use the container\'s name on a network of its own, or "userland-proxy": false in daemon.json.',
    look,
)
