"""Which containers are meant: compose services, networks, all of them."""

import pytest

from analyzer.errors import SelectionError, ToolError
from analyzer.record.chosen import chosen
from analyzer.record.machine import Done, Machine

LABELS = "--filter label=com.docker.compose.project=shop --filter label=com.docker.compose.service=web"
FORMAT = "--format {{.Names}}"


class _Docker(Machine):
    name = "the host"

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers

    def run(self, *command: str, timeout: float = 1) -> Done:
        answer = self.answers.get(" ".join(command))
        return Done(1, "", "Cannot connect.") if answer is None else Done(0, answer, "")


DOCKER = _Docker({
    f"docker ps {LABELS} {FORMAT}": "shop-web-2\nshop-web-1\n",
    f"docker ps --filter network=back {FORMAT}": "db,web/db\nshop-web-1\n",
    f"docker ps --filter network=empty {FORMAT}": "",
    f"docker ps {FORMAT}": "shop-web-1\nshop-web-2\ndb\nlone\n",
})  # fmt: skip


@pytest.mark.parametrize(
    ("names", "networks", "everything", "found"),
    [
        (["web", "0123abc"], [], False, ["web", "0123abc"]),
        (["shop/web"], [], False, ["shop-web-1", "shop-web-2"]),
        (["lone", "shop/web"], ["back"], False, ["lone", "shop-web-1", "shop-web-2", "db"]),
        (["db"], [], True, ["db", "lone", "shop-web-1", "shop-web-2"]),
        ([], [], False, []),
    ],
    ids=["names", "service", "service-and-network", "all", "none"],
)
def test_who_is_meant(names: list[str], networks: list[str], everything: bool, found: list[str]) -> None:
    """Each container once, those that were named first; a name that is no service is left for Docker to know."""
    assert chosen(DOCKER, names, networks, everything=everything) == found


def test_nothing_runs_there() -> None:
    """Said, with what was asked for."""
    with pytest.raises(SelectionError, match=r"^no container runs on a network empty on the host$"):
        chosen(DOCKER, [], ["empty"], everything=False)


def test_docker_does_not_answer() -> None:
    """As it says itself."""
    with pytest.raises(ToolError, match=r"^docker: Cannot connect.$"):
        chosen(DOCKER, ["other/web"], [], everything=False)
