"""Which container engines answer on a machine, and which of their containers are meant.

Takes a machine and names, gives containers, each with its engine.
"""

from collections.abc import Callable, Sequence
from difflib import get_close_matches

from analyzer.errors import SelectionError, ToolError
from analyzer.record.cri import CRI
from analyzer.record.engines import DOCKER, NERDCTL, PODMAN, Engine
from analyzer.record.machine import Machine

ENGINES = (DOCKER, PODMAN, NERDCTL, CRI)
Chosen = tuple[Engine, str]
MOST = 30
"""Names that are told."""


def present(machine: Machine) -> list[Engine]:
    """Return the engines whose programs are there; a ``docker`` that is podman's own (podman-docker) is not Docker."""
    found = [one for one in ENGINES if machine.has(one.name)]
    if DOCKER in found and PODMAN in found and "podman" in machine.run(DOCKER.name, "--version").out.lower():
        found.remove(DOCKER)
    return found


def find_engines(machine: Machine, wanted: str | None = None) -> list[Engine]:
    """
    Return the engines that answer; only *wanted*, if somebody wants one.

    Raises:
        ToolError: none does; with what helps.
    """
    there = [one for one in present(machine) if wanted in (None, one.name)]
    if not there:
        machine.need(wanted or DOCKER.name)
    problems = {one: one.problem(machine) for one in there}
    found = [one for one, problem in problems.items() if problem is None]
    if not found:
        raise ToolError("; ".join(problem for problem in problems.values() if problem is not None))
    return found


def choose(
    machine: Machine, engines: Sequence[Engine], names: Sequence[str], networks: Sequence[str], *, everything: bool
) -> list[Chosen]:
    """
    Return the containers that are meant, each once, and whose they are.

    Args:
        machine: where they run.
        engines: those that answer there.
        names: of containers and pods; of a swarm's services and systemd's units, for all containers of one;
            ``PROJECT``, ``SERVICE`` or ``PROJECT/SERVICE`` of compose, likewise, or ``NAMESPACE/NAME`` of pods.
        networks: of which all containers are meant.
        everything: all that run are meant.

    Raises:
        SelectionError: there is no such container, or nothing runs in a service or on a network, or at all.
        ToolError: an engine does not answer.
    """
    found: dict[Chosen, None] = {}

    def add(nothing: str, service: tuple[str, ...] = (), network: str = "") -> None:
        running = [(one, name) for one in engines for name in one.running(machine, service, network)]
        if not running:
            raise SelectionError(f"{nothing} on {machine.name}")
        found.update(dict.fromkeys(running))

    for name in names:
        project, slash, service = name.partition("/")
        if slash and project:
            add(f"no container of service {name} runs", service=(project, service))
        elif having := [one for one in engines if one.container(machine, name) is not None]:
            found[_only(machine, having, name), name] = None
        else:
            found.update(dict.fromkeys(_several(machine, engines, name)))
    for network in networks:
        add(f"no container runs on a network {network}", network=network)
    if everything:
        add("no container runs")
    return list(found)


def _only(machine: Machine, having: Sequence[Engine], name: str) -> Engine:
    """Return the engine that knows a container."""
    if len(having) > 1:
        both = " and ".join(one.name for one in having)
        raise SelectionError(f"{both} have a container {name} on {machine.name}: --engine chooses")
    return having[0]


def _several(machine: Machine, engines: Sequence[Engine], name: str) -> list[Chosen]:
    """
    Return the containers that run of what several have in common: a unit, a project, a service.

    Raises:
        SelectionError: there is nothing of that name; with what there is.
    """
    asked: tuple[Callable[[Engine], list[str]], ...] = (
        lambda one: one.of_unit(machine, name),
        lambda one: one.of_project(machine, name),
        lambda one: one.of_service(machine, name),
    )
    for ask in asked:
        if found := [(one, container) for one in engines for container in ask(one)]:
            return found
    running = sorted({container for one in engines for container in one.running(machine)})
    near = get_close_matches(name, running, 1)
    meant = f": did you mean {near[0]}?" if near else "."
    there = f" These run: {', '.join(running[:MOST])}" if running else " None runs."
    raise SelectionError(f"no container {name} on {machine.name}{meant}{there}")
