"""Where packets can be captured, on a machine that answers as Docker and iproute2 do."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from analyzer.errors import SelectionError, ToolError
from analyzer.model import Role
from analyzer.read.manifest import RecordedPoint
from analyzer.record.engines import DOCKER
from analyzer.record.inside import named
from analyzer.record.machine import Done, Machine
from analyzer.record.targets import Finder
from analyzer.record.tcpdump import Target

BETWEEN_PORTS = "frames that it forwards from port to port"
WEB_MAC, DB_MAC = "02:42:ac:11:00:02", "02:42:ac:12:00:02"
INSPECT = "docker inspect --type container --"
NETWORK = "docker network inspect --"
OVERLAY_ID = "0123456789abcdef"
DOCKERD = "sh -c grep -lx dockerd /proc/[0-9]*/comm 2>/dev/null"
ASK_INSIDE = "sh -c for i in /sys/class/net/*; do echo ${i##*/} $(cat $i/iflink); done"


class _Answers(Machine):
    """A machine that knows the answers to some commands; the others fail."""

    name = "the host"

    def __init__(self, answers: Mapping[str, object]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def run(self, *command: str, timeout: float = 1) -> Done:
        self.asked.append(" ".join(command))
        answer = self.answers.get(" ".join(command), Done(1, "", f"{command[-1]} failed"))
        if isinstance(answer, Done):
            return answer
        return Done(0, answer if isinstance(answer, str) else json.dumps(answer), "")


def _link(index: int, name: str, kind: str = "", master: str = "", **more: object) -> dict[str, Any]:
    info = {"linkinfo": {"info_kind": kind}} if kind else {}
    return {"ifindex": index, "ifname": name, **info, **({"master": master} if master else {}), **more}


def _end(name: str, peer: int, mac: str) -> dict[str, Any]:
    return _link(2, name, "veth", link_index=peer, address=mac, flags=["BROADCAST", "UP"])


def _container(
    name: str, pid: int, networks: Mapping[str, str], mode: str = "bridge", ports: object = None, **settings: object
) -> list[dict[str, Any]]:
    """One container as ``docker inspect`` prints it; its networks by name, with its MAC there."""
    return [
        {
            "Name": f"/{name}",
            "State": {"Running": True, "Status": "running", "Pid": pid},
            "HostConfig": {"NetworkMode": mode},
            "NetworkSettings": {
                "Networks": {network: {"MacAddress": mac} for network, mac in networks.items()},
                "Ports": ports,
                **settings,
            },
        }
    ]


LINKS = [
    _link(1, "lo", flags=["LOOPBACK", "UP"]),
    {},
    _link(2, "eth0"),
    _link(3, "docker0", "bridge"),
    _link(4, "br-app", "bridge"),
    _link(10, "veth10", "veth", "docker0"),
    _link(11, "veth11", "veth", "br-app"),
    _link(12, "veth12", "veth", "docker0"),
    _link(13, "tap13", "tun", "docker0"),
    _link(14, "veth14", "veth"),
]
HOST: dict[str, object] = {
    "ip -j -d link": LINKS,
    "ip -4 -j route show table all": [
        {"dst": "default", "gateway": "192.168.1.1", "dev": "eth0"},
        {"dst": "10.0.0.0/8", "dev": "tun0"},
    ],
    "ip -6 -j route show table all": [],
    f"{INSPECT} web": _container("web", 100, {"bridge": WEB_MAC}),
    "nsenter -t 100 -n ip -j -d link": [
        _link(1, "lo", flags=["LOOPBACK", "UP"]),
        {},
        _link(5, "gre0", "gre", flags=["NOARP"]),
        _link(6, "nothing"),
        _end("eth0", 10, WEB_MAC),
    ],
    f"{INSPECT} db": _container("db", 200, {"other": "02:00:00:00:00:09", "app": DB_MAC}),
    "nsenter -t 200 -n ip -j -d link": [_end("eth1", 11, DB_MAC)],
    f"{NETWORK} bridge": [{"Driver": "bridge", "Id": "b"}],
    f"{NETWORK} app": [{"Driver": "bridge", "Id": "a"}],
}
WEB = RecordedPoint("veth-web", "veth-web.pcap", "veth10", Role.VETH, "web", "bridge")
DOCKER0 = RecordedPoint("docker0", "docker0.pcap", "docker0", Role.BRIDGE, unseen=BETWEEN_PORTS)
OTHER = RecordedPoint("veth12", "veth12.pcap", "veth12", Role.VETH)
UPLINK = RecordedPoint("eth0", "eth0.pcap", "eth0", Role.UPLINK)


def _finder(*names: str, inside: bool = False, changed: Mapping[str, object] | None = None) -> Finder:
    """Find points of containers, on the host above with other answers."""
    finder = Finder(_Answers({**HOST, **(changed or {})}), inside)
    finder.containers([(DOCKER, name) for name in names])
    return finder


def _points(*names: str, inside: bool = False, changed: Mapping[str, object] | None = None) -> list[RecordedPoint]:
    return [one.point for one in _finder(*names, inside=inside, changed=changed).found]


def _interfaces(points: Sequence[RecordedPoint]) -> list[str]:
    return [point.interface for point in points]


def test_a_container_on_a_bridge() -> None:
    """Its veth, the bridge, the bridge's other veths, and the uplink; all of them in the host's namespace."""
    found = _finder("web").found

    assert [one.point for one in found] == [WEB, DOCKER0, OTHER, UPLINK]
    assert [one.target for one in found] == [
        Target("veth-web", "veth10"), Target("docker0", "docker0"), Target("veth12", "veth12"), Target("eth0", "eth0")
    ]  # fmt: skip


def test_several_containers() -> None:
    """All veths come first, then what they share, each interface once."""
    points = _points("web", "db", "web")

    assert points == [
        WEB,
        RecordedPoint("veth-db", "veth-db.pcap", "veth11", Role.VETH, "db", "app"),
        DOCKER0,
        OTHER,
        RecordedPoint("br-app", "br-app.pcap", "br-app", Role.BRIDGE, unseen=BETWEEN_PORTS),
        UPLINK,
    ]


def test_the_containers_own_ends() -> None:
    """With ``inside``, eth0 is called after the container alone, and loopback is captured: name servers are there."""
    ends = [_end("eth0", 10, WEB_MAC), _end("eth1", 11, DB_MAC)]
    web = _container("web", 100, {"bridge": WEB_MAC, "app": DB_MAC})
    changed = {f"{INSPECT} web": web, "nsenter -t 100 -n ip -j -d link": ends}
    found = _finder("web", inside=True, changed=changed).found
    inside = ("nsenter", "-t", "100", "-n")

    assert [(one.target, one.point) for one in found if one.target.prefix] == [
        (Target("ct-web", "eth0", inside),
         RecordedPoint("ct-web", "ct-web.pcap", "eth0", Role.CONTAINER, "web", "bridge")),
        (Target("ct-web-eth1", "eth1", inside),
         RecordedPoint("ct-web-eth1", "ct-web-eth1.pcap", "eth1", Role.CONTAINER, "web", "app")),
        (Target("ct-web-lo", "lo", inside), RecordedPoint("ct-web-lo", "ct-web-lo.pcap", "lo", Role.LOOPBACK, "web")),
    ]  # fmt: skip
    assert [one.point for one in found if not one.target.prefix] == [
        WEB,
        RecordedPoint("veth-web-2", "veth-web-2.pcap", "veth11", Role.VETH, "web", "app"),
        DOCKER0,
        OTHER,
        RecordedPoint("br-app", "br-app.pcap", "br-app", Role.BRIDGE, unseen=BETWEEN_PORTS),
        UPLINK,
    ]


def test_three_points_of_one_name() -> None:
    """The second and the third are counted from 2."""
    ends = [_end("eth0", 10, WEB_MAC), _end("eth1", 11, DB_MAC), _end("eth2", 12, "02:42:00:00:00:01")]
    found = _finder("web", changed={"nsenter -t 100 -n ip -j -d link": ends}).found

    assert [one.target.name for one in found[:3]] == ["veth-web", "veth-web-2", "veth-web-3"]


@pytest.mark.parametrize(("ports", "captured"), [(15, 15), (16, 16), (17, 1)])
def test_a_bridge_with_many_ports(ports: int, captured: int) -> None:
    """Up to 16 ports are all captured; of more, only those that were asked for."""
    links = [_link(3, "docker0", "bridge")]
    links += [_link(10 + n, f"veth{10 + n}", "veth", "docker0") for n in range(ports)]
    points = _points("web", changed={"ip -j -d link": links})

    assert sum(point.role is Role.VETH for point in points) == captured


@pytest.mark.parametrize(
    ("ports", "loopback"),
    [
        (None, False),
        ({}, False),
        ({"80/tcp": None}, False),
        ({"80/tcp": []}, False),
        ({"80/tcp": None, "81/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8081"}]}, True),
    ],
)
def test_a_published_port(ports: object, loopback: bool) -> None:
    """docker-proxy is reached by the host's loopback, which is the last point."""
    points = _points("web", "db", changed={f"{INSPECT} web": _container("web", 100, {"bridge": WEB_MAC}, ports=ports)})

    assert (points[-1] == RecordedPoint("lo", "lo.pcap", "lo", Role.LOOPBACK)) is loopback


