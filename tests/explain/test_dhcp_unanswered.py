"""Clients that ask for an address, and get none."""

from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import numpy as np
import pytest

from analyzer.explain.hypotheses.dhcp_unanswered import MOST_CLIENTS, RAW_SOCKETS, _reason, causes
from analyzer.model import HostState, Severity
from analyzer.model.rules import Chain, Table
from analyzer.packet.context import Share
from tests.build import udp
from tests.explain.hosts import trace_of
from tests.explain.scene import Scene, frame, packet
from tests.explain.state import dumps

CLIENT, SERVER, ALL = "02:00:00:00:00:07", "02:00:00:00:00:67", "ff:ff:ff:ff:ff:ff"
CHECK = "dhcp-unanswered"


def _ask(scene: Scene, ms: float, *, src: str = "0.0.0.0", sport: int = 68, dport: int = 67, point: str = "veth-vm",
         mac: str = CLIENT) -> None:  # fmt: skip
    scene.ident += 1
    data = packet(src, "255.255.255.255", 17, udp(sport, dport, b"x" * 300), ident=scene.ident)
    scene.see(point, ms, frame(mac, ALL, data))


def _answer(scene: Scene, ms: float, *, point: str = "veth-vm", to: str = ALL) -> None:
    data = packet("10.0.3.1", "255.255.255.255", 17, udp(67, 68, b"y" * 300), ident=77)
    scene.see(point, ms, frame(SERVER, to, data))


def _scene(folder: Path, *, questions: int = 3, host: bool = False) -> Scene:
    scene = Scene(folder, dumps=dumps() if host else {})
    for number in range(questions):
        _ask(scene, number * 1_000)
    scene.see("veth-vm", 60_000, frame(CLIENT, ALL, packet("10.0.3.9", "10.0.3.255", 17, udp(9, 9, b"z"), ident=99)))
    return scene


@pytest.mark.parametrize(("questions", "told"), [(2, 0), (3, 1), (9, 1)])
def test_who_asks_again_and_again(tmp_path: Path, questions: int, told: int) -> None:
    """It is one finding, with how often."""
    found = _scene(tmp_path, questions=questions).findings(CHECK)

    assert [(one.severity, one.facts["count"]) for one in found] == [(Severity.ERROR, questions)] * told
    assert all(one.title == "vm cannot get an IPv4 address by DHCP: nobody answers DHCP" for one in found)


@pytest.mark.parametrize(
    ("point", "to", "told"), [("veth-vm", ALL, 0), ("veth-vm", CLIENT, 0), ("wlan0", ALL, 1)],
    ids=["to-all", "to-it", "elsewhere"],
)  # fmt: skip
def test_an_answer_where_it_asked(tmp_path: Path, point: str, to: str, told: int) -> None:
    """Silences this, whomever it is for: frames alone do not tell."""
    scene = _scene(tmp_path)
    _answer(scene, 2_500, point=point, to=to)

    assert len(scene.findings(CHECK)) == told


@pytest.mark.parametrize("fields", [{"src": "10.0.3.9"}, {"sport": 67}, {"dport": 69}, {"point": "wlan0"}],
                         ids=["renewal", "relay", "other-port", "at-the-uplink"])  # fmt: skip
def test_what_is_no_question_of_a_container(tmp_path: Path, fields: dict[str, object]) -> None:
    """Who has an address renews it, relays speak for others, and the LAN is not the host's."""
    scene = Scene(tmp_path)
    for number in range(4):
        _ask(scene, number * 1_000, **fields)  # type: ignore[arg-type]
    _ask(scene, 60_000, mac="02:00:00:00:00:08")

    assert scene.findings(CHECK) == []


def test_who_was_given_an_address_otherwise(tmp_path: Path) -> None:
    """By an engine, say: its DHCP client is one too many."""
    scene = Scene(tmp_path, dumps=dumps())
    for number in range(4):
        _ask(scene, number * 1_000, point="veth-c2", mac="02:42:ac:11:00:02")
    _ask(scene, 60_000)

    assert scene.findings(CHECK) == []


