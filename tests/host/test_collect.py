"""Recording a host's state: what cannot be had is named, and the rest is there."""

import json
from pathlib import Path

import pytest

from analyzer.capture.machine import Done, Machine
from analyzer.host.collect import DUMPS, collect, save


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