def test_a_container_on_the_hosts_network() -> None:
    """It has no ends of its own, and still does not keep the others from being found."""
    host = _container("edge", 300, {"host": ""}, mode="host", ports={"80/tcp": [{"HostPort": "80"}]})
    finder = _finder("edge", "web", inside=True, changed={f"{INSPECT} edge": host})
    names = [one.point.name for one in finder.found]

    assert names == ["ct-web", "veth-web", "ct-web-lo", "docker0", "veth12", "eth0", "lo"]
    assert finder.notes == ["edge has the host's network: what it sends is among the host's own"]


def test_a_container_in_the_namespace_of_another() -> None:
    """The points are those of the container whose namespace it is."""
    sidecar = _container("sidecar", 101, {}, mode="container:web")

    finder = _finder("sidecar", changed={f"{INSPECT} sidecar": sidecar})

    assert [one.point for one in finder.found] == [WEB, DOCKER0, OTHER, UPLINK]
    assert finder.notes == ["sidecar has the network of web, and is seen as that"]


def test_a_container_in_the_namespace_of_one_that_is_gone() -> None:
    """It is looked at by itself; that it is left alone is no reason to record nothing."""
    sidecar = _container("sidecar", 101, {}, mode="container:web")
    gone = Done(1, "", "Error: No such container: web")
    changed = {f"{INSPECT} sidecar": sidecar, f"{INSPECT} web": gone, "nsenter -t 101 -n ip -j -d link": LINKS[:1]}
    finder = _finder("sidecar", changed=changed)

    assert [one.point for one in finder.found] == [UPLINK]
    assert finder.problems == ["sidecar shares the network of a container that is gone"]


