"""The host does not forward packets."""

from collections.abc import Iterator

from analyzer.diagnose.causes import Remedy, by_cause
from analyzer.diagnose.changed import offered, tried, with_settings
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Stopped, Subject
from analyzer.model import Finding, Severity


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of packets that arrived where forwarding is off."""
    yield from by_cause(subject, CHECK, _explain, lambda stopped: _remedy(subject, stopped))


def _explain(stopped: Stopped) -> str:
    return "They are for somebody else than this host, and where they came in it does not pass packets on."


def _remedy(subject: Subject, stopped: Stopped) -> Remedy:
    name = stopped.cause.text.removeprefix("forwarding is off: ").removesuffix(" = 0")
    helps = tried(subject, stopped.packets[0], with_settings({name: "1"}))
    return offered(f"sysctl -w {name}=1, and the same in /etc/sysctl.d so that it stays.", helps), helps


CHECK = Check(
    "forwarding-disabled",
    Severity.ERROR,
    "sysctl.txt, ip-route.json",
    "Packets came in by an interface on which forwarding is switched off.",
    "sysctl -w net.ipv4.ip_forward=1",
    look,
)
