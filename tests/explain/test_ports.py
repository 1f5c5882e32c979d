"""Ports of bridges: what each end's port, and the owner's own interface, has to do with a question in vain."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from analyzer.explain.absent.asked import Asked, Why
from analyzer.explain.absent.ports import asker_off, asking, owner
from analyzer.explain.case import Case
from analyzer.model import ArpExchange, BridgePort, FdbEntry, HostState, Mac
from analyzer.model.host import PortVlan
from tests.build import BRIDGE, C1, C2, T0, arp, ether, mac
from tests.explain.scene import INSIDE, Scene
from tests.explain.state import dumps, links

WEB = "172.17.0.3"
Ask = Callable[[Asked], Iterator[Why]]


def _veth(index: int) -> dict[str, object]:
    return {"ifindex": index, "ifname": f"veth{index}", "operstate": "UP", "master": "docker0",
            "linkinfo": {"info_kind": "veth"}, "address": f"02:00:00:00:00:0{index}"}  # fmt: skip


def _inside(card: str, peer: int, ip: str) -> list[dict[str, object]]:
    return [{"ifindex": 2, "ifname": "eth0", "address": card, "operstate": "UP", "link_index": peer,
             "linkinfo": {"info_kind": "veth"}, "addr_info": [{"local": ip}]}]  # fmt: skip


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Record one question of c2 for web, and the ends of both, with which all is well."""
    bridge = {**links()[1], "linkinfo": {"info_kind": "bridge", "info_data": {"vlan_filtering": 1}}}
    files = dumps(ip_addr=[links()[0], bridge, _veth(5), _veth(6)])
    files["containers/c2/ip-addr.json"] = _inside(C1, 5, INSIDE)
    files["containers/web/ip-addr.json"] = _inside(C2, 6, WEB)
    folder: Path = tmp_path_factory.mktemp("ports")
    scene = Scene(folder, dumps=files)
    scene.see("veth-c2", 10, ether(C1, "ff:ff:ff:ff:ff:ff", arp(1, C1, INSIDE, "00:00:00:00:00:00", WEB), 0x0806))
    return scene.case()


def _why(case: Case, ask: Ask, host: HostState, asker: str = C1, ip: str = WEB) -> list[dict[str, Any]]:
    question = ArpExchange("arp", ip_address(ip), Mac(int.from_bytes(mac(asker))), ip_address(INSIDE), "veth-c2", 1, T0)
    return [one.facts for one in ask(Asked(case, host, question))]


def _link(host: HostState, name: str, **fields: Any) -> HostState:
    return replace(host, links=tuple(replace(one, **fields) if one.name == name else one for one in host.links))


def _web(host: HostState, **fields: Any) -> HostState:
    return replace(host, inside={**host.inside, "web": _link(host.inside["web"], "eth0", **fields)})


def _ports(host: HostState, *ports: tuple[str, str, bool]) -> HostState:
    found = (BridgePort(name, "docker0", state, False, isolated) for name, state, isolated in ports)
    return replace(host, ports=tuple(found))


@pytest.mark.parametrize("state", ["forwarding", "unknown"])
@pytest.mark.parametrize("ask", [asking, asker_off, owner])
def test_ends_with_which_all_is_well_are_no_reason(case: Case, ask: Ask, state: str) -> None:
    """Nothing is told of what is as it should be, nor of an address that no container has."""
    host = _ports(case.hosts[None], ("veth5", state, False), ("veth6", state, True))

    assert _why(case, ask, host) == []
    assert _why(case, owner, host, ip="172.17.0.99") == []


def test_a_port_that_is_not_forwarding_blocks(case: Case) -> None:
    """The asker's takes no question in, and the owner's lets none out; the host's own end is none of both."""
    host = case.hosts[None]
    (of_asker,) = _why(case, asking, _ports(host, ("veth5", "listening", False)))
    (of_owner,) = _why(case, owner, _ports(host, ("veth6", "disabled", False)))

    assert (of_asker["why"], of_asker["owner"], of_asker["link"]) == ("blocked", "c2", "veth5")
    assert (of_owner["why"], of_owner["owner"], of_owner["state"]) == ("blocked", "web", "disabled")
    assert _why(case, asking, _ports(host, ("docker0", "listening", False)), asker=BRIDGE) == []


@pytest.mark.parametrize(
    ("ask", "port", "of"), [(asker_off, "veth5", "c2"), (owner, "veth6", "web")], ids=["asker", "owner"]
)
@pytest.mark.parametrize("master", [None, "br-other"])
def test_a_veth_that_is_no_port_of_its_networks_bridge(
    case: Case, ask: Ask, port: str, of: str, master: str | None
) -> None:
    """It goes back to its bridge; unless that bridge is not there."""
    host = _link(case.hosts[None], port, master=master)
    (facts,) = _why(case, ask, host)
    gone = replace(host, links=tuple(one for one in host.links if one.name != "docker0"))

    assert (facts["why"], facts["owner"], facts["master"]) == ("no-port", of, master or "")
    assert facts["commands"] == [f"ip link set {port} master docker0"]
    if master is not None:
        assert _why(case, ask, gone) == []


