"""Docker keeps its networks apart: a container used the address of one on another network."""

from collections.abc import Iterator

from analyzer.diagnose.causes import by_cause
from analyzer.diagnose.check import Check
from analyzer.diagnose.subject import Stopped, Subject
from analyzer.model import Container, Finding, Severity


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of packets that Docker's isolation chains drop."""
    yield from by_cause(
        subject, CHECK, lambda stopped: _explain(subject, stopped), lambda stopped: (_remedy(subject, stopped), None)
    )


def _internal(subject: Subject, stopped: Stopped) -> str | None:
    """Return the internal network that packets were to leave, if it is that."""
    row = int(subject.first_row[stopped.packets[0]])
    src, dst = subject.context.src(row), subject.context.dst(row)
    host = subject.host_of(stopped.packets[0])
    networks = (n for n in host.networks if n.internal and any(src in s for s in n.subnets if src is not None))
    return next((n.name for n in networks if not any(dst in s for s in n.subnets if dst is not None)), None)


def _explain(subject: Subject, stopped: Stopped) -> str:
    name = _internal(subject, stopped)
    if name is not None:
        return f"Network {name} is internal: Docker lets nothing out of it, on purpose."
    src, dst = _owners(subject, stopped)
    row = int(subject.first_row[stopped.packets[0]])
    if src is None and dst is not None:
        outside, inside = subject.context.src(row), f"container {dst.name}, {subject.context.dst(row)}"
        return f"Docker lets nobody outside a network, here {outside}, reach the address in it of {inside}, on purpose."
    return "Docker drops what goes from one of its bridge networks to another, on purpose."


def _owners(subject: Subject, stopped: Stopped) -> tuple[Container | None, Container | None]:
    """Return the containers that packets come from and go to; None of whoever is no container."""
    row = int(subject.first_row[stopped.packets[0]])
    ends = subject.context.src(row), subject.context.dst(row)
    src, dst = (subject.context.owner_of_address(ip, row) if ip is not None else None for ip in ends)
    return src, dst


def _remedy(subject: Subject, stopped: Stopped) -> str:
    if _internal(subject, stopped) is not None:
        return "docker network connect a network with a way out, or create it without --internal."
    src, dst = _owners(subject, stopped)
    if dst is None:
        return f"{src.name if src is not None else 'The sender'} is on another network: docker network connect."
    if src is None:
        row = int(subject.first_row[stopped.packets[0]])
        port = subject.context.value("dport", row)
        published = next((text for text in dst.published if text.rpartition("->")[2].startswith(f"{port}/")), None)
        way = f"it is published as {published}: use the host's address" if published else f"docker run -p {port}:{port}"
        return f"From outside, use a published port of {dst.name}: {way}."
    return f"docker network connect {dst.network} {src.name}, and use {dst.name}'s name or its address there."


CHECK = Check(
    "network-isolation",
    Severity.ERROR,
    "iptables-save.txt or ip6tables-save.txt (docker-inspect.json)",
    "Docker's isolation of bridge networks drops what one container sends to another network.",
    "Connect both containers to one network (docker network connect), or use the published port.",
    look,
)
