"""Why nobody answers ARP: the owner's interface and port, the host's own address, the asker's route."""

from pathlib import Path
from typing import Any

import pytest

from tests.build import BRIDGE, C1, C2, UPLINK, arp, ether
from tests.explain.scene import HOST, INSIDE, Scene
from tests.explain.state import container, dumps, links, routes

ALL, NOBODY = "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"
WEB = "172.17.0.3"
MADE_WITH = "it is the gateway that network lan was made with, and nobody on that segment has it"
LOCAL = {"type": "local", "dst": INSIDE, "dev": "eth0", "table": "local"}
ON_LINK = {"dst": "172.17.0.0/16", "dev": "eth0", "prefsrc": INSIDE}
DEFAULT = {"dst": "default", "gateway": "172.17.0.1", "dev": "eth0"}


def _veth(index: int, name: str, **fields: object) -> dict[str, object]:
    return {"ifindex": index, "ifname": name, "operstate": "UP", "master": "docker0", "linkinfo": {"info_kind": "veth"},
            "address": f"02:00:00:00:00:0{index}", **fields}  # fmt: skip


def _eth0(mac: str, peer: int, ip: str, **fields: object) -> dict[str, object]:
    return {"ifindex": 2, "ifname": "eth0", "address": mac, "operstate": "UP", "link_index": peer,
            "linkinfo": {"info_kind": "veth"}, "addr_info": [{"local": ip}], **fields}  # fmt: skip


def _files() -> dict[str, Any]:
    bridge = {**links()[1], "linkinfo": {"info_kind": "bridge", "info_data": {"vlan_filtering": 1}}}
    return dumps(**{"ip-addr.json": [links()[0], bridge, _veth(5, "veth5"), _veth(6, "veth6")]}) | {
        "containers/c2/ip-addr.json": [_eth0(C1, 5, INSIDE)],
        "containers/c2/ip-route.json": [LOCAL, ON_LINK, DEFAULT],
        "containers/web/ip-addr.json": [_eth0(C2, 6, WEB)],
    }


def _changed(file: str, place: int, **fields: object) -> dict[str, Any]:
    found = _files()
    found[file][place] |= fields
    return found


def _vlan(name: str, vlan: int) -> dict[str, object]:
    return {"ifname": name, "vlans": [{"vlan": vlan, "flags": ["PVID", "Egress Untagged"]}]}


@pytest.mark.parametrize(
    ("files", "title", "command"),
    [
        (_files(), "nobody at veth-c2 answers ARP for 172.17.0.3", None),
        (_changed("ip-addr.json", 3, operstate="DOWN"), "veth6, which leads to web, is down", "ip link set veth6 up"),
        (
            _changed("ip-addr.json", 3, master=None),
            "veth6, which leads to web, is no port of docker0",
            "ip link set veth6 master docker0",
        ),
        (
            _files() | {"bridge-link.json": [{"ifname": "veth6", "master": "docker0", "state": "listening"}]},
            "veth6, which leads to web, is listening",
            None,
        ),
        (
            _files() | {"bridge-vlan.json": [_vlan("veth5", 1), _vlan("veth6", 20)]},
            "the ports are in VLANs 1 and 20",
            None,
        ),
        (
            _files() | {"bridge-vlan.json": [_vlan("veth5", 7), _vlan("veth6", 7)]},
            "nobody at veth-c2 answers ARP for 172.17.0.3",
            None,
        ),
        (
            _changed("ip-addr.json", 2, master=None),
            "veth5, which leads to c2, is no port of docker0",
            "ip link set veth5 master docker0",
        ),
        (_changed("containers/web/ip-addr.json", 0, address="02:00:00:00:00:77"), "web has lost its interface", None),
        (
            _changed("containers/web/ip-addr.json", 0, operstate="DOWN"),
            "eth0 is down in web",
            "nsenter -t \"$(docker inspect -f '{{.State.Pid}}' web)\" -n ip link set eth0 up",
        ),
        (
            _changed("containers/web/ip-addr.json", 0, addr_info=[{"local": "172.17.0.7"}]),
            "web has not that address, it has 172.17.0.7",
            None,
        ),
    ],
    ids=["nothing-known", "port-down", "no-port", "spanning-tree", "vlans", "one-vlan", "asker-off",
         "no-interface", "down-inside",
         "lost-address"],
)  # fmt: skip
def test_the_owner(tmp_path: Path, files: dict[str, Any], title: str, command: str | None) -> None:
    """From its port on the host to its own address."""
    scene = Scene(tmp_path, dumps=files)
    for ms in (10, 20, 30):
        scene.see("veth-c2", ms, ether(C1, ALL, arp(1, C1, INSIDE, NOBODY, WEB), 0x0806))
    (finding,) = scene.findings("arp-unanswered")

    assert finding.title == f"c2 cannot reach web: {title}"
    assert finding.commands == ((command,) if command is not None else ())


