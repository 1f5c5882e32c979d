"""Connections that somebody on the way resets in the server's name."""

from pathlib import Path

import pytest

from tests.build import BRIDGE, C1, C2, tcp
from tests.explain.scene import INSIDE, SERVER, Scene, frame, packet

HYPOTHESIS = "reset-on-the-way"
SYN, RST, ACK, PSH = 0x02, 0x04, 0x10, 0x18
PORT = 40_000


def _hello(name: bytes) -> bytes:
    """Return a ClientHello that asks for a server by its name (RFC 8446, RFC 6066)."""
    sni = b"\0\0" + (len(name) + 5).to_bytes(2) + (len(name) + 3).to_bytes(2) + b"\0" + len(name).to_bytes(2) + name
    body = b"\3\3" + bytes(32) + b"\0" + b"\0\2\x13\1" + b"\1\0" + len(sni).to_bytes(2) + sni
    return b"\x16\3\1" + (len(body) + 4).to_bytes(2) + b"\1" + len(body).to_bytes(3) + body


def _opened(scene: Scene, sport: int = PORT, *, says: bytes = b"get", server: str = SERVER, at: float = 0,
            granted: bool = True) -> None:  # fmt: skip
    """Open a connection, and say something in it."""
    scene.out(at, 6, tcp(sport, 443, 1, 0, SYN), dst=server)
    if granted:
        scene.back(at + 5, 6, tcp(443, sport, 7, 2, SYN | ACK), src=server)
    scene.out(at + 6, 6, tcp(sport, 443, 2, 8, ACK), dst=server)
    if says:
        scene.out(at + 10, 6, tcp(sport, 443, 2, 8, PSH, payload=says), dst=server)


def _reset(scene: Scene, sport: int = PORT, *, ttl: int = 61, server: str = SERVER, at: float = 0) -> None:
    scene.back(at + 15, 6, tcp(443, sport, 8, 0, RST), ttl=ttl, src=server)


@pytest.mark.parametrize(
    ("ttl", "says", "answer", "granted", "told"),
    [
        (61, b"get", b"", True, True),
        (54, b"get", b"", True, False),
        (61, b"", b"", True, False),
        (61, b"get", b"page", True, False),
        (61, b"get", b"", False, False),
    ],
    ids=["another-ttl", "its-own-ttl", "nothing-asked", "answered-before", "nothing-to-compare"],
)
def test_a_reset_with_another_ttl_is_somebody_elses(
    tmp_path: Path, ttl: int, says: bytes, answer: bytes, granted: bool, told: bool
) -> None:
    """Right after what the client asked, and before any answer; both TTLs and the place are told."""
    scene = Scene(tmp_path)
    _opened(scene, says=says, granted=granted)
    if answer:
        scene.back(12, 6, tcp(443, PORT, 8, 5, PSH, payload=answer))
    _reset(scene, ttl=ttl)
    found = scene.findings(HYPOTHESIS)

    assert [(one.facts["ttl"], one.facts["others_ttl"], one.facts["where"]) for one in found] == [
        (61, 54, "wlan0")
    ] * told


@pytest.mark.parametrize(("ttl", "next_hop"), [(64, True), (128, True), (255, True), (61, False)])
def test_a_ttl_that_nobody_counted_down_is_the_next_hops(tmp_path: Path, ttl: int, next_hop: bool) -> None:
    """These are what machines begin with."""
    scene = Scene(tmp_path)
    _opened(scene)
    _reset(scene, ttl=ttl)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.facts["next_hop"] is next_hop


def test_a_reset_between_containers_is_not_on_the_way(tmp_path: Path) -> None:
    """There is nobody but this host between them: only what comes in by an uplink counts."""
    scene = Scene(tmp_path)
    web = "172.17.0.3"
    steps = [(False, 1, 0, SYN, b"", 64), (True, 7, 2, SYN | ACK, b"", 64), (False, 2, 8, PSH, b"get", 64),
             (True, 8, 0, RST, b"", 61)]  # fmt: skip
    for number, (back, seq, ack, flags, data, ttl) in enumerate(steps):
        ends, ports, macs = (INSIDE, web), (PORT, 443), (C1, C2)
        if back:
            ends, ports, macs = ends[::-1], ports[::-1], macs[::-1]
        said = packet(*ends, 6, tcp(*ports, seq, ack, flags, payload=data), ttl=ttl, ident=number)
        scene.see("veth-c2", number, frame(*macs, said))
    scene.see("veth-c2", 9000, frame(C1, BRIDGE, packet(INSIDE, SERVER, 17, b"\0\1\0\2\0\x08\0\0", ident=99)))

    assert scene.findings(HYPOTHESIS) == []


def test_all_resets_in_a_servers_name_are_told_once(tmp_path: Path) -> None:
    """Another server is told by itself."""
    scene = Scene(tmp_path)
    for number, server in enumerate((SERVER, SERVER, "9.9.9.9")):
        _opened(scene, PORT + number, server=server, at=100 * number)
        _reset(scene, PORT + number, server=server, at=100 * number)
    found = {one.facts["server"]: one for one in scene.findings(HYPOTHESIS)}

    assert {server: len(one.evidence) for server, one in found.items()} == {SERVER: 2, "9.9.9.9": 1}


@pytest.mark.parametrize(
    ("shut", "served", "told"),
    [
        ([b"sso.example"], [b"www.example"], (["sso.example"], ["www.example"])),
        ([b"sso.example", b"sso.example"], [], (["sso.example"], [])),
        ([b"sso.example"], [b"sso.example"], (["sso.example"], [])),
        ([b"sso.example", b"id.example"], [b"www.example"], None),
        ([b"sso.example"], [b"d.example", b"c.example", b"b.example", b"a.example"],
         (["sso.example"], ["a.example", "b.example", "c.example"])),
    ],
    ids=["one-shut", "twice", "shut-and-served", "two-shut", "many-served"],
)  # fmt: skip
def test_the_one_name_that_is_shut_is_told_and_what_passes_beside_it(
    tmp_path: Path, shut: list[bytes], served: list[bytes], told: tuple[list[str], list[str]] | None
) -> None:
    """Of TLS to the same server; where several are shut, it is not by the name. Three that pass are enough."""
    scene = Scene(tmp_path)
    for number, name in enumerate([*shut, *served]):
        _opened(scene, PORT + number, says=_hello(name), at=100 * number)
        if number < len(shut):
            _reset(scene, PORT + number, at=100 * number)
        else:
            scene.back(100 * number + 15, 6, tcp(443, PORT + number, 8, 5, PSH, payload=b"\x16\3\3hello"))
    (finding,) = scene.findings(HYPOTHESIS)
    names = [finding.facts.get(fact) for fact in ("shut_names", "served_names")]

    assert names == (list(told) if told is not None else [None, None])
