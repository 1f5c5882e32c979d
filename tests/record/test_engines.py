"""What an engine says of its containers and networks."""

import json

import pytest

from analyzer.errors import ToolError
from analyzer.record.engines import DOCKER, NERDCTL, PODMAN, Engine, Network
from tests.record.host import Host


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

    assert DOCKER.network(Host(answers), "net") == found


def test_nerdctls_own_bridge() -> None:
    """That of its network ``bridge`` has a name of its own; the others have Docker's."""
    told = {"nerdctl network inspect -- bridge": json.dumps([{"Name": "bridge", "Id": "17f2"}]),
            "nerdctl network inspect -- back": json.dumps([{"Name": "back", "Id": "0123456789abcdef"}])}  # fmt: skip

    assert [NERDCTL.network(Host(told), name).bridge for name in ("bridge", "back")] == ["nerdctl0", "br-0123456789ab"]


@pytest.mark.parametrize(
    ("engine", "error", "said"),
    [
        (
            DOCKER,
            "permission denied",
            "docker on the host: permission denied: needs root, or membership of the group docker",
        ),
        (NERDCTL, "permission denied", "nerdctl on the host: permission denied: needs root"),
        (PODMAN, "gone", "podman on the host: gone"),
    ],
)
def test_why_one_does_not_answer(engine: Engine, error: str, said: str) -> None:
    """Docker alone has a group."""
    assert engine.problem(Host({}, **{engine.name: error})) == said


def test_a_container_that_is_not_there() -> None:
    """Is none; anything else that goes wrong is told."""
    assert DOCKER.container(Host({}, docker="Error: No such container: web"), "web") is None
    with pytest.raises(ToolError, match=r"^docker: Cannot connect$"):
        DOCKER.container(Host({}, docker="Cannot connect"), "web")
