"""A bridge's MTU beside the uplink's."""

from dataclasses import replace

import pytest

from analyzer.model import Severity
from tests.explain.host.state import HOST, asked, link, route

check = asked("mtu-mismatch")


@pytest.mark.parametrize(
    ("uplink", "bridge", "told"),
    [(1400, 1500, True), (1499, 1500, True), (1500, 1500, False), (9000, 1500, False), (None, 1500, False),
     (1400, None, False)],
)  # fmt: skip
def test_only_a_larger_bridge_is_told(uplink: int | None, bridge: int | None, told: bool) -> None:
    """Equal ones fit; an MTU that no dump has tells nothing."""
    host = replace(HOST, links=(link("wlan0", mtu=uplink), link("docker0", kind="bridge", mtu=bridge)))
    titles = [finding.detail for finding in check(host)]

    assert titles == [f"network bridge has MTU {bridge}, the uplink wlan0 only {uplink}"] * told


def test_the_best_uplink_counts() -> None:
    """The one with the lowest metric; both lines are the proof, and its MTU the remedy."""
    links = (link("slow0", mtu=1300), link("wlan0", mtu=1400), link("docker0", kind="bridge", mtu=1500))
    routes = (route("0.0.0.0/0", "slow0", metric=9), route("0.0.0.0/0", "wlan0", metric=1))
    (finding,) = check(replace(HOST, links=links, routes=routes))

    assert finding.check == "mtu-mismatch"
    assert finding.severity is Severity.WARNING
    assert finding.proof == ("ip-addr.json: docker0 mtu 1500", "ip-addr.json: wlan0 mtu 1400")
    assert '"mtu": 1400 in' in finding.remedy
    assert "com.docker.network.driver.mtu=1400." in finding.remedy


def test_without_an_uplink_nothing_is_told() -> None:
    """There is nothing to compare with."""
    assert check(replace(HOST, routes=())) == []