@pytest.mark.parametrize(
    ("asked", "files", "title"),
    [
        ("172.17.0.1", _changed("ip-addr.json", 1, operstate="DOWN"), "docker0, which has it, is down"),
        (
            "172.17.0.1",
            _files() | {"sysctl.txt": "net.ipv4.conf.docker0.arp_ignore = 8\n"},
            "net.ipv4.conf.docker0.arp_ignore keeps this host from answering",
        ),
        (
            "172.17.0.254",
            _files() | {"containers/c2/ip-route.json": [LOCAL, ON_LINK, {**DEFAULT, "gateway": "172.17.0.254"}]},
            "it is the default gateway of c2, and its network's is 172.17.0.1",
        ),
        (
            "172.17.0.1",
            _files() | {"bridge-link.json": [{"ifname": "veth5", "master": "docker0", "state": "listening"}]},
            "veth5, which leads to c2, is listening",
        ),
        (
            "10.1.2.3",
            _files() | {"containers/c2/ip-route.json": [LOCAL, {"dst": "10.0.0.0/8", "dev": "eth0"}, DEFAULT]},
            "c2 takes it for a neighbour by the route “10.0.0.0/8 dev eth0”",
        ),
        ("172.17.0.99", _files(), "no container of network bridge has it"),
    ],
    ids=["own-down", "arp-ignore", "wrong-gateway", "its-own-port", "on-link", "nobody"],
)
def test_the_host_and_the_asker(tmp_path: Path, asked: str, files: dict[str, Any], title: str) -> None:
    """The host's own address, and what is asked for by mistake."""
    scene = Scene(tmp_path, dumps=files)
    for ms in (10, 20, 30):
        scene.see("veth-c2", ms, ether(C1, ALL, arp(1, C1, INSIDE, NOBODY, asked), 0x0806))
    (finding,) = scene.findings("arp-unanswered")

    assert finding.title == f"c2 cannot reach {asked}: {title}"


@pytest.mark.parametrize(
    ("asked", "way", "title"),
    [
        ("192.168.1.1", routes()[0], "the host's gateway does not answer"),
        (
            "9.9.9.9",
            {"dst": "default", "dev": "wlan0"},
            "the host's default route “default dev wlan0” has no gateway",
        ),
        ("192.168.1.77", routes()[0], "nobody at wlan0 answers ARP for 192.168.1.77"),
    ],
    ids=["gateway", "no-gateway", "on-its-segment"],
)
def test_what_the_host_asks(tmp_path: Path, asked: str, way: dict[str, object], title: str) -> None:
    """On its uplink."""
    scene = Scene(tmp_path, dumps=_files() | {"ip-route.json": [way, *routes()[1:]]})
    for ms in (10, 20, 30):
        scene.see("wlan0", ms, ether(UPLINK, ALL, arp(1, UPLINK, HOST, NOBODY, asked), 0x0806))
    (finding,) = scene.findings("arp-unanswered")

    assert finding.title.endswith(title)


def test_an_answer_to_somebody_else(tmp_path: Path) -> None:
    """It hides nothing: who asked first still gets none."""
    scene = Scene(tmp_path, dumps=_files())
    for ms in (10, 20, 30):
        scene.see("veth-c2", ms, ether(C1, ALL, arp(1, C1, INSIDE, NOBODY, "172.17.0.9"), 0x0806))
    scene.see("docker0", 40, ether(BRIDGE, ALL, arp(1, BRIDGE, "172.17.0.1", NOBODY, "172.17.0.9"), 0x0806))
    scene.see("docker0", 41, ether(C2, BRIDGE, arp(2, C2, "172.17.0.9", BRIDGE, "172.17.0.1"), 0x0806))

    assert len(scene.findings("arp-unanswered")) == 1


@pytest.mark.parametrize(
    ("asked", "prefix", "told"),
    [("192.168.5.10", "192.168.0.0/16", True), ("192.168.1.77", "192.168.0.0/16", False)],
    ids=["far", "near"],
)
def test_a_netmask_that_is_too_short(tmp_path: Path, asked: str, prefix: str, told: bool) -> None:
    """The host looks on its own segment for what is likely behind its router, which is near."""
    ways = [routes()[0], routes()[1], {"dst": prefix, "dev": "wlan0", "prefsrc": HOST}]
    scene = Scene(tmp_path, dumps=dumps(ip_route=ways))
    for ms in (10, 20, 30):
        scene.see("wlan0", ms, ether(UPLINK, ALL, arp(1, UPLINK, HOST, NOBODY, asked), 0x0806))
    (finding,) = scene.findings("arp-unanswered")

    assert ("wlan0 has the netmask /16" in finding.title) is told
    assert finding.commands == (("ip route add 192.168.5.0/24 via 192.168.1.1",) if told else ())


