"""Containers that look for services in their own segment, which is a bridge of their own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analyzer.explain.hypotheses.multicast_stays import SERVICES, causes
from analyzer.explain.hypothesis import Cause
from analyzer.model import Severity
from analyzer.packet.context import Share
from tests.build import BRIDGE, C1, C2, UPLINK, tcp, udp
from tests.explain.scene import HOST, INSIDE, Scene, frame, packet
from tests.explain.state import dumps, network

HYPOTHESIS = "multicast-stays-inside"
GROUP, GROUP_MAC, ALL = "224.0.0.251", "01:00:5e:00:00:fb", "ff:ff:ff:ff:ff:ff"


def _ask(
    scene: Scene, *, dst: str = GROUP, port: int = 5353, src: str = INSIDE, mac: str = C1, point: str = "veth-c2",
    to: str = GROUP_MAC, proto: int = 17,
) -> None:  # fmt: skip
    scene.ident += 1
    body = udp(port, port, b"x") if proto == 17 else tcp(port, port, 1, 0, 2)
    scene.see(point, scene.ident * 100, frame(mac, to, packet(src, dst, proto, body, ident=scene.ident)))


def _scene(folder: Path, **fields: object) -> Scene:
    return Scene(folder, dumps=dumps(docker_network_inspect=[network(**fields)]))  # type: ignore[arg-type]


def _causes(scene: Scene) -> list[Cause]:
    return list(causes(scene.case()))


@pytest.mark.parametrize(
    ("port", "service"),
    [(67, "DHCP"), (1900, "SSDP"), (3702, "WS-Discovery"), (5353, "mDNS"), (5355, "LLMNR"), (5354, None), (53, None)],
)
def test_the_destination_port_names_the_service(tmp_path: Path, port: int, service: str | None) -> None:
    """Other ports are sent to groups for reasons of their own."""
    scene = _scene(tmp_path)
    _ask(scene, port=port)

    assert [cause.key for cause in _causes(scene)] == [("c2", "bridge", service)] * (service is not None)
    assert SERVICES.get(port) == service


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, True),
        ({"dst": "255.255.255.255", "to": ALL}, True),
        ({"src": "fd00:17::2", "dst": "ff02::fb", "to": "33:33:00:00:00:fb"}, True),
        ({"dst": "172.17.0.3", "to": C2}, False),
        ({"dst": "9.9.9.9", "to": BRIDGE}, False),
        ({"proto": 6}, False),
    ],
    ids=["group", "everybody", "group-of-ipv6", "a-neighbour", "somebody-outside", "no-datagram"],
)
def test_only_datagrams_to_many_are_meant(tmp_path: Path, fields: dict[str, str], told: bool) -> None:
    """A question to one machine goes as far as any other packet."""
    scene = _scene(tmp_path)
    _ask(scene, **fields)  # type: ignore[arg-type]

    assert len(_causes(scene)) == told


@pytest.mark.parametrize(
    ("network_of", "fields", "told"),
    [
        ({}, {}, True),
        ({"Driver": "macvlan"}, {}, False),
        ({"Name": "other"}, {}, False),
        ({}, {"mac": "02:42:ac:11:00:77", "src": "172.17.0.77"}, False),
        ({}, {"point": "wlan0"}, False),
        ({}, {"point": "wlan0", "mac": UPLINK, "src": HOST}, False),
    ],
    ids=["bridge", "macvlan", "unknown-network", "nobody-known", "at-the-uplink", "of-the-host"],
)
def test_only_containers_on_a_bridge_are_kept_inside(
    tmp_path: Path, network_of: dict[str, object], fields: dict[str, str], told: bool
) -> None:
    """By the MAC that sends and Docker's word on its network; what an uplink shows has got out."""
    scene = _scene(tmp_path, **network_of)
    _ask(scene, **fields)  # type: ignore[arg-type]

    assert len(_causes(scene)) == told


def test_each_container_and_service_is_told_with_its_questions(tmp_path: Path) -> None:
    """How many there were, and which frames they are."""
    scene = _scene(tmp_path)
    for port in (5353, 1900, 5353):
        _ask(scene, port=port)
    _ask(scene, src="172.17.0.3", mac=C2, point="veth-web")
    found = {cause.key: cause.told([]) for cause in _causes(scene)}

    assert {key: told.facts["count"].settled() for key, told in found.items()} == {  # type: ignore[union-attr]
        ("c2", "bridge", "mDNS"): 2, ("c2", "bridge", "SSDP"): 1, ("web", "bridge", "mDNS"): 1,
    }  # fmt: skip
    assert [str(one) for one in found["c2", "bridge", "mDNS"].evidence] == ["veth-c2 #1", "veth-c2 #3"]


def test_what_another_part_tells_is_left_to_it(tmp_path: Path) -> None:
    """Of two questions, only the one that is told in this part counts."""
    scene = _scene(tmp_path)
    _ask(scene)
    _ask(scene)
    case = scene.case()
    share = Share(mine=np.array([False, True]), numbers=np.arange(2))
    (cause,) = causes(replace(case, context=replace(case.context, share=share)))

    assert cause.told([]).facts["count"].settled() == 1  # type: ignore[union-attr]


def test_it_is_no_trouble_by_itself(tmp_path: Path) -> None:
    """Good to know, and about no packet that another cause could have explained."""
    scene = _scene(tmp_path)
    _ask(scene)
    (cause,) = _causes(scene)
    (finding,) = scene.findings(HYPOTHESIS)

    assert list(cause.packets) == []
    assert finding.severity is Severity.INFO
