"""What WireGuard sends to nobody: no peer is for it, or its peer never shook hands."""

from pathlib import Path

import pytest

from analyzer.model import Finding, Severity
from tests.build import BRIDGE, C1, tcp, udp
from tests.explain.scene import HOST, INSIDE, Scene, frame, packet
from tests.explain.state import dumps, links, routes

HYPOTHESIS = "wireguard-no-peer"
FAR, END = "10.78.0.1", "192.168.1.1"
SYN = tcp(40_000, 80, 1, 0, 2)
LINK = {"ifindex": 9, "ifname": "wg0", "mtu": 1420, "operstate": "UNKNOWN", "linkinfo": {"info_kind": "wireguard"},
        "addr_info": [{"local": "10.77.0.2"}]}  # fmt: skip


def _peer(key: str, allowed: str, *more: str) -> str:
    return "\n".join([f"peer: {key}", f"  allowed ips: {allowed}", *(f"  {line}" for line in more), ""])


ENDPOINT = f"endpoint: {END}:51820"
SILENT = _peer("k=", "10.78.0.0/24", ENDPOINT)
ALIVE = _peer("k=", "10.78.0.0/24", ENDPOINT, "latest handshake: 9 seconds ago")
OLD = _peer("k=", "10.78.0.0/24", ENDPOINT, "latest handshake: 3 minutes, 1 second ago")
GOOD = _peer("k=", "10.78.0.0/24", ENDPOINT, "latest handshake: 3 minutes ago")
NARROW = _peer("k=", "10.77.0.0/24", ENDPOINT, "latest handshake: 9 seconds ago")


def _scene(folder: Path, peers: str, dev: str = "wg0") -> Scene:
    way = {"dst": "10.78.0.0/24", "dev": dev}
    files = dumps(ip_addr=[*links(), LINK], ip_route=[*routes(), way])
    return Scene(folder, dumps=files | {"wg.txt": f"interface: wg0\n\n{peers}"})


def _found(scene: Scene, *, at_tunnel: bool = True) -> list[Finding]:
    """Let c2 ask the far end in vain, and others be answered by the uplink."""
    for ms in (0, 9000):
        scene.out(ms, 17, udp(1, 2, b"x"), dst="9.9.9.9")
        scene.back(ms + 5, 17, udp(2, 1, b"y"), src="9.9.9.9")
    for number in range(3):
        data = packet(INSIDE, FAR, 6, SYN, ident=number + 1)
        for point in ("veth-c2", "docker0"):
            scene.see(point, 100 + 1000 * number, frame(C1, BRIDGE, data))
        if at_tunnel:
            out = frame("00:00:00:00:00:00", "00:00:00:00:00:00",
                        packet("10.77.0.2", FAR, 6, SYN, ident=number + 1, ttl=63))  # fmt: skip
            scene.see("wg0", 100.05 + 1000 * number, out)
    return scene.findings(HYPOTHESIS)


@pytest.mark.parametrize("at_tunnel", [True, False], ids=["captured", "not-captured"])
@pytest.mark.parametrize(
    ("peers", "told"),
    [
        (SILENT, "whose peer 192.168.1.1:51820 never shook hands"),
        (OLD, "whose peer 192.168.1.1:51820 shook hands 181 s ago for the last time"),
        (_peer("k=", "10.78.0.0/24"), "whose peer for them never shook hands"),
        (NARROW, "none of whose peers is for 10.78.0.1"),
        (NARROW + ALIVE.replace("k=", "l="), ""),
        (_peer("l=", "10.0.0.0/8", "latest handshake: Now") + SILENT, "never shook hands"),
        (_peer("l=", "10.0.0.0/8") + ALIVE, ""),
        (ALIVE, ""),
        (GOOD, ""),
        ("", ""),
    ],
    ids=["never", "long-ago", "no-endpoint", "not-allowed", "another-peer", "longest-prefix", "longest-is-alive",
         "alive", "just-alive", "no-peers"],
)  # fmt: skip
def test_who_takes_what_is_sent_to_it(tmp_path: Path, peers: str, told: str, at_tunnel: bool) -> None:
    """The peer with the longest prefix, if it has keys; a handshake's are good for three minutes."""
    found = _found(_scene(tmp_path, peers), at_tunnel=at_tunnel)

    assert len(found) == bool(told)
    assert all(told in one.detail and one.severity is Severity.ERROR for one in found)


def test_another_way_is_none_of_its_business(tmp_path: Path) -> None:
    """Routes lead by the uplink."""
    assert _found(_scene(tmp_path, SILENT, dev="wlan0"), at_tunnel=False) == []


@pytest.mark.parametrize(
    ("peers", "commands"),
    [(NARROW, ("wg set wg0 peer k= allowed-ips 10.77.0.0/24,10.78.0.1/32",)),
     (NARROW + NARROW.replace("k=", "l="), ())],
    ids=["one-peer", "two-peers"],
)  # fmt: skip
def test_what_is_allowed_stays_allowed(tmp_path: Path, peers: str, commands: tuple[str, ...]) -> None:
    """wg set replaces the list; of several peers nobody knows which one it is."""
    (finding,) = _found(_scene(tmp_path, peers))

    assert finding.commands == commands
    assert finding.facts["route"] == "10.78.0.0/24 dev wg0"


def test_its_own_packets_that_nobody_answers_are_part_of_it(tmp_path: Path) -> None:
    """They are its handshakes."""
    scene = _scene(tmp_path, SILENT)
    for number in range(2):
        scene.see("wlan0", 50 + 1000 * number, frame(links()[0]["address"], "00:1d:aa:01:02:03",  # type: ignore[arg-type]
                  packet(HOST, END, 17, udp(51820, 51820, b"\1" * 148), ident=50 + number)))  # fmt: skip
    (finding,) = _found(scene)

    assert finding.facts["packets"] == 5
    assert not scene.findings("loss-beyond-host")
