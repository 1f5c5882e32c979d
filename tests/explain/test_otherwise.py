"""Names that were reached by another of their addresses: when a failed try was one of several."""

import struct
from ipaddress import ip_address
from pathlib import Path

import numpy as np
import pytest

from analyzer.explain import otherwise
from analyzer.explain.case import Case
from analyzer.explain.otherwise import reached
from tests.build import BRIDGE, C1, arp, ether, tcp, udp
from tests.explain.dns import ask, message
from tests.explain.scene import INSIDE, INSIDE6, Scene
from tests.explain.state import container, dumps

SYN, RST_ACK, SYN_ACK = 2, 0x14, 0x12
ONE, TWO, SIX = "203.0.113.1", "203.0.113.2", "2001:db8::1"


def _resolved(scene: Scene, name: str, *addresses: str) -> None:
    """Let the container ask for a name, and be told addresses."""
    packed = [ip_address(ip).packed for ip in addresses]
    records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, len(one)) + one for one in packed)
    head = struct.pack("!6H", 7, 0x8180, 1, len(packed), 0, 0)
    ask(scene, 0, 7, name)
    scene.back(1, 17, udp(53, 30_007, head + message(7, name)[12:] + records))


def _try(
    scene: Scene, ms: float, dst: str, *, granted: bool, dport: int = 443, src: str = INSIDE, sport: int = 40_000
) -> None:
    """Let a client try an address, which takes it or refuses."""
    masked = None if ":" in src else "192.168.1.100"
    scene.out(ms, 6, tcp(sport, dport, 1, 0, SYN), dst=dst, src=src, masked=masked)
    flags = SYN_ACK if granted else RST_ACK
    scene.back(ms + 1, 6, tcp(dport, sport, 5, 2, flags), src=dst, dst=src, masked=masked)


def _found(case: Case, dst: str) -> list[str] | None:
    """Return the names by which what was for an address got through."""
    packets = [
        number for number in range(case.context.packets) if str(case.context.dst(int(case.first_row[number]))) == dst
    ]
    texts = reached(case, packets)
    return None if texts is None else sorted(texts.first)


@pytest.mark.parametrize(
    ("names", "then", "told"),
    [
        ((ONE, TWO), {}, ["a.example"]),
        ((ONE,), {}, None),
        ((ONE, TWO), {"granted": False}, None),
        ((ONE, TWO), {"dport": 80}, None),
        ((ONE, TWO), {"src": "172.17.0.9"}, None),
        ((ONE, "203.0.113.9"), {}, None),
        ((ONE, TWO), {"dst": ONE}, None),
    ],
    ids=[
        "another-address",
        "one-address",
        "refuses-too",
        "other-port",
        "other-client",
        "of-another-name",
        "same-address",
    ],
)
def test_a_try_is_one_of_several_if_the_name_was_reached_otherwise(
    tmp_path: Path, names: tuple[str, ...], then: dict[str, object], told: list[str] | None
) -> None:
    """The same client got through to the same port at another address of the name."""
    scene = Scene(tmp_path)
    _resolved(scene, "A.example", *names)
    _try(scene, 10, ONE, granted=False)
    _try(scene, 20, **{"dst": TWO, "granted": True, "sport": 40_001, **then})  # type: ignore[arg-type]

    assert _found(scene.case(), ONE) == told


def test_one_try_that_was_the_only_one_is_trouble(tmp_path: Path) -> None:
    """All connections have to be tries of something that was reached; and what has no connection is none."""
    scene = Scene(tmp_path)
    _resolved(scene, "a.example", ONE, TWO)
    _try(scene, 10, ONE, granted=False)
    _try(scene, 20, TWO, granted=True, sport=40_001)
    _try(scene, 30, ONE, granted=False, dport=8443, sport=40_002)
    scene.see("veth-c2", 40, ether(C1, BRIDGE, arp(1, C1, INSIDE, C1, ONE), 0x0806))
    case = scene.case()
    question = int(np.flatnonzero(case.connection < 0)[0])

    assert _found(case, ONE) is None
    assert reached(case, []) is None
    assert reached(case, [question]) is None


def test_of_too_many_connections_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking at each would take long."""
    scene = Scene(tmp_path)
    _resolved(scene, "a.example", ONE, TWO)
    for number in range(2):
        _try(scene, 10 + number, ONE, granted=False, sport=40_000 + number)
    _try(scene, 20, TWO, granted=True, sport=41_000)
    case = scene.case()
    found = []
    for most in (2, 1):
        monkeypatch.setattr(otherwise, "MOST", most)
        found.append(_found(case, ONE))

    assert found == [["a.example"], None]


@pytest.mark.parametrize(
    ("after_ms", "then", "told"),
    [
        (100, {}, True),
        (5000, {}, True),
        (5001, {}, False),
        (-100, {}, False),
        (100, {"granted": False}, False),
        (100, {"dport": 80}, False),
        (100, {"src": "172.17.0.9"}, False),
    ],
    ids=["soon", "just-so", "late", "before", "refused-too", "other-port", "other-client"],
)
def test_a_client_turns_to_the_other_ip_version(
    tmp_path: Path, after_ms: int, then: dict[str, object], told: bool
) -> None:
    """A container has addresses of both: who tries IPv4 within 5 s, and gets through, noticed nothing of IPv6."""
    both = container("c2", INSIDE, "02:42:ac:11:00:02")
    assert isinstance(both, dict)
    both["NetworkSettings"]["Networks"]["bridge"]["GlobalIPv6Address"] = INSIDE6
    scene = Scene(tmp_path, dumps=dumps(docker_inspect=[both]))
    _try(scene, 1000, SIX, granted=False, src=INSIDE6)
    _try(scene, 1000 + after_ms, ONE, **{"granted": True, **then})  # type: ignore[arg-type]

    assert _found(scene.case(), SIX) == ([SIX] if told else None)


def test_nobody_turns_from_ipv4_to_ipv6(tmp_path: Path) -> None:
    """IPv6 is tried first: what fails by IPv4 was the last try."""
    both = container("c2", INSIDE, "02:42:ac:11:00:02")
    assert isinstance(both, dict)
    both["NetworkSettings"]["Networks"]["bridge"]["GlobalIPv6Address"] = INSIDE6
    scene = Scene(tmp_path, dumps=dumps(docker_inspect=[both]))
    _try(scene, 1000, ONE, granted=False)
    _try(scene, 1100, SIX, granted=True, src=INSIDE6)

    assert _found(scene.case(), ONE) is None
