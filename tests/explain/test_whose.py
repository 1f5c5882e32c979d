"""Whose an address is that nobody answers for: the host's own, or was, or nobody's."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from analyzer.explain.absent.asked import Asked, Why
from analyzer.explain.absent.whose import nobody, own
from analyzer.explain.case import Case
from analyzer.model import ArpExchange, Container, HostState, Mac, Route
from analyzer.model.engine import Status
from tests.build import C1, T0, arp, ether, mac
from tests.explain.scene import INSIDE, INSIDE6, Scene
from tests.explain.state import dumps, links

GATEWAY, GATEWAY6 = "172.17.0.1", "fd00:17::1"
IGNORE = "net.ipv4.conf.{}.arp_ignore"
Make = Callable[[str], Case]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Return what records a question on a host with the given rules for IPv6."""

    def made(rules6: str) -> Case:
        folder: Path = tmp_path_factory.mktemp("whose")
        bridge = {**links()[1], "addr_info": [{"local": GATEWAY}, {"local": GATEWAY6}]}
        text = f"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n{rules6}COMMIT\n"
        scene = Scene(folder, dumps=dumps(ip_addr=[links()[0], bridge]) | {"ip6tables-save.txt": text})
        scene.see("veth-c2", 10, ether(C1, "ff:ff:ff:ff:ff:ff", arp(1, C1, INSIDE, C1, GATEWAY), 0x0806))
        return scene.case()

    return made


@pytest.fixture(scope="module")
def case(make: Make) -> Case:
    """Record a question on a host without rules for IPv6."""
    return make("")


def _why(
    case: Case, ask: Callable[[Asked], Iterator[Why]], host: HostState, ip: str = GATEWAY, protocol: str = "arp"
) -> list[dict[str, Any]]:
    asker, src = Mac(int.from_bytes(mac(C1))), ip_address(INSIDE6 if protocol == "ndp" else INSIDE)
    question = ArpExchange(protocol, ip_address(ip), asker, src, "veth-c2", 1, T0)
    return [one.facts for one in ask(Asked(case, host, question))]


def _docker0(host: HostState, **fields: Any) -> HostState:
    return replace(host, links=tuple(replace(one, **fields) if one.name == "docker0" else one for one in host.links))


def _networks(host: HostState, **fields: Any) -> HostState:
    return replace(host, networks=tuple(replace(one, **fields) for one in host.networks))


def test_an_interface_that_is_down_answers_for_none_of_its_addresses(case: Case) -> None:
    """While it is up, it does."""
    host = case.hosts[None]
    (facts,) = _why(case, own, _docker0(host, down=True))

    assert (facts["why"], facts["link"], facts["commands"]) == ("own-down", "docker0", ["ip link set docker0 up"])
    assert _why(case, own, host) == []


@pytest.mark.parametrize(
    ("every", "its_own", "ip", "told"),
    [("0", "8", GATEWAY, "docker0"), ("3", "1", GATEWAY, "all"), ("2", "2", GATEWAY, None), ("8", "8", GATEWAY6, None)],
    ids=["its-own", "all", "for-the-same-subnet", "ipv6"],
)
def test_arp_ignore_is_the_larger_of_both(case: Case, every: str, its_own: str, ip: str, told: str | None) -> None:
    """From 3 on the host may keep silent to a neighbour; NDP knows no such setting."""
    sysctls = {IGNORE.format("all"): every, IGNORE.format("docker0"): its_own}
    found = _why(case, own, replace(case.hosts[None], sysctls=sysctls), ip)

    assert [(one["why"], one["commands"]) for one in found] == (
        [("arp-ignore", [f"sysctl -w {IGNORE.format(told)}=0"])] if told is not None else []
    )


@pytest.mark.parametrize(
    ("rules6", "protocol", "told"),
    [
        ("-A INPUT -p ipv6-icmp -j DROP\n", "ndp", True),
        ("-A INPUT -p ipv6-icmp -j DROP\n", "arp", False),
        ("-A INPUT -p tcp -j DROP\n", "ndp", False),
        ("-A INPUT -m nonsense --strange -j DROP\n", "ndp", False),
    ],
    ids=["dropped", "arp-is-no-ip", "another-rule", "undecided"],
)
def test_a_solicitation_passes_the_hosts_input_rules(make: Make, rules6: str, protocol: str, told: bool) -> None:
    """What they are known to stop the host never hears: what NDP needs is then let in, and pings are not."""
    case = make(rules6)
    found = _why(case, own, case.hosts[None], GATEWAY6, protocol)

    assert [one["why"] for one in found] == ["unheard"] * told
    assert all("echo" not in command for one in found for command in one["commands"])


