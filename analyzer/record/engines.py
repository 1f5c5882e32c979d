"""Container engines, each asked by its own command line: Docker, and Podman, which answers in the same words.

Takes a machine, gives which engines answer there, and what they say of containers and networks.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from analyzer.errors import SelectionError, ToolError
from analyzer.record.machine import Machine

Json = Any
NO_SUCH = re.compile(r"no such (container|object)", re.IGNORECASE)
"""What they say of a name that they do not know; they say as well "no such file" of their own socket."""
BRIDGE_NAME, SHORT_ID = "com.docker.network.bridge.name", 12
"""A network's option, and the characters of its id in its bridge's name without (libnetwork's drivers/bridge)."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network, as far as points are found by it."""

    id: str = ""
    driver: str = ""
    bridge: str = ""
    """Its bridge on the host; empty for one that has none there."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One of them."""

    name: str
    """Its program."""
    version: str
    """Format of what tells the version of who answers: not of the program alone."""

    def ask(self, machine: Machine, *words: str) -> str:
        """
        Return what it says.

        Raises:
            ToolError: it says why not.
        """
        done = machine.run(self.name, *words)
        if done.code:
            raise ToolError(f"{self.name}: {done.reason}")
        return done.out

    def problem(self, machine: Machine) -> str | None:
        """Tell why it does not answer; None if it does."""
        done = machine.run(self.name, "version", "--format", self.version)
        if done.code:
            hint = f": needs root, or membership of the group {self.name}" if "denied" in done.err else ""
            return f"{self.name} on {machine.name}: {done.reason}{hint}"
        return None

    def running(self, machine: Machine, filters: Sequence[str] = ()) -> list[str]:
        """Return the names of the containers that run, in order, and fit *filters*."""
        words = [word for one in filters for word in ("--filter", one)]
        out = self.ask(machine, "ps", *words, "--format", "{{.Names}}")
        # A name that has links is followed by them.
        return sorted(line.partition(",")[0] for line in out.splitlines() if line)

    def container(self, machine: Machine, name: str) -> Json | None:
        """Return what it tells of a container by its name or id, None if there is none."""
        done = machine.run(self.name, "inspect", "--type", "container", "--", name)
        if done.code and NO_SUCH.search(done.err):
            return None
        if done.code:
            raise ToolError(f"{self.name}: {done.reason}")
        return json.loads(done.out)[0]

    def network(self, machine: Machine, name: str) -> Network:
        """Return a network by its name; nothing of one that is not there."""
        done = machine.run(self.name, "network", "inspect", "--", name)
        return Network() if done.code else _network(json.loads(done.out)[0])


def _network(told: Json) -> Network:
    if "network_interface" in told:  # podman's
        return Network(str(told.get("id")), str(told.get("driver")), str(told["network_interface"]))
    identity = str(told.get("Id", ""))
    bridge = (told.get("Options") or {}).get(BRIDGE_NAME) or f"br-{identity[:SHORT_ID]}"
    return Network(identity, str(told.get("Driver")), str(bridge))


DOCKER = Engine("docker", "{{.Server.Version}}")
PODMAN = Engine("podman", "{{.Client.Version}}")
ENGINES = (DOCKER, PODMAN)
PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"
"""Labels of docker compose, and of podman-compose."""
Chosen = tuple[Engine, str]


def present(machine: Machine) -> list[Engine]:
    """Return the engines whose programs are there; a ``docker`` that is podman's own (podman-docker) is not Docker."""
    found = [one for one in ENGINES if machine.has(one.name)]
    if found == [*ENGINES] and "podman" in machine.run(DOCKER.name, "--version").out.lower():
        return [PODMAN]
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
        names: of containers, or ``PROJECT/SERVICE`` of compose for all containers of a service.
        networks: of which all containers are meant.
        everything: all that run are meant.

    Raises:
        SelectionError: there is no such container, or nothing runs in a service or on a network, or at all.
        ToolError: an engine does not answer.
    """
    found: dict[Chosen, None] = {}

    def add(filters: tuple[str, ...], nothing: str) -> None:
        running = [(one, name) for one in engines for name in _running(machine, one, filters)]
        if not running:
            raise SelectionError(f"{nothing} on {machine.name}")
        found.update(dict.fromkeys(running))

    for name in names:
        project, slash, service = name.partition("/")
        if slash and project:
            labels = f"label={PROJECT}={project}", f"label={SERVICE}={service}"
            add(labels, f"no container of compose service {name} runs")
        else:
            found[_whose(machine, engines, name), name] = None
    for network in networks:
        add((f"network={network}",), f"no container runs on a network {network}")
    if everything:
        add((), "no container runs")
    return list(found)


def _running(machine: Machine, engine: Engine, filters: tuple[str, ...]) -> Iterator[str]:
    """Give the names of those that fit; podman calls it a mistake to ask for a network that is not there."""
    try:
        yield from engine.running(machine, filters)
    except ToolError as error:
        if "network not found" not in str(error):
            raise


def _whose(machine: Machine, engines: Sequence[Engine], name: str) -> Engine:
    """Return the engine that knows a container; who is asked alone will say so itself."""
    having = [one for one in engines if one.container(machine, name) is not None]
    if not having:
        raise SelectionError(f"no container {name} on {machine.name}")
    if len(having) > 1:
        both = " and ".join(one.name for one in having)
        raise SelectionError(f"{both} have a container {name} on {machine.name}: --engine chooses")
    return having[0]
