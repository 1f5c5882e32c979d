"""Which containers' own namespaces are recorded, and what comes back from them."""

from pathlib import Path
from typing import Any

import pytest

from analyzer.errors import ToolError
from analyzer.record.inside import MOST, Running, apart, ask, overlays, running
from analyzer.record.machine import Deadline, Machine

ENTERS = '#!/bin/sh\nfor word; do [ "$word" = 13 ] && exit 1; done\nshift 3\nexec "$@"\n'
"""Takes nsenter's place: runs the command where it is; the process 13 is gone."""


def _container(name: str = "web", pid: object = 7, mode: str = "bridge", **fields: str) -> dict[str, Any]:
    paths = {"ResolvConfPath": "/var/lib/docker/containers/x/resolv.conf", "HostsPath": "/var/lib/docker/x/hosts"}
    return {"Name": f"/{name}", "State": {"Pid": pid}, "HostConfig": {"NetworkMode": mode}, **paths, **fields}


@pytest.mark.parametrize("mode", ["bridge", "none", "shop_default", "hostile"])
def test_a_container_with_a_namespace_of_its_own_is_asked(mode: str) -> None:
    """Whatever its network is called."""
    assert [one.name for one in running([_container(mode=mode)])] == ["web"]


@pytest.mark.parametrize(
    "container",
    [
        _container(mode="host"),
        _container(pid=0),
        _container(pid=None),
        _container(pid="7; reboot"),
        _container("-t"),
        _container("a b"),
        _container("x" * 129),
        _container(ResolvConfPath="/etc/resolv.conf /etc/shadow"),
        _container(HostsPath="$(reboot)"),
        _container(HostsPath="relative"),
    ],
)
def test_who_is_on_the_hosts_network_or_cannot_be_named_is_left_out(container: dict[str, Any]) -> None:
    """The host's namespace, one that does not run, and what a shell would take for something else."""
    assert running([container, _container("other")]) == running([_container("other")])


def test_those_that_are_asked_for_come_first_and_there_is_an_end() -> None:
    """By name otherwise; so those that somebody captures are recorded on a host of hundreds."""
    names = [f"c{number:03}" for number in range(MOST + 9)]
    found = running([_container(name) for name in reversed(names)], first=["c070", "c071"])

    assert [one.name for one in found] == ["c070", "c071", *names[: MOST - 2]]


LINKS = """#!/bin/sh
case $1 in
/proc/7/*|/proc/9/*) echo 'net:[1]' ;;
/proc/8/*) echo 'net:[2]' ;;
*) exit 1 ;;
esac
"""
"""Takes readlink's place: 7 and 9 are in one namespace, 8 in another, and no other process is there."""


@pytest.mark.parametrize(
    ("pid", "there"), [(9, False), (8, True), (10, False)], ids=["in-place", "left-behind", "gone"]
)
def test_who_joined_another_one_is_asked_only_if_left_behind(
    pid: int, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the same would be recorded twice; but who is in a namespace of their own is asked in any case."""
    (tmp_path / "readlink").write_text(LINKS)
    (tmp_path / "readlink").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = running([_container("side", pid, "container:0123"), _container(), _container("gone", 11)])

    assert [one.name for one in apart(Machine(), Deadline(10), found)] == ["gone", *["side"] * there, "web"]


def test_nobody_joined_and_nothing_is_asked() -> None:
    """There is no time for it."""
    found = running([_container()])

    assert apart(Machine(), Deadline(0), found) == found


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    """A container whose namespace is this one, where few things are asked."""
    for name, script in (("nsenter", ENTERS), ("pidof", "#!/bin/sh\necho self\n")):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for name in ("resolv.conf", "hosts"):
        (tmp_path / name).write_text(f"the {name}\n")
    return Running("web", 7, str(tmp_path / "resolv.conf"), str(tmp_path / "hosts"))


ASKED = (("one.txt", ("printf", "a\nb c")), ("two.txt", ("false",)), ("three.txt", ("echo", "$name 'x'")))


def _asked(*containers: Running) -> list[tuple[str, str, str]]:
    return list(ask(Machine(), Deadline(10), containers, ASKED))


def test_each_dump_comes_back_with_its_container_and_file(inside: Running) -> None:
    """Letter by letter; what failed is left out, and the files are those that Docker made."""
    other = Running("shop", 8, "/nowhere/resolv.conf", inside.hosts)

    assert _asked(inside, other) == [
        ("web", "one.txt", "a\nb c"), ("web", "three.txt", "$name 'x'\n"),
        ("web", "resolv.conf", "the resolv.conf\n"), ("web", "hosts", "the hosts\n"),
        ("shop", "one.txt", "a\nb c"), ("shop", "three.txt", "$name 'x'\n"), ("shop", "hosts", "the hosts\n"),
    ]  # fmt: skip


def test_a_container_that_ended_meanwhile_does_not_stop_the_others(inside: Running) -> None:
    """Nothing can be asked in it."""
    gone = Running("gone", 13, "/nowhere", "/nowhere")

    assert {name for name, _, _ in _asked(gone, inside)} == {"web"}


def test_where_no_namespace_can_be_entered_it_is_told_why(inside: Running) -> None:
    """Nothing was recorded, and that is no empty recording."""
    with pytest.raises(ToolError, match="nsenter: "):
        _asked(Running("gone", 13, "/nowhere", "/nowhere"))


def test_overlay_networks_have_namespaces_beside_those_of_containers() -> None:
    """Where Docker says that those are; other networks have none, and odd names are left out."""
    key = {"NetworkSettings": {"SandboxKey": "/run/x/netns/0123"}}
    networks = [{"Name": name, "Id": identity, "Driver": driver} for name, identity, driver in (
        ("ov", "abcdefghijklmno", "overlay"), ("own", "f" * 64, "bridge"), ("a b", "abcdefghijklmno", "overlay"),
        ("bad", "../../../etc", "overlay"))]  # fmt: skip

    assert [(one.name, one.text) for one in overlays(networks, [{}, key])] == [
        ("ov", "ov /run/x/netns/1-abcdefghij / /")
    ]
    assert [one.path for one in overlays(networks, [])] == ["/var/run/docker/netns/1-abcdefghij"]


ENTERS_PATH = '#!/bin/sh\n[ -e "${1#--net=}" ] || exit 1\nshift\nexec "$@"\n'


def test_a_namespace_that_has_a_path_is_entered_by_it(inside: Running, tmp_path: Path) -> None:
    """One that is not there, for no task of that network runs here, is no failure."""
    (tmp_path / "nsenter").write_text(ENTERS_PATH)
    (tmp_path / "1-abc").write_text("")
    found, gone = (Running("ov", 0, "/", "/", path=str(tmp_path / name)) for name in ("1-abc", "1-def"))
    asked = (("one.txt", ("echo", "$name")),)

    assert list(ask(Machine(), Deadline(10), [gone, found], asked)) == [("ov", "one.txt", "$name\n")]
    assert list(ask(Machine(), Deadline(10), [gone], asked)) == []
