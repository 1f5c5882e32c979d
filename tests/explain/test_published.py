"""Ports of the host that lead to no container, though one comes near: why, by what Docker says."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from analyzer.explain.published import mistaken
from analyzer.model import Container, HostState, Listener, Network, Route, Status

HOST = ip_address("192.168.1.100")
PROXY = Listener("tcp", None, 4, 9000, "docker-proxy")


def _web(*published: str, network: str = "app", **fields: object) -> Container:
    return Container("web", network, None, (ip_address("10.0.0.2"),), published, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("container", "protocol", "port", "publishes"),
    [
        (_web(wanted=("0.0.0.0:80->80/tcp",), status=Status("exited", 137)), "tcp", 80, "not-running"),
        (_web(wanted=("0.0.0.0:80->80/tcp",), network="host", mode="host"), "tcp", 80, "host-network"),
        (_web(wanted=("0.0.0.0:80->80/tcp",), network="inner"), "tcp", 80, "internal"),
        (_web("127.0.0.1:80->80/tcp"), "tcp", 80, "other-address"),
        (_web("[::]:80->80/tcp"), "tcp", 80, "other-version"),
        (_web("0.0.0.0:53->53/udp"), "tcp", 53, "other-protocol"),
        (_web("0.0.0.0:8080->80/tcp"), "tcp", 80, "inside-port"),
        (_web("0.0.0.0:80->80/tcp"), "tcp", 80, "no-proxy"),
        (_web("0.0.0.0:81->81/tcp"), "tcp", 80, None),
        (_web(wanted=("0.0.0.0:80->80/tcp",)), "tcp", 80, None),
        (_web(wanted=("0.0.0.0:80->80/tcp",), status=Status("running")), "tcp", 80, "not-published"),
    ],
    ids=["stopped", "host-network", "internal", "address", "version", "protocol", "inner-port", "no-proxy", "another",
         "nobody-knows", "docker-does-not"],
)  # fmt: skip
def test_what_comes_nearest(container: Container, protocol: str, port: int, publishes: str | None) -> None:
    """A container that would publish the port, or publishes something like it."""
    inner = Network("inner", "i", "bridge", "br-inner", (), (), internal=True)
    host = HostState(containers=(container,), networks=(inner,), listeners=(PROXY,))

    assert mistaken(host, HOST, protocol, port).get("publishes") == publishes


@pytest.mark.parametrize(
    ("driver", "via", "publishes"),
    [("macvlan", "192.168.1.1", "gateway-elsewhere"), ("ipvlan", "192.168.1.1", "gateway-elsewhere"),
     ("bridge", "192.168.1.1", "not-published"), ("macvlan", "10.0.0.1", "not-published")],
)  # fmt: skip
def test_docker_takes_a_port_back_where_the_gateway_is_the_lan_s(driver: str, via: str, publishes: str) -> None:
    """A container on two networks, whose default route is by the one that publishes nothing."""
    wanted, status = ("0.0.0.0:80->80/tcp",), Status("running")
    web = _web(wanted=wanted, status=status, gateways=(ip_address("10.0.0.1"),))
    on_lan = _web(network="lan", wanted=wanted, status=status, gateways=(ip_address("192.168.1.1"),))
    lan = Network("lan", "l", driver, None, (), ())
    default = Route(ip_network("0.0.0.0/0"), "eth1", ip_address(via), 0, "main", f"default via {via}")
    inside = {"web": HostState(routes=(default,))}
    host = HostState(containers=(web, on_lan), networks=(lan,), inside=inside)

    assert mistaken(host, HOST, "tcp", 80).get("publishes") == publishes


@pytest.mark.parametrize(
    ("listener", "mode", "publishes"),
    [
        (Listener("tcp", None, 4, 80, "nginx"), None, "unpublished"),
        (Listener("tcp", ip_address("10.0.0.2"), 4, 80, "nginx"), None, "unpublished"),
        (Listener("tcp", ip_address("127.0.0.1"), 4, 80, "nginx"), None, None),
        (Listener("tcp", None, 4, 81, "nginx"), None, None),
        (Listener("udp", None, 4, 80, "nginx"), None, None),
        (Listener("tcp", None, 4, 80, "nginx"), "host", None),
    ],
)
def test_a_port_that_nobody_published(listener: Listener, mode: str | None, publishes: str | None) -> None:
    """Somebody listens on it in a container, for others."""
    host = HostState(containers=(_web(mode=mode),), inside={"web": HostState(listeners=(listener,))})

    assert mistaken(host, HOST, "tcp", 80).get("publishes") == publishes


def test_without_docker_proxy() -> None:
    """Where no proxy runs at all, DNAT alone publishes."""
    assert mistaken(HostState(containers=(_web("0.0.0.0:80->80/tcp"),)), HOST, "tcp", 80) == {}


def test_of_several_containers_with_that_port_inside_all_are_named() -> None:
    """Nobody knows which one is meant; one that publishes it there after all ends the question."""
    two = (_web("0.0.0.0:8080->80/tcp"), replace(_web("0.0.0.0:8081->80/tcp"), name="db"))
    there = replace(_web("127.0.0.1:80->80/tcp"), name="own")

    assert mistaken(HostState(containers=two), HOST, "tcp", 80)["each"] == [
        "web as 0.0.0.0:8080->80/tcp", "db as 0.0.0.0:8081->80/tcp",
    ]  # fmt: skip
    assert mistaken(HostState(containers=(*two, there)), HOST, "tcp", 80)["publishes"] == "other-address"