@pytest.mark.parametrize("parent", [{"link_index": 2}, {"link_index": 99}, {}])
def test_macvlan(parent: dict[str, int]) -> None:
    """There is no other end: the interface itself is captured, and its parent where the host has it."""
    end = {**_link(7, "eth0", "macvlan", flags=["UP"], address=WEB_MAC), **parent}
    changed = {"nsenter -t 100 -n ip -j -d link": [end], "ip -4 -j route show table all": []}
    found = _finder("web", changed=changed).found
    shared = [UPLINK] if parent == {"link_index": 2} else []

    assert [one.point for one in found] == [
        RecordedPoint("ct-web", "ct-web.pcap", "eth0", Role.CONTAINER, "web"), *shared
    ]  # fmt: skip
    assert found[0].target == Target("ct-web", "eth0", ("nsenter", "-t", "100", "-n"))


def test_a_veth_without_a_bridge() -> None:
    """It shares nothing with others."""
    changed = {"nsenter -t 100 -n ip -j -d link": [_end("eth0", 14, WEB_MAC)]}

    assert _interfaces(_points("web", changed=changed)) == ["veth14", "eth0"]


@pytest.mark.parametrize("peer", [99, 3], ids=["no interface of that index", "one of that index that is no veth"])
def test_a_veth_whose_other_end_is_missing(peer: int) -> None:
    """Told; the container's packets are seen at its own end then, and its bridge is known to Docker."""
    changed = {
        "nsenter -t 100 -n ip -j -d link": [_end("eth0", peer, WEB_MAC)],
        f"{NETWORK} bridge": [
            {"Driver": "bridge", "Id": "b", "Options": {"com.docker.network.bridge.name": "docker0"}}
        ],
    }
    finder = _finder("web", changed=changed)

    assert finder.problems == ["the host's end of web's eth0 is not there"]
    assert [one.point.name for one in finder.found] == ["ct-web", "docker0", "veth10", "veth12", "eth0"]
    assert finder.found[0].target == Target("ct-web", "eth0", ("nsenter", "-t", "100", "-n"))


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"Running": False, "Status": "exited", "Pid": 0}, "web does not run (exited): it has no interface"),
        ({"Running": True, "Restarting": True, "Status": "restarting", "Pid": 0},
         "web does not run (restarting): it has no interface"),
    ],
)  # fmt: skip
def test_a_container_that_does_not_run(state: dict[str, object], said: str) -> None:
    """Told; the bridge of its network, by its own or by Docker's name, and the uplink can be captured."""
    (one,) = _container("web", 0, {"bridge": "", "app": ""})
    changed = {
        f"{INSPECT} web": [one | {"State": state}],
        f"{NETWORK} bridge": [
            {"Driver": "bridge", "Id": "b", "Options": {"com.docker.network.bridge.name": "docker0"}}
        ],
        "ip -j -d link": [*LINKS, _link(20, "br-a23456789012", "bridge")],
        f"{NETWORK} app": [{"Driver": "bridge", "Id": "a234567890123", "Options": {}}],
    }
    finder = _finder("web", changed=changed)

    assert finder.problems == [said]
    assert [one.point.name for one in finder.found] == ["docker0", "veth10", "veth12", "br-a23456789012", "eth0"]


