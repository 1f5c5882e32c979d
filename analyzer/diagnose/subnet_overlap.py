"""Two networks have the same addresses."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from analyzer.diagnose.causes import affected
from analyzer.diagnose.check import Check
from analyzer.diagnose.host import overlap
from analyzer.diagnose.subject import Subject
from analyzer.model import Disposition, Finding, Severity
from analyzer.schema import Array


def look(subject: Subject) -> Iterator[Finding]:
    """Compare Docker's subnets with each other and with routes; name the unanswered connections of what is cut off."""
    away = [pair.foreign for pair in overlap.pairs(subject.host)]
    table = subject.context.connections
    cut_off: list[int] = []
    for number in np.flatnonzero(~table["seen_reply"] | _dropped(subject)).tolist() if away else ():
        connection = subject.tracer.connection(number)
        ends = connection.original.src, connection.reply.src
        if any(subject.host.container_of_address(ip) and ip in prefix for ip in ends for prefix in away):
            cut_off += subject.packets_of(number).tolist()
    for found in overlap.check(subject.host):
        told = f"{found.explanation} {affected(subject, cut_off)}".rstrip()
        yield replace(found, explanation=told, evidence=subject.evidence(cut_off))
    subject.claim(cut_off)


def _dropped(subject: Subject) -> Array:
    """(connections,) bool: something of it was dropped or lost."""
    found = np.zeros(len(subject.context.connections["proto"]) + 1, bool)
    found[subject.connection[subject.tracer.ended(Disposition.DROPPED, Disposition.LOST)]] = True
    return found[:-1]


CHECK = Check(
    "subnet-overlap",
    Severity.ERROR,
    "docker-network-inspect.json, ip-route.json",
    "A Docker network has addresses that another network or another route has, too.",
    overlap.WORDS.remedy,
    look,
)
