"""Recording a host's state: what cannot be had is named, and the rest is there."""

import json
from pathlib import Path

import pytest

from analyzer.record.collect import collect
from analyzer.record.dumps import FOR_PEOPLE, HOST, OPTIONAL, about_engine, version_of
from analyzer.record.machine import Deadline, Done, Machine
from analyzer.state.dumps import NAMES

ANY_TIME = Deadline(3600)


class _Answers(Machine):
    """A machine on which some programs fail; what the others say does not matter here."""

    def __init__(self, *failing: str) -> None:
        self._failing = failing

    def has(self, program: str) -> bool:
        return program not in ("podman", "nerdctl", "crictl")

    def run(self, *command: str, timeout: float = 1, deadline: Deadline | None = None) -> Done:
        if command[0] in self._failing:
            return Done(1, "", f"Cannot connect to {command[0]}.\nIs it running?")
        return Done(0, "{}", "")


def test_docker_is_down(tmp_path: Path) -> None:
    """Everything else is recorded, and one line says what is missing: it is asked nothing else."""
    problems = collect(_Answers("docker"), tmp_path / "host", ANY_TIME)
    recorded = {path.name for path in (tmp_path / "host").iterdir()}

    assert problems == ["host/docker-version.json: docker: Is it running?"]
    assert recorded == {file for file, _ in (*HOST, *OPTIONAL, *FOR_PEOPLE)}


def test_an_engine_that_nobody_uses_is_down(tmp_path: Path) -> None:
    """It is no problem where another one answers, unless it answered before."""

    class _Both(_Answers):
        def has(self, program: str) -> bool:
            return program not in ("nerdctl", "crictl")

    assert collect(_Both("podman"), tmp_path / "host", ANY_TIME) == []
    (tmp_path / "other-before").mkdir()
    (tmp_path / "other-before" / "podman-version.json").write_text("{}")
    assert collect(_Both("podman"), tmp_path / "other", ANY_TIME) == [
        "other/podman-version.json: podman: Is it running?"
    ]


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


OF_DOCKER = (version_of("docker"), *about_engine("docker"))
OWN = [command for file, command in (*OPTIONAL, *OF_DOCKER) if file in ("daemon.json", "docker-info.json")]
"""What Docker says of itself: documents, of which parts are kept."""


class _Recorded(Machine):
    """A machine that says which command it was asked; Docker has containers and networks of given ids."""

    def __init__(self, containers: str = "", networks: str = "", optional: bool = False) -> None:
        self._lists = {"docker ps -aq --no-trunc": containers, "docker network ls -q --no-trunc": networks}
        self._missing = () if optional else tuple(command for _, command in (*OPTIONAL, *FOR_PEOPLE))

    def has(self, program: str) -> bool:
        return program not in ("podman", "nerdctl", "crictl")

    def run(self, *command: str, timeout: float = 1, deadline: Deadline | None = None) -> Done:
        text = " ".join(command)
        if command in self._missing:
            return Done(127, "", f"{command[0]}: not found")
        if command in OWN:
            return Done(0, json.dumps({"icc": text, "Driver": text, "proxies": "secret"}), "and complains")
        if "inspect" in command:
            return Done(0, json.dumps([{"Id": text, "Config": {"Env": ["PASSWORD=x"]}}]), "and complains")
        return Done(0, self._lists.get(text, f"says {text}"), "and complains")


def test_what_is_asked(tmp_path: Path) -> None:
    """Each dump is what its command prints; containers and networks are inspected all at once."""
    problems = collect(_Recorded("c1\nc2\n", "n1\nn2\n", optional=True), tmp_path / "host", ANY_TIME)
    dumps = {path.name: path.read_text() for path in (tmp_path / "host").iterdir()}

    assert problems == []
    assert set(dumps) - {file for file, _ in FOR_PEOPLE} - {"docker-info.json"} < set(NAMES)
    containers, networks = (json.loads(dumps.pop(f"docker-{of}inspect.json")) for of in ("", "network-"))
    daemon, info = (json.loads(dumps.pop(file)) for file in ("daemon.json", "docker-info.json"))
    asked = {file: " ".join(command) for file, command in (*HOST, *OPTIONAL, *FOR_PEOPLE, *OF_DOCKER)}
    assert (daemon, info) == ({"icc": asked.pop("daemon.json")}, {"Driver": asked.pop("docker-info.json")})
    assert dumps == {file: f"says {command}" for file, command in asked.items()}
    assert containers == [{"Id": "docker inspect --type container c1 c2", "Config": {}}]
    assert networks == [{"Id": "docker network inspect n1 n2"}]


