"""Container engines, each asked by its own command line: Docker, and Podman and nerdctl, which use the same words.

Takes a machine, gives what an engine says there of containers and networks.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analyzer.errors import ToolError
from analyzer.record.machine import Machine
from analyzer.state.docker import BRIDGE_NAME, NERDCTLS, SHORT_ID

Json = Any
NO_SUCH = re.compile(r"no such (container|object)", re.IGNORECASE)
"""What they say of a name that they do not know; they say as well "no such file" of their own socket."""


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
    tells: tuple[str, ...]
    """What it is asked for its version: of who answers, not of the program alone."""

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

    def version(self, out: str) -> str:
        """Return the version that it told."""
        return out.strip().partition("\n")[0]

    def problem(self, machine: Machine) -> str | None:
        """Tell why it does not answer; None if it does."""
        done = machine.run(self.name, *self.tells)
        if done.code:
            group = ", or membership of the group docker" if self.name == DOCKER.name else ""
            hint = f": needs root{group}" if "denied" in done.err else ""
            return f"{self.name} on {machine.name}: {done.reason}{hint}"
        return None

    def running(self, machine: Machine, service: Sequence[str] = (), network: str = "") -> list[str]:
        """Return the names of the containers that run, in order: of a project's *service*, on a *network*, or all."""
        filters = [f"label={label}={name}" for label, name in zip((PROJECT, SERVICE), service, strict=False)]
        return self._fitting(machine, filters + ([f"network={network}"] if network else []))

    def of_unit(self, machine: Machine, name: str) -> list[str]:
        """Return those of a service of a swarm, or of a systemd unit (quadlet), of which others choose the names."""
        unit = name if name.endswith(".service") else f"{name}.service"
        found = self._fitting(machine, [f"label={SWARM_SERVICE}={name}"])
        return found or self._fitting(machine, [f"label={UNIT}={unit}"])

    def of_project(self, machine: Machine, name: str) -> list[str]:
        """Return those of all services of a compose project."""
        return self._fitting(machine, [f"label={PROJECT}={name}"])

    def of_service(self, machine: Machine, name: str) -> list[str]:
        """Return those of a compose service, of whatever project."""
        return self._fitting(machine, [f"label={SERVICE}={name}"])

    def _fitting(self, machine: Machine, filters: Sequence[str]) -> list[str]:
        words = [word for one in filters for word in ("--filter", one)]
        try:
            out = self.ask(machine, "ps", *words, "--format", "{{.Names}}")
        except ToolError as error:  # podman calls it a mistake to ask for a network that is not there
            if "network not found" not in str(error):
                raise
            return []
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
        return Network() if done.code else _network(json.loads(done.out)[0], self.name)


def _network(told: Json, engine: str) -> Network:
    if "network_interface" in told:  # podman's
        return Network(str(told.get("id")), str(told.get("driver")), str(told["network_interface"]))
    identity = str(told.get("Id", ""))
    usual = NERDCTLS if (engine, told.get("Name")) == (NERDCTL.name, "bridge") else f"br-{identity[:SHORT_ID]}"
    bridge = (told.get("Options") or {}).get(BRIDGE_NAME) or usual
    return Network(identity, str(told.get("Driver")), str(bridge))


DOCKER = Engine("docker", ("version", "--format", "{{.Server.Version}}"))
PODMAN = Engine("podman", ("version", "--format", "{{.Client.Version}}"))
NERDCTL = Engine("nerdctl", ("version", "--format", "{{.Client.Version}}"))
PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"
"""Labels of docker compose, and of podman-compose."""
SWARM_SERVICE, UNIT = "com.docker.swarm.service.name", "PODMAN_SYSTEMD_UNIT"