@pytest.mark.parametrize(("asked", "told"), [("172.17.5.10", True), ("172.17.0.99", False)])
def test_a_network_that_took_others_addresses(tmp_path: Path, asked: str, told: bool) -> None:
    """An address far above those that Docker gives out is hardly a container's."""
    scene = Scene(tmp_path, dumps=_files())
    for ms in (10, 20, 30):
        scene.see("veth-c2", ms, ether(C1, ALL, arp(1, C1, INSIDE, NOBODY, asked), 0x0806))
    (finding,) = scene.findings("arp-unanswered")

    assert ("network bridge has taken 172.17.0.0/16, in which it lies" in finding.title) is told


def test_a_network_without_a_gateway_on_purpose(tmp_path: Path) -> None:
    """inhibit_ipv4: nobody took the address away."""
    files = _changed("ip-addr.json", 1, addr_info=[])
    files["docker-network-inspect.json"][0]["Options"]["com.docker.network.bridge.inhibit_ipv4"] = "true"
    scene = Scene(tmp_path, dumps=files)
    for ms in (10, 20, 30):
        scene.see("veth-c2", ms, ether(C1, ALL, arp(1, C1, INSIDE, NOBODY, "172.17.0.1"), 0x0806))
    (finding,) = scene.findings("arp-unanswered")

    assert "network bridge was made without an address for its bridge (inhibit_ipv4)" in finding.title
    assert finding.commands == ()


@pytest.mark.parametrize(
    ("others", "command"),
    [(True, "ip route del 203.0.113.0/24 via 192.168.1.77"), (False, None)],
    ids=["a-default-beside", "no-default"],
)
def test_a_route_that_is_left_over(tmp_path: Path, others: bool, command: str | None) -> None:
    """Only if there is another way for what it is for, it may simply go."""
    way = {"dst": "203.0.113.0/24", "gateway": "192.168.1.77", "dev": "wlan0"}
    scene = Scene(tmp_path, dumps=_files() | {"ip-route.json": [way, *routes()[0 if others else 1 :]]})
    for ms in (10, 20, 30):
        scene.see("wlan0", ms, ether(UPLINK, ALL, arp(1, UPLINK, HOST, NOBODY, "192.168.1.77"), 0x0806))
    (finding,) = scene.findings("arp-unanswered")

    assert finding.title.endswith("the route for 203.0.113.0/24 leads to 192.168.1.77, which does not answer")
    assert finding.commands == ((command,) if command else ())


def _macvlan(gateway: str) -> dict[str, Any]:
    config = {"IPAM": {"Config": [{"Subnet": "192.168.1.0/24", "Gateway": gateway}]}}
    found = dumps(docker_inspect=[container("pihole", "192.168.1.50", C2, "lan")])
    found["docker-network-inspect.json"] = [{"Name": "lan", "Id": "a" * 64, "Driver": "macvlan", **config}]
    found["containers/pihole/ip-addr.json"] = [_eth0(C2, 2, "192.168.1.50", linkinfo={"info_kind": "macvlan"})]
    found["containers/pihole/ip-route.json"] = [{"dst": "default", "gateway": gateway, "dev": "eth0"}]
    return found


@pytest.mark.parametrize(
    ("gateway", "title"),
    [
        (
            "192.168.1.254",
            f"{MADE_WITH}; the host's own router there is 192.168.1.1",
        ),
        ("192.168.1.1", MADE_WITH),
    ],
    ids=["another-router", "the-router"],
)
def test_the_gateway_of_a_macvlan(tmp_path: Path, gateway: str, title: str) -> None:
    """It is the segment's own router, which Docker does not make."""
    scene = Scene(tmp_path, dumps=_macvlan(gateway))
    for ms in (10, 20, 30):
        scene.see("ct-pihole", ms, ether(C2, ALL, arp(1, C2, "192.168.1.50", NOBODY, gateway), 0x0806))
    (finding,) = scene.findings("arp-unanswered")

    assert finding.title == f"pihole cannot reach {gateway}: {title}"


def test_a_macvlan_is_no_port_of_a_bridge(tmp_path: Path) -> None:
    """Its parent leads to it: nobody has taken it from a bridge, and nobody may put the parent into one."""
    files = _macvlan("192.168.1.1")
    files["ip-addr.json"] = [{**links()[0], "linkinfo": {"info_kind": "veth"}}, links()[1]]
    scene = Scene(tmp_path, dumps=files)
    for ms in (10, 20, 30):
        scene.see("wlan0", ms, ether(UPLINK, ALL, arp(1, UPLINK, HOST, NOBODY, "192.168.1.50"), 0x0806))
    (finding,) = scene.findings("arp-unanswered")

    assert finding.title.endswith("a macvlan or ipvlan container and its host do not reach each other, by design")
    assert not finding.commands
