"""What a host is asked without captures, and what its recorded state stops of that."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from analyzer.explain.host.asked import Host, questions
from analyzer.model import Container, HostState, Link, Network
from tests.explain.host.state import HOST, asked, container, network, rules

RULES = """*filter
:INPUT {input} [0:0]
:FORWARD {forward} [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
{user}-A FORWARD -i docker0 -j ACCEPT
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
{nat}-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
COMMIT
"""
NO_RULE = "no rule of filter INPUT accepts it, and its policy is DROP"
DNAT = "-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80\n"
WEB = container("web", "172.17.0.2", published=("0.0.0.0:8080->80/tcp",))
DB = container("db", "172.17.0.3")


def _host(user: str = "", nat: str = DNAT, *, forward: str = "DROP", input: str = "ACCEPT") -> HostState:
    text = RULES.format(user=user, nat=nat, forward=forward, input=input)
    return replace(HOST, tables=rules(text), containers=(WEB, DB))


def test_what_is_asked() -> None:
    """Each container the outside and names, clients the published ports, and containers each other."""
    told = [(one.who, one.what, one.protocol) for one in questions(_host())]

    assert told == [
        ("web", "the outside", "TCP"), ("web", "name servers outside", "UDP"),
        ("db", "the outside", "TCP"), ("db", "name servers outside", "UDP"),
        ("whoever is outside", "web's port 0.0.0.0:8080->80/tcp", "TCP"),
        ("this host", "web's port 0.0.0.0:8080->80/tcp", "TCP"),
        ("web", "db", "TCP"),
    ]  # fmt: skip


def test_a_container_of_another_network_asks_too() -> None:
    """For a published port, by the host's address; one that shares a network has other ways."""
    host = _host()
    (net,) = [network for network in host.networks if network.name == "bridge"]
    links = (*host.links, Link(9, "br-two", None, "bridge", None, (ip_address("172.18.0.1"),)))
    two = replace(net, name="two", bridge="br-two", subnets=(ip_network("172.18.0.0/16"),))
    far = Container("far", "two", None, (ip_address("172.18.0.2"),))
    host = replace(host, links=links, networks=(*host.networks, two), containers=(*host.containers, far))

    assert ("far", "web's port 0.0.0.0:8080->80/tcp", "TCP") in [(q.who, q.what, q.protocol) for q in questions(host)]


def test_a_healthy_host_stops_nothing() -> None:
    """As Docker leaves it."""
    assert Host(_host()).blocked == {}
    assert asked("filtered-by-rule")(_host()) == []


@pytest.mark.parametrize(
    ("host", "first"),
    [
        (_host("-A DOCKER-USER -p udp -m udp --dport 53 -j DROP\n"),
         "web, db cannot reach name servers outside (UDP): rule 1 of DOCKER-USER drops it"),
        (_host("-A DOCKER-USER -s 172.17.0.3/32 -j DROP\n"),
         "db cannot reach the outside, name servers outside (TCP, UDP): rule 1 of DOCKER-USER drops it"),
        (_host("-A DOCKER-USER -i wlan0 -j DROP\n"),
         "whoever is outside cannot reach web's port 0.0.0.0:8080->80/tcp (TCP): rule 1 of DOCKER-USER drops it"),
        (_host(nat="", input="DROP"),
         f"whoever is outside, this host cannot reach web's port 0.0.0.0:8080->80/tcp (TCP): {NO_RULE}"),
    ],
    ids=["names", "one-container", "published", "docker-proxy-behind-input"],
)  # fmt: skip
def test_what_rules_stop(host: HostState, first: str) -> None:
    """Who cannot reach what, and which rule or policy it is."""
    (finding,) = asked("filtered-by-rule")(host)

    assert finding.title == first
    assert finding.proof


def test_the_policy_of_forward_has_a_name_of_its_own() -> None:
    """It is told as that, and not once more as a rule's doing."""
    host = replace(_host(), tables=rules(RULES.format(user="", nat=DNAT, forward="DROP", input="ACCEPT").replace(
        "-A FORWARD -i docker0 -j ACCEPT\n", "")))  # fmt: skip

    assert [finding.check for finding in asked("forward-policy-drop")(host)] == ["forward-policy-drop"]
    assert asked("filtered-by-rule")(host) == []


def test_routed_networks_need_no_nat() -> None:
    """Neither masquerading nor a DNAT rule is missing where containers are reached by their own addresses."""

    def routed(one: Network) -> Network:
        return replace(one, routed=(4,))

    bare = RULES.format(user="", nat="", forward="ACCEPT", input="ACCEPT").replace(
        "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE\n", ""
    )
    host = replace(HOST, tables=rules(bare), containers=(WEB,))
    meant = replace(host, networks=tuple(map(routed, host.networks)))

    for check in ("masquerade-missing", "published-port-not-translated"):
        assert len(asked(check)(host)) == 1
        assert asked(check)(meant) == []


def test_a_laboratory_that_has_the_documentation_network() -> None:
    """Somebody outside is then somebody else: no route of that host leads to the uplink by chance."""
    host = replace(_host(), networks=(*HOST.networks, network("lab", "192.0.2.0/24", bridge="br-lab")))
    near = replace(host, routes=(*host.routes, replace(host.routes[0], dst=network("x", "192.0.2.0/24").subnets[0])))
    outside = {one.packet.dst for one in questions(near) if one.what == "the outside"}

    assert outside == {ip_address("198.51.100.7")}
