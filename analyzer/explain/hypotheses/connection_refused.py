"""Nobody listens on a port: RST, or ICMP port unreachable."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from ipaddress import ip_address

import numpy as np

from analyzer.decode.offsets import PROTO_UDP
from analyzer.explain.case import Case
from analyzer.explain.fates import PORT_UNREACHABLE
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.listening import Listening, listening, meant
from analyzer.explain.questions import completed
from analyzer.explain.refuser import answers_at, at_router, of_same_service, turned_to
from analyzer.explain.stopped import severity
from analyzer.explain.tally import Least, Most, Texts
from analyzer.explain.told import Facts, Told
from analyzer.link.sorting import values_at
from analyzer.model import Basis, Connection, Container, Finding, NatKind, Role, Severity, endpoint

PROTOCOL_UNREACHABLE = (4, 3, 2)
TRACEROUTE = range(33434, 33535)
"""Ports that traceroute sends its datagrams to."""
DHCP_CLIENTS = {("udp", 68), ("udp", 546)}
"""They read from sockets of their own (packet(7)), and the kernel refuses what they have taken already."""
SHOWN_PORTS = 5
ASKED = ("proto", "orig_dst_hi", "orig_dst", "orig_dport")
Ends = tuple[int, ...]
WHO, WHERE = ("orig_src_hi", "orig_src"), ("reply_src_hi", "reply_src", "reply_sport")
"""Columns of CONNECTIONS: whom somebody asked; who that is, and who answers."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each host that refuses, with the ports; then what is no refusal, but looks like one."""
    refused: dict[str, dict[int, str]] = {}
    probes: list[int] = []
    late: list[int] = []
    instead = _reset(case, refused)
    for error in case.errors:
        if error.kind not in PORT_UNREACHABLE | {PROTOCOL_UNREACHABLE} or error.quoted is None:
            continue
        of = case.connection_of(error.quoted)
        if of is None or of.protocol == "tcp" or (of.protocol, of.original.dport) in DHCP_CLIENTS:
            continue
        if case.reply[error.quoted]:
            late.append(error.quoted)
        elif of.original.dport in TRACEROUTE:
            probes.append(error.quoted)
        else:
            _note(refused, of, error.quoted)
    for target, ports in refused.items():
        packets = sorted(ports)
        known = listening(case, packets[0])
        strays = _strays(case, packets)
        stated = bool(known.facts.keys() - {"listens_now"}) or _sent_by(case, packets) is not None
        sure = stated and not strays
        yield Cause(
            packets, partial(_refused, case, target, ports, known), Basis.STATED if sure else Basis.OBSERVED,
            (target, sure), also=case.troubled(packets),
            specific=Specific.SETTING if sure else Specific.SILENCE if strays else None,
        )  # fmt: skip
    for target, packets in instead.items():
        yield Cause(packets, partial(_instead, case, target), also=case.troubled(packets), key=("instead", target))
    if late:
        yield Cause(late, partial(_harmless, case, "too_late"), key=("late",))
    if probes:
        yield Cause(probes, partial(_harmless, case, "probes"), key=("probes",))


def _reset(case: Case, refused: dict[str, dict[int, str]]) -> dict[str, list[int]]:
    """Note the servers that reset connections; return the first packets of those that the host reset in their place."""
    instead: dict[str, list[int]] = {}
    for number in case.handshakes.rejected():
        connection, packet = case.tracer.connection(number), int(case.packets_of(number)[0])
        if _by_the_host(case, connection, int(case.packets_of(number, reply=True)[0])):
            instead.setdefault(str(connection.reply.src), []).append(packet)
        else:
            _note(refused, connection, packet)
    return instead


def _by_the_host(case: Case, connection: Connection, answer: int) -> bool:
    """Tell whether the host made a RST in the place of somebody else, as REJECT does (nf_send_reset())."""
    row, server = int(case.first_row[answer]), connection.reply.src
    context = case.context
    its_own = context.host_at(row).owns(server) or context.owner_of_address(server, row) is not None
    return context.made_by_host(row) and not its_own


