"""Names with IPv6 addresses only, and containers that have no IPv6."""

import struct
from ipaddress import ip_address
from pathlib import Path

import pytest

from analyzer.model import Basis, Finding, Severity
from tests.build import C1, udp
from tests.explain.dns import ask, message
from tests.explain.scene import INSIDE, Scene
from tests.explain.state import dumps

HYPOTHESIS = "no-ipv6-for-name"
SIX, FOUR = "2001:db8::7", "192.0.2.7"
LOCAL = "fe80::42:acff:fe11:2"


def _inside(*addresses: str) -> list[dict[str, object]]:
    """Return a container's loopback, and its interface with these addresses."""
    ends = (("lo", "00:00:00:00:00:00", ("127.0.0.1", "::1")), ("eth0", C1, addresses))
    return [
        {"ifindex": place, "ifname": name, "address": mac, "operstate": "UP", "flags": ["LOOPBACK"] * (name == "lo"),
         "addr_info": [{"local": ip} for ip in ips]}
        for place, (name, mac, ips) in enumerate(ends, 1)
    ]  # fmt: skip


def _scene(folder: Path, *addresses: str, refused: int = 0) -> Scene:
    """Return a host with a container; *refused* packets of IPv6 found no route in it."""
    files: dict[str, object] = {
        "containers/c2/ip-addr.json": _inside(*addresses),
        "containers/c2/nstat.txt": f"Ip6OutNoRoutes {5 + refused} 0.0\n",
        "before/containers/c2/ip-addr.json": _inside(*addresses),
        "before/containers/c2/nstat.txt": "Ip6OutNoRoutes 5 0.0\n",
    }
    return Scene(folder, dumps=dumps() | files)


def _resolve(scene: Scene, number: int, name: str, **answers: str | None) -> None:
    """Let the container ask for a name, by kind; None is an answer without an address."""
    for place, (kind, text) in enumerate(answers.items()):
        of = 10 * number + place
        ask(scene, of, of, name, kind)
        data = ip_address(text).packed if text is not None else b""
        record = b"\xc0\x0c" + struct.pack("!HHIH", {"A": 1, "AAAA": 28}[kind], 1, 60, len(data)) + data
        head = struct.pack("!6H", of, 0x8180, 1, int(text is not None), 0, 0)
        told = head + message(of, name, kind)[12:] + (record if text is not None else b"")
        scene.back(of + 5, 17, udp(53, 30_000 + of, told))


def _found(scene: Scene) -> list[Finding]:
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    return scene.findings(HYPOTHESIS)


@pytest.mark.parametrize(
    ("four", "six", "told"),
    [(None, SIX, True), (FOUR, SIX, False), (None, None, False)],
    ids=["ipv6-only", "both", "none"],
)
def test_a_name_without_ipv4_is_of_no_use(tmp_path: Path, four: str | None, six: str | None, told: bool) -> None:
    """It is told where all its addresses are of IPv6; a name without any is another matter."""
    scene = _scene(tmp_path, INSIDE)
    _resolve(scene, 1, "six.example", A=four, AAAA=six)
    found = _found(scene)

    assert [(finding.facts["who"], finding.facts["names"]) for finding in found] == [(["c2"], ["six.example"])] * told
    assert all(finding.basis is Basis.STATED for finding in found)
    assert all(finding.proof == ("containers/c2/ip-addr.json: no IPv6 address",) for finding in found)


@pytest.mark.parametrize(
    ("addresses", "told"),
    [((INSIDE, LOCAL), True), ((INSIDE, "fd00:17::2"), False), ((INSIDE, "2001:db8:17::2"), False)],
    ids=["link-local", "unique-local", "global"],
)
def test_a_link_local_address_is_no_ipv6(tmp_path: Path, addresses: tuple[str, ...], told: bool) -> None:
    """Nor is that of loopback; with any other one the name may be of use."""
    scene = _scene(tmp_path, *addresses)
    _resolve(scene, 1, "six.example", A=None, AAAA=SIX)

    assert len(_found(scene)) == told


@pytest.mark.parametrize(
    ("answers", "refused", "severity"),
    [
        ({"A": None, "AAAA": SIX}, 0, Severity.WARNING),
        ({"A": None, "AAAA": SIX}, 2, Severity.ERROR),
        ({"AAAA": SIX}, 2, Severity.ERROR),
        ({"AAAA": SIX}, 0, None),
    ],
    ids=["asked-for-both", "and-refused", "asked-for-one-and-refused", "asked-for-one"],
)
def test_packets_without_a_route_make_it_an_error(
    tmp_path: Path, answers: dict[str, str | None], refused: int, severity: Severity | None
) -> None:
    """Who asked for IPv6 alone may have an IPv4 address from elsewhere, unless its kernel refused to send."""
    scene = _scene(tmp_path, INSIDE, refused=refused)
    _resolve(scene, 1, "six.example", **answers)

    assert [finding.severity for finding in _found(scene)] == [severity] * (severity is not None)


def test_one_name_that_was_asked_for_by_ipv6_alone_leaves_all_in_doubt(tmp_path: Path) -> None:
    """As long as the kernel refused nothing."""
    scene = _scene(tmp_path, INSIDE)
    _resolve(scene, 1, "six.example", A=None, AAAA=SIX)
    _resolve(scene, 2, "other.example", AAAA=SIX)

    assert _found(scene) == []


def test_a_container_that_was_not_looked_into_is_not_accused(tmp_path: Path) -> None:
    """Nobody knows which addresses it has."""
    scene = Scene(tmp_path, dumps=dumps())
    _resolve(scene, 1, "six.example", A=None, AAAA=SIX)

    assert _found(scene) == []


def test_a_name_is_the_same_in_capitals_and_all_names_are_told_together(tmp_path: Path) -> None:
    """One finding a container, with the frames of the answers."""
    scene = _scene(tmp_path, INSIDE)
    _resolve(scene, 1, "six.example", A=None, AAAA=SIX)
    _resolve(scene, 2, "Both.example", AAAA=SIX)
    _resolve(scene, 3, "both.example", A=FOUR)
    _resolve(scene, 4, "Other.example", A=None, AAAA=SIX)
    (finding,) = _found(scene)

    assert finding.facts["names"] == ["six.example", "other.example"]
    assert len(finding.evidence) == 4