def test_without_programs_and_containers(tmp_path: Path) -> None:
    """What is not there is neither asked for nor a problem."""
    problems = collect(_Recorded(networks="n1"), tmp_path / "host", ANY_TIME)

    assert problems == []
    assert {path.name for path in (tmp_path / "host").iterdir()} == {
        *(file for file, _ in (*HOST, *OF_DOCKER)), "docker-network-inspect.json"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "told"), [(1, ["host/ufw.txt: ufw: no"]), (127, []), (252, [])], ids=["fails", "not-there", "not-in-use"]
)
def test_optional_programs(tmp_path: Path, code: int, told: list[str]) -> None:
    """One that is there and fails is a problem; one that is not there, or not in use, is none."""

    class _Ufw(_Recorded):
        def run(self, *command: str, timeout: float = 1, deadline: Deadline | None = None) -> Done:
            if command[0] == "ufw":
                return Done(code, "", "no")
            return super().run(*command, timeout=timeout, deadline=deadline)

    assert collect(_Ufw(optional=True), tmp_path / "host", ANY_TIME) == told


class _Entered(Machine):
    """A machine whose Docker knows some containers; each namespace says of itself what it is."""

    def __init__(self, *containers: dict[str, object]) -> None:
        self._containers = containers

    def has(self, program: str) -> bool:
        return program == "docker"

    def run(self, *command: str, timeout: float = 1, deadline: Deadline | None = None) -> Done:
        if command[:2] == ("docker", "inspect"):
            return Done(0, json.dumps(self._containers), "")
        if command[:2] == ("sh", "-c") and "nsenter" in command[2]:
            mark, *of = command[4:]
            parts = [f"[{one.split()[0]}]\n{mark} {one.split()[0]} ip-addr.json 0\n" for one in of]
            parts += [f"nothing\n{mark} {one.split()[0]} ss.txt 127\n" for one in of]
            return Done(0, "".join(parts), "")
        return Done(0, "id" if command[:2] == ("docker", "ps") else "{}" if command[1:2] == ("info",) else "", "")


def _inspected(name: str, pid: int = 7, mode: str = "bridge", resolv: str = "/r/resolv.conf") -> dict[str, object]:
    return {
        "Name": f"/{name}", "State": {"Pid": pid}, "HostConfig": {"NetworkMode": mode}, "ResolvConfPath": resolv,
        "HostsPath": "/r/hosts",
    }  # fmt: skip


def test_inside_containers(tmp_path: Path) -> None:
    """Each that runs in a namespace of its own has a folder of its own; what failed there is left out."""
    machine = _Entered(
        _inspected("c1"), _inspected("c2"), _inspected("stopped", pid=0), _inspected("beside", mode="container:c1"),
        _inspected("hosts", mode="host"), _inspected("../c3"), _inspected("c4", resolv="/r/$(id)"),
    )  # fmt: skip

    assert collect(machine, tmp_path / "host", ANY_TIME) == []
    found = {str(one.relative_to(tmp_path / "host")): one.read_text() for one in (tmp_path / "host").rglob("*/*/*")}
    assert found == {"containers/c1/ip-addr.json": "[c1]", "containers/c2/ip-addr.json": "[c2]"}


def test_namespaces_that_nobody_may_enter(tmp_path: Path) -> None:
    """One problem, however many there are."""

    class _Refused(_Entered):
        def run(self, *command: str, timeout: float = 1, deadline: Deadline | None = None) -> Done:
            if command[:2] == ("sh", "-c") and "nsenter" in command[2]:
                return Done(1, "", "nsenter: cannot open /proc/7/ns/net: Permission denied")
            return super().run(*command, timeout=timeout, deadline=deadline)

    machine = _Refused(*(_inspected(f"c{number}") for number in range(9)))

    assert collect(machine, tmp_path / "host", ANY_TIME) == [
        "host/containers: nsenter: nsenter: cannot open /proc/7/ns/net: Permission denied"
    ]


class _Says(Machine):
    """A machine on which ``ip addr`` says something odd, or anything at all goes wrong there."""

    def __init__(self, text: str | Exception) -> None:
        self._text = text

    def has(self, program: str) -> bool:
        return False

    def run(self, *command: str, timeout: float = 1, deadline: Deadline | None = None) -> Done:
        if command != ("ip", "-s", "-s", "-j", "-d", "addr"):
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
    assert {path.name for path in (tmp_path / "host").iterdir()} == {file for file, _ in HOST} - {"ip-addr.json"}


class _Hung(Machine):
    """A machine whose Docker does not answer."""

    def has(self, program: str) -> bool:
        return program == "docker"

    def run(self, *command: str, timeout: float = 10, deadline: Deadline | None = None) -> Done:
        script = "sleep 60" if command[0] == "docker" else "echo {}"
        done = super().run("sh", "-c", script, timeout=timeout, deadline=deadline)
        return Done(done.code, done.out, done.err.replace("sh:", f"{command[0]}:"))


def test_one_that_hangs_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """All of them together have one limit; what was asked first is there."""
    problems = collect(_Hung(), tmp_path / "host", Deadline(2))

    assert [problem.split(":")[0] for problem in problems] == ["host/docker-version.json"]
    assert len(list((tmp_path / "host").iterdir())) == len(HOST) + len(OPTIONAL) + len(FOR_PEOPLE)
