"""Recording a host's state: what cannot be had is named, and the rest is there."""

import json
from pathlib import Path

import pytest

from analyzer.record.collect import DUMPS, collect
from analyzer.record.machine import Deadline, Done, Machine
from analyzer.state.dumps import NAMES

ANY_TIME = Deadline(3600)


class _Answers(Machine):
    """A machine on which some programs fail; what the others say does not matter here."""

    def __init__(self, *failing: str) -> None:
        self._failing = failing

    def has(self, program: str) -> bool:
        return program not in self._failing

    def run(self, *command: str, timeout: float = 1, deadline: Deadline | None = None) -> Done:
        if command[0] in self._failing:
            return Done(1, "", f"Cannot connect to {command[0]}.\nIs it running?")
        return Done(0, "{}", "")


def test_docker_is_down(tmp_path: Path) -> None:
    """Everything else is recorded, and three problems say what is missing, in one line each."""
    problems = collect(_Answers("docker"), tmp_path / "host", ANY_TIME)
    recorded = {path.name for path in (tmp_path / "host").iterdir()}

    assert problems == [
        f"host/{file}: docker: Is it running?"
        for file in ("docker-version.json", "docker-inspect.json", "docker-network-inspect.json")
    ]
    assert recorded == {file for file, _ in DUMPS if not file.startswith("docker")} | {"ipset.txt"}


def test_a_folder_is_written_once(tmp_path: Path) -> None:
    """What is there is not written over: that is a problem, and costs nothing else."""
    collect(_Answers(), tmp_path / "host", ANY_TIME)
    (tmp_path / "host" / "nstat.txt").write_text("kept")

    assert collect(_Answers("ip"), tmp_path / "host", ANY_TIME) == ["host: File exists"]
    assert (tmp_path / "host" / "nstat.txt").read_text() == "kept"


def test_the_sample_bundle_is_one_recording() -> None:
    """Docker's version and events in it are those of its own engine, containers and time."""
    folder = Path(__file__).parents[2] / "sample_pcaps" / "bundle"
    manifest = json.loads((folder / "manifest.json").read_text())
    version = json.loads((folder / "host" / "docker-version.json").read_text())
    known = {container["Id"] for container in json.loads((folder / "host" / "docker-inspect.json").read_text())}
    events = [json.loads(line) for line in (folder / "docker-events.json").read_text().splitlines()]

    assert version["Server"]["Version"] == manifest["versions"]["docker"]
    assert events
    assert {event["Actor"]["ID"] for event in events if event["Type"] == "container"} <= known
    assert all(manifest["started_ns"] <= event["timeNano"] <= manifest["stopped_ns"] for event in events)


class _Recorded(Machine):
    """A machine that says which command it was asked; Docker has containers and networks of given ids."""

    def __init__(self, containers: str = "", networks: str = "", ipset: bool = False) -> None:
        self._lists = {"docker ps -q --no-trunc": containers, "docker network ls -q --no-trunc": networks}
        self._ipset = ipset

    def has(self, program: str) -> bool:
        return program == "ipset" and self._ipset

    def run(self, *command: str, timeout: float = 1, deadline: Deadline | None = None) -> Done:
        text = " ".join(command)
        return Done(0, self._lists.get(text, f"says {text}"), "and complains")


def test_what_is_asked(tmp_path: Path) -> None:
    """Each dump is what its command prints; containers and networks are inspected all at once."""
    problems = collect(_Recorded("c1\nc2\n", "n1\nn2\n", ipset=True), tmp_path / "host", ANY_TIME)
    dumps = {path.name: path.read_text() for path in (tmp_path / "host").iterdir()}

    assert problems == []
    assert sorted(dumps) == sorted(NAMES)
    assert dumps == {
        **{file: f"says {' '.join(command)}" for file, command in DUMPS},
        "ipset.txt": "says ipset save",
        "docker-inspect.json": "says docker inspect c1 c2",
        "docker-network-inspect.json": "says docker network inspect n1 n2",
    }


def test_without_ipset_and_containers(tmp_path: Path) -> None:
    """What is not there is neither asked for nor a problem."""
    problems = collect(_Recorded(networks="n1"), tmp_path / "host", ANY_TIME)

    assert problems == []
    assert {path.name for path in (tmp_path / "host").iterdir()} == {
        *(file for file, _ in DUMPS), "docker-network-inspect.json"
    }  # fmt: skip


class _Says(Machine):
    """A machine on which ``ip addr`` says something odd, or anything at all goes wrong there."""

    def __init__(self, text: str | Exception) -> None:
        self._text = text

    def has(self, program: str) -> bool:
        return False

    def run(self, *command: str, timeout: float = 1, deadline: Deadline | None = None) -> Done:
        if command != ("ip", "-j", "-d", "addr"):
            return Done(0, "", "")
        if isinstance(self._text, Exception):
            raise self._text
        return Done(0, self._text, "")


def test_what_is_written(tmp_path: Path) -> None:
    """The texts as they are, in UTF-8; what has no form in it is replaced; an empty one is a file, too."""
    problems = collect(_Says("größer \udc80\n"), tmp_path / "host", ANY_TIME)

    assert problems == []
    assert (tmp_path / "host" / "ip-addr.json").read_bytes() == b"gr\xc3\xb6\xc3\x9fer ?\n"
    assert (tmp_path / "host" / "nstat.txt").read_bytes() == b""


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (ValueError("odd"), "ValueError: odd"),
        (IndexError(), "IndexError: "),
    ],
)
def test_whatever_fails_costs_its_own_dump(tmp_path: Path, error: Exception, told: str) -> None:
    """It is told, and every other one is there."""
    assert collect(_Says(error), tmp_path / "host", ANY_TIME) == [f"host/ip-addr.json: {told}"]
    assert {path.name for path in (tmp_path / "host").iterdir()} == {file for file, _ in DUMPS} - {"ip-addr.json"}


class _Hung(Machine):
    """A machine whose Docker does not answer."""

    def has(self, program: str) -> bool:
        return False

    def run(self, *command: str, timeout: float = 10, deadline: Deadline | None = None) -> Done:
        script = "sleep 60" if command[0] == "docker" else "echo {}"
        done = super().run("sh", "-c", script, timeout=timeout, deadline=deadline)
        return Done(done.code, done.out, done.err.replace("sh:", f"{command[0]}:"))


def test_one_that_hangs_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """All of them together have one limit; what was asked first is there."""
    problems = collect(_Hung(), tmp_path / "host", Deadline(2))

    assert {problem.split(":")[0] for problem in problems} == {
        "host/docker-version.json", "host/docker-inspect.json", "host/docker-network-inspect.json"
    }  # fmt: skip
    assert len(list((tmp_path / "host").iterdir())) == len(DUMPS) - 1
