"""What is said of a host's state alone."""

import pytest

from analyzer.report.words.host import bridge_netfilter_off, forward_policy_drop, mtu_mismatch
from analyzer.report.words.sentence import Facts

INSIDE: Facts = {"container": "c1", "inner": "eth0", "outer": "veth1", "mtu": 9000, "limit": 1500}


@pytest.mark.parametrize(
    ("networks", "detail"),
    [
        (["a"], "FORWARD drops all that network a sends"),
        (["a", "b"], "FORWARD drops all that networks a, b send"),
        (["a", "b", "c", "d"], "FORWARD drops all that networks a, b and 2 more send"),
    ],
)
def test_a_policy_that_drops_names_the_networks_it_keeps_in(networks: list[str], detail: str) -> None:
    """One, two, or two and how many more."""
    words = forward_policy_drop({"networks": networks})

    assert words.detail == detail
    assert "policy is DROP" in words.cause


@pytest.mark.parametrize(("lost", "counted"), [(1, "1 packet"), (1_200, "1,200 packets")])
def test_an_mtu_that_differs_at_a_container_s_two_ends_is_told_with_what_it_cost(lost: int, counted: str) -> None:
    """Both ends by name, with their numbers; the remedy is for both."""
    words = mtu_mismatch({**INSIDE, "lost": lost})

    assert words.detail == f"eth0 of c1 has MTU 9000, its end on the host, veth1, 1500: {counted} too long"
    assert str(words.remedy).startswith("Give both ends one MTU")


def test_an_mtu_that_the_uplink_does_not_carry_is_the_network_s() -> None:
    """The remedy names the smaller number, for all networks and for one."""
    words = mtu_mismatch({"network": "n", "mtu": 1500, "uplink": "wg0", "limit": 1420})

    assert words.detail == "network n has MTU 1500, the uplink wg0 only 1420"
    assert '"mtu": 1420' in str(words.remedy)
    assert "com.docker.network.driver.mtu=1420" in str(words.remedy)


def test_what_a_host_s_state_may_do_is_nobody_s_trouble_yet() -> None:
    """But for the policy: these name nothing that acts."""
    assert bridge_netfilter_off({}).cause == ""
    assert mtu_mismatch({**INSIDE, "lost": 1}).cause == ""
