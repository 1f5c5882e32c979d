"""The scenarios: what containers there are, which points are captured, what happens, and what there is to see."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.lab.commands import inside, run
from tests.lab.engine import CLIENT, GATEWAY, HOST, INTERNET, SERVER6, UPLINK, Lab
from tests.lab.recording import Where


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
    """And other interfaces that are captured by their own name."""
    networks: tuple[tuple[str, ...], ...] = ()
    """Arguments of ``docker network create``."""
    setup: Callable[[Lab], None] = field(default=lambda lab: None)
    teardown: Callable[[Lab], None] = field(default=lambda lab: None)
    """Undoes what setup did to the host."""
    userland_proxy: bool = True
    """dockerd's option; without it, published ports are reached from the inside by a hairpin."""
    snap: dict[str, int] = field(default_factory=dict)
    """Snap length by point, of those that are cut."""
    promiscuous: bool = False
    """Captures make bridges promiscuous, as tcpdump does without -p: with br_netfilter that doubles hairpins."""
    any: bool = False
    """Captured once on all interfaces (``tcpdump -i any``), not point by point."""

    inside: tuple[str, ...] = ()
    """Containers that are captured at their own end, for they have no veth."""

    def points(self, lab: Lab) -> dict[str, Where]:
        """Return what is captured, and where."""
        own = {f"ct-{name}": (lab.in_container(name), "eth0") for name in self.inside}
        veths = {f"veth-{name}": lab.host_veth(name) for name in self.captured}
        found = veths | {bridge: bridge for bridge in self.bridges} | {UPLINK: UPLINK}
        if self.any:
            found = {"any": "any"}
        return own | {name: (inside(HOST), interface) for name, interface in found.items()}


def _undo(*command: str) -> None:
    run(*inside(HOST, *command))


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


def _offload(lab: Lab, state: str) -> None:
    run(*inside(HOST, "ethtool", "-K", UPLINK, "tso", state, "gso", state, "gro", state))
    run(*inside(GATEWAY, "ethtool", "-K", "lan0", "tso", state, "gso", state, "gro", state))


def _segments(lab: Lab) -> None:
    _offload(lab, "off")
    lab.talk(lab.in_container("c1"), "tcp", "198.51.100.80", "7", "count=3", "size=20000", "answer=20000")
    _offload(lab, "on")


def _fragments(lab: Lab) -> None:
    lab.exec("c1", "ping", "-c", "2", "-i", "0.3", "-s", "4000", "8.8.8.8")
    lab.talk(lab.in_container("c1"), "udp", "203.0.113.53", "53", "count=2", "size=3000")


def _hairpin(lab: Lab) -> None:
    lab.talk(lab.in_container("c1"), "tcp", "192.168.1.100", "8080", "count=2")


def _hairpins(lab: Lab) -> None:
    for name in ("c1", "web"):
        lab.talk(lab.in_container(name), "tcp", "192.168.1.100", "8080", "count=2")
        lab.talk(lab.in_container(name), "udp", "192.168.1.100", "5353", "count=2")


def _across(lab: Lab) -> None:
    lab.talk(lab.in_container("app"), "tcp", "192.168.1.100", "8080", "count=2", "size=500", "answer=500")
    lab.talk(lab.in_container("app"), "udp", "192.168.1.100", "5353", "count=3")


DOCKER_28 = (
    ("-t", "raw", "PREROUTING", "-d", "172.17.0.2/32", "!", "-i", "docker0", "-j", "DROP"),
    ("-t", "filter", "DOCKER-USER", "-i", "br-appnet", "-o", "docker0", "-j", "ACCEPT"),
    ("-t", "filter", "DOCKER-USER", "-i", "docker0", "-o", "br-appnet", "-j", "ACCEPT"),
)


def _as_docker_28(lab: Lab) -> None:
    _serve("web", ("tcp", "80"), ("udp", "53"))(lab)
    for flag, table, chain, *rule in DOCKER_28:
        _undo("iptables", "-w", flag, table, "-I", chain, *rule)


def _as_before_28(lab: Lab) -> None:
    for flag, table, chain, *rule in DOCKER_28:
        _undo("iptables", "-w", flag, table, "-D", chain, *rule)


def _proxied(lab: Lab) -> None:
    ways = ((inside(HOST), "127.0.0.1"), (lab.in_container("c1"), "192.168.1.100"), (inside(INTERNET), "fd00:1::100"))
    for where, address in ways:
        for _ in range(2):
            lab.talk(where, "tcp", address, "8080", "count=3", "size=500", "answer=500")


TRACK6 = ("INPUT", "-m", "conntrack", "--ctstate", "NEW", "-j", "RETURN")
"""Conntrack follows IPv6 only where a rule needs it."""


def _proxied_setup(lab: Lab) -> None:
    run(*inside(HOST, "ip6tables", "-A", *TRACK6))
    _serve("web", ("tcp", "80"))(lab)


def _equal_setup(lab: Lab) -> None:
    run(*inside(HOST, "iptables", "-t", "nat", "-I", *RANDOM_PORTS))