def test_a_namespace_that_cannot_be_entered() -> None:
    """The container itself is asked for its interfaces; their networks are not known then."""
    said = "eth0 10\nlo 1\neth1 what\nbroken\neth2 12\n"
    changed = {
        "nsenter -t 100 -n ip -j -d link": Done(1, "", "nsenter: not permitted"),
        f"docker exec web {ASK_INSIDE}": said,
    }

    assert _points("web", changed=changed)[:2] == [
        RecordedPoint("veth-web", "veth-web.pcap", "veth10", Role.VETH, "web"),
        RecordedPoint("veth-web-2", "veth-web-2.pcap", "veth12", Role.VETH, "web"),
    ]  # fmt: skip


def test_the_containers_own_ends_where_the_namespace_cannot_be_entered() -> None:
    """They are captured by the names that the container has for them."""
    said = {
        "nsenter -t 100 -n ip -j -d link": Done(1, "", "not permitted"),
        f"docker exec web {ASK_INSIDE}": "eth1 10\n",
    }
    points = _points("web", inside=True, changed=said)

    assert points[0] == RecordedPoint("ct-web-eth1", "ct-web-eth1.pcap", "eth1", Role.CONTAINER, "web")


def test_a_container_that_does_not_answer_either() -> None:
    """Both reasons are told."""
    changed = {
        "nsenter -t 100 -n ip -j -d link": Done(1, "", "nsenter: not permitted"),
        f"docker exec web {ASK_INSIDE}": Done(126, "", "no sh"),
    }

    with pytest.raises(ToolError, match=r"^cannot tell the interfaces of web: nsenter: not permitted; no sh$"):
        _finder("web", changed=changed)


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (Done(1, "", "Error: No such container: web"), SelectionError, "no container web on the host"),
        (Done(1, "", "Cannot connect.\nIs Docker running?"), ToolError, "docker: Is Docker running?"),
        (
            Done(1, "", "dial unix: no such file or directory"),
            ToolError,
            "docker: dial unix: no such file or directory",
        ),
    ],
)
def test_a_container_that_cannot_be_had(answer: object, error: type[Exception], text: str) -> None:
    """It is not there, or Docker does not answer: each is told as what it is."""
    with pytest.raises(error) as told:
        _finder("web", changed={f"{INSPECT} web": answer})

    assert str(told.value) == text


def test_the_hosts_interfaces_cannot_be_had() -> None:
    """Nothing can be found without."""
    with pytest.raises(ToolError, match=r"^ip link: not allowed$"):
        _finder("web", changed={"ip -j -d link": Done(2, "", "not allowed")})


