"""Somebody else answers than was asked: the same ports, and the very number of the question, from another address."""

from collections.abc import Iterator
from functools import partial
from ipaddress import ip_address

import numpy as np

from analyzer.decode.dns import PORT
from analyzer.decode.offsets import ACK, PROTO_UDP, RST, SYN
from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.published import proxied
from analyzer.explain.symptoms import silent_connections
from analyzer.explain.told import Facts, Told
from analyzer.link.identity import has
from analyzer.model import Address, Severity
from analyzer.schema import Layer

MOST = 5_000
"""Questions of one client to one port, and answers that nobody asked for, that are compared."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each pair of the address that was asked, and the one that answered."""
    frames, flags = case.context.frames, case.first("tcp_flags")
    grants = has(case.first("layers"), Layer.TCP) & (flags & (SYN | ACK | RST) == SYN | ACK)
    strange = np.flatnonzero(grants & np.append(case.handshakes.asked == 0, False)[case.connection])
    strange = case.few_packets(strange, MOST)
    answers: dict[tuple[int, ...], int] = {}
    for packet in strange.tolist():
        row = int(case.first_row[packet])
        ends = (int(frames[name][row]) for name in ("dst_hi", "dst", "dport", "sport"))
        answers.setdefault((*ends, int(frames["ack"][row])), packet)
    found: dict[tuple[str, str], tuple[list[int], list[int]]] = {}
    silent = np.array(silent_connections(case) if answers else [], np.int64)
    for number in case.few_connections(silent, MOST).tolist():
        packets = case.packets_of(number, reply=False)
        row = int(case.last_row[packets[0]])
        ends = (int(frames[name][row]) for name in ("src_hi", "src", "sport", "dport"))
        answer = answers.get((*ends, (int(frames["seq"][row]) + 1) % (1 << 32)))
        if answer is not None:
            asked, other = case.context.dst(row), case.context.src(int(case.first_row[answer]))
            questions, follows = found.setdefault((str(asked), str(other)), ([], []))
            questions += packets.tolist()
            follows += case.packets_of(int(case.connection[answer])).tolist()
    for key, questions, follows in _datagrams(case):
        known = found.setdefault(key, ([], []))
        known[0].extend(questions)
        known[1].extend(follows)
    for key, (questions, follows) in found.items():
        yield Cause(sorted(questions), partial(_tell, case, *key, follows), also=follows, key=key)


def _datagrams(case: Case) -> Iterator[tuple[tuple[str, str], list[int], list[int]]]:
    """Give datagrams that nobody answered, and those that came to their port from another address of the same port."""
    table = case.context.connections
    silent = (table["proto"] == PROTO_UDP) & ~table["seen_reply"].astype(bool)
    silent &= (table["orig_dport"] != PORT) & (table["orig_sport"] != PORT)  # of which more is known than ports
    ends = [table[name].astype(np.int64) for name in ("reply_dst_hi", "reply_dst", "reply_dport", "reply_sport")]
    numbers = case.few_connections(np.flatnonzero(silent), MOST).tolist()
    asked = {tuple(int(end[n]) for end in ends): n for n in numbers}
    came = [table[name].astype(np.int64) for name in ("orig_dst_hi", "orig_dst", "orig_dport", "orig_sport")]
    for number in numbers if len(asked) > 1 else ():
        of = asked.get(tuple(int(end[number]) for end in came))
        if of is None or of == number:
            continue
        question, answer = (case.packets_of(one) for one in (of, number))
        there = case.tracer.connection(of).original.dst
        if question[0] < answer[0] and not _many(there):
            key = str(there), str(case.tracer.connection(number).original.src)
            quoting = (error.packet for error in case.errors if error.quoted in answer)
            yield key, question.tolist(), [*answer.tolist(), *quoting]


def _many(asked: Address) -> bool:
    """Tell whether several may answer, each from its own address, as to SSDP's and NetBIOS' questions."""
    return asked.is_multicast or str(asked).endswith(".255")  # also of a subnet that nobody recorded


def _tell(case: Case, asked: str, other: str, answers: list[int], packets: list[int]) -> Told:
    facts: Facts = {
        "asked_at": asked,
        "other": other,
        "where": case.context.point(int(case.first_row[answers[0]])).name,
        "granted": int(case.first("proto")[packets[0]]) != PROTO_UDP,
    }
    proxy = _proxy(case, packets[0], other)
    return Told(
        facts | proxy,
        evidence=(*case.evidence(packets[:3]), *case.evidence(answers[:2], first=True)),
        proof=(f"ss.txt: {proxy['port']} (docker-proxy)",) if proxy else (),
    )


def _proxy(case: Case, packet: int, other: str) -> Facts:
    """Name the container whose published port docker-proxy serves by another of the host's addresses than was asked."""
    row, connection = int(case.last_row[packet]), case.connection_of(packet)
    host = case.context.host_at(row)
    if connection is None or not host.owns(connection.original.dst) or not host.owns(ip_address(other)):
        return {}
    flow = connection.original
    return proxied(host, connection.protocol, flow.dst, flow.dport or 0)


HYPOTHESIS = Hypothesis(
    "answered-from-elsewhere",
    Severity.ERROR,
    "captures",
    "A SYN or a datagram is answered with the right numbers and ports, but from another address than was asked.",
    "Let the answers come back through whoever translated the question: a hairpin at a router, a load balancer, or a "
    "server with two addresses.",
    causes,
    Specific.SETTING,
)
