"""Which program joins two connections."""

from ipaddress import ip_address

import pytest

from analyzer.journey.relayed import relay_of
from analyzer.model import FlowTuple, HostState, Link, Listener

HOST_IP, CLIENT, SERVER = (ip_address(ip) for ip in ("192.168.1.100", "192.0.2.1", "8.8.8.8"))
IN, OUT = FlowTuple("tcp", CLIENT, HOST_IP, 5000, 8080), FlowTuple("tcp", HOST_IP, SERVER, 5000, 80)
LINK = Link(2, "wlan0", None, None, None, (HOST_IP,))


def _host(*programs: tuple[int, str]) -> HostState:
    sockets = tuple(Listener("tcp", None, None, port, program) for port, program in programs)
    return HostState(links=(LINK,), listeners=sockets)


@pytest.mark.parametrize(
    ("programs", "flow", "user_mode", "found"),
    [
        ([(8080, "docker-proxy")], IN, False, "docker-proxy"),
        ([(8080, "rootlessport")], IN, False, "rootlessport"),
        ([(8080, "pasta.avx2")], IN, True, "pasta"),
        ([(80, "nginx")], IN, False, None),
        ([(80, "nginx")], IN, True, None),
        ([(8080, "")], IN, False, None),
        ([(80, "nginx")], OUT, False, None),
        ([(8080, "pasta.avx2"), (22, "sshd")], OUT, True, "pasta"),
        ([(8080, "pasta.avx2")], OUT, False, None),
        ([(1, "pasta"), (2, "slirp4netns")], OUT, True, None),
        ([], OUT, True, None),
    ],
)
def test_by_the_hosts_sockets(
    programs: list[tuple[int, str]], flow: FlowTuple, user_mode: bool, found: str | None
) -> None:
    """Who listens for what came; of what a container opens, the only user-mode network that runs."""
    assert relay_of(_host(*programs), [flow, flow], user_mode=user_mode) == found
