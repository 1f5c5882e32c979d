"""Docker keeps its networks apart: a container used the address of one on another network."""

from collections.abc import Iterator

from analyzer.diagnose.causes import by_cause
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Stopped, Subject
from analyzer.model import Finding, Severity


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of packets that Docker's isolation chains drop."""
    yield from by_cause(subject, CHECK, _explain, lambda stopped: (_remedy(subject, stopped), None))


def _explain(stopped: Stopped) -> str:
    return "Docker drops what goes from one of its bridge networks to another, on purpose."


def _remedy(subject: Subject, stopped: Stopped) -> str:
    row = int(subject.first_row[stopped.packets[0]])
    src, dst = (
        subject.host.container_of_address(ip) if ip is not None else None
        for ip in (subject.context.src(row), subject.context.dst(row))
    )
    if src is None or dst is None:
        return CHECK.remedy
    return f"docker network connect {dst.network} {src.name}, and use {dst.name}'s name or its address there."


CHECK = Check(
    "network-isolation",
    Severity.ERROR,
    "iptables-save.txt or ip6tables-save.txt (docker-inspect.json)",
    "Docker's isolation of bridge networks drops what one container sends to another network.",
    "Connect both containers to one network (docker network connect), or use the published port.",
    look,
)