INNER = [
    _link(1, "lo", flags=["LOOPBACK"]),
    _link(2, "br0", "bridge"),
    _link(3, "vxlan0", "vxlan", "br0"),
    _link(7, "veth0", "veth", "br0"),
    _link(8, "veth1", "veth", "br0"),
]
ON_OVERLAY: dict[str, object] = {
    f"{INSPECT} web": _container("web", 100, {"mesh": WEB_MAC}, SandboxKey="/run/netns/5"),
    "nsenter -t 100 -n ip -j -d link": [_end("eth0", 7, WEB_MAC)],
    f"{NETWORK} mesh": [{"Driver": "overlay", "Id": OVERLAY_ID}],
}


def _enter(place: str) -> dict[str, object]:
    return {f"nsenter --net={place} true": "", f"nsenter --net={place} ip -j -d link": INNER}


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        (_enter("/run/netns/1-0123456789"), "/run/netns/1-0123456789"),
        ({DOCKERD: "/proc/55/comm\n/proc/66/comm\n", **_enter("/proc/66/root/run/netns/1-0123456789")},
         "/proc/66/root/run/netns/1-0123456789"),
        ({f"{INSPECT} web": _container("web", 100, {"mesh": WEB_MAC}), **_enter("/var/run/docker/netns/1-0123456789")},
         "/var/run/docker/netns/1-0123456789"),
    ],
    ids=["beside the container's", "through the daemon's root", "where Docker has them"],
)  # fmt: skip
def test_an_overlay_network(changed: dict[str, object], place: str) -> None:
    """The veth, the bridge, VXLAN and the other ports, all in the network's own namespace."""
    found = _finder("web", changed={**ON_OVERLAY, **changed})

    assert [one.point for one in found.found] == [
        RecordedPoint("br-mesh", "br-mesh.pcap", "br0", Role.BRIDGE, None, "mesh", unseen=BETWEEN_PORTS),
        RecordedPoint("vxlan-mesh", "vxlan-mesh.pcap", "vxlan0", Role.OVERLAY, None, "mesh"),
        RecordedPoint("veth-web", "veth-web.pcap", "veth0", Role.VETH, "web", "mesh"),
        RecordedPoint("veth1", "veth1.pcap", "veth1", Role.VETH),
        UPLINK,
    ]
    assert {one.target.prefix for one in found.found[:-1]} == {("nsenter", f"--net={place}")}


def test_an_overlay_network_that_cannot_be_entered() -> None:
    """Told, with what it takes."""
    with pytest.raises(ToolError) as told:
        _finder("web", changed=ON_OVERLAY)

    assert str(told.value) == "cannot enter the namespace of overlay network mesh: needs CAP_SYS_ADMIN"


def test_a_network_is_asked_for_once() -> None:
    """Also one that Docker does not tell anything of; it counts as no overlay network."""
    ends = [_end("eth0", 10, WEB_MAC), _end("eth1", 12, WEB_MAC)]
    finder = _finder("web", changed={"nsenter -t 100 -n ip -j -d link": ends, f"{NETWORK} bridge": Done(1, "", "?")})

    assert isinstance(finder.machine, _Answers)
    assert finder.machine.asked.count(f"{NETWORK} bridge") == 1
    assert [one.point.interface for one in finder.found[:2]] == ["veth10", "veth12"]


@pytest.mark.parametrize(
    ("networks", "network"),
    [
        ({"bridge": {"MacAddress": WEB_MAC}}, "bridge"),
        ({"bridge": {"MacAddress": DB_MAC}}, None),
        ({"bridge": {"MacAddress": ""}}, None),
        ({"bridge": {}}, None),
        (None, None),
    ],
)
def test_the_network_of_an_interface(networks: object, network: str | None) -> None:
    """It is the one whose endpoint has the interface's MAC; without, the point has none."""
    (web,) = _container("web", 100, {})
    web["NetworkSettings"]["Networks"] = networks
    points = _points("web", changed={f"{INSPECT} web": [web]})

    assert points[0] == RecordedPoint("veth-web", "veth-web.pcap", "veth10", Role.VETH, "web", network)


