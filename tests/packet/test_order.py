"""The order of hops where times do not tell it."""

from pathlib import Path

import pytest

from analyzer import analyze
from tests.build import BRIDGE, C1, GATEWAY, T0, UPLINK, ether, ipv4, tcp, write_pcap


def _hops(tmp_path: Path, times: dict[str, int], *, reply: bool) -> list[str]:
    """Send one packet through the host, seen at each point at its time; return its points in order."""
    segment = tcp(80, 40_000, 900, 8, 0x12, b"", (1, 2)) if reply else tcp(40_000, 80, 7, 0, 2, b"", (1, 0))
    if reply:
        inside = ether(BRIDGE, C1, ipv4("8.8.8.8", "172.17.0.2", 6, segment, ttl=55))
        outside = ether(GATEWAY, UPLINK, ipv4("8.8.8.8", "192.168.1.100", 6, segment, ttl=56))
    else:
        inside = ether(C1, BRIDGE, ipv4("172.17.0.2", "8.8.8.8", 6, segment, ttl=64))
        outside = ether(UPLINK, GATEWAY, ipv4("192.168.1.100", "8.8.8.8", 6, segment, ttl=63))
    frames = {"veth-c1": inside, "docker0": inside, "wlan0": outside}
    paths = [write_pcap(tmp_path / f"{name}.pcap", [(T0 + time, frames[name])]) for name, time in times.items()]
    (journey,) = analyze(paths).journeys()
    return [hop.point for hop in journey.hops]


@pytest.mark.parametrize("veth_ns", [6_000, 5_999])
def test_equal_times_on_the_way_in(tmp_path: Path, veth_ns: int) -> None:
    """From the uplink, the bridge comes before the container's veth; an earlier time is the earlier hop."""
    hops = _hops(tmp_path, {"veth-c1": veth_ns, "docker0": 6_000, "wlan0": 0}, reply=True)

    assert hops == (["wlan0", "docker0", "veth-c1"] if veth_ns == 6_000 else ["wlan0", "veth-c1", "docker0"])


def test_equal_times_on_the_way_out(tmp_path: Path) -> None:
    """A container's packet is at its veth before it is at the bridge."""
    assert _hops(tmp_path, {"veth-c1": 0, "docker0": 0, "wlan0": 9_000}, reply=False) == ["veth-c1", "docker0", "wlan0"]


@pytest.mark.parametrize(
    ("reply", "hops"), [(False, ["veth-c1", "docker0", "wlan0"]), (True, ["wlan0", "docker0", "veth-c1"])]
)
def test_all_times_equal(tmp_path: Path, reply: bool, hops: list[str]) -> None:
    """The TTL tells what was routed first, and from there the next point is the nearest one."""
    assert _hops(tmp_path, {"veth-c1": 0, "docker0": 0, "wlan0": 0}, reply=reply) == hops
