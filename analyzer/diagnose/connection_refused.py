"""Nobody listens on a port: RST, or ICMP port unreachable."""

from collections.abc import Iterator
from ipaddress import ip_address

import numpy as np

from analyzer.correlate.sorting import values_at
from analyzer.decode.offsets import PROTO_UDP
from analyzer.diagnose.causes import affected, severity
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Connection, Finding, Severity, endpoint
from analyzer.model.words import plural

PORT_UNREACHABLE = {(4, 3, 3), (6, 1, 4)}
PROTOCOL_UNREACHABLE = (4, 3, 2)
TRACEROUTE = range(33434, 33535)
"""Ports that traceroute sends its datagrams to."""
SHOWN_PORTS = 5


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of each host that refuses, with the ports."""
    refused: dict[str, dict[str, list[int]]] = {}
    probes: list[int] = []
    late: list[int] = []
    instead = _reset(subject, refused)
    for error in subject.errors:
        if error.kind not in PORT_UNREACHABLE | {PROTOCOL_UNREACHABLE} or error.quoted is None:
            continue
        of = subject.connection_of(error.quoted)
        if of is None or of.id in subject.claimed or of.protocol == "tcp":
            continue
        if subject.reply[error.quoted]:
            late.append(error.quoted)
            continue
        if of.original.dport in TRACEROUTE:
            probes.append(error.quoted)
        else:
            _note(refused, of, error.quoted)
    for target, ports in refused.items():
        yield _finding(subject, target, ports)
    yield from _instead(subject, instead)
    if late:
        yield CHECK.finding(
            f"{plural(len(late), 'answer')} came when nobody waited any more",
            "The asker had closed its port: it had its answer already, from another try, or had given up. "
            f"{affected(subject, late)}",
            severity=Severity.INFO,
            evidence=subject.evidence(late),
            remedy="Nothing to do, unless answers are slow.",
        )
    if probes:
        yield CHECK.finding(
            f"{plural(len(probes), 'probe')} of a traceroute reached the end",
            f"Nobody listens on such ports, which is how traceroute knows. {affected(subject, probes)}",
            severity=Severity.INFO,
            evidence=subject.evidence(probes),
            remedy="Nothing to do.",
        )
        subject.explain(probes)


def _reset(subject: Subject, refused: dict[str, dict[str, list[int]]]) -> dict[str, list[int]]:
    """Note the servers that reset connections; return the first packets of those that the host reset in their place."""
    instead: dict[str, list[int]] = {}
    for number in subject.handshakes.rejected():
        if number in subject.claimed:
            continue
        connection, packet = subject.tracer.connection(number), int(subject.packets_of(number)[0])
        if _by_the_host(subject, connection, int(subject.packets_of(number, reply=True)[0])):
            instead.setdefault(str(connection.reply.src), []).append(packet)
        else:
            _note(refused, connection, packet)
    return instead


def _instead(subject: Subject, instead: dict[str, list[int]]) -> Iterator[Finding]:
    """Tell of servers in whose place the host answers."""
    for target, packets in instead.items():
        yield CHECK.finding(
            f"this host itself resets connections to {target}: {plural(len(packets), 'packet')}",
            "The RST has a MAC of this host and a TTL that no router counted down, so it is no answer of "
            f"{target}. {affected(subject, packets)}",
            severity=severity(subject, packets, Severity.ERROR, ended=True),
            evidence=subject.evidence(packets),
            remedy="Look for a rule with REJECT --reject-with tcp-reset, or a proxy that takes such connections.",
        )
        subject.claim(packets)


def _by_the_host(subject: Subject, connection: Connection, answer: int) -> bool:
    """Tell whether the host made a RST in the place of somebody else, as REJECT does (nf_send_reset())."""
    row, server = int(subject.first_row[answer]), connection.reply.src
    context = subject.context
    its_own = context.host_at(row).owns(server) or context.owner_of_address(server, row) is not None
    return context.made_by_host(row) and not its_own


def _note(refused: dict[str, dict[str, list[int]]], connection: Connection, packet: int) -> None:
    """Note a refusal by who it is that refuses: behind DNAT, the container."""
    server = connection.reply
    port = f"{server.sport}/{connection.protocol}"
    if (server.src, server.sport) != (connection.original.dst, connection.original.dport):
        port += f" (asked as {endpoint(connection.original.dst, connection.original.dport)})"
    refused.setdefault(str(server.src), {}).setdefault(port, []).append(packet)


def _finding(subject: Subject, target: str, ports: dict[str, list[int]]) -> Finding:
    packets = sorted(packet for of_port in ports.values() for packet in of_port)
    more = f" and {len(ports) - SHOWN_PORTS} more" if len(ports) > SHOWN_PORTS else ""
    owner = subject.context.owner_of_address(ip_address(target), int(subject.last_row[packets[0]]))
    container = owner.name if owner is not None else None
    where = f"{target} (container {container})" if container else target
    strays = _strays(subject, packets)
    later = _accepted_later(subject, packets)
    why = (
        "They answer a container, but come from another address or port than it asked, which NAT does not know."
        if strays
        else "They reached it, and nobody listens there, or only on another address, such as 127.0.0.1."
    )
    subject.claim(packets)
    return CHECK.finding(
        f"{where} refuses port {', '.join(list(ports)[:SHOWN_PORTS])}{more}: {plural(len(packets), 'packet')}",
        f"{why}{' Later connections were accepted.' if later else ''}{_local(subject, packets)} "
        f"{affected(subject, packets)}",
        severity=Severity.WARNING if later else severity(subject, packets, Severity.ERROR, ended=True),
        evidence=subject.evidence(packets),
        remedy="Have the server answer from where it was asked; for TFTP and the like, a conntrack helper."
        if strays
        else None,
    )


def _accepted_later(subject: Subject, packets: list[int]) -> bool:
    """Tell whether each refused TCP connection was followed by one to the same port that was granted."""
    table, granted = subject.context.connections, subject.handshakes.granted
    open_ = np.flatnonzero(granted > 0)
    names = ("proto", "orig_dst_hi", "orig_dst", "orig_dport")
    last: dict[tuple[int, ...], int] = {}
    for number in open_.tolist():
        last[tuple(int(table[name][number]) for name in names)] = int(table["first_ns"][number])
    refused = [int(number) for number in subject.connection[packets]]
    ends = [(tuple(int(table[name][n]) for name in names), int(table["first_ns"][n])) for n in refused]
    return all(last.get(end, 0) > time for end, time in ends)


def _local(subject: Subject, packets: list[int]) -> str:
    """Say that Docker publishes the port on the loopback address only."""
    connection = subject.connection_of(packets[0])
    asked = connection.original.dport if connection is not None else None
    texts = (
        text
        for c in subject.host_of(packets[0]).containers
        for (_, port), text in c.published_ports().items()
        if port == asked
    )
    local = next((text for text in texts if text.startswith(("127.", "[::1]"))), None)
    return f" Docker publishes it as {local}, which is for the host itself only." if local else ""


def _strays(subject: Subject, packets: list[int]) -> bool:
    """Tell whether they came to a port from which a container asks somebody else, as it is, or as SNAT shows it."""
    table, moved = subject.context.connections, subject.source_moved
    asking = table["proto"] == PROTO_UDP
    ends = set(values_at([table[f"reply_{name}"] for name in ("dst_hi", "dst", "dport")], np.flatnonzero(moved)))
    ends |= set(values_at([table[f"orig_{name}"] for name in ("src_hi", "src", "sport")], np.flatnonzero(asking)))
    return ends.issuperset(
        values_at([subject.first(n) for n in ("dst_hi", "dst", "dport")], np.array(packets, np.int64))
    )


CHECK = Check(
    "connection-refused",
    Severity.ERROR,
    "captures (docker-inspect.json)",
    "A SYN was answered by RST, or a datagram by ICMP port unreachable.",
    "See on the server whether the program runs and listens on 0.0.0.0 or ::, with ss -ltnup.",
    look,
)
