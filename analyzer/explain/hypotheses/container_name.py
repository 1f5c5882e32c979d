"""Somebody asks for a container of this host by name, where no name server knows it.

Docker tells containers' names to those that are on one network with them, and only on networks that somebody made: on
the default bridge, and on any other network, a container's name is in no DNS.
"""

from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.edits import for_shell
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.questions import asked_names, packets_of, told
from analyzer.explain.told import Told
from analyzer.model import Basis, Container, HostState, Severity
from analyzer.model.overview import NameQuery

WITHOUT_NAMES = ("bridge", "host", "none")
"""Networks on which Docker tells no names."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each container that was asked for in vain, and who asked."""
    found: dict[tuple[str, str], list[NameQuery]] = {}
    for query in case.names:
        row = int(case.first_row[query.journey])
        host, point = case.context.host_at(row), case.context.point(row)
        asker = host.container_of_address(query.asker)
        name = point.container or (asker.name if asker is not None else None)
        if query.outcome != "NOERROR" and name is not None and _meant(host, query) and not _shared(host, name, query):
            found.setdefault((name, query.name.rstrip(".").lower()), []).append(query)
    for (asker_name, wanted), queries in found.items():
        tell = partial(_tell, case, asker_name, wanted, queries)
        yield Cause(packets_of(queries), tell, Basis.STATED, (asker_name, wanted))


def _tell(case: Case, asker: str, wanted: str, queries: list[NameQuery], packets: list[int]) -> Told:
    host = case.host_of(queries[0].journey)
    meant = _meant(host, queries[0])
    return Told(
        {
            "who": [asker], "wanted": wanted, "names": told(case, queries), "asked_names": asked_names(case, queries),
            "servers": list(dict.fromkeys(str(query.server) for query in queries)),
            "outcome_of": next((query.outcome for query in queries if query.outcome is not None), "nothing"),
            "own_networks": _named(_networks(host, asker)),
            "networks": _named({container.network for container in meant}),
            "commands": ["docker network create NET", f"docker network connect NET {for_shell(asker)}",
                         f"docker network connect NET {for_shell(meant[0].name)}"],
        },
        evidence=case.evidence([query.journey for query in queries if query.journey in packets], first=True),
    )  # fmt: skip


def _named(networks: set[str]) -> list[str]:
    return ["the default bridge" if name == "bridge" else name for name in sorted(networks)]


def _meant(host: HostState, query: NameQuery) -> list[Container]:
    """Return the containers of that name, once for each network that they are on."""
    return [one for one in host.containers if one.name.lower() == query.name.rstrip(".").lower()]


def _networks(host: HostState, container: str) -> set[str]:
    return {one.network for one in host.containers if one.name == container}


def _shared(host: HostState, asker: str, query: NameQuery) -> bool:
    """Tell whether both are on a network where Docker tells names."""
    both = _networks(host, asker) & {container.network for container in _meant(host, query)}
    return bool(both - set(WITHOUT_NAMES))


HYPOTHESIS = Hypothesis(
    "container-name-unknown",
    Severity.ERROR,
    "captures, docker-inspect.json",
    "A container asks for another one of its host by name, and both share no network on which Docker tells names.",
    "Put both on one network of their own (docker network create, docker network connect).",
    causes,
    Specific.SETTING,
)
