"""Packets that conntrack does not know leave the host untranslated."""

from collections.abc import Iterator

from analyzer.diagnose.causes import affected
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Subject
from analyzer.diagnose.untranslated import leaving
from analyzer.model import Basis, Finding, Severity
from analyzer.model.words import plural
from analyzer.trace.prove import Translated


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of packets in the middle of a connection that left untranslated although a rule translates new ones."""
    found = leaving(subject).get("invalid")
    if found is None:
        return
    src = subject.context.src(int(subject.first_row[found.packets[0]]))
    yield CHECK.finding(
        f"{plural(len(found.packets), 'packet')} of no known connection left as {src}",
        "Rules translate new connections from there. These packets begin none, and conntrack has no entry for them "
        f"(timed out, flushed, or out of the window), so they pass as INVALID and untranslated. "
        f"{affected(subject, found.packets)}",
        basis=Basis.STATED if found.translated is Translated.YES else Basis.INFERRED,
        evidence=subject.evidence(found.packets),
    )
    subject.claim(found.packets)


CHECK = Check(
    "untranslated-source-leak",
    Severity.WARNING,
    "captures (iptables-save.txt, ip-route.json)",
    "Packets that conntrack takes for INVALID left the host with a container's address.",
    "iptables -I FORWARD -m conntrack --ctstate INVALID -j DROP; for long idle connections, TCP keepalive.",
    look,
)