def _note(refused: dict[str, dict[int, str]], connection: Connection, packet: int) -> None:
    """Note a refusal by who it is that refuses: behind DNAT, the container."""
    server = connection.reply
    port = f"{server.sport}/{connection.protocol}"
    if (server.src, server.sport) != (connection.original.dst, connection.original.dport):
        port += f" (asked as {endpoint(connection.original.dst, connection.original.dport)})"
    refused.setdefault(str(server.src), {})[packet] = port


def _refused(case: Case, target: str, ports: dict[int, str], known: Listening, packets: list[int]) -> Told:
    named = Texts.of((ports[packet], int(case.numbers[packet])) for packet in packets)
    facts: Facts = {"target": target, "ports": named, "strays": Least(_strays(case, packets))}
    facts["near"] = Most(bool(case.beside_containers[packets].any()))
    owner = case.context.owner_of_address(ip_address(target), int(case.last_row[packets[0]])) or _inside(case, packets)
    if owner is not None:
        facts |= {"container": owner.name, "unhealthy": owner.status.health == "unhealthy"}
    worst = Severity.ERROR
    if owner is None:
        facts |= at_router(case, packets[0])
        facts["answers_at"] = Texts.of((str(port), 0) for port in answers_at(case, packets[0]))
        then = turned_to(case, packets)
        facts |= {"turned": Least(then is not None), "then_reached": str(then or "")}
        worst = Severity.ERROR if then is None else Severity.WARNING
    later, turns = _accepted_later(case, packets), _by_turns(case, packets)
    facts |= {"accepted_later": Least(later), "by_turns": Most(turns)}
    connection = case.connection_of(packets[0])
    if connection is not None and connection.published is not None:
        facts["asked_outside"] = connection.original.dport or 0
    elif owner is not None and connection is not None:
        inside = (p for p in owner.ports if (p.inside, p.protocol) == (connection.reply.sport, connection.protocol))
        facts |= {"maps_to": port.outside} if (port := next(inside, None)) is not None else {}
    if (local := _local(case, packets)) is not None:
        facts["published_locally"] = local
    facts |= completed(case, packets[0])
    facts |= meant(case, packets[0], owner, known.elsewhere)
    facts |= {"died": True} if owner is not None and _died(case, packets) else {}
    if (rule := _sent_by(case, packets)) is not None and "only_at" not in known.facts:
        facts["sent_by_rule"] = rule
    return Told(
        facts | known.facts,
        proof=known.proof,
        severity=Severity.INFO if later and not turns else severity(case, packets, worst, ended=True),
    )


def _inside(case: Case, packets: list[int]) -> Container | None:
    """Return the container at whose own end they were seen last, on their way to its MAC."""
    row = int(case.last_row[packets[0]])
    owner = case.context.owner_of_mac(case.context.value("eth_dst", row), row)
    point = case.context.point(row)
    return owner if owner is not None and point.role is Role.CONTAINER and point.container == owner.name else None


SCANNED = 5
"""Ports that somebody outside asks for one after the other, whom no container waits for."""


def _completed(finding: Finding) -> Finding:
    """Name the first ports; what strangers look for on many of them is no trouble."""
    ports = finding.facts.get("ports")
    if not isinstance(ports, list):
        return finding
    facts = {name: fact for name, fact in finding.facts.items() if name != "near"}
    facts |= {"ports": ports[:SHOWN_PORTS], "more_ports": max(len(ports) - SHOWN_PORTS, 0)}
    strange = not finding.facts.get("near")
    unserved = "nobody_at" in facts and not facts.keys() & {"publishes", "container"}  # who looks around at the host
    scanned = strange and (len(ports) >= SCANNED or unserved)
    return replace(finding, facts=facts, severity=Severity.INFO if scanned else finding.severity)


def _instead(case: Case, target: str, packets: list[int]) -> Told:
    return Told(
        {"reset_for": target},
        severity=severity(case, packets, Severity.ERROR, ended=True),
    )


def _harmless(case: Case, kind: str, packets: list[int]) -> Told:
    return Told({kind: True}, severity=Severity.INFO)


