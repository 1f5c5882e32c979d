"""Packets that left with a container's address: which those are, and what went wrong with each."""

from pathlib import Path
from typing import Any

import pytest

from analyzer.explain.untranslated import leaving, network_of
from tests.build import C1, GATEWAY, UPLINK, tcp, udp
from tests.explain.scene import HOST, INSIDE, SERVER, Scene, frame, packet
from tests.explain.state import NAT, dumps, network, rules

SYN, ACK, RST = 0x02, 0x10, 0x04
ODD = "-A POSTROUTING -m nonsense --odd -j MASQUERADE\n"
ENTRY = "tcp 6 100 ESTABLISHED src={} dst={} sport=40000 dport=80 src=8.8.8.8 dst={} sport=80 dport=40000 [ASSURED]\n"
NAT_MODE = {"com.docker.network.bridge.name": "docker0"}
ROUTED = {**NAT_MODE, "com.docker.network.bridge.gateway_mode_ipv4": "routed"}


def _kinds(scene: Scene) -> dict[str, list[int]]:
    return {kind: found.packets for kind, found in leaving(scene.case()).items()}


@pytest.mark.parametrize(
    ("nat", "flags", "others", "entry", "kind"),
    [
        ("", SYN, False, None, "missing"),
        ("", ACK, False, None, "missing"),
        (NAT, ACK, False, None, "invalid"),
        (NAT, SYN | RST, False, None, "invalid"),
        (NAT, SYN, False, None, "stale"),
        (NAT, SYN, False, "172.17.0.2", "stale"),
        (NAT, SYN, False, "172.17.0.9", "invalid"),
        (ODD, ACK, True, None, "invalid"),
        (ODD, ACK, False, None, "missing"),
        (ODD, SYN, True, None, "missing"),
    ],
    ids=["no-rule", "no-rule-midway", "midway", "reset", "begins", "known-to-conntrack", "not-known",
         "undecided-midway", "nothing-is-translated", "undecided"],
)  # fmt: skip
def test_whether_a_rule_would_translate_it_today_tells_what_went_wrong(
    tmp_path: Path, nat: str, flags: int, others: bool, entry: str | None, kind: str
) -> None:
    """What begins a connection, and conntrack knows, has an old entry; what it does not know, no rule is asked for."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat=nat)))
    if entry is not None:
        scene.dumps["conntrack.txt"] = ENTRY.format(entry, SERVER, entry)
    scene.out(0, 6, tcp(40_000, 80, 1, 0, flags), masked=None)
    if others:
        scene.out(10, 17, udp(1, 2, b"x"), dst="9.9.9.9")
        scene.back(15, 17, udp(2, 1, b"y"), src="9.9.9.9")

    assert _kinds(scene) == {kind: [0]}


@pytest.mark.parametrize(("options", "kind"), [(ROUTED, "routed"), (NAT_MODE, "missing")], ids=["routed", "nat"])
def test_what_is_reached_by_its_own_address_leaves_by_it(tmp_path: Path, options: dict[str, str], kind: str) -> None:
    """Gateway mode ``routed``: nothing shall be translated."""
    files = dumps(docker_network_inspect=[network(Options=options)], iptables_save=rules(nat=""))
    scene = Scene(tmp_path, dumps=files)
    scene.out(0, 17, udp(4000, 53, b"ask"), masked=None)

    assert list(_kinds(scene)) == [kind]


@pytest.mark.parametrize(
    "fields",
    [
        {"masked": HOST},
        {"until": "docker0"},
        {"src": "198.51.100.9", "public": True},
        {"src": "169.254.0.9"},
        {"src": "192.168.1.100"},
    ],
    ids=["translated", "not-out", "public", "link-local", "the-host's"],
)
def test_what_is_no_leak(tmp_path: Path, fields: dict[str, Any]) -> None:
    """It was translated, or did not leave, or has an address that others may answer to."""
    fields = {"src": "9.9.9.1"} if fields.pop("public", False) else fields
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat="")))
    scene.out(0, 17, udp(4000, 53, b"ask"), **{"masked": None, **fields})

    assert _kinds(scene) == {}


def test_an_answer_shows_that_somebody_knows_the_way_back(tmp_path: Path) -> None:
    """Of such a connection nothing leaked; but one packet of it that is not translated like the others did."""
    scene = Scene(tmp_path, dumps=dumps())
    scene.out(0, 17, udp(4000, 53, b"ask"), masked=None)
    scene.back(5, 17, udp(53, 4000, b"answer"), masked=None)
    scene.out(10, 6, tcp(40_000, 80, 1, 0, SYN))
    scene.back(15, 6, tcp(80, 40_000, 7, 2, SYN | ACK))
    scene.out(20, 6, tcp(40_000, 80, 2, 8, ACK))
    scene.out(9000, 6, tcp(40_000, 80, 2, 0, RST), masked=None)

    assert _kinds(scene) == {"invalid": [5]}


def test_what_a_host_did_not_route_it_did_not_let_leave(tmp_path: Path) -> None:
    """Its TTL was not counted down: a bridge passed it on."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat="")))
    data = packet(INSIDE, SERVER, 17, udp(4000, 53, b"ask"))
    for place, (point, src, dst) in enumerate((("veth-c2", C1, GATEWAY), ("wlan0", UPLINK, GATEWAY))):
        scene.see(point, place * 0.02, frame(src, dst, data))

    assert _kinds(scene) == {}


def test_where_a_filter_left_answers_out_nothing_is_a_leak(tmp_path: Path) -> None:
    """They may have come."""
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat="")))
    scene.out(0, 17, udp(4000, 53, b"ask"), masked=None)
    scene.recorded(9000)
    file = tmp_path / "manifest.json"
    kinds = []
    for words in ("udp", "src host 172.17.0.2"):
        file.write_text(file.read_text().replace('"filter": ""', f'"filter": "{words}"').replace('"udp"', f'"{words}"'))
        kinds.append(list(_kinds(scene)))

    assert kinds == [["missing"], []]


def test_the_network_is_that_of_the_source(tmp_path: Path) -> None:
    """Its subnet has it; none has what is elsewhere."""
    scene = Scene(tmp_path, dumps=dumps())
    scene.out(0, 17, udp(4000, 53, b"ask"))
    scene.out(1, 17, udp(4000, 53, b"ask"), src="10.9.9.9")
    case = scene.case()
    found = [network_of(case, number) for number in (0, 1)]

    assert [one.name if one is not None else None for one in found] == ["bridge", None]
