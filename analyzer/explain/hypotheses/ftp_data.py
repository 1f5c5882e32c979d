"""FTP names the ends of its data connections in what it says, where NAT does not look (RFC 959, RFC 2428)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import ip_address

import numpy as np

from analyzer.decode.offsets import FIN, PROTO_TCP, RST
from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.parties import name_of
from analyzer.explain.spoken import FTP, said_in
from analyzer.explain.tally import Count
from analyzer.explain.told import Facts, Told
from analyzer.model import Address, Basis, Connection, Severity
from analyzer.schema import Addresses

MOST, MOST_SAID = 400, 100
"""Control connections of one client to one server that are read, and packets with data of each."""
ACTIVE = re.compile(rb"PORT (?P<ip>\d{1,3}(?:,\d{1,3}){3}),(?P<high>\d{1,3}),(?P<low>\d{1,3})\r?\n"
                    rb"|EPRT \|[12]\|(?P<ip2>[0-9A-Fa-f.:]{2,45})\|(?P<port>\d{1,5})\|\r?\n", re.I)  # fmt: skip
PASSIVE = re.compile(rb"227 [^\r\n]*?(?P<ip>\d{1,3}(?:,\d{1,3}){3}),(?P<high>\d{1,3}),(?P<low>\d{1,3})"
                     rb"|229 [^\r\n]*\(\|\|(?P<ip2>)\|(?P<port>\d{1,5})\|\)")  # fmt: skip
STARTED = (b"125", b"150", b"226", b"250")
"""Replies of a server whose data connection is there, or was (RFC 959 section 4.2)."""
REFUSED = (b"425", b"426", b"500", b"501", b"504", b"522")
INNER, UNPUBLISHED = "inner-address", "port-not-published"


@dataclass(frozen=True, slots=True)
class _Named:
    """An end of a data connection, as one side told the other."""

    packet: int
    passive: bool
    address: Address | None
    """None where it is that of the control connection."""
    port: int
    code: str
    """Of the reply with which the server refuses the data connection; empty if it does not."""
    over: bool
    """No data connection can begin any more: it was refused, or the control connection ended, or there was time."""


def causes(case: Case) -> Iterator[Cause]:
    """Give the control connections of which nothing came, by the address or the port that was named."""
    table = case.context.connections
    control = (table["proto"] == PROTO_TCP) & ((table["orig_dport"] == FTP) | (table["reply_sport"] == FTP))
    found: dict[tuple[str, str, str], tuple[_Named, set[int]]] = {}
    for number in case.few_connections(np.flatnonzero(control), MOST).tolist():
        connection = case.tracer.connection(number)
        for named in _in_vain(case, number):
            tried = _tried(case, connection, named) if named.passive else []
            why = _why(case, connection, named, tried) if named.over or tried else ""
            if why:
                server = connection.reply.src if named.passive else connection.original.dst
                key = why, str(connection.original.src), str(server)
                found.setdefault(key, (named, set()))[1].update((named.packet, *tried))
    for key, (named, packets) in found.items():
        about = sorted(packets)
        basis = Basis.STATED if key[0] == UNPUBLISHED else Basis.OBSERVED
        yield Cause(about, partial(_tell, case, named, key[0]), basis, key, also=case.troubled(about))


def _in_vain(case: Case, number: int) -> Iterator[_Named]:
    """Give the ends that were named in a control connection, and after which no data connection began."""
    waiting: _Named | None = None
    for packet, text in said_in(case, number, MOST_SAID):
        reply = bool(case.reply[packet])
        found = (PASSIVE if reply else ACTIVE).match(text)
        if found is not None:
            if waiting is not None:
                yield replace(waiting, over=True)
            waiting = _named(packet, found, reply)
        elif waiting is not None and reply and text[:3] in STARTED + REFUSED:
            if text[:3] in REFUSED:
                yield replace(waiting, code=text[:3].decode(), over=True)
            waiting = None
    if waiting is not None:
        after = case.packets_of(number)
        after = after[after > waiting.packet]
        ended = bool((case.first("tcp_flags")[after] & (FIN | RST)).any())
        yield replace(waiting, over=ended or case.waited(waiting.packet))


def _named(packet: int, found: re.Match[bytes], passive: bool) -> _Named | None:
    try:
        text = (found["ip"] or found["ip2"] or b"").replace(b",", b".").decode()
        address = ip_address(text) if text else None
        port = int(found["port"]) if found["port"] else int(found["high"]) << 8 | int(found["low"])
    except ValueError:  # an address that is none
        return None
    return _Named(packet, passive, address, port, code="", over=False)


def _tried(case: Case, connection: Connection, named: _Named) -> list[int]:
    """Return the packets of connections that the client tried to open to the port that was named, and could not."""
    table, flow = case.context.connections, connection.original
    there = (table["proto"] == PROTO_TCP) & (table["orig_dport"] == named.port) & ~case.answered_in_the_end
    there &= Addresses.of(table, "orig_src").are(int(flow.src)) & Addresses.of(table, "orig_dst").are(int(flow.dst))
    there &= table["first_ns"] >= case.context.value("time_ns", int(case.first_row[named.packet]))
    return [int(packet) for one in np.flatnonzero(there).tolist() for packet in case.packets_of(one)]


def _why(case: Case, connection: Connection, named: _Named, tried: list[int]) -> str:
    """Tell what is wrong with what was named; empty if nothing is known to be."""
    flow, back = connection.original, connection.reply
    inner, outer = (back.src, flow.dst) if named.passive else (flow.src, back.dst)
    if tried:
        owner = case.context.owner_of_address(inner, int(case.first_row[named.packet]))
        open_ = owner is not None and any(one.outside == named.port and one.protocol == "tcp" for one in owner.ports)
        return UNPUBLISHED if owner is not None and inner != outer and not open_ else ""
    left = case.context.src(int(case.last_row[named.packet]))
    return INNER if inner != outer and named.address == inner and left == outer else ""


def _tell(case: Case, named: _Named, why: str, packets: list[int]) -> Told:
    connection, of = case.tracer.connection(int(case.connection[named.packet])), case.connection[packets]
    tries = np.unique(of[case.context.connections["orig_dport"][of] != connection.original.dport])
    server = connection.reply.src if named.passive else connection.original.dst
    facts: Facts = {
        "why": why, "passive": named.passive, "named": str(named.address or ""), "port": named.port,
        "code": named.code, "connections_tried": Count(len(tries)),
        "server": name_of(case, server, int(case.first_row[named.packet])),
        "shown": str(connection.original.dst if named.passive else connection.reply.dst),
    }  # fmt: skip
    return Told(facts, evidence=case.evidence(dict.fromkeys((named.packet, *packets))))


HYPOTHESIS = Hypothesis(
    "ftp-data-unreachable",
    Severity.ERROR,
    "captures that keep what FTP says on port 21 (docker-inspect.json)",
    "FTP names an address behind NAT, or a port that is not published, for its data connection, which then fails.",
    "Use passive mode; a server behind NAT must name the host's address, and ports that are published.",
    causes,
    Specific.ROOT,
)
