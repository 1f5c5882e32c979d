"""A name server does not answer."""

from collections.abc import Iterator
from functools import partial

from analyzer.decode.dns import PORT
from analyzer.explain.case import Case
from analyzer.explain.circles import answering_outside, party, ring, unanswered_outside
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.published import proxied
from analyzer.explain.questions import asked_names, by_server, packets_of, resolver_of, slow, told
from analyzer.explain.tally import Count, Most, Texts
from analyzer.explain.told import Facts, Told
from analyzer.explain.uplinks import taken_first
from analyzer.model import Address, Severity
from analyzer.model.overview import NameQuery
from analyzer.packet.questions import EMBEDDED


def causes(case: Case) -> Iterator[Cause]:
    """Give each server with questions that it left open, and with answers that came late."""
    everything = by_server(case.names)
    outside = unanswered_outside(case)
    for pair, queries in case.once(ring).items():
        yield Cause(packets_of(queries), partial(_circles, case, pair), key=pair, specific=Specific.ROOT)
    beyond = [query for query in case.open_questions if query.server in outside]
    if beyond:
        yield Cause(packets_of(beyond), partial(_blocked, case, outside), key=("outside",), specific=Specific.PLACE)
    for server, queries in by_server(case.open_questions).items():
        if server != EMBEDDED and server not in outside:
            answers = sum(query.answer is not None for query in everything[server])
            strange = [query for query in queries if query.stranger is not None]
            if strange:
                # Whom the asker then refuses is that stranger.
                packets = sorted({*packets_of(strange), *_refused(case, strange)})
                tell = partial(_silent, case, server, strange, answers)
                yield Cause(packets, tell, specific=Specific.MECHANISM, key=(str(server), "strange"))
            if left := [query for query in queries if query.stranger is None]:
                yield Cause(
                    packets_of(left), partial(_silent, case, server, left, answers), key=(str(server), "silent")
                )
    for server, queries in by_server(slow(case)).items():
        yield Cause(packets_of(queries), partial(_late, case, server, queries), key=(str(server), "late"))


def _circles(case: Case, pair: tuple[str, str], packets: list[int]) -> Told:
    queries = [query for query in case.once(ring)[pair] if query.journey in set(packets)]
    first = min(case.once(ring)[pair], key=lambda query: query.asked_ns)
    facts: Facts = {
        "ring": list(pair), "questions": Count(len(queries)), "names": told(case, queries),
        "asked_names": asked_names(case, queries), "who": [party(case, first, first.asker)],
    }  # fmt: skip
    return Told(facts, evidence=case.evidence(packets))


def _blocked(case: Case, servers: set[Address], packets: list[int]) -> Told:
    """Several servers that have nothing to do with each other do not fail at once: somebody is between."""
    left = [query for query in case.open_questions if query.server in servers and query.journey in set(packets)]
    answering = dict.fromkeys(str(q.server) for q in case.names if q.answer is not None and q.server != EMBEDDED)
    last = int(case.last_row[packets[0]])
    begun = case.context.all.begun.at(case.context.frames["point"][last])
    return Told(
        {
            "servers": sorted(map(str, servers)), "questions": Count(len(left)), "names": told(case, left),
            "asked_names": asked_names(case, left), "last": case.context.point(last).name,
            "answering": list(answering), "others_answered": bool(begun.answered.any()),
            "outside": answering_outside(case),
        },
        evidence=case.evidence([query.journey for query in left]),
    )  # fmt: skip


def _refused(case: Case, queries: list[NameQuery]) -> Iterator[int]:
    """Give the answers of strangers that the asker refused."""
    strangers = {query.stranger for query in queries}
    for error in case.errors:
        if error.quoted is not None and case.context.src(int(case.first_row[error.quoted])) in strangers:
            yield error.quoted


