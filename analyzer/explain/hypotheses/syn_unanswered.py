"""Nobody answers a connection's first packet, not even by refusing it."""

from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Crowd, Hypothesis, Specific
from analyzer.explain.inside import receiver
from analyzer.explain.refuser import answers_at
from analyzer.explain.stopped import severity
from analyzer.explain.symptoms import silent_connections
from analyzer.explain.tally import Most, Texts
from analyzer.explain.told import Facts, Key, Told
from analyzer.explain.uplinks import by_the_way_out, taken_first
from analyzer.model import Address, Basis, Disposition, Listener, Severity, endpoint
from analyzer.model.journey import ENDS

DNS = 53


def causes(case: Case) -> Iterator[Cause]:
    """Give each destination that keeps silent."""
    silent: dict[str, list[int]] = {}
    for number in silent_connections(case):
        connection = case.tracer.connection(number)
        target = endpoint(connection.original.dst, connection.original.dport)
        silent.setdefault(target, []).extend(case.packets_of(number, reply=False).tolist())
    for target, packets in silent.items():
        queue = _full(case, packets[0])
        way = {} if queue is not None else by_the_way_out(case, packets)
        known = queue is not None or bool(way)
        yield Cause(
            sorted(packets), partial(_tell, case, target, queue, way), Basis.STATED if known else Basis.OBSERVED,
            _key(target, queue, way), specific=Specific.SETTING if known else None,
        )  # fmt: skip


def _key(target: str, queue: Listener | None, way: Facts) -> Key:
    """What is wrong with the way out is one cause, whoever was asked."""
    if way:
        return "by", str(way.get("by_default") or way.get("dead_hop") or way.get("dead_ttl") or "ecn")
    return target, queue is not None


def _full(case: Case, packet: int) -> Listener | None:
    """Return who listens for it, if more connections wait there than may (tcp_v4_conn_request, sk_acceptq_is_full)."""
    of = receiver(case, packet)
    dst, port = case.context.dst(int(case.last_row[packet])), case.context.value("dport", int(case.last_row[packet]))
    found = of.state.listener("tcp", dst, port) if of is not None and dst is not None else None
    return found if found is not None and found.waiting > found.room else None


def _tell(case: Case, target: str, queue: Listener | None, way: Facts, packets: list[int]) -> Told:
    packet = packets[0]
    facts: Facts = {
        "target": target,
        "end": ENDS[case.tracer.ends[packet]].value,
        "last": case.context.point(int(case.last_row[packet])).name,
    }
    row = int(case.last_row[packet])
    dst, owner = case.context.dst(row), case.context.owner_of_mac(case.context.value("eth_dst", row), row)
    delivered = facts["end"] == Disposition.DELIVERED.value
    if delivered and owner is not None and dst not in owner.addresses:
        facts |= {"into": owner.name, "address": str(dst)}
    if dst is not None and facts["end"] == Disposition.LEFT_HOST.value:
        others, asked = answers_at(case, packet), case.context.value("dport", row)
        facts["answers_at"] = Texts.of((str(port), 0) for port in others if port != asked)
        facts["answers_here"] = Most(asked in others)
        facts["answers_udp"] = Most(_answers_udp(case, dst, case.context.value("dport", row)))
    facts |= way | taken_first(case, packet)
    proof: tuple[str, ...] = (f"ip-route.json: {way['by_default']}",) if "by_default" in way else ()
    if queue is not None:
        facts |= {"waiting": queue.waiting, "room": queue.room, "program": queue.program}
        where = f"containers/{owner.name}/" if owner is not None else ""
        proof = (f"{where}ss.txt: port {queue.port}: {queue.waiting} wait to be accepted, {queue.room} may",)
    return Told(facts, proof=proof, severity=severity(case, packets, Severity.ERROR))


def _answers_udp(case: Case, server: Address, port: int) -> bool:
    """Tell whether a name server answers by UDP, cut short: resolvers then turn to TCP."""
    return port == DNS and any(query.truncated and query.server == server for query in case.names)


HYPOTHESIS = Hypothesis(
    "syn-unanswered",
    Severity.ERROR,
    "captures",
    "A TCP SYN got no answer for a second and more, and nothing else explains it.",
    "See whether a firewall at or before the server drops them, and whether its answers find a way back.",
    causes,
    Specific.SILENCE,
    crowd=Crowd("target", "targets"),
)
