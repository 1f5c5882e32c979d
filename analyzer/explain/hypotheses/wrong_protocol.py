"""A client and a server speak different protocols on one port: TLS to a port of plain HTTP, or the other way round."""

from collections.abc import Iterator
from functools import partial

from analyzer.decode.tls import is_alert, is_hello
from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.parties import name_of
from analyzer.explain.spoken import Said, first_words, is_request
from analyzer.explain.tally import Count
from analyzer.explain.told import Told
from analyzer.model import Severity, endpoint

PAGES = (b"http/1.", b"<!doctype html", b"<html")
"""How servers of plain HTTP answer what they do not understand; some as HTTP/0.9 did, without a status line."""
TLS, PLAIN = "tls", "plain"


def causes(case: Case) -> Iterator[Cause]:
    """Give each server to which something else is spoken than it speaks."""
    found: dict[tuple[str, str], list[int]] = {}
    for number, said in case.once(first_words).items():
        kind = _mistaken(said)
        if kind is not None:
            of = case.tracer.connection(number).reply
            found.setdefault((endpoint(of.src, of.sport), kind), []).extend(said.packets)
    for key, packets in found.items():
        yield Cause(sorted(packets), partial(_tell, case, *key), key=key, also=case.troubled(packets))


def _mistaken(said: Said) -> str | None:
    if is_hello(said.asked) and said.answered.lstrip().lower().startswith(PAGES):
        return TLS
    secured = is_alert(said.answered) or (said.answered.startswith(b"HTTP/1.1 400") and b"HTTPS" in said.answered)
    return PLAIN if is_request(said.asked) and secured else None


def _tell(case: Case, server: str, kind: str, packets: list[int]) -> Told:
    connections = {int(case.connection[packet]) for packet in packets}
    first = case.tracer.connection(min(connections))
    name = name_of(case, first.reply.src, int(case.first_row[packets[0]]))
    return Told({"server": server, "name": name, "kind": kind, "count": Count(len(connections))},
                evidence=case.evidence(packets))  # fmt: skip


HYPOTHESIS = Hypothesis(
    "wrong-protocol",
    Severity.ERROR,
    "captures that keep the beginning of what is said",
    "TLS is spoken to a port that answers in plain HTTP, or plain HTTP to one that answers with a TLS alert.",
    "Ask by the protocol that the port speaks, or ask the port that speaks it.",
    causes,
    Specific.ROOT,
)
