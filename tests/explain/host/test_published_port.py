"""Whether rules translate published ports."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from analyzer.model import Container, HostState, Severity
from tests.explain.host.state import HOST, RULES, asked, container, link, rules

check = asked("published-port-not-translated")

BARE = RULES.replace("-A DOCKER ! -i docker0", "-A DOCKER -i docker0")
NO_MATCH = replace(HOST, tables=rules(BARE))


def _with(*published: str, text: str = BARE, addresses: tuple[str, ...] = ("172.17.0.2",)) -> HostState:
    containers = (container("web", *addresses, published=published),)
    return replace(HOST, tables=rules(text), containers=containers)


def _dnat(match: str) -> str:
    return BARE.replace("-A DOCKER -i docker0 -p tcp -m tcp --dport 8080", f"-A DOCKER {match}")


@pytest.mark.parametrize(
    ("host", "ports"),
    [
        (HOST, []),
        (NO_MATCH, ["0.0.0.0:8080->80/tcp"]),
        (_with(":8080->80/tcp"), [":8080->80/tcp"]),
        (_with("192.168.1.100:8080->80/tcp"), ["192.168.1.100:8080->80/tcp"]),
        (_with("127.0.0.1:8080->80/tcp"), []),
        (_with("[::]:8080->80/tcp"), []),
        (_with("[::1]:8080->80/tcp"), []),
        (_with("nonsense:8080->80/tcp"), []),
        (_with("0.0.0.0:8080-8090->80/tcp"), []),
        (_with("0.0.0.0:8080->80/tcp", addresses=()), []),
        (
            _with("127.0.0.1:1->1/tcp", "0.0.0.0:8080->80/tcp", "0.0.0.0:53->53/udp"),
            ["0.0.0.0:8080->80/tcp", "0.0.0.0:53->53/udp"],
        ),
        (replace(NO_MATCH, tables=()), []),
        (replace(NO_MATCH, routes=()), []),
        (replace(NO_MATCH, links=(link("wlan0", "fd00::1"), HOST.links[1])), []),
    ],
    ids=["translated", "not", "any", "one-address", "loopback", "ipv6", "ipv6-loopback", "nonsense", "range", "stopped",
         "several", "no-rules", "no-uplink", "no-address"],
)  # fmt: skip
def test_ports_that_clients_outside_can_use(host: HostState, ports: list[str]) -> None:
    """IPv4 and not loopback, of a container that runs, on a host with a way in."""
    told = [f"published port {port} of web is not translated" for port in ports]

    assert sorted(f.detail for f in check(host)) == sorted(told)


@pytest.mark.parametrize(
    ("match", "translated"),
    [
        ("-s 192.0.2.7/32 -d 192.168.1.100/32 -i wlan0 -p tcp -m tcp --dport 8080", True),
        ("-p tcp -m tcp --sport 40000 --dport 8080 --tcp-flags FIN,SYN,RST,ACK SYN", True),
        ("-p tcp -m ttl --ttl-eq 64 -m length --length 60", True),
        ("-p tcp -m ttl --ttl-eq 63", False),
        ("-p tcp -m length --length 61:65535", False),
        ("-p udp -m udp --dport 8080", False),
        ("-p tcp -m tcp --dport 8081", False),
        ("-i docker0 -p tcp -m tcp --dport 8080", False),
    ],
)
def test_the_packet_that_is_tried(match: str, translated: bool) -> None:
    """A SYN of a client outside, as it comes in by the uplink for the host's own address."""
    assert bool(check(_with("0.0.0.0:8080->80/tcp", text=_dnat(match)))) is not translated


def test_a_rule_that_nobody_can_decide_accuses_nobody() -> None:
    """Then it may be translated."""
    assert check(_with("0.0.0.0:8080->80/tcp", text=_dnat("-m nonsense --strange"))) == []


def test_a_container_on_two_networks_is_told_once() -> None:
    """Docker prints its ports for each."""
    one = container("web", "172.17.0.2", published=("0.0.0.0:8080->80/tcp",))
    two = Container("web", "other", None, (ip_address("172.18.0.2"),), one.published)
    found = check(replace(NO_MATCH, containers=(one, two)))

    assert len(found) == 1
    assert (found[0].check, found[0].severity) == ("published-port-not-translated", Severity.ERROR)
    assert found[0].proof == ("docker-inspect.json: web Ports 0.0.0.0:8080->80/tcp",)


def test_all_ports_of_the_container_are_the_proof() -> None:
    """As docker ps prints them."""
    finding, _ = check(_with("0.0.0.0:8080->80/tcp", "0.0.0.0:8443->443/tcp"))

    assert finding.proof == ("docker-inspect.json: web Ports 0.0.0.0:8080->80/tcp, 0.0.0.0:8443->443/tcp",)
