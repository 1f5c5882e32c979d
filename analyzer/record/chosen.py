"""Which containers are meant: by name, by compose service, by network, or all that run."""

from collections.abc import Sequence

from analyzer.errors import SelectionError, ToolError
from analyzer.record.machine import Machine

PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"


def chosen(machine: Machine, names: Sequence[str], networks: Sequence[str], *, everything: bool) -> list[str]:
    """
    Return the names of the containers that are meant, each once.

    Args:
        machine: where they run.
        names: of containers, or ``PROJECT/SERVICE`` of docker compose for all containers of a service.
        networks: of which all containers are meant.
        everything: all that run are meant.

    Raises:
        SelectionError: nothing runs in a service or on a network, or nothing at all does.
        ToolError: Docker does not answer.
    """
    found: dict[str, None] = {}
    for name in names:
        project, slash, service = name.partition("/")
        if slash and project:
            labels = f"label={PROJECT}={project}", f"label={SERVICE}={service}"
            found |= dict.fromkeys(_running(machine, labels, f"no container of compose service {name} runs"))
        else:
            found[name] = None
    for network in networks:
        known = _running(machine, (f"network={network}",), f"no container runs on a network {network}")
        found |= dict.fromkeys(known)
    if everything:
        found |= dict.fromkeys(_running(machine, (), "no container runs"))
    return list(found)


def _running(machine: Machine, filters: Sequence[str], nothing: str) -> list[str]:
    words = [word for one in filters for word in ("--filter", one)]
    done = machine.run("docker", "ps", *words, "--format", "{{.Names}}")
    if done.code:
        raise ToolError(f"docker: {done.reason}")
    # A name that has links is followed by them.
    names = sorted(line.partition(",")[0] for line in done.out.splitlines() if line)
    if not names:
        raise SelectionError(f"{nothing} on {machine.name}")
    return names