def _silent(case: Case, server: Address, queries: list[NameQuery], answers: int, packets: list[int]) -> Told:
    left = [query for query in queries if query.journey in packets] or queries
    facts: Facts = {
        "server": str(server),
        "questions": Count(len(left)),
        "names": told(case, left),
        "asked_names": asked_names(case, left),
    }
    # Askers throw away what comes from elsewhere (RFC 5452 section 9.1).
    strangers = Texts.of((str(q.stranger), int(case.numbers[q.journey])) for q in left if q.stranger is not None)
    if strangers.first:
        stranger = next(q.stranger for q in left if q.stranger is not None)
        facts |= _own_server(case, int(case.last_row[left[0].journey]), server, stranger)
        facts["who"] = sorted({party(case, query, query.asker) for query in left})
        return Told(facts | {"strangers": strangers}, evidence=case.evidence(packets, first=True))
    last = case.context.point(int(case.last_row[packets[0]])).name
    kinds, answered = {query.kind for query in left}, {query.name.lower() for query in left}
    other = sorted({q.kind for q in case.names if q.server == server and q.answer is not None
                    and q.name.lower() in answered} - kinds)  # fmt: skip
    if other and len(kinds) == 1:
        facts |= {"only_kind": next(iter(kinds)), "other_kinds": other}
    return Told(
        facts
        | {
            "last": last,
            "answers": answers,
            "alive": int(server) in case.context.all.alive,
            "answering": Texts.of((server, 0) for server in _answering(case, left)),
        }
        | taken_first(case, left[0].journey)
        | resolver_of(case, left[0])
        | _for_its_own_network(case, left[0]),
        evidence=case.evidence([query.journey for query in left]),
        severity=Severity.WARNING if answers and not _gave_up(case, left) else Severity.ERROR,
    )


def _for_its_own_network(case: Case, query: NameQuery) -> Facts:
    """Name the container that takes questions from elsewhere without a word, and answers those of its own network."""
    connection, host = case.connection_of(query.journey), case.host_of(query.journey)
    owner = host.container_of_address(connection.reply.src) if connection is not None else None
    network = host.network_of(owner) if owner is not None else None
    if owner is None or network is None or network.holds(query.asker):
        return {}
    here = case.context.point(int(case.last_row[query.journey])).container == owner.name
    near = [q.asker for q in case.names if q.answer is not None and q.server in owner.addresses]
    local = [str(asker) for asker in near if network.holds(asker)]
    return {"local_only": owner.name, "asker": str(query.asker), "served": local[0]} if here and local else {}


def _own_server(case: Case, row: int, server: Address, other: Address) -> Facts:
    """Name the program of this host that is asked at one of its addresses, and answers from another one."""
    host = case.context.host_at(row)
    if not host.owns(server) or not host.owns(other):
        return {}
    listener = host.listener("udp", server, PORT)
    program = listener.program or "the program there" if listener is not None else "the name server"
    return {"program": program, **proxied(host, "udp", server, PORT)}


def _gave_up(case: Case, queries: list[NameQuery]) -> bool:
    """Tell whether who asked sent nothing but questions to name servers afterwards: it has no use of what it knows."""
    asking = {query.asker for query in queries}
    last = max(query.asked_ns for query in queries)
    later = any(case.context.all.busy.get(int(ip), 0) > last for ip in asking)
    known = {query.name.lower() for query in queries}
    of_all = {query.name.lower() for query in case.names if query.asker in asking}
    return known == of_all and not later


def _answering(case: Case, queries: list[NameQuery]) -> list[str]:
    """Return the other servers that answered: first those that answered the same asker."""
    askers = {query.asker for query in queries}
    servers = {query.server for query in queries} | {EMBEDDED}
    found = [query for query in case.names if query.answer is not None and query.server not in servers]
    found.sort(key=lambda query: query.asker not in askers)
    return list(dict.fromkeys(str(query.server) for query in found))


def _late(case: Case, server: Address, queries: list[NameQuery], packets: list[int]) -> Told:
    left = [query for query in queries if query.journey in packets]
    longest = max(left, key=lambda query: query.latency_ns or 0)
    facts: Facts = {"took_s": Most((longest.latency_ns or 0) / 1e9)}
    if longest.asked_again_ns is not None:
        facts["asked_again_s"] = Most(longest.asked_again_ns / 1e9)
    return Told(
        facts | {"server": str(server), "questions": Count(len(left)), "names": told(case, left), "late": True},
        evidence=case.evidence([query.answer for query in left if query.answer is not None]),
        severity=Severity.WARNING,
    )


HYPOTHESIS = Hypothesis(
    "dns-unanswered",
    Severity.ERROR,
    "captures",
    "DNS questions got no answer for a second and more (warning: one that late).",
    "Try the server by hand (dig @SERVER NAME); /etc/resolv.conf in the container and docker run --dns say which.",
    causes,
    Specific.SILENCE,
)