def test_a_port_that_is_down_comes_before_all_else(case: Case) -> None:
    """Whether it is one of the bridge's is not asked then; the owner's own interface comes after it."""
    host = _web(_link(case.hosts[None], "veth6", down=True, master=None), down=True)
    facts = _why(case, owner, host)

    assert [one["why"] for one in facts] == ["port-down", "down-inside"]
    assert facts[0]["commands"] == ["ip link set veth6 up"]


@pytest.mark.parametrize(
    ("isolated", "told"),
    [(("veth5", "veth6"), True), (("veth5",), False), (("veth6",), False)],
    ids=["both", "asker", "owner"],
)
def test_only_two_isolated_ports_exchange_nothing(case: Case, isolated: tuple[str, ...], told: bool) -> None:
    """One that is not may talk to all."""
    host = _ports(case.hosts[None], *((name, "forwarding", name in isolated) for name in ("veth5", "veth6")))

    assert [one["why"] for one in _why(case, owner, host)] == ["isolated"] * told


@pytest.mark.parametrize(
    ("asks", "has", "filters", "told"),
    [(1, 20, True, [(1, 20)]), (7, 7, True, []), (1, 20, False, []), (7, None, True, [(7, 0)]), (None, 7, True, [])],
    ids=["apart", "the-same", "not-kept-apart", "owner-in-none", "asker-unknown"],
)
def test_ports_in_other_vlans_are_apart(
    case: Case, asks: int | None, has: int | None, filters: bool, told: list[tuple[int, int]]
) -> None:
    """If the bridge keeps VLANs apart; tagged ones are not those that containers send in."""
    vlans = [PortVlan(name, vlan, vlan, True) for name, vlan in (("veth5", asks), ("veth6", has)) if vlan is not None]
    tagged = (PortVlan("veth5", 99, 99, False), PortVlan("veth6", 98, 98, False))
    host = replace(_link(case.hosts[None], "docker0", filters_vlans=filters), vlans=(*tagged, *vlans))

    assert [(one["vlan"], one["other_vlan"]) for one in _why(case, owner, host)] == told


def test_an_owner_whose_interface_or_address_is_gone(case: Case) -> None:
    """An interface that is up has lost its address, which one that is down or away has not; unknown is no reason."""
    host, link_local = case.hosts[None], ip_address("fe80::1")
    moved = _web(host, addresses=(ip_address("172.17.0.7"), link_local))
    away, unknown = _web(host, mac=Mac(2)), replace(host, inside={**host.inside, "web": HostState()})

    assert [(one["why"], one["has"]) for one in _why(case, owner, moved)] == [("lost-address", ["172.17.0.7"])]
    assert [one["why"] for one in _why(case, owner, _web(moved, down=True))] == ["down-inside"]
    assert [one["why"] for one in _why(case, owner, away)] == ["no-interface"]
    assert [one["why"] for one in _why(case, owner, unknown)] == []


def test_a_macvlan_has_no_port_of_a_bridge(case: Case) -> None:
    """What its interface lies on is nobody's to put into a bridge."""
    host = _link(case.hosts[None], "veth6", master=None)
    networks = tuple(replace(one, driver="macvlan", bridge=None) for one in host.networks)

    assert _why(case, owner, replace(host, networks=networks)) == []


@pytest.mark.parametrize("known", [True, False], ids=["allowed", "unknown"])
@pytest.mark.parametrize("locked", [True, False], ids=["locked", "open"])
def test_a_locked_port_takes_only_macs_that_are_known_there(case: Case, locked: bool, known: bool) -> None:
    """An entry of the bridge's table allows one, at that port."""
    port = BridgePort("veth5", "docker0", "forwarding", hairpin=False, isolated=False, locked=locked)
    at = "veth5" if known else "veth6"
    host = replace(case.hosts[None], ports=(port,), fdb=(FdbEntry(Mac(int.from_bytes(mac(C1))), at, "docker0", True),))
    found = _why(case, asking, host)

    assert [(one["why"], one["link"], one["commands"]) for one in found] == [
        ("locked", "veth5", [f"bridge fdb add {C1} dev veth5 master static"])
    ] * (locked and not known)


@pytest.mark.parametrize(
    ("port", "ip", "setting"),
    [
        ({"broadcasts": False}, WEB, "bcast_flood"),
        ({"multicasts": False}, WEB, ""),
        ({"broadcasts": False}, "fd00:17::3", ""),
        ({"multicasts": False}, "fd00:17::3", "mcast_flood"),
        ({}, WEB, ""),
    ],
    ids=["arp", "arp-needs-none", "ndp-needs-none", "ndp", "all"],
)
def test_a_port_without_copies_hears_no_question(case: Case, port: dict[str, bool], ip: str, setting: str) -> None:
    """ARP asks by broadcast, NDP by multicast."""
    web = next(one for one in case.hosts[None].containers if one.name == "web")
    both = replace(web, addresses=(ip_address(WEB), ip_address("fd00:17::3")))
    one = BridgePort("veth6", "docker0", "forwarding", hairpin=False, isolated=False, **port)
    host = _web(replace(case.hosts[None], ports=(one,), containers=(both,)), addresses=both.addresses)
    found = _why(case, owner, host, ip=ip)

    assert [(one["why"], one["setting"]) for one in found] == [("no-copy", setting)] * bool(setting)