def test_an_interface_without_a_mac() -> None:
    """It is not that of an endpoint that has none either."""
    (web,) = _container("web", 100, {})
    web["NetworkSettings"]["Networks"] = {"none": {"MacAddress": None}}
    end = {key: value for key, value in _end("eth0", 10, "").items() if key != "address"}
    points = _points("web", changed={f"{INSPECT} web": [web], "nsenter -t 100 -n ip -j -d link": [end]})

    assert points[0].network is None


@pytest.mark.parametrize(
    ("v4", "v6", "uplinks"),
    [
        ([{"dst": "default", "gateway": "10.0.0.1", "dev": "eth0"}], [], ["eth0"]),
        ([{"dst": "10.0.0.0/8", "dev": "eth0"}], [], []),
        ([], [{"dst": "default", "gateway": "fe80::1", "dev": "wlan0"}], ["wlan0"]),
        ([{"gateway": "10.0.0.1", "dev": "b"}, {"gateway": "10.0.0.2", "dev": "a"}],
         [{"gateway": "fe80::1", "dev": "c"}, {"gateway": "fe80::1", "dev": "b"}], ["b", "a", "c"]),
        ([{"dst": "default", "nexthops": [{"gateway": "10.0.0.1", "dev": "a"}, {"gateway": "10.0.0.2", "dev": "b"},
                                          {"dev": "c"}, {"gateway": "10.0.0.3"}]}], [], ["a", "b"]),
        ([{"dst": "10.0.0.0/8", "gateway": "172.17.0.9", "dev": "docker0"},
          {"dst": "10.0.0.0/8", "gateway": "172.18.0.9", "dev": "br-app"}], [], []),
        ([{"gateway": "10.0.0.9", "dev": "br0"}, {"gateway": "10.0.0.9", "dev": "br-veth"}], [], ["br0", "br-veth"]),
        (Done(1, "", "no"), Done(1, "", "no"), []),
        ([{"dst": "10.8.0.0/24", "dev": "tun0", "table": "7"}, {"dst": "10.0.0.0/8", "dev": "veth10"},
          {"type": "local", "dst": "10.0.0.1", "dev": "tun1"}, {"dst": "10.9.0.0/24", "dev": "off0"}], [], ["tun0"]),
    ],
    ids=["gateway", "no gateway", "IPv6", "order, each once", "nexthops", "of Docker", "other bridges", "silent",
         "other ways"],
)  # fmt: skip
def test_uplinks(v4: object, v6: object, uplinks: list[str]) -> None:
    """First those by which a route has its gateway, then others that lead out; none of Docker's own bridges."""
    ways = [_link(22, "tun0", "tun", flags=["UP"]), _link(23, "tun1", "tun", flags=["UP"]), _link(24, "off0", flags=[])]
    links = [*LINKS, _link(20, "br0", "bridge"), _link(21, "br-veth", "veth"), *ways]
    changed = {"ip -4 -j route show table all": v4, "ip -6 -j route show table all": v6}
    points = _points("web", changed={"ip -j -d link": links, **changed})

    assert [point.name for point in points if point.role is Role.UPLINK] == uplinks


@pytest.mark.parametrize("container", ["docker0", "br0"])
def test_the_cards_of_a_bridge_that_leads_out(container: str) -> None:
    """What it forwards by them to containers is not seen at itself; a guest's port is none of them."""
    cards = [_link(23, "eno1", None, "br0"), _link(24, "bond0", "bond", "br0"), _link(25, "eth7", "veth", "br0")]
    others = [_link(26, "veth8", "veth", "br0"), _link(27, "tap8", "tun", "br0"), _link(28, "eno2", None, "br1")]
    own = [{**one, "master": container} if one.get("ifname") == "veth10" else one for one in LINKS]
    links = [*own, _link(20, "br0", "bridge"), _link(21, "br1", "bridge"), *cards, *others]
    routes = [{"dst": "default", "gateway": "10.0.0.1", "dev": "br0"}]
    points = _points("web", changed={"ip -j -d link": links, "ip -4 -j route show table all": routes})

    assert [point.name for point in points if point.role is Role.UPLINK] == ["eno1", "bond0", "eth7"]
    assert [point.role for point in points if point.name == "br0"] == [Role.BRIDGE]


