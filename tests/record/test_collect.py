"""Recording a host's state: what cannot be had is named, and the rest is there."""

import json
from pathlib import Path

import pytest

from analyzer.host.load import NAMES
from analyzer.record.collect import DUMPS, Dump, collect, save
from analyzer.record.machine import Done, Machine


class _Answers(Machine):
    """A machine on which some programs fail; what the others say does not matter here."""

    def __init__(self, *failing: str) -> None:
        self._failing = failing

    def has(self, program: str) -> bool:
        return program not in self._failing

    def run(self, *command: str, timeout: float = 1) -> Done:
        if command[0] in self._failing:
            return Done(1, "", f"Cannot connect to {command[0]}.\nIs it running?")
        return Done(0, "{}", "")


def test_docker_is_down(tmp_path: Path) -> None:
    """Everything else is recorded, and three problems say what is missing, in one line each."""
    problems = save(collect(_Answers("docker")), tmp_path / "host")
    recorded = {path.name for path in (tmp_path / "host").iterdir()}

    assert problems == [
        f"host/{file}: docker: Is it running?"
        for file in ("docker-version.json", "docker-inspect.json", "docker-network-inspect.json")
    ]
    assert recorded == {file for file, _ in DUMPS if not file.startswith("docker")} | {"ipset.txt"}


def test_a_folder_is_written_once(tmp_path: Path) -> None:
    """What is there is not written over."""
    save(collect(_Answers()), tmp_path / "host")

    with pytest.raises(FileExistsError):
        save(collect(_Answers()), tmp_path / "host")


def test_real_programs_that_are_not_there() -> None:
    """A missing program, and one that hangs, are failures like others."""
    machine = Machine()

    assert machine.run("no-such-program").reason == "no-such-program: not found"
    assert machine.run("sleep", "5", timeout=0.1).reason == "sleep: no answer in 0 s"


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

    def run(self, *command: str, timeout: float = 1) -> Done:
        text = " ".join(command)
        return Done(0, self._lists.get(text, f"says {text}"), "and complains")


def test_what_is_asked() -> None:
    """Each dump is what its command prints; containers and networks are inspected all at once."""
    dumps = {dump.file: dump.text for dump in collect(_Recorded("c1\nc2\n", "n1\nn2\n", ipset=True))}

    assert sorted(dumps) == sorted(NAMES)
    assert dumps == {
        **{file: f"says {' '.join(command)}" for file, command in DUMPS},
        "ipset.txt": "says ipset save",
        "docker-inspect.json": "says docker inspect c1 c2",
        "docker-network-inspect.json": "says docker network inspect n1 n2",
    }


def test_without_ipset_and_containers() -> None:
    """What is not there is neither asked for nor a problem."""
    dumps = list(collect(_Recorded(networks="n1")))

    assert [dump.file for dump in dumps] == [*(file for file, _ in DUMPS), "docker-network-inspect.json"]
    assert all(dump.problem == "" for dump in dumps)


def test_what_is_written(tmp_path: Path) -> None:
    """The texts as they are, in UTF-8; what has no form in it is replaced, and what failed has no file."""
    dumps = iter(
        [Dump("a.txt", "größer\n"), Dump("b.txt", "cut \udc80"), Dump("c.txt", None, "ip: no"), Dump("d.txt", "")]
    )
    problems = save(dumps, tmp_path / "host")

    assert problems == ["host/c.txt: ip: no"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "host").iterdir()} == {
        "a.txt": b"gr\xc3\xb6\xc3\x9fer\n", "b.txt": b"cut ?", "d.txt": b""
    }  # fmt: skip


def test_no_file_is_written_over(tmp_path: Path) -> None:
    """Not even by another dump of the same recording."""
    with pytest.raises(FileExistsError):
        save(iter([Dump("a.txt", "1"), Dump("a.txt", "2")]), tmp_path / "host")

    assert (tmp_path / "host" / "a.txt").read_text() == "1"