def test_a_bridge_that_was_made_without_its_networks_gateway(case: Case) -> None:
    """That is on purpose; unless it is not there, or no bridge."""
    host = _docker0(case.hosts[None], addresses=())
    inhibited, macvlan = (_networks(host, **changed) for changed in ({"inhibited": True}, {"driver": "macvlan"}))
    without = replace(host, links=host.links[:1])

    assert [one["why"] for one in _why(case, own, inhibited)] == ["inhibited"]
    assert _why(case, own, macvlan) == _why(case, own, without) == []


def test_a_port_is_published_on_an_address_that_is_nowhere(case: Case) -> None:
    """It is offered to the segment that it is of, if the host has one of it."""
    host = case.hosts[None]
    text = "192.168.1.200:8443->80/tcp"
    edge = replace(host, containers=(*host.containers, Container("edge", "bridge", None, (), (text,))))
    (facts,) = _why(case, own, edge, "192.168.1.200")
    (far,) = _why(case, own, replace(edge, routes=()), "192.168.1.200")

    assert (facts["why"], facts["container"], facts["port"]) == ("published", "edge", text)
    assert facts["commands"] == ["ip addr add 192.168.1.200/24 dev wlan0"]
    assert "commands" not in far
    assert _why(case, own, edge, "192.168.1.201") == []


def _containers(host: HostState, count: int, **fields: Any) -> HostState:
    made = (Container(f"c{n:02}", "bridge", None, (ip_address(f"172.17.0.{n + 2}"),), **fields) for n in range(count))
    return replace(host, containers=tuple(made))


@pytest.mark.parametrize(
    ("ip", "told"),
    [("172.17.0.99", True), ("172.17.0.3", False), (GATEWAY, False), ("10.0.0.9", False)],
    ids=["nobody's", "a-container's", "the-host's", "in-no-network"],
)
def test_nobody_has_an_address_of_a_network(case: Case, ip: str, told: bool) -> None:
    """No container, not the host; who has others is told, of the same IP version."""
    host = case.hosts[None]
    both = (replace(one, addresses=(*one.addresses, ip_address(INSIDE6))) for one in host.containers)
    found = _why(case, nobody, replace(host, containers=tuple(both)), ip)

    assert [(one["why"], one["members"]) for one in found] == [("nobody", ["c2 172.17.0.2", "web 172.17.0.3"])] * told


def test_who_is_on_a_macvlan_docker_does_not_know(case: Case) -> None:
    """Its segment has others than containers."""
    assert _why(case, nobody, _networks(case.hosts[None], driver="macvlan"), "172.17.0.99") == []


@pytest.mark.parametrize(
    ("ip", "status", "far"),
    [("172.17.1.2", "running", False), ("172.17.1.3", "running", True), ("172.17.1.3", "exited", False)],
    ids=["as-far-as-docker-came", "further", "one-is-stopped"],
)
def test_docker_gives_the_lowest_addresses(case: Case, ip: str, status: str, far: bool) -> None:
    """One far above those in use was hardly a container's; but it may be one's that is stopped."""
    host = _containers(case.hosts[None], 4, status=Status(status))
    (facts,) = _why(case, nobody, host, ip)

    assert facts["far"] is far


def test_containers_that_are_stopped_may_have_had_it(case: Case) -> None:
    """They are told with their exit code, no more than five; of members, no more than eight."""
    host = _containers(case.hosts[None], 10, status=Status("exited", 137))
    (facts,) = _why(case, nobody, host, "172.17.0.99")

    assert facts["stopped"] == [f"c{n:02} (exited 137)" for n in range(5)]
    assert len(facts["members"]) == 8
    assert _why(case, nobody, _containers(host, 1, status=Status("paused")), "172.17.0.99")[0]["stopped"] == []


@pytest.mark.parametrize(
    ("value", "dev", "told"),
    [("1", "wlan0", True), ("2", "wlan0", False), ("0", "wlan0", False), ("1", "veth-c2", False)],
    ids=["strict", "loose", "off", "the-way-back"],
)
def test_a_strict_host_answers_only_by_the_way_back(case: Case, value: str, dev: str, told: bool) -> None:
    """By another interface it takes nothing, not even ARP."""
    back = Route(ip_network("172.17.0.0/16"), dev, None, 0, "main", f"172.17.0.0/16 dev {dev}")
    name = "net.ipv4.conf.veth-c2.rp_filter"
    host = replace(case.hosts[None], routes=(back,), sysctls={"net.ipv4.conf.all.rp_filter": "0", name: value})

    assert [(one["why"], one["other"], one["commands"]) for one in _why(case, own, host)] == [
        ("filtered", "wlan0", [f"sysctl -w {name}=2"])
    ] * told
