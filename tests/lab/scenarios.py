"""The scenarios: what containers there are, which points are captured, what happens, and what there is to see."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.lab.commands import inside, run
from tests.lab.engine import CLIENT, INTERNET, SERVER6, Lab


@dataclass(frozen=True)
class Scenario:
    """One folder of ``sample_pcaps/``."""

    name: str
    about: str
    act: Callable[[Lab], None]
    containers: dict[str, tuple[str, ...]]
    """Names, and options of ``docker run``."""
    captured: tuple[str, ...]
    bridges: tuple[str, ...] = ("docker0",)
    networks: tuple[tuple[str, ...], ...] = ()
    """Arguments of ``docker network create``."""
    setup: Callable[[Lab], None] = field(default=lambda lab: None)


def _ping(lab: Lab, container: str, address: str, count: int) -> None:
    lab.exec(container, "ping", "-c", str(count), "-i", "0.3", "-W", "2", address)


def _serve(container: str, *services: tuple[str, str]) -> Callable[[Lab], None]:
    def setup(lab: Lab) -> None:
        for kind, port in services:
            lab.start_server(lab.in_container(container), kind, port)

    return setup


def _get(lab: Lab, container: str, url: str) -> None:
    lab.exec(container, "busybox", "wget", "-q", "-O", "/dev/null", url)


def _seed(lab: Lab) -> None:
    _ping(lab, "c3", "8.8.8.8", 3)
    _get(lab, "c3", "http://8.8.8.8/")


def _published(lab: Lab) -> None:
    for _ in range(3):
        lab.talk(inside(INTERNET), "tcp", "192.168.1.100", "8080", "count=3", "size=700")
    lab.talk(inside(INTERNET), "udp", "192.168.1.100", "5353", "count=4")


def _same_bridge(lab: Lab) -> None:
    _ping(lab, "c1", "172.17.0.3", 2)
    lab.talk(lab.in_container("c1"), "tcp", "172.17.0.3", "80", "count=4", "size=900")
    lab.talk(lab.in_container("c1"), "udp", "172.17.0.3", "53", "count=4")


def _same_port(lab: Lab) -> None:
    for container in ("c1", "c2"):
        lab.talk(lab.in_container(container), "udp", "203.0.113.53", "53", "source=40000", "count=3", "same=1")
    for container in ("c1", "c2", "c1"):
        lab.talk(lab.in_container(container), "tcp", "198.51.100.80", "7", "source=40001", "count=2", "reuse=2")
    for container in ("c1", "c2"):
        lab.exec(container, "ping", "-c", "2", "-i", "0.3", "-e", "777", "8.8.8.8")


def _user_network(lab: Lab) -> None:
    _ping(lab, "app", "10.20.0.3", 2)
    lab.talk(lab.in_container("app"), "tcp", "10.20.0.3", "80", "count=3")
    _get(lab, "app", "http://198.51.100.80/")


def _ipv6(lab: Lab) -> None:
    run(*lab.in_container("v6"), "ping", "-6", "-c", "3", "-i", "0.3", SERVER6)
    lab.talk(lab.in_container("v6"), "tcp", SERVER6, "7", "count=3", "size=600")
    lab.talk(lab.in_container("v6"), "udp", SERVER6, "53", "count=3")


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "seed",
        "The textbook story, with cold ARP caches: container c3, 172.17.0.4, pings 8.8.8.8 three times and fetches "
        "http://8.8.8.8/. Each packet goes to docker0 (172.17.0.1), is routed, leaves as 192.168.1.100, "
        "and comes back.",
        _seed,
        {"c1": (), "c2": (), "c3": ()},
        ("c3",),
    ),
    Scenario(
        "published-port",
        f"A client outside ({CLIENT}) uses 192.168.1.100:8080/tcp and :5353/udp, published by container web.",
        _published,
        {"web": ("-p", "8080:80", "-p", "5353:53/udp")},
        ("web",),
        setup=_serve("web", ("tcp", "80"), ("udp", "53")),
    ),
    Scenario(
        "same-bridge",
        "Container c1 (172.17.0.2) talks to web (172.17.0.3) on the same bridge: ping, TCP, UDP. Nothing is routed, "
        "nothing translated, and the uplink records nothing.",
        _same_bridge,
        {"c1": (), "web": ()},
        ("c1", "web"),
        setup=_serve("web", ("tcp", "80"), ("udp", "53")),
    ),
    Scenario(
        "same-source-port",
        "Containers c1 and c2 use the same source ports to the same servers, and the same echo id, with equal UDP "
        "payloads: MASQUERADE must give one of them another port. TCP ports are used again for new connections.",
        _same_port,
        {"c1": (), "c2": ()},
        ("c1", "c2"),
    ),
    Scenario(
        "user-network",
        "A user-defined network, 10.20.0.0/24 with IP masquerading: app talks to db on the same bridge, and to the "
        "internet.",
        _user_network,
        {"app": ("--network", "appnet", "--ip", "10.20.0.2"), "db": ("--network", "appnet", "--ip", "10.20.0.3")},
        ("app", "db"),
        bridges=("br-appnet",),
        networks=(
            ("--subnet", "10.20.0.0/24", "-o", "com.docker.network.bridge.name=br-appnet", "appnet"),
        ),
        setup=_serve("db", ("tcp", "80")),
    ),
    Scenario(
        "ipv6",
        "IPv6 with NAT66: container v6 (fd00:d::2) pings and uses 2001:db8::80; it leaves as fd00:1::100.",
        _ipv6,
        {"v6": ("--network", "v6net", "--ip6", "fd00:d::2")},
        ("v6",),
        bridges=("br-v6net",),
        networks=(
            ("--ipv6", "--subnet", "10.66.0.0/24", "--subnet", "fd00:d::/64",
             "-o", "com.docker.network.bridge.name=br-v6net", "v6net"),
        ),
    ),
)  # fmt: skip