@pytest.mark.parametrize(
    ("bridge", "uplink"), [("docker0", False), ("docker_gwbridge", False), ("br-0123", False), ("br0", True)]
)
def test_bridges_that_are_dockers(bridge: str, uplink: bool) -> None:
    """A route by a gateway behind one of them is no way out of the host."""
    links = [*LINKS, _link(20, "docker_gwbridge", "bridge"), _link(21, "br-0123", "bridge"), _link(22, "br0", "bridge")]
    routes = [{"dst": "10.0.0.0/8", "gateway": "172.18.0.9", "dev": bridge}]
    points = _points("db", changed={"ip -j -d link": links, "ip -4 -j route show table all": routes})

    assert (bridge in _interfaces(points)) is uplink


@pytest.mark.parametrize(
    ("link", "role"),
    [
        (_link(1, "x", flags=["LOOPBACK", "UP"]), Role.LOOPBACK),
        (_link(1, "x", "bridge"), Role.BRIDGE),
        (_link(1, "x", "vxlan"), Role.OVERLAY),
        (_link(1, "x", "veth", "docker0"), Role.VETH),
        (_link(1, "x", "veth"), Role.UPLINK),
        (_link(1, "x", None, "br0"), Role.UPLINK),
        (_link(1, "x", "wireguard", "docker0"), Role.UPLINK),
        (_link(1, "x", flags=["UP"]), Role.UPLINK),
    ],
)
def test_the_role_of_an_interface_that_was_asked_for(link: dict[str, Any], role: Role) -> None:
    """What it is, decides; one of no known kind counts as a way out."""
    finder = Finder(_Answers({"ip -j -d link": [_link(5, "y", "bridge"), link]}))
    finder.interface("x")

    assert [(one.point.interface, one.point.role) for one in finder.found] == [("x", role)]
    assert finder.found[0].target == Target("x", "x")


def test_a_role_that_was_given() -> None:
    """It stands, whatever the interface is."""
    finder = Finder(_Answers(HOST))
    finder.interface("docker0", Role.UPLINK)

    assert [one.point for one in finder.found] == [RecordedPoint("docker0", "docker0.pcap", "docker0", Role.UPLINK)]


def test_an_interface_that_is_not_there() -> None:
    """Told, with the host on which it was looked for."""
    with pytest.raises(SelectionError, match=r"^no interface eth9 on the host$"):
        Finder(_Answers(HOST)).interface("eth9")


def test_an_interface_that_is_captured_already() -> None:
    """It stays one point, with the role that it had."""
    finder = _finder("web")
    finder.interface("eth0", Role.VETH)

    assert [one.point for one in finder.found] == [WEB, DOCKER0, OTHER, UPLINK]


@pytest.mark.parametrize(
    ("names", "pids", "enter", "called"),
    [
        (["pod"], [], "nsenter --net=/var/run/netns/pod", "pod"),
        ([], [71], "nsenter -t 71 -n", "pid-71"),
    ],
)
def test_a_namespace_of_no_engine(names: list[str], pids: list[int], enter: str, called: str) -> None:
    """The host's end, its bridge, and the uplink, as of a container; no engine is asked."""
    machine = _Answers({**HOST, f"{enter} ip -j -d link": [_end("eth0", 10, WEB_MAC)]})
    finder = Finder(machine)
    finder.containers([], named(names, pids))

    assert [one.point for one in finder.found] == [
        RecordedPoint(f"veth-{called}", f"veth-{called}.pcap", "veth10", Role.VETH, called), DOCKER0, OTHER, UPLINK
    ]  # fmt: skip
    assert not any(one.startswith("docker") for one in machine.asked)


def test_a_process_that_is_gone() -> None:
    """Told; nobody inside it can be asked."""
    finder = Finder(_Answers({**HOST, "nsenter -t 71 -n ip -j -d link": Done(1, "", "nsenter: No such file")}))

    with pytest.raises(ToolError, match=r"^cannot tell the interfaces of pid-71: nsenter: No such file$"):
        finder.containers([], named([], [71]))


@pytest.mark.parametrize("name", ["", "../x", "a b", "-x"])
def test_what_is_no_name_of_a_namespace(name: str) -> None:
    """It goes into a path."""
    with pytest.raises(SelectionError, match="not a name that ip netns gives"):
        named([name], [])
