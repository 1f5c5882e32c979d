"""Flows of which long packets vanish: how many tries, how long they must be, and what shows that short ones pass."""

from pathlib import Path

import pytest

from analyzer.explain.long_packets import swallowed
from tests.build import BRIDGE, C1, GATEWAY, UPLINK, echo, ether, ipv4, tcp, udp
from tests.explain.scene import HOST, INSIDE, SERVER, Scene, frame, packet

SYN, ACK, PSH = 0x02, 0x10, 0x18
Found = list[tuple[int, int, bool]]


def _found(scene: Scene) -> Found:
    """Return of each place: how many packets vanish, how long those are that pass, and whether it is a tunnel."""
    return [(len(one.packets), one.fits, one.tunnelled) for one in swallowed(scene.case())]


def _ping(scene: Scene, ms: float, seq: int, size: int, *, answered: bool, ident: int = 7, dst: str = SERVER) -> None:
    """Send an echo request of so many bytes, IP header included."""
    scene.out(ms, 1, echo(8, ident, seq, b"p" * (size - 28)), dst=dst)
    if answered:
        scene.back(ms + 5, 1, echo(0, ident, seq, b"p" * (size - 28)), src=dst)


def _later(scene: Scene, ms: float = 9000) -> None:
    scene.see("veth-c2", ms, frame(C1, BRIDGE, packet(INSIDE, "9.9.9.9", 17, udp(1, 2, b"x"))))


@pytest.mark.parametrize(
    ("short", "long", "tries", "found"),
    [
        (84, 1500, 2, [(2, 84, False)]),
        (84, 1500, 5, [(5, 84, False)]),
        (84, 1500, 1, []),
        (84, 600, 2, [(2, 84, False)]),
        (84, 599, 2, []),
        (1400, 1401, 2, [(2, 1400, False)]),
        (1500, 1500, 2, []),
        (1500, 1400, 2, []),
        (None, 1500, 3, []),
    ],
    ids=["two", "five", "one", "600", "599", "a-byte-more", "equal", "shorter", "none-answered"],
)
def test_pings(tmp_path: Path, short: int | None, long: int, tries: int, found: Found) -> None:
    """Two of 600 bytes and more, longer than one that was answered: shorter ones pass every link."""
    scene = Scene(tmp_path)
    if short is not None:
        _ping(scene, 0, 1, short, answered=True)
    for number in range(tries):
        _ping(scene, 100 + number * 100, 2 + number, long, answered=False)
    _later(scene)

    assert _found(scene) == found


def test_pings_between_two_addresses_are_one_flow(tmp_path: Path) -> None:
    """Whichever program sent them; those to somebody else are another."""
    scene = Scene(tmp_path)
    _ping(scene, 0, 1, 84, answered=True)
    for number in range(2):
        _ping(scene, 100 + number, 1, 1500, answered=False, ident=8 + number)
        _ping(scene, 200 + number, 1, 1500, answered=False, ident=18 + number, dst="9.9.9.9")
    _later(scene)

    assert _found(scene) == [(2, 84, False)]


def test_the_shortest_that_vanishes_must_be_longer_than_all_that_pass(tmp_path: Path) -> None:
    """A long one that was answered shows that length is not the matter."""
    scene = Scene(tmp_path)
    _ping(scene, 0, 1, 84, answered=True)
    for number in range(3):
        _ping(scene, 100 + number, 2 + number, 1400, answered=False)
    _ping(scene, 200, 9, 1500, answered=True)
    _later(scene)

    assert _found(scene) == []


def test_pings_without_time_for_an_answer(tmp_path: Path) -> None:
    """Do not count: of three, two had it."""
    scene = Scene(tmp_path)
    _ping(scene, 0, 1, 84, answered=True)
    for number, ms in enumerate((100, 200, 8500)):
        _ping(scene, ms, 2 + number, 1500, answered=False)
    _later(scene)

    assert _found(scene) == [(2, 84, False)]


def test_pings_all_without_time(tmp_path: Path) -> None:
    """Then nothing is known."""
    scene = Scene(tmp_path)
    _ping(scene, 0, 1, 84, answered=True)
    for number in range(3):
        _ping(scene, 8500 + number, 2 + number, 1500, answered=False)
    _later(scene)

    assert _found(scene) == []


def test_flows_of_one_place_stand_together(tmp_path: Path) -> None:
    """With the least that is known to pass."""
    scene = Scene(tmp_path)
    for dst, short in ((SERVER, 84), ("9.9.9.9", 60)):
        _ping(scene, 0, 1, short, answered=True, dst=dst)
        for number in range(2):
            _ping(scene, 100 + number * 100, 2 + number, 1500, answered=False, dst=dst)
    _later(scene)

    assert _found(scene) == [(4, 60, False)]


@pytest.mark.parametrize("kind", [(3, 4), (3, 13)])
def test_a_router_that_says_so(tmp_path: Path, kind: tuple[int, int]) -> None:
    """Then they do not vanish without a word; other errors say something else."""
    scene = Scene(tmp_path)
    _ping(scene, 0, 1, 84, answered=True)
    for number in range(3):
        _ping(scene, 100 + number * 100, 2 + number, 1500, answered=False)
    scene.error(150, *kind, 1, echo(8, 7, 2, b"p" * 1472), ident=3, by="10.0.0.1", word=1400)
    _later(scene)

    assert bool(_found(scene)) is (kind != (3, 4))


