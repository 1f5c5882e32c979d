"""Source validation drops packets whose sender would be answered by another interface (RFC 3704)."""

from collections.abc import Iterator

from analyzer.diagnose.causes import Remedy, by_cause
from analyzer.diagnose.changed import tried, with_settings
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Stopped, Subject
from analyzer.model import Finding, Severity


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of packets that rp_filter drops."""
    yield from by_cause(subject, CHECK, _explain, lambda stopped: _remedy(subject, stopped))


def _explain(stopped: Stopped) -> str:
    return "Strict source validation drops what comes in by another interface than answers would leave by."


def _remedy(subject: Subject, stopped: Stopped) -> Remedy:
    lines = (line.removeprefix("sysctl.txt: ") for line in stopped.cause.proof if line.startswith("sysctl.txt: "))
    names = [line.partition(" = ")[0] for line in lines]
    for value, what in (("2", "loose"), ("0", "off")):
        helps = tried(subject, stopped.packets[0], with_settings(dict.fromkeys(names, value)))
        if helps is not None:
            commands = " ".join(f"{name}={value}" for name in names)
            return f"sysctl -w {commands} ({what}), or a route back by the same interface.", helps
    return CHECK.remedy, None


CHECK = Check(
    "reverse-path-filtered",
    Severity.ERROR,
    "sysctl.txt, ip-route.json",
    "rp_filter drops packets, for the way back to their source leaves by another interface.",
    "Give the host a route back to the source by the interface where its packets come in.",
    look,
)
