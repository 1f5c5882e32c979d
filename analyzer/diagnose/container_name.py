"""Somebody asks for a container of this host by name, where no name server knows it.

Docker tells containers' names to those that are on one network with them, and only on networks that somebody made: on
the default bridge, and on any other network, a container's name is in no DNS.
"""

from collections.abc import Iterator

from analyzer.diagnose.changed import for_shell
from analyzer.diagnose.check import Check
from analyzer.diagnose.questions import told
from analyzer.diagnose.subject import Subject
from analyzer.model import Basis, Container, Finding, HostState, Severity
from analyzer.model.overview import NameQuery

WITHOUT_NAMES = ("bridge", "host", "none")
"""Networks on which Docker tells no names."""


def look(subject: Subject) -> Iterator[Finding]:
    """Tell of each container that was asked for in vain, and who asked."""
    found: dict[tuple[str, str], list[NameQuery]] = {}
    for query in subject.names:
        row = int(subject.first_row[query.journey])
        host, point = subject.context.host_at(row), subject.context.point(row)
        asker = host.container_of_address(query.asker)
        name = point.container or (asker.name if asker is not None else None)
        if query.outcome != "NOERROR" and name is not None and _meant(host, query) and not _shared(host, name, query):
            found.setdefault((name, query.name.rstrip(".").lower()), []).append(query)
    for (asker_name, wanted), queries in found.items():
        host = subject.host_of(queries[0].journey)
        networks = _named(_networks(host, asker_name)) or "no network that dumps name"
        theirs = _named({container.network for container in _meant(host, queries[0])})
        asked = ", ".join(dict.fromkeys(str(query.server) for query in queries))
        outcome = next((query.outcome for query in queries if query.outcome is not None), "nothing")
        yield CHECK.finding(
            f"{asker_name} asks {asked} for container {wanted}, whose name is in no DNS there",
            f"{told(queries)}: the answer is {outcome}. {asker_name} is on {networks}, {wanted} on {theirs}; Docker "
            "tells names only to containers on one and the same network, other than the default bridge.",
            basis=Basis.STATED,
            evidence=subject.evidence([query.journey for query in queries], first=True),
            remedy="docker network create NET; "
            f"docker network connect NET {for_shell(asker_name)}; docker network connect NET {for_shell(wanted)}",
        )
        subject.claim(query.journey for query in queries)


def _named(networks: set[str]) -> str:
    return ", ".join("the default bridge" if name == "bridge" else name for name in sorted(networks))


def _meant(host: HostState, query: NameQuery) -> list[Container]:
    """Return the containers of that name, once for each network that they are on."""
    return [one for one in host.containers if one.name.lower() == query.name.rstrip(".").lower()]


def _networks(host: HostState, container: str) -> set[str]:
    return {one.network for one in host.containers if one.name == container}


def _shared(host: HostState, asker: str, query: NameQuery) -> bool:
    """Tell whether both are on a network where Docker tells names."""
    both = _networks(host, asker) & {container.network for container in _meant(host, query)}
    return bool(both - set(WITHOUT_NAMES))


CHECK = Check(
    "container-name-unknown",
    Severity.ERROR,
    "captures, docker-inspect.json",
    "A container asks for another one of its host by name, and both share no network on which Docker tells names.",
    "Put both on one network of their own (docker network create, docker network connect).",
    look,
)
