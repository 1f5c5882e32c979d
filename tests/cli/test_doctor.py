"""A host's state is looked at without captures, or it is told that it was not."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analyzer.cli import main
from tests.explain.scene import Scene
from tests.explain.state import dumps, rules

ON = "net.ipv4.ip_forward = 1\n"


def _doctor(*words: object, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, ["doctor", *(str(word) for word in words)], env={"COLUMNS": "200", **(env or {})})


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A healthy host's dumps."""
    return Scene(tmp_path, dumps=dumps())


def test_nothing_is_wrong_with_a_healthy_host(scene: Scene) -> None:
    """All that is needed is there, so nothing is said to be unknown."""
    told = _doctor("--host", scene.write() / "host", "--fail-on", "warning")

    assert told.exit_code == 0
    assert "nothing wrong was found\n" in told.stdout
    assert "not known" not in told.stdout


@pytest.mark.parametrize(("words", "code"), [((), 0), (("--fail-on", "error"), 1)])
def test_a_finding_fails_only_where_somebody_asked(scene: Scene, words: tuple[str, ...], code: int) -> None:
    """A host that does not forward keeps containers from all that is outside."""
    scene.dumps["sysctl.txt"] = ON.replace("1", "0")
    told = _doctor("--host", scene.write() / "host", *words)

    assert told.exit_code == code
    assert "forwarding-disabled" in told.stdout
    assert "nothing wrong" not in told.stdout


@pytest.mark.parametrize("name", ["iptables-save.txt", "sysctl.txt", "docker-inspect.json"])
def test_what_was_not_recorded_is_named(scene: Scene, name: str) -> None:
    """That nothing was found says only so much then."""
    del scene.dumps[name]
    told = _doctor("--host", scene.write() / "host")

    assert [line for line in told.stdout.splitlines() if line.startswith("not known")] == [
        f"not known: {name}: not there"
    ]
    assert "nothing wrong was found in what could be read" in told.stdout


def test_a_dump_that_cannot_be_read_is_named(scene: Scene) -> None:
    """It is there, but nobody knows what it says."""
    scene.dumps["iptables-save.txt"] = rules()
    scene.dumps["ip-route.json"] = "["
    told = _doctor("--host", scene.write() / "host")

    assert "not known: ip-route.json: not as its command prints it" in told.stdout


@pytest.mark.parametrize("names", [(), ("resolv.conf",), ("hosts", "resolv.conf")])
def test_a_folder_without_dumps_is_no_host(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Files that any folder like /etc has are none; nothing is said to be well."""
    for name in names:
        (tmp_path / name).write_text("")
    told = _doctor("--host", tmp_path)

    assert (told.exit_code, told.stdout) == (3, "")
    assert "no dump of a host's state is there, so nothing was looked at" in told.stderr


def test_a_host_that_cannot_be_asked_is_named() -> None:
    """With what is missing there."""
    told = _doctor("--ssh", "user@host", env={"HOPTRACE_SSH": shutil.which("false") or "false"})

    assert (told.exit_code, told.stdout) == (3, "")
    assert told.stderr == "hoptrace: ip is missing on user@host: apt-get install iproute2\n"