def _accepted_later(case: Case, packets: list[int]) -> bool:
    """Tell whether each refused TCP connection was followed by a granted one to the same port, of the same way."""
    begun, granted = case.context.connections["first_ns"], case.once(_granted)
    refused = case.connection[packets].tolist()
    return all(any(granted.get(end, (0,))[-1] > begun[n] for end in _ends(case, n)) for n in refused)


def _by_turns(case: Case, packets: list[int]) -> bool:
    """Tell whether the same port was granted between two refusals: one of several behind it refuses."""
    begun, refused = case.context.connections["first_ns"], dict[Ends, list[int]]()
    for number in case.connection[packets].tolist():
        for end in _ends(case, number):
            refused.setdefault(end, []).append(int(begun[number]))
    granted = case.once(_granted)
    return any(times[0] < ns < times[-1] for end, times in refused.items() for ns in granted.get(end, ()))


def _granted(case: Case) -> dict[Ends, list[int]]:
    """Return when connections were granted, in ns, in order of time, by their ends."""
    begun, found = case.context.connections["first_ns"], dict[Ends, list[int]]()
    for number in np.flatnonzero(case.handshakes.granted > 0).tolist():
        for end in _ends(case, number):
            found.setdefault(end, []).append(int(begun[number]))
    return {end: sorted(times) for end, times in found.items()}


def _ends(case: Case, number: int) -> list[Ends]:
    """Return whom a connection asked, and who did, or who it came to: a rule may send others elsewhere."""
    table = case.context.connections
    return [tuple(int(table[name][number]) for name in (*ASKED, *names)) for names in (WHO, WHERE)]


def _died(case: Case, packets: list[int]) -> bool:
    """Tell whether the server reset a connection in the middle of data right before it refused: its program ended."""
    table, first = case.context.connections, int(case.connection[packets[0]])
    before = np.flatnonzero(of_same_service(case, first) & (table["first_ns"] < table["first_ns"][first]))
    if not len(before):
        return False
    last = case.packets_of(int(before[-1]), reply=True)
    carried = int(case.first("payload_len")[case.packets_of(int(before[-1]))].sum())
    return bool(len(last) and carried and case.resets[last].any()) and not _accepted_later(case, packets)


def _local(case: Case, packets: list[int]) -> str | None:
    """Return how Docker publishes the port, if it does so on the loopback address only."""
    connection = case.connection_of(packets[0])
    asked = connection.original.dport if connection is not None else None
    texts = (
        text
        for c in case.host_of(packets[0]).containers
        for (_, port), text in c.published_ports().items()
        if port == asked
    )
    return next((text for text in texts if text.startswith(("127.", "[::1]"))), None)


def _sent_by(case: Case, packets: list[int]) -> str | None:
    """Return the rule, not Docker's for a published port, by which DNAT or REDIRECT sent connections there."""
    connection = case.connection_of(packets[0])
    if connection is None or connection.published is not None:
        return None
    return next((change.rule for change in connection.nat if change.kind is NatKind.DNAT and change.rule), None)


def _strays(case: Case, packets: list[int]) -> bool:
    """Tell whether they came to a port from which a container asks somebody else, as it is, or as SNAT shows it."""
    table, moved = case.context.connections, case.source_moved
    asking = table["proto"] == PROTO_UDP
    ends = set(values_at([table[f"reply_{name}"] for name in ("dst_hi", "dst", "dport")], np.flatnonzero(moved)))
    ends |= set(values_at([table[f"orig_{name}"] for name in ("src_hi", "src", "sport")], np.flatnonzero(asking)))
    return ends.issuperset(values_at([case.first(n) for n in ("dst_hi", "dst", "dport")], np.array(packets, np.int64)))


HYPOTHESIS = Hypothesis(
    "connection-refused",
    Severity.ERROR,
    "captures (docker-inspect.json, ss.txt, containers/NAME/ss.txt)",
    "A SYN was answered by RST, or a datagram by ICMP port unreachable.",
    "See on the server whether the program runs and listens on 0.0.0.0 or ::, with ss -ltnup.",
    causes,
    Specific.KIND,
    complete=_completed,
)