def test_a_capture_that_ends_at_once(tmp_path: Path) -> None:
    """Nobody knows what came then."""
    scene = Scene(tmp_path)
    for number in range(3):
        _ask(scene, number)

    assert scene.findings(CHECK) == []


def test_clients_of_one_place_are_one_finding(tmp_path: Path) -> None:
    """However many there are; who asked once is left out."""
    scene = Scene(tmp_path)
    for number in range(3 * (MOST_CLIENTS + 2)):
        _ask(scene, number, mac=f"02:00:00:00:01:{number // 3:02x}")
    _ask(scene, 60_000, mac="02:00:00:00:02:00")
    (found,) = scene.findings(CHECK)

    assert found.facts["count"] == 3 * MOST_CLIENTS


def test_what_another_part_tells_is_left_to_it(tmp_path: Path) -> None:
    """Questions that are told elsewhere do not count here."""
    case = _scene(tmp_path).case()
    share = Share(mine=np.arange(case.context.packets) > 0, numbers=np.arange(case.context.packets))

    assert len(list(causes(case))) == 1
    assert list(causes(replace(case, context=replace(case.context, share=share)))) == []


def _closed() -> Table:
    return Table("ip", "filter", "iptables-save.txt", {"INPUT": Chain("INPUT", "DROP", hook="input")})


def _host(name: str) -> HostState:
    return trace_of(name).hosts.everywhere


def test_why_the_host_does_not_answer() -> None:
    """Nothing listens there, or what listens does not hear it; else nobody knows."""
    well = _host("lxc.healthy")
    closed = replace(well, tables=(_closed(),))
    raw = replace(closed, listeners=tuple(replace(one, program=RAW_SOCKETS) for one in closed.listeners))
    elsewhere = replace(well, listeners=tuple(replace(one, interface="other") for one in well.listeners))

    assert _reason(well, "lxcbr0") == ({}, ())
    assert [_reason(host, "lxcbr0")[0] for host in (replace(well, listeners=()), elsewhere)] == [
        {"nobody_listens": "lxcbr0"}
    ] * 2
    facts, proof = _reason(closed, "lxcbr0")
    assert (facts["program"], facts["dev"]) == ("dnsmasq", "lxcbr0")
    assert "policy DROP" in str(facts["cause"])
    assert proof
    assert _reason(raw, "lxcbr0") == ({}, ())


def test_a_host_that_is_not_meant_to_answer() -> None:
    """It has no address there, or nobody recorded who listens."""
    well = replace(_host("lxc.healthy"), listeners=())
    links = tuple(replace(one, addresses=(ip_address("fe80::1"),)) for one in well.links)

    assert _reason(replace(well, links=links), "lxcbr0") == ({}, ())
    assert _reason(replace(well, files=()), "lxcbr0") == ({}, ())
    assert _reason(well, "gone") == ({}, ())


def test_a_segment_that_leads_out() -> None:
    """Whoever serves DHCP there is in the LAN, and a second server would do harm."""
    well = replace(_host("lxc.healthy"), listeners=())
    bridge = next(one for one in well.links if one.name == "lxcbr0")
    port = replace(bridge, name="eth9", kind=None, addresses=(), master="lxcbr0")
    way_out = next(one for one in well.routes if not one.dst.prefixlen)

    assert _reason(well, "lxcbr0")[0] == {"nobody_listens": "lxcbr0"}
    assert _reason(replace(well, links=(*well.links, port)), "lxcbr0") == ({}, ())
    assert _reason(replace(well, routes=(*well.routes, replace(way_out, dev="lxcbr0"))), "lxcbr0") == ({}, ())
    assert _reason(_host("bridged.healthy"), "br0") == ({}, ())
