"""A MAC is behind another port than before, or an address has another MAC."""

from collections.abc import Iterator

from analyzer.diagnose.cards import claims, contested
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.model import Evidence, Finding, Severity, mac_text
from analyzer.trace.learnt import learnt


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of moves that bridges saw, and of addresses that were announced by another MAC."""
    moves: dict[int, list[Evidence]] = {}
    ports: dict[int, list[str]] = {}
    for entry in learnt(subject.context):
        if entry.moved_from is not None:
            moves.setdefault(entry.mac, []).append(Evidence(entry.point, entry.frame))
            ports.setdefault(entry.mac, [entry.moved_from]).append(entry.point)
    for mac, evidence in moves.items():
        often = len(evidence) > 1
        yield CHECK.finding(
            f"{mac_text(mac)} moved from {ports[mac][0]} to {ports[mac][1]}" + (" and on" if often else ""),
            "A bridge sends to the port by which a MAC's frames came in last. "
            + ("A MAC that keeps moving is a loop, or two machines have it." if often else "A container moved there."),
            evidence=tuple(evidence[:5]),
        )
    for ip, made in claims(subject).items():
        if not contested(made):
            yield CHECK.finding(
                f"{ip} moved from {mac_text(made[0].mac)} to {mac_text(made[-1].mac)}",
                "Whoever still has the old MAC in its neighbour table sends to nobody until the entry is refreshed.",
                evidence=tuple(subject.shown(claim.row) for claim in made[:5]),
            )


CHECK = Check(
    "mac-moved",
    Severity.WARNING,
    "captures",
    "A bridge learnt a MAC at another port, or an address was announced by another MAC.",
    "If nobody moved it: look for a loop, or for two machines with one MAC; ip neigh flush where the old one stays.",
    look,
)
