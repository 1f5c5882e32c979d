"""Kubernetes' container runtimes, containerd and CRI-O, asked by ``crictl``: their pods are the containers here.

Takes a machine, gives pods as ``docker inspect`` tells containers.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import MsgspecError

from analyzer.errors import ToolError
from analyzer.record.engines import Engine, Network
from analyzer.record.machine import Machine
from analyzer.state.cri import Pod, documents, inspected, read_pods

Json = Any
SHORTEST_ID = 4
"""Characters from which on a name may be an id's beginning."""


@dataclass(frozen=True, slots=True)
class Cri(Engine):
    """What speaks Kubernetes' container runtime interface."""

    def version(self, out: str) -> str:
        """Return the runtime's name and version, which stand among others, a line each."""
        told = dict(line.partition(":")[::2] for line in out.splitlines())
        return f"{told.get('RuntimeName', '').strip()} {told.get('RuntimeVersion', '').strip()}".strip()

    def running(self, machine: Machine, service: Sequence[str] = (), network: str = "") -> list[str]:
        """Return the pods that run; of a service: those of its namespace and name, or of a workload of that name."""
        if network:
            return []

        def fits(pod: Pod) -> bool:
            space, name = service
            told = pod.status.metadata
            return told.namespace == space and (told.name == name or name in pod.apps)

        return sorted(name for name, pod in self._pods(machine).items() if not service or fits(pod))

    def of_unit(self, machine: Machine, name: str) -> list[str]:
        """Return nothing: who manages pods is not told by runtimes."""
        return []

    def of_project(self, machine: Machine, name: str) -> list[str]:
        """Return nothing: projects are compose's."""
        return []

    def of_service(self, machine: Machine, name: str) -> list[str]:
        """Return nothing, likewise."""
        return []

    def container(self, machine: Machine, name: str) -> Json | None:
        """Return a pod by its name, its id, or the name or id of a container in it."""
        pods = self._pods(machine)
        found = pods.get(name) or _by_id(pods, name) or _by_id(pods, self._home(machine, name))
        return next((inspected(called, pod) for called, pod in pods.items() if pod is found), None)

    def network(self, machine: Machine, name: str) -> Network:
        """Return nothing: runtimes do not tell of networks."""
        return Network()

    def _pods(self, machine: Machine) -> dict[str, Pod]:
        ids = self.ask(machine, "pods", "-q", "--no-trunc", "-s", "ready").split()
        try:
            return read_pods(documents(self.ask(machine, "inspectp", "-o", "json", *ids))) if ids else {}
        except (ValueError, MsgspecError) as error:
            raise ToolError(f"{self.name}: cannot read what it tells of pods: {str(error)[:120]}") from None

    def _home(self, machine: Machine, name: str) -> str:
        """Return the id of the pod that a container is in; nothing if there is none."""
        try:
            told = json.loads(self.ask(machine, "ps", "-o", "json"))["containers"]
            return next((str(one["podSandboxId"]) for one in told if _is(one, name)), "")
        except (ValueError, LookupError, TypeError) as error:
            raise ToolError(f"{self.name}: cannot read what it tells of containers: {str(error)[:120]}") from None


def _is(container: Json, name: str) -> bool:
    by_id = len(name) >= SHORTEST_ID and str(container["id"]).startswith(name)
    return by_id or container["metadata"]["name"] == name


def _by_id(pods: dict[str, Pod], name: str) -> Pod | None:
    found = [pod for pod in pods.values() if len(name) >= SHORTEST_ID and pod.status.id.startswith(name)]
    return found[0] if len(found) == 1 else None


CRI = Cri("crictl", ("version",))