def _equal(lab: Lab) -> None:
    lab.flood(*((lab.in_container(name), "203.0.113.53", 40) for name in ("c1", "c2")))


RANDOM_PORTS = (
    "POSTROUTING", "-s", "172.17.0.0/16", "!", "-o", "docker0", "-j", "MASQUERADE", "--random-fully"
)  # fmt: skip


def _moved(lab: Lab) -> None:
    lab.talk(lab.in_container("c1"), "tcp", "198.51.100.80", "7", "source=40000", "count=2", "reuse=1")
    lab.talk(lab.in_container("c1"), "udp", "203.0.113.53", "53", "source=40000", "count=2", "same=1")
    lab.move_container("c1")
    lab.talk(lab.in_container("c1"), "tcp", "198.51.100.80", "7", "source=40000", "count=2", "reuse=1")
    lab.talk(lab.in_container("c1"), "udp", "203.0.113.53", "53", "source=40000", "count=2", "same=1")
    lab.remove_container("squatter")


def _two_uplinks_setup(lab: Lab) -> None:
    lab.second_uplink("203.0.113.53")


def _two_uplinks(lab: Lab) -> None:
    lab.talk(lab.in_container("c1"), "tcp", "198.51.100.80", "7", "count=2")
    lab.talk(lab.in_container("c1"), "udp", "203.0.113.53", "53", "count=2")
    _ping(lab, "c1", "203.0.113.53", 2)


def _no_bridge(lab: Lab) -> None:
    for name in ("mac1", "own"):
        lab.talk(lab.in_container(name), "tcp", "198.51.100.80", "7", "count=2")
        _ping(lab, name, "8.8.8.8", 2)


def _internal(lab: Lab) -> None:
    lab.talk(lab.in_container("app"), "tcp", "10.40.0.3", "80", "count=3")
    _ping(lab, "app", "10.40.0.1", 2)


def _any(lab: Lab) -> None:
    _ping(lab, "c1", "8.8.8.8", 2)
    lab.talk(lab.in_container("c1"), "tcp", "198.51.100.80", "7", "count=2")
    lab.talk(lab.in_container("c2"), "udp", "203.0.113.53", "53", "count=2")


def _errors(lab: Lab) -> None:
    for where in ("203.0.113.53", "198.51.100.80"):
        lab.talk(lab.in_container("c1"), "udp", where, "9999", "count=1", "lossy=1")
    lab.exec("c1", "ping", "-c", "2", "-i", "0.3", "-t", "2", "8.8.8.8", check=False)


