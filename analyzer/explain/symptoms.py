"""What is wrong with each packet, in columns: FACTS, made once for all hypotheses."""

from typing import TYPE_CHECKING

import numpy as np

from analyzer.decode.offsets import PROTO_TCP, PROTO_UDP, SYN
from analyzer.link.identity import has
from analyzer.link.sorting import group_rows, stable_order
from analyzer.model import Disposition
from analyzer.model.finding import Symptom
from analyzer.model.journey import CODES
from analyzer.packet.answers import acknowledged_before
from analyzer.schema import Array, Columns, Int64, Layer

if TYPE_CHECKING:
    from analyzer.explain.case import Case

FEW_UNASKED = 1
"""Answers that came without a question, of somebody who answers questions: one may be doubled."""
ANSWERING = (88, 123, 161, 389, 464, 500, 1812, 1813, 3478)
"""UDP ports of which each question is answered: Kerberos, NTP, SNMP, LDAP, IKE, RADIUS, STUN."""
STREAMS = (80, 443)
"""Of which no datagram asks for one that answers it: QUIC."""
SERVED = 4
"""Questions that tell of a server that it answers each."""
GREETING = (1194, 4500, 51820)
"""Those of tunnels, which answer the first word at least: OpenVPN, IPsec through NAT, WireGuard."""
SYMPTOMS = {kind: number for number, kind in enumerate(Symptom)}


def facts(case: "Case") -> Columns:
    """Return FACTS."""
    context = case.context
    found: Columns = {
        "connection": case.connection.astype(np.int32),
        "reply": case.reply,
        "first_row": case.first_row,
        "last_row": case.last_row,
        "point": context.frames["point"][case.last_row],
        "end": case.tracer.ends,
        "container": case.beside_containers,
        "quoted_by": case.quoted_by,
        "sent_again": case.sent_again,
        "pause_ns": case.pause_ns,
        "symptom": _symptoms(case),
    }
    return found | {"row": _rows(found)}


def _symptoms(case: "Case") -> Array:
    """(packets,) uint8: what is wrong with each; what comes last here takes precedence."""
    found = np.zeros(case.context.packets, np.uint8)
    silent = unanswered(case)
    found[silent] = SYMPTOMS[Symptom.UNANSWERED]
    found[silent[case.tracer.ends[silent] == CODES[Disposition.DELIVERED]]] = SYMPTOMS[Symptom.IGNORED]
    found[np.concatenate(beyond(case))] = SYMPTOMS[Symptom.LOST_BEYOND]
    lost = case.tracer.ended(Disposition.LOST)
    between = np.array([case.between_hosts(packet) is not None for packet in lost.tolist()], bool)
    found[lost[~between]] = SYMPTOMS[Symptom.LOST_INSIDE]
    found[lost[between]] = SYMPTOMS[Symptom.LOST_BETWEEN]
    rejected = case.tracer.ended(Disposition.REJECTED)
    found[np.concatenate([rejected, refused(case)])] = SYMPTOMS[Symptom.REJECTED]
    found[case.tracer.ended(Disposition.DROPPED)] = SYMPTOMS[Symptom.STOPPED]
    stopped = (packet for causes in case.stopped.values() for cause in causes for packet in cause.packets)
    found[np.fromiter(stopped, np.int64)] = SYMPTOMS[Symptom.STOPPED]
    return found


def _rows(found: Columns) -> Int64:
    """(packets,) A number for each symptom of a stream at a place, -1 for packets that have none."""
    rows = np.full(len(found["symptom"]), -1, np.int64)
    ill = np.flatnonzero(found["symptom"])
    names = ("connection", "reply", "point", "symptom")
    rows[ill], _ = group_rows(*(found[name][ill] for name in names))
    return rows


def refused(case: "Case") -> Int64:
    """Return the first packets of TCP connections that a RST answers."""
    return np.array([int(case.packets_of(number)[0]) for number in case.handshakes.rejected()], np.int64)


def unanswered(case: "Case") -> Int64:
    """Return the packets of TCP connections whose SYN nothing answers, and open questions to name servers."""
    found = [case.packets_of(number, reply=False) for number in silent_connections(case)]
    found += [np.array([query.journey for query in case.open_questions], np.int64), pings_in_vain(case)]
    return np.concatenate(found).astype(np.int64)


def pings_in_vain(case: "Case") -> Int64:
    """Return the pings that came to a container, and that it did not answer."""
    asked = case.once(_asked_in_vain)
    pings = asked[has(case.first("layers")[asked], Layer.ECHO)]
    found: Int64 = pings[case.tracer.ends[pings] == CODES[Disposition.DELIVERED]]
    return found


