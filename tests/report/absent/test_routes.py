"""What is said of routes by which an address is looked for."""

import pytest

from analyzer.report.words.neighbours import arp_unanswered
from analyzer.report.words.sentence import Facts
from tests.report.absent.facts import ASKED, NETWORK, ROUTE


@pytest.mark.parametrize(
    ("why", "facts", "cause", "remedy"),
    [
        ("no-carrier", ROUTE, "eth0, by which the host asks, is down or has no carrier", "ip link set eth0 up"),
        ("flaps", {**ROUTE, "flaps": 4}, "the carrier of eth0, by which the host asks, went and came 4 times", "cable"),
        ("next-hop", {"hops": 2}, "172.17.0.9, one of 2 next hops of the default route, does not answer", "Bring"),
        ("next-hop", {"hops": 3, "prefix": "10.0.0.0/8"}, "one of 3 next hops of the route for 10.0.0.0/8", "Bring"),
        ("wide", ROUTE, "the host takes it for a neighbour, for eth0 has the netmask /8", "Give eth0 the netmask"),
        ("network-gateway", NETWORK, "nobody on that segment has it", "--gateway ROUTER,"),
        ("network-gateway", {**NETWORK, "router": "10.0.0.1"}, "the host's own router there is 10.0.0.1",
         "--gateway 10.0.0.1,"),
        ("gateway-silent", {**ROUTE, "prefix": "10.9.0.0/16"},
         "the route for 10.9.0.0/16 leads to 172.17.0.9, which does", "Bring 172.17.0.9 back"),
        ("gateway-silent", {**ROUTE, "prefix": ""}, "the host's gateway does not answer", "ip route replace default"),
        ("on-link", ROUTE, "the host takes it for a neighbour by the route", "netmask of the host"),
        ("on-link", {**ROUTE, "asker_name": "c1"}, "c1 takes it for a neighbour by the route", "netmask of c1"),
        ("wrong-gateway", {**ROUTE, "asker_name": "c1", "right": "172.17.0.1"},
         "it is the default gateway of c1, and its network's is 172.17.0.1", "In the container's namespace:"),
    ],
)  # fmt: skip
def test_each_reason_has_its_cause_and_its_remedy(why: str, facts: Facts, cause: str, remedy: str) -> None:
    """The cause ends both sentences; what is not known is not named."""
    words = arp_unanswered({**ASKED, "why": why, **facts})

    assert cause in words.cause
    assert words.detail == f"nobody answers for 172.17.0.9 at docker0: {words.cause}"
    assert remedy in str(words.remedy)


def test_a_route_to_a_router_that_is_silent_does_not_hide_the_default_route() -> None:
    """It is told beside it, where there is one."""
    facts: Facts = {**ASKED, "why": "gateway-silent", **ROUTE, "prefix": "10.9.0.0/16"}

    told = [arp_unanswered({**facts, "default": text}).explanation for text in ("default via 10.0.0.1", "")]
    assert ["The default route is another one" in text for text in told] == [True, False]