def _lossy(lab: Lab) -> None:
    drop = "numgen inc mod 9 == 4 counter drop"
    run(*inside(GATEWAY, "nft", "add table ip lossy"))
    run(*inside(GATEWAY, "nft", "add chain ip lossy forward { type filter hook forward priority 0; }"))
    run(*inside(GATEWAY, "nft", f"add rule ip lossy forward {drop}"))
    for container in ("c1", "c2"):
        lab.talk(lab.in_container(container), "tcp", "198.51.100.80", "7", "count=12", "size=700", "answer=700")
        lab.exec(container, "ping", "-c", "8", "-i", "0.2", "-W", "1", "8.8.8.8", check=False)
    run(*inside(GATEWAY, "nft", "delete table ip lossy"))


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
        "segments",
        "c1 sends 20,000 bytes at a time to an echo server, with segmentation offload off at the uplink: one frame at "
        "the veth and at docker0 is many there, and the other way round.",
        _segments,
        {"c1": ()},
        ("c1",),
        snap={"veth-c1": 128, "docker0": 128, "wlan0": 128},
    ),
    Scenario(
        "fragments",
        "c1 pings 8.8.8.8 with 4,000 bytes and sends datagrams of 3,000: three frames at the veth, one at docker0 "
        "where br_netfilter puts them together, three again on the uplink.",
        _fragments,
        {"c1": ()},
        ("c1",),
    ),
    Scenario(
        "hairpin",
        "dockerd runs with --userland-proxy=false. c1 reaches web by the host's published port, 192.168.1.100:8080. "
        "The captures make docker0 promiscuous, so it routes what it forwards once more: web gets each packet twice.",
        _hairpin,
        {"web": ("-p", "8080:80"), "c1": ()},
        ("c1", "web"),
        setup=_serve("web", ("tcp", "80")),
        userland_proxy=False,
        promiscuous=True,
    ),
    Scenario(
        "self-hairpin",
        "dockerd runs with --userland-proxy=false. web reaches itself by the host's published port: DNAT and "
        "MASQUERADE of one packet, and docker0, promiscuous by the captures, copies it while only one of them is done.",
        lambda lab: lab.talk(lab.in_container("web"), "tcp", "192.168.1.100", "8080", "count=2"),
        {"web": ("-p", "8080:80")},
        ("web",),
        setup=_serve("web", ("tcp", "80")),
        userland_proxy=False,
        promiscuous=True,
    ),
    Scenario(
        "quiet-hairpin",
        "dockerd runs with --userland-proxy=false, and nothing is promiscuous: c1 and web itself reach web by the "
        "host's published port, TCP and UDP. The bridge turns packets round; it never sees them itself.",
        _hairpins,
        {"web": ("-p", "8080:80", "-p", "5353:53/udp"), "c1": ()},
        ("c1", "web"),
        setup=_serve("web", ("tcp", "80"), ("udp", "53")),
        userland_proxy=False,
    ),
    Scenario(
        "across-networks",
        "app, on a network of its own, uses the host's published ports of web, which is on docker0: DNAT and "
        "MASQUERADE of one packet, with three tuples. The rules are as Docker 28 makes them: networks are not isolated "
        "from published ports, and raw PREROUTING drops what asks for the container's own address.",
        _across,
        {"app": ("--network", "appnet", "--ip", "10.20.0.2"), "web": ("-p", "8080:80", "-p", "5353:53/udp")},
        ("app", "web"),
        bridges=("br-appnet", "docker0"),
        networks=(
            ("--subnet", "10.20.0.0/24", "-o", "com.docker.network.bridge.name=br-appnet", "appnet"),
        ),
        setup=_as_docker_28,
        teardown=_as_before_28,
        userland_proxy=False,
    ),
    Scenario(
        "docker-proxy",
        "Container web publishes 8080. The host itself by 127.0.0.1, container c1 by the host's own address, and a "
        "client outside by IPv6 all come to docker-proxy, which ends their connections and opens its own.",
        _proxied,
        {"c1": (), "web": ("-p", "8080:80")},
        ("c1", "web"),
        bridges=("docker0", "lo"),
        setup=_proxied_setup,
        teardown=lambda lab: _undo("ip6tables", "-D", *TRACK6),
    ),
    Scenario(
        "equal-datagrams",
        "c1 and c2 send 40 datagrams each, at once, from 40 ports: equal bytes, IP id 0, and MASQUERADE gives all of "
        "them other ports at random. Only order, time and NAT's rule of one to one tell them apart.",
        _equal,
        {"c1": (), "c2": ()},
        ("c1", "c2"),
        setup=_equal_setup,
        teardown=lambda lab: _undo("iptables", "-t", "nat", "-D", *RANDOM_PORTS),
    ),
    Scenario(
        "moved-container",
        "c1 talks from port 40000, restarts as 172.17.0.3 while another container has 172.17.0.2, and talks from the "
        "same port to the same servers. Its veth went with it, so docker0 and the uplink are all there is.",
        _moved,
        {"c1": ()},
        (),
    ),
    Scenario(
        "two-uplinks",
        "The route to 203.0.113.53 leaves by eth1, everything else by wlan0: MASQUERADE takes the address of each.",
        _two_uplinks,
        {"c1": ()},
        ("c1",),
        bridges=("docker0", "eth1"),
        setup=_two_uplinks_setup,
        teardown=lambda lab: _undo("ip", "link", "del", "eth1"),
    ),
    Scenario(
        "no-bridge",
        "A container on a macvlan of the uplink, captured at its own end, and one with the host's network: neither "
        "has a veth or a bridge, and nothing is translated.",
        _no_bridge,
        {"mac1": ("--network", "macnet", "--ip", "192.168.1.50"), "own": ("--network", "host")},
        (),
        bridges=(),
        networks=(
            ("-d", "macvlan", "--subnet", "192.168.1.0/24", "--gateway", "192.168.1.1", "-o", "parent=wlan0", "macnet"),
        ),
        inside=("mac1",),
    ),
    Scenario(
        "internal-network",
        "app and db on an internal network, from which no route leads out: they reach each other and the bridge.",
        _internal,
        {"app": ("--network", "inner", "--ip", "10.40.0.2"), "db": ("--network", "inner", "--ip", "10.40.0.3")},
        ("app", "db"),
        bridges=("br-inner",),
        networks=(
            ("--internal", "--subnet", "10.40.0.0/24", "-o", "com.docker.network.bridge.name=br-inner", "inner"),
        ),
        setup=_serve("db", ("tcp", "80")),
    ),
    Scenario(
        "any",
        "One capture with tcpdump -i any: every interface of the host is a point. c1 pings and uses TCP, c2 UDP.",
        _any,
        {"c1": (), "c2": ()},
        (),
        any=True,
    ),
    Scenario(
        "icmp-errors",
        "c1 sends to UDP ports where nobody listens, and pings with a TTL that ends at the gateway: the errors come "
        "back through NAT, and so do the packets they quote.",
        _errors,
        {"c1": ()},
        ("c1",),
    ),
    Scenario(
        "lossy",
        "Every ninth packet is dropped behind the uplink: c1 and c2 lose pings and retransmit.",
        _lossy,
        {"c1": (), "c2": ()},
        ("c1", "c2"),
    ),
    Scenario(
        "short-snaplens",
        "Each point keeps another number of bytes: 60 at the veths, 74 at docker0, 96 at the uplink.",
        _same_port,
        {"c1": (), "c2": ()},
        ("c1", "c2"),
        snap={"veth-c1": 60, "veth-c2": 60, "docker0": 74, "wlan0": 96},
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