def _stream(scene: Scene, sizes: list[int], *, sport: int = 40_000, acked: int = 0, back: bool = False) -> None:
    """
    Open a connection, and send a segment of each size at its place in the stream, equal ones again.

    *acked* is how many of the bytes the other end acknowledges at last.
    """
    scene.out(0, 6, tcp(sport, 80, 99, 0, SYN))
    scene.back(5, 6, tcp(80, sport, 499, 100, SYN | ACK))
    scene.out(6, 6, tcp(sport, 80, 100, 500, ACK))
    seq, before = 0, None
    for number, size in enumerate(sizes):
        if before is not None and size != before:
            seq += before
        data = bytes([65 + size % 20]) * size
        if back:
            scene.back(100 + number * 200, 6, tcp(80, sport, 500 + seq, 100, PSH, data))
        else:
            scene.out(100 + number * 200, 6, tcp(sport, 80, 100 + seq, 500, PSH, data))
        before = size
    if acked and back:
        scene.out(5000, 6, tcp(sport, 80, 100, 500 + acked, ACK))
    elif acked:
        scene.back(5000, 6, tcp(80, sport, 500, 100 + acked, ACK))
    _later(scene)


@pytest.mark.parametrize(
    ("sizes", "acked", "found"),
    [
        ([1400, 1400, 1400], 0, [(3, 40, False)]),
        ([1400, 1400], 0, []),
        ([1400, 1400, 1400, 1400], 0, [(4, 40, False)]),
        ([560, 560, 560], 0, [(3, 40, False)]),
        ([559, 559, 559], 0, []),
        ([200, 1400, 1400, 1400], 200, [(3, 240, False)]),
        ([1400, 1400, 1400], 1400, []),
        ([1400, 1400, 1400, 10], 0, [(3, 40, False)]),
        ([1400, 1400, 1400, 10, 10, 10], 0, [(3, 40, False)]),
    ],
    ids=["three", "two", "four", "600", "599", "after-short", "acknowledged", "short-behind", "short-again"],
)
def test_streams(tmp_path: Path, sizes: list[int], acked: int, found: Found) -> None:
    """A segment that was sent twice again and never acknowledged, where the handshake and short data were."""
    scene = Scene(tmp_path)
    _stream(scene, sizes, acked=acked)

    assert _found(scene) == found


def test_streams_from_outside(tmp_path: Path) -> None:
    """Each direction by itself."""
    scene = Scene(tmp_path)
    _stream(scene, [1400, 1400, 1400], back=True)

    assert _found(scene) == [(3, 40, False)]


def test_later_data_that_got_through(tmp_path: Path) -> None:
    """Then the connection lives on, and nothing is swallowed."""
    scene = Scene(tmp_path)
    _stream(scene, [1400, 1400, 1400])
    scene.out(6000, 6, tcp(40_000, 80, 100, 500, PSH, b"z" * 600))
    scene.back(6010, 6, tcp(80, 40_000, 500, 700, ACK))
    _later(scene)

    assert _found(scene) == []


def _vxlan(data: bytes) -> bytes:
    body = (8 << 24).to_bytes(4, "big") + (7 << 8).to_bytes(4, "big") + data
    return ether(UPLINK, GATEWAY, ipv4(HOST, "192.168.1.101", 17, udp(50_000, 4789, body)))


def test_flows_in_a_tunnel(tmp_path: Path) -> None:
    """Are told apart from those outside."""
    scene = Scene(tmp_path)
    for number, size in enumerate((84, 1400, 1400)):
        asked = packet("10.0.0.2", "10.0.0.3", 1, echo(8, 7, number, b"p" * (size - 28)), ident=number + 1)
        scene.see("wlan0", number * 100, _vxlan(frame(C1, BRIDGE, asked)))
        if not number:
            told = packet("10.0.0.3", "10.0.0.2", 1, echo(0, 7, number, b"p" * (size - 28)), ident=99)
            scene.see("wlan0", 5, _vxlan(frame(BRIDGE, C1, told)))
    _later(scene)

    assert _found(scene) == [(2, 84, True)]


def test_flows_at_an_overlays_device(tmp_path: Path) -> None:
    """Are in a tunnel, too."""
    scene = Scene(tmp_path)
    for number, size in enumerate((84, 1400, 1400)):
        asked = packet("10.0.0.2", "10.0.0.3", 1, echo(8, 7, number, b"p" * (size - 28)), ident=number + 1)
        scene.see("vxlan0", number * 100, frame(C1, BRIDGE, asked))
        if not number:
            told = packet("10.0.0.3", "10.0.0.2", 1, echo(0, 7, number, b"p" * (size - 28)), ident=99)
            scene.see("vxlan0", 5, frame(BRIDGE, C1, told))
    _later(scene)

    assert _found(scene) == [(2, 84, True)]
