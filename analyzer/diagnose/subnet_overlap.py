"""Two networks have the same addresses."""

from collections.abc import Iterator

from analyzer.diagnose.check import Check
from analyzer.diagnose.host import overlap
from analyzer.diagnose.subject import Subject
from analyzer.model import Finding, Severity


def look(subject: Subject) -> Iterator[Finding]:
    """Compare Docker's subnets with each other and with routes."""
    yield from overlap.check(subject.host)


CHECK = Check(
    "subnet-overlap",
    Severity.ERROR,
    "docker-network-inspect.json, ip-route.json",
    "A Docker network has addresses that another network or another route has, too.",
    overlap.WORDS.remedy,
    look,
)
