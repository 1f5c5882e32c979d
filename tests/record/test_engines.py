"""Which engines answer, and which containers are meant: by name, compose service, network, or all of them."""

import json

import pytest

from analyzer.errors import SelectionError, ToolError
from analyzer.record.engines import DOCKER, ENGINES, PODMAN, Engine, Network, choose, find_engines, present
from analyzer.record.machine import Done, Machine

LABELS = "--filter label=com.docker.compose.project=shop --filter label=com.docker.compose.service=web"
FORMAT = "--format {{.Names}}"
VERSIONS = {f"{one.name} version --format {one.version}": "1\n" for one in ENGINES}


class _Host(Machine):
    name = "the host"

    def __init__(self, answers: dict[str, str], **errors: str) -> None:
        self.answers, self.errors = answers, errors

    def has(self, program: str) -> bool:
        return program in self.errors or any(command.split()[0] == program for command in self.answers)

    def run(self, *command: str, timeout: float = 1, deadline: object = None) -> Done:
        answer = self.answers.get(" ".join(command))
        error = self.errors.get(command[0], f"Error: no such container {command[-1]}")
        return Done(1, "", error) if answer is None else Done(0, answer, "")


def _inspect(engine: str, *names: str) -> dict[str, str]:
    return {f"{engine} inspect --type container -- {name}": json.dumps([{"Name": name}]) for name in names}


BOTH = _Host({
    f"docker ps {LABELS} {FORMAT}": "shop-web-2\nshop-web-1\n",
    f"podman ps {LABELS} {FORMAT}": "",
    f"docker ps --filter network=back {FORMAT}": "db,web/db\nshop-web-1\n",
    f"docker ps --filter network=empty {FORMAT}": "",
    f"podman ps --filter network=empty {FORMAT}": "",
    f"podman ps --filter network=back {FORMAT}": "cache\n",
    f"docker ps {FORMAT}": "shop-web-1\nshop-web-2\ndb\n",
    f"podman ps {FORMAT}": "cache\n",
    **_inspect("docker", "web", "0123abc", "twice"), **_inspect("podman", "cache", "twice"),
})  # fmt: skip


@pytest.mark.parametrize(
    ("names", "networks", "everything", "found"),
    [
        (["web", "0123abc"], [], False, ["docker web", "docker 0123abc"]),
        (["shop/web"], [], False, ["docker shop-web-1", "docker shop-web-2"]),
        (["cache", "shop/web"], ["back"], False,
         ["podman cache", "docker shop-web-1", "docker shop-web-2", "docker db"]),
        ([], [], True, ["docker db", "docker shop-web-1", "docker shop-web-2", "podman cache"]),
        ([], [], False, []),
    ],
    ids=["names", "service", "service-and-network", "all", "none"],
)  # fmt: skip
def test_who_is_meant(names: list[str], networks: list[str], everything: bool, found: list[str]) -> None:
    """Each container once, those that were named first, whichever engine has it."""
    chosen = choose(BOTH, ENGINES, names, networks, everything=everything)

    assert [f"{engine.name} {name}" for engine, name in chosen] == found


@pytest.mark.parametrize(
    ("names", "networks", "said"),
    [
        ([], ["empty"], "no container runs on a network empty on the host"),
        (["nobody"], [], "no container nobody on the host"),
        (["twice"], [], "docker and podman have a container twice on the host: --engine chooses"),
    ],
)
def test_nobody_is_meant(names: list[str], networks: list[str], said: str) -> None:
    """Said, with what was asked for."""
    with pytest.raises(SelectionError, match=f"^{said}$"):
        choose(BOTH, ENGINES, names, networks, everything=False)


def test_a_network_that_podman_does_not_know() -> None:
    """It calls that a mistake, Docker does not; another engine's mistakes are told."""
    asked = f"docker ps --filter network=back {FORMAT}"
    found = choose(_Host({asked: "db\n"}, podman="Error: network back: network not found"), ENGINES, [], ["back"],
                   everything=False)  # fmt: skip

    assert found == [(DOCKER, "db")]
    with pytest.raises(ToolError, match=r"^podman: out of memory$"):
        choose(_Host({asked: "db\n"}, podman="out of memory"), ENGINES, [], ["back"], everything=False)


@pytest.mark.parametrize(
    ("host", "wanted", "found"),
    [
        (_Host(VERSIONS), None, [DOCKER, PODMAN]),
        (_Host(VERSIONS), "podman", [PODMAN]),
        (_Host({**VERSIONS, "docker --version": "podman version 5.4.2\n"}), None, [PODMAN]),
        (_Host({**VERSIONS, "docker --version": "Docker version 26.1.5\n"}), None, [DOCKER, PODMAN]),
        (_Host(dict(list(VERSIONS.items())[1:]), docker="Cannot connect"), None, [PODMAN]),
    ],
    ids=["both", "wanted", "podman-docker", "docker-and-podman", "one-is-down"],
)
def test_who_answers(host: _Host, wanted: str | None, found: list[Engine]) -> None:
    """All that do; a docker that is podman's own is no engine beside it."""
    assert find_engines(host, wanted) == found


@pytest.mark.parametrize(
    ("host", "wanted", "said"),
    [
        (_Host({}), None, "docker is missing on the host: apt-get install docker-cli"),
        (_Host({}), "podman", "podman is missing on the host: apt-get install podman"),
        (_Host({}, docker="permission denied"), None,
         "docker on the host: permission denied: needs root, or membership of the group docker"),
        (_Host({}, docker="down", podman="gone"), None, "docker on the host: down; podman on the host: gone"),
    ],
)  # fmt: skip
def test_nobody_answers(host: _Host, wanted: str | None, said: str) -> None:
    """What helps is said; of several, each one's reason."""
    with pytest.raises(ToolError, match=f"^{said}$"):
        find_engines(host, wanted)


def test_no_engine_is_there() -> None:
    """Nothing is asked of it."""
    assert present(_Host({})) == []


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"Id": "0123456789abcdef", "Driver": "bridge"}, Network("0123456789abcdef", "bridge", "br-0123456789ab")),
        (
            {"Id": "01", "Driver": "bridge", "Options": {"com.docker.network.bridge.name": "docker0"}},
            Network("01", "bridge", "docker0"),
        ),
        ({"id": "01", "driver": "bridge", "network_interface": "podman1"}, Network("01", "bridge", "podman1")),
        (None, Network()),
    ],
    ids=["by-id", "by-option", "podman", "gone"],
)
def test_a_network(told: object, found: Network) -> None:
    """Its bridge has the name that the option says, or one that is made of its id; podman says it."""
    answers = {} if told is None else {"docker network inspect -- net": json.dumps([told])}

    assert DOCKER.network(_Host(answers), "net") == found
