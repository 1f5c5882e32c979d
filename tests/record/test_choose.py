"""Which engines answer, and which containers are meant: by name, compose service, network, or all of them."""

import json

import pytest

from analyzer.cli.capture import capture
from analyzer.errors import SelectionError, ToolError
from analyzer.record.choose import ENGINES, choose, find_engines, present
from analyzer.record.cri import CRI
from analyzer.record.engines import DOCKER, NERDCTL, PODMAN, Engine
from tests.record.host import Host as _Host

LABELS = "--filter label=com.docker.compose.project=shop --filter label=com.docker.compose.service=web"
FORMAT = "--format {{.Names}}"
BOTH_ENGINES = (DOCKER, PODMAN)
VERSIONS = {" ".join((one.name, *one.tells)): "1\n" for one in BOTH_ENGINES}


def _inspect(engine: str, *names: str) -> dict[str, str]:
    return {f"{engine} inspect --type container -- {name}": json.dumps([{"Name": name}]) for name in names}


def _of_unit(engine: str, name: str, service: str, unit: str) -> dict[str, str]:
    file = name if name.endswith(".service") else f"{name}.service"
    return {
        f"{engine} ps --filter label=com.docker.swarm.service.name={name} {FORMAT}": service,
        f"{engine} ps --filter label=PODMAN_SYSTEMD_UNIT={file} {FORMAT}": unit,
    }


def _of_compose(engine: str, name: str, project: str = "", service: str = "") -> dict[str, str]:
    return {
        f"{engine} ps --filter label=com.docker.compose.project={name} {FORMAT}": project,
        f"{engine} ps --filter label=com.docker.compose.service={name} {FORMAT}": service,
    }


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
    **_of_unit("docker", "api", "api.2.x1\napi.1.x0\n", ""), **_of_unit("podman", "api", "", ""),
    **_of_unit("docker", "cache.service", "", ""), **_of_unit("podman", "cache.service", "", "cache\n"),
    **{asked: told for name in ("nobody", "shop", "worker", "cahce") for engine in ("docker", "podman")
       for asked, told in (_of_unit(engine, name, "", "") | _of_compose(engine, name)).items()},
    **_of_compose("docker", "shop", project="shop-web-1\nshop-db-1\n"),
    **_of_compose("docker", "worker", service="a-worker-1\nb-worker-1\n"),
})  # fmt: skip


@pytest.mark.parametrize(
    ("names", "networks", "everything", "found"),
    [
        (["web", "0123abc"], [], False, ["docker web", "docker 0123abc"]),
        (["shop/web"], [], False, ["docker shop-web-1", "docker shop-web-2"]),
        (["cache", "shop/web"], ["back"], False,
         ["podman cache", "docker shop-web-1", "docker shop-web-2", "docker db"]),
        (["api"], [], False, ["docker api.1.x0", "docker api.2.x1"]),
        (["cache.service"], [], False, ["podman cache"]),
        (["shop"], [], False, ["docker shop-db-1", "docker shop-web-1"]),
        (["worker"], [], False, ["docker a-worker-1", "docker b-worker-1"]),
        ([], [], True, ["docker db", "docker shop-web-1", "docker shop-web-2", "podman cache"]),
        ([], [], False, []),
    ],
    ids=["names", "service", "service-and-network", "swarm-service", "quadlet", "project",
         "service-alone", "all", "none"],
)  # fmt: skip
def test_who_is_meant(names: list[str], networks: list[str], everything: bool, found: list[str]) -> None:
    """Each container once, those that were named first, whichever engine has it."""
    chosen = choose(BOTH, BOTH_ENGINES, names, networks, everything=everything)

    assert [f"{engine.name} {name}" for engine, name in chosen] == found


@pytest.mark.parametrize(
    ("names", "networks", "said"),
    [
        ([], ["empty"], "no container runs on a network empty on the host"),
        (["nobody"], [], "no container nobody on the host. These run: cache, db, shop-web-1, shop-web-2"),
        (["cahce"], [], "no container cahce on the host: did you mean cache. These run: cache, db, .*"),
        (["twice"], [], "docker and podman have a container twice on the host: --engine chooses"),
    ],
)
def test_nobody_is_meant(names: list[str], networks: list[str], said: str) -> None:
    """Said, with what was asked for."""
    with pytest.raises(SelectionError, match=f"^{said}$"):
        choose(BOTH, BOTH_ENGINES, names, networks, everything=False)


def test_a_network_that_podman_does_not_know() -> None:
    """It calls that a mistake, Docker does not; another engine's mistakes are told."""
    asked = f"docker ps --filter network=back {FORMAT}"
    found = choose(_Host({asked: "db\n"}, podman="Error: network back: network not found"), BOTH_ENGINES, [], ["back"],
                   everything=False)  # fmt: skip

    assert found == [(DOCKER, "db")]
    with pytest.raises(ToolError, match=r"^podman: out of memory$"):
        choose(_Host({asked: "db\n"}, podman="out of memory"), BOTH_ENGINES, [], ["back"], everything=False)


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


def test_whom_the_option_names() -> None:
    """All that there are."""
    (option,) = (one for one in capture.params if one.name == "engine")

    assert [one.name for one in ENGINES] == list(option.type.choices)  # type: ignore[attr-defined]
    assert list(ENGINES) == [DOCKER, PODMAN, NERDCTL, CRI]
