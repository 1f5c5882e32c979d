"""Reads pods as ``crictl inspectp`` tells them, of containerd and CRI-O: in the words of ``docker inspect``.

A pod is what a container is elsewhere: a network namespace, with addresses of its own.
"""

from collections import Counter
from json import JSONDecoder
from typing import Any

from msgspec import Struct, convert, field

from analyzer.model import Container
from analyzer.model.engine import CRI
from analyzer.state.docker import parse_containers

Json = Any
PODS = "pods"
"""What the network of pods is called: runtimes do not tell its name (CNI)."""
READY, ON_HOST = "SANDBOX_READY", "NODE"
"""PodSandboxState and NamespaceMode of cri-api's api.proto."""
APPS = ("app.kubernetes.io/name", "app", "k8s-app")
"""Labels by which pods of one workload are known."""


class _Metadata(Struct):
    name: str
    namespace: str = "default"


class _Address(Struct):
    ip: str = ""


class _Network(Struct):
    ip: str = ""
    more: list[_Address] | None = field(default=None, name="additionalIps")


class _Options(Struct):
    network: str = "POD"


class _Namespaces(Struct):
    options: _Options = field(default_factory=_Options)


class _Linux(Struct):
    namespaces: _Namespaces | None = None


class _Status(Struct):
    id: str
    metadata: _Metadata
    state: str = READY
    created: str = field(default="", name="createdAt")
    network: _Network | None = None
    linux: _Linux | None = None
    labels: dict[str, str] | None = None


class _Config(Struct):
    ip: str = field(default="", name="IP")
    gateway: str = field(default="", name="Gateway")


class _Interface(Struct):
    configs: list[_Config] | None = field(default=None, name="IPConfigs")
    mac: str = field(default="", name="Mac")
    sandbox: str = field(default="", name="Sandbox")


class _Result(Struct):
    interfaces: dict[str, _Interface] | None = field(default=None, name="Interfaces")


class _Info(Struct):
    pid: int = 0
    cni: _Result | None = field(default=None, name="cniResult")
    """containerd's alone."""


class Pod(Struct):
    """One of them, as far as its network goes."""

    status: _Status
    info: _Info = field(default_factory=_Info)

    @property
    def apps(self) -> set[str]:
        """What its workload is called."""
        labels = self.status.labels or {}
        return {labels[name] for name in APPS if name in labels}

    def ends(self) -> list[_Interface]:
        """Return its own interfaces that have addresses, but for loopback."""
        told = (self.info.cni.interfaces or {}) if self.info.cni is not None else {}
        return [one for name, one in told.items() if name != "lo" and one.sandbox and one.configs]

    @property
    def on_host(self) -> bool:
        """It has the host's network."""
        linux = self.status.linux
        spaces = linux.namespaces if linux is not None else None
        return spaces is not None and spaces.options.network == ON_HOST


def documents(text: str) -> list[Json]:
    """
    Read what it printed: an object, an array of them, or one object after the other, by its version.

    Raises:
        ValueError: it is no JSON.
    """
    decoder, found, at = JSONDecoder(), list[Json](), 0
    while at < len(text := text.rstrip()):
        one, at = decoder.raw_decode(text, at)
        found += one if isinstance(one, list) else [one]
        at += len(text[at:]) - len(text[at:].lstrip())
    return found


def read_pods(dump: Json) -> dict[str, Pod]:
    """Return pods by name; where two have one, with the namespace behind it, as Kubernetes' DNS has it."""
    pods = convert(dump, list[Pod])
    taken = Counter(pod.status.metadata.name for pod in pods)

    def name(pod: Pod) -> str:
        told = pod.status.metadata
        return told.name if taken[told.name] == 1 else f"{told.name}.{told.namespace}"

    return {name(pod): pod for pod in pods}


def inspected(name: str, pod: Pod) -> Json:
    """Return a pod as ``docker inspect`` tells a container."""
    status, end = pod.status, next(iter(pod.ends()), None)
    told = status.network or _Network()
    addresses = [told.ip, *(one.ip for one in told.more or ())]
    gateways = [config.gateway for config in (end.configs if end is not None else None) or ()]
    network = {
        "IPAddress": _of_family(addresses, version6=False), "GlobalIPv6Address": _of_family(addresses, version6=True),
        "Gateway": _of_family(gateways, version6=False), "IPv6Gateway": _of_family(gateways, version6=True),
        "MacAddress": end.mac if end is not None else "",
    }  # fmt: skip
    runs = status.state == READY
    return {
        "Id": status.id, "Name": name, "Created": status.created,
        "State": {"Status": "running" if runs else "exited", "Running": runs, "Pid": pod.info.pid},
        "HostConfig": {"NetworkMode": "host" if pod.on_host else PODS},
        "NetworkSettings": {"Networks": {"host" if pod.on_host else PODS: {} if pod.on_host else network}},
    }  # fmt: skip


def as_inspected(dump: Json) -> list[Json]:
    """Return all of them so."""
    return [inspected(name, pod) for name, pod in read_pods(dump).items()]


def _of_family(addresses: list[str], *, version6: bool) -> str:
    return next((ip for ip in addresses if ip and (":" in ip) == version6), "")


def parse_pods(dump: Json) -> tuple[Container, ...]:
    """Read pods, as containers of network ``pods``."""
    return parse_containers(as_inspected(dump), engine=CRI)
