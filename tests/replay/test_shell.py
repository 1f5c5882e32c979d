"""How containers and the world are plugged into a rebuilt host, with a small program in place of the host."""

import json
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from analyzer.errors import SelectionError, ToolError
from analyzer.model import Container, FdbEntry, HostState, Link, Mac, Neighbour, Network, Route
from analyzer.replay import shell as module
from analyzer.replay.shell import open_shell

TAKES = """
import json, os, sys
question = next(os.fdopen(int(sys.argv[1])))
open({asked!r}, "w").write(question)
print(json.dumps({answer}), file=os.fdopen(int(sys.argv[2]), "w"), flush=True)
sys.exit(7)
"""
MACS = [Mac(0x0242_AC11_0002), Mac(0x0242_AC11_0003)]
BRIDGE = Network("bridge", "id", "bridge", "docker0", (ip_network("172.17.0.0/16"),), (ip_address("172.17.0.1"),))
HOST = HostState(
    links=(
        Link(2, "wlan0", Mac(7), None, None, (ip_address("192.168.1.100"), ip_address("fe80::7")), 1500),
        Link(3, "docker0", Mac(8), "bridge", None, (ip_address("172.17.0.1"),), 1500),
        Link(4, "veth1", None, "veth", "docker0"),
        Link(5, "veth2", None, "veth", "docker0"),
    ),
    routes=(Route(ip_network("0.0.0.0/0"), "wlan0", ip_address("192.168.1.1"), 0, "main", "default"),),
    neighbours=(Neighbour(ip_address("192.168.1.1"), "wlan0", Mac(9), "REACHABLE"),),
    containers=(
        Container("web", "bridge", MACS[0], (ip_address("172.17.0.2"), ip_address("fd00::2"))),
        Container("c1", "bridge", MACS[1], (ip_address("172.17.0.3"),)),
        Container("away", "other", Mac(11), (ip_address("10.0.0.2"),)),
        Container("stopped", "bridge", None, ()),
    ),
    networks=(BRIDGE,),
    fdb=(FdbEntry(MACS[1], "veth2", "docker0", permanent=False), FdbEntry(Mac(11), "veth2", "docker0", permanent=True)),
    sysctls={"net.ipv4.ip_forward": "1"},
)
PORTS: dict[str, tuple[str, str | None]] = {"web": ("veth1", "docker0"), "stopped": ("veth2", "docker0")}


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the question to the host is afterwards; its shell ends with 7."""
    _answers(tmp_path, '{"failed": ["x"]}')
    monkeypatch.setattr(module, "INSIDE", tmp_path / "inside.py")
    monkeypatch.setattr(module, "unshared", lambda: ("env",))
    return tmp_path / "asked.json"


def _answers(folder: Path, answer: str) -> None:
    (folder / "inside.py").write_text(TAKES.format(asked=str(folder / "asked.json"), answer=answer))


def _question(asked: Path, container: str | None = None, host: HostState = HOST) -> Any:
    assert open_shell(host, container, PORTS) == 7
    return json.loads(asked.read_text())


def _lines(commands: list[list[str]]) -> list[str]:
    return [" ".join(words) for words in commands]


def test_a_container_has_its_own_addresses_and_way_out(asked: Path) -> None:
    """At eth0: its MAC, each address with its network's length, and the network's gateway."""
    web = _question(asked, "web")["containers"]["web"]

    assert _lines(web["commands"]) == [
        "ip link set dev eth0 address 02:42:ac:11:00:02", "ip addr add 172.17.0.2/16 dev eth0",
        "ip addr add fd00::2/128 dev eth0 nodad",
        "ip link set dev eth0 arp on multicast on promisc off up", "ip route add default via 172.17.0.1",
    ]  # fmt: skip


def test_the_interface_of_a_container_is_known_by_its_port_or_by_its_mac(asked: Path) -> None:
    """What the bridge learnt; without either, a network or an address, nobody can be plugged in."""
    question = _question(asked)

    assert question["containers"].keys() == {"web", "c1"}
    peers = {name: one["peer"] for name, one in question["containers"].items()}
    assert peers == {"web": question["peers"]["veth1"], "c1": question["peers"]["veth2"]}


def test_the_world_has_a_way_back_to_the_host(asked: Path) -> None:
    """By the uplink's addresses, but not by link-local ones; a bridge's ports lead to containers alone."""
    question = _question(asked)
    world, peer = _lines(question["world"]), question["peers"]["wlan0"]

    assert f"ip link set dev {peer} arp on" in world
    assert [line for line in world if "route add 192" in line] == [f"ip route add 192.168.1.100 dev {peer}"]
    assert not any("fe80" in line or question["peers"]["veth1"] in line.split() for line in world)


def test_neighbours_are_asked_anew(asked: Path) -> None:
    """The world has other MACs than the recorded one."""
    commands = [" ".join(one["words"]) for one in _question(asked)["commands"]]

    assert any("route" in line for line in commands)
    assert not any("neigh" in line for line in commands)


@pytest.mark.parametrize(("container", "where"), [(None, "in the rebuilt host:"), ("web", "in container web:")])
def test_the_greeting_says_where_one_is_and_what_is_missing(asked: Path, container: str | None, where: str) -> None:
    """And that all of it vanishes."""
    question = _question(asked, container, replace(HOST, sysctls={}))
    first, *more = question["greeting"].splitlines()

    assert where in first
    assert first.endswith("All of it vanishes with exit.")
    assert "not built: whether it forwards: not recorded, so taken as on" in more
    assert question["shell"] == (container or "")


def test_a_container_that_cannot_be_built_is_refused_with_those_that_can(asked: Path) -> None:
    """Before anything is started."""
    for name in ("lost", "stopped"):
        with pytest.raises(SelectionError, match=f"no container {name} that could be built; there are: c1, web"):
            open_shell(HOST, name, PORTS)
    with pytest.raises(SelectionError, match="there are: none"):
        open_shell(replace(HOST, networks=()), "web", PORTS)
    assert not asked.exists()


def test_what_goes_wrong_is_told(asked: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What could not be built stands before the shell; a host that could not be built at all is an error."""
    open_shell(HOST, None, PORTS)
    assert capfd.readouterr().err == "not built: x\n"

    _answers(asked.parent, '{"problem": "no room"}')
    with pytest.raises(ToolError, match="the host cannot be built here: no room"):
        open_shell(HOST, None, PORTS)
    (asked.parent / "inside.py").write_text("")
    with pytest.raises(ToolError, match="it ended without a word"):
        open_shell(HOST, None, PORTS)
