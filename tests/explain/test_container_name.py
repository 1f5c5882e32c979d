"""Containers that are asked for by name where no name server knows them: whose name it is, and why nobody knows it."""

from pathlib import Path

import pytest

from analyzer.explain.hypotheses.container_name import causes
from analyzer.explain.told import Told
from analyzer.model import Basis
from tests.build import C1, C2, udp
from tests.explain.dns import answer, ask
from tests.explain.scene import INSIDE, Scene
from tests.explain.state import container, dumps

NXDOMAIN, SERVFAIL = 3, 2
DB = "db"


def _scene(folder: Path, *, asker: tuple[str, ...] = ("bridge",), wanted: tuple[str, ...] = ("bridge",),
           names: tuple[str, str] = ("c2", DB)) -> Scene:  # fmt: skip
    """Record a host with one container that asks and one that is asked for, each on some networks."""
    known: list[object] = []
    for name, networks, ip, mac in zip(names, (asker, wanted), (INSIDE, "172.17.0.3"), (C1, C2), strict=True):
        one = container(name, ip, mac, networks[0])
        ends = one["NetworkSettings"]["Networks"]  # type: ignore[index]
        ends |= {network: {"IPAddress": "10.9.0.9", "MacAddress": "02:00:00:00:00:09"} for network in networks[1:]}
        known.append(one)
    return Scene(folder, dumps=dumps(docker_inspect=known))


def _told(scene: Scene) -> dict[object, Told]:
    """Return what is told, by its key."""
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    found = list(causes(scene.case()))
    assert {cause.basis for cause in found} <= {Basis.STATED}
    return {cause.key: cause.told(list(cause.packets)) for cause in found}


@pytest.mark.parametrize(
    ("name", "asked", "told"),
    [("db", "db", True), ("db", "DB", True), ("DB", "db", True), ("db", "web", False), ("db", "db.example", False)],
    ids=["its-name", "asked-in-capitals", "named-in-capitals", "another-name", "in-a-domain"],
)
def test_only_the_very_name_of_a_container_is_meant(tmp_path: Path, name: str, asked: str, told: bool) -> None:
    """Capitals make no difference; a name in a domain is somebody else's."""
    scene = _scene(tmp_path, names=("c2", name))
    ask(scene, 0, 1, asked)
    answer(scene, 5, 1, asked, outcome=NXDOMAIN)

    assert list(_told(scene)) == [("c2", "db")] * told


@pytest.mark.parametrize(
    ("outcome", "said"), [(0, None), (NXDOMAIN, "NXDOMAIN"), (SERVFAIL, "SERVFAIL"), (None, "nothing")]
)
def test_a_name_that_was_found_is_not_told(tmp_path: Path, outcome: int | None, said: str | None) -> None:
    """Every other outcome is, and silence is one of them."""
    scene = _scene(tmp_path)
    ask(scene, 0, 1, DB)
    if outcome is not None:
        answer(scene, 5, 1, DB, outcome=outcome)

    assert [one.facts["outcome_of"] for one in _told(scene).values()] == [said] * (said is not None)


@pytest.mark.parametrize(
    ("asker", "wanted", "own", "others"),
    [
        (("bridge",), ("bridge",), ["the default bridge"], ["the default bridge"]),
        (("app",), ("back",), ["app"], ["back"]),
        (("host",), ("host",), ["host"], ["host"]),
        (("bridge", "app"), ("bridge", "back"), ["app", "the default bridge"], ["back", "the default bridge"]),
        (("app",), ("app",), None, None),
        (("bridge", "app"), ("back", "app"), None, None),
    ],
    ids=["default-bridge", "apart", "host", "only-the-default-bridge-shared", "together", "one-shared"],
)
def test_a_shared_network_of_their_own_acquits(
    tmp_path: Path, asker: tuple[str, ...], wanted: tuple[str, ...], own: list[str] | None, others: list[str] | None
) -> None:
    """There Docker tells names; on the default bridge and on the host's network it tells none."""
    scene = _scene(tmp_path, asker=asker, wanted=wanted)
    ask(scene, 0, 1, DB)
    answer(scene, 5, 1, DB, outcome=NXDOMAIN)
    found = [(sorted(one.facts["own_networks"]), one.facts["networks"]) for one in _told(scene).values()]  # type: ignore[type-var, arg-type, union-attr]

    assert found == [(own, others)] * (own is not None)


def test_who_is_no_container_is_not_told(tmp_path: Path) -> None:
    """Somebody else's question for such a name is no matter of Docker's networks."""
    scene = _scene(tmp_path)
    scene.dumps["docker-inspect.json"] = scene.dumps["docker-inspect.json"][1:]  # type: ignore[index]
    ask(scene, 0, 1, DB)
    answer(scene, 5, 1, DB, outcome=NXDOMAIN)
    scene.points = type(scene.points)(list, {"wlan0": scene.points["wlan0"]})

    assert _told(scene) == {}


def test_all_questions_for_one_name_are_told_together(tmp_path: Path) -> None:
    """Whatever was asked, of whomever; the remedy connects both to one network."""
    scene = _scene(tmp_path, names=("app", DB))
    for number, (kind, server) in enumerate((("A", "8.8.8.8"), ("AAAA", "8.8.8.8"), ("A", "8.8.4.4")), 1):
        ask(scene, number * 100, number, DB, kind, server=server)
        answer(scene, number * 100 + 5, number, DB, kind, NXDOMAIN, server=server)
    (told,) = _told(scene).values()
    names, commands = told.facts["names"], told.facts["commands"]

    assert names.settled() == ["db A", "db AAAA"]  # type: ignore[union-attr]
    assert told.facts["servers"] == ["8.8.8.8", "8.8.4.4"]
    assert commands == [
        "docker network create NET", "docker network connect NET app", "docker network connect NET db",
    ]  # fmt: skip
    assert [str(one) for one in told.evidence] == ["veth-c2 #1", "veth-c2 #3", "veth-c2 #5"]