def silent_connections(case: "Case") -> list[int]:
    """Return the TCP connections whose SYN got no answer at all, not even an ICMP error, although there was time."""
    quoted = set(case.connection[case.quoted_by >= 0].tolist())
    silent = (number for number in case.handshakes.unanswered() if number not in quoted)
    return [number for number in silent if case.waited(int(case.packets_of(number, reply=False)[0]))]


def beyond(case: "Case") -> tuple[Int64, Int64]:
    """Return the packets that were lost beyond the host: those towards somebody, or their answers, and those from."""
    return case.once(_outward), case.tracer.late_segments.astype(np.int64)


def _outward(case: "Case") -> Int64:
    found: Int64 = np.unique(np.concatenate([_sent_again(case), _left(case, case.once(_asked_in_vain))]))
    return found


def _left(case: "Case", packets: Int64) -> Int64:
    found: Int64 = packets[case.tracer.ends[packets] == CODES[Disposition.LEFT_HOST]]
    return found


def _sent_again(case: "Case") -> Int64:
    """Return the packets that left, and that TCP sent again, or their answers, where those were on their way."""
    again, originals = case.tracer.answers.sent_again
    lost = ~_greeted(case)[originals]
    again, originals = again[lost], originals[lost]
    answers = acknowledged_before(case.context, originals, again)
    return _left(case, np.unique(np.where(answers < 0, originals, answers)))


def _greeted(case: "Case") -> Array:
    """
    (packets,) bool: each is a SYN, or answers one, where as many were answered as sent, and an answer arrived.

    None of them was lost then, however late the answers were; and a second answer is to the second SYN.
    """
    opens = (case.first("tcp_flags") & SYN != 0) & (case.first("proto") == PROTO_TCP)
    shakes = case.handshakes
    whole = (shakes.asked == shakes.granted) & (shakes.went_on > 0)
    found: Array = opens & np.append(whole, False)[case.connection]
    return found


def _unasked(case: "Case", datagrams: Int64) -> Int64:
    """(connections,) How often servers spoke twice without being asked: what tunnels carry is no answer."""
    order = datagrams[stable_order(case.connection[datagrams])]
    number, reply = case.connection[order], case.reply[order]
    again = (number[1:] == number[:-1]) & reply[1:] & reply[:-1]
    return np.bincount(number[1:][again], minlength=len(case.context.connections["proto"]))


def _served(case: "Case", asked: Int64, answered: Int64) -> Array:
    """(connections,) bool: the same client got an answer to each question there, in another connection."""
    table, group = case.context.connections, case.errands[:-1]
    whole = (asked == answered) & (asked >= SERVED) & ~np.isin(table["orig_dport"], STREAMS)
    return np.isin(group, group[whole])


def _asked_in_vain(case: "Case") -> Int64:
    """Return pings that nobody answered, and datagrams of clients whose server answers most of them."""
    layers, proto = case.first("layers"), case.first("proto")
    table = case.context.connections
    known = case.connection >= 0
    asked, answered = (
        np.bincount(case.connection[known & way], minlength=len(table["proto"])) for way in (~case.reply, case.reply)
    )
    # Gossip and streams of media have no answers to wait for: ports differ, and most questions are answered.
    unasked = _unasked(case, np.flatnonzero((proto == PROTO_UDP) & known))
    client = (answered * 2 >= asked) | _served(case, asked, answered)
    client &= (table["orig_sport"] != table["orig_dport"]) & (unasked <= FEW_UNASKED)
    client |= np.isin(table["orig_dport"], ANSWERING)
    client |= np.isin(table["orig_dport"], GREETING) & (answered == 0)
    datagram = (proto == PROTO_UDP) & np.append(client, False)[case.connection]
    ends = np.isin(case.tracer.ends, [CODES[Disposition.LEFT_HOST], CODES[Disposition.DELIVERED]])
    asks = np.flatnonzero((has(layers, Layer.ECHO) | datagram) & ~case.reply & known & ends)
    # Questions to name servers tell by themselves which of them was answered.
    named = [query.journey for query in case.names if query.answer is not None]
    asks = asks[(asked > answered)[case.connection[asks]] & (case.quoted_by[asks] < 0) & ~np.isin(asks, named)]
    missing = asks[case.tracer.answers.answered_by[asks] < 0].tolist()
    return np.array([packet for packet in missing if case.waited(packet)], np.int64)
