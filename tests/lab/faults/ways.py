"""Faults of the way: forwarding, source validation, routes, MTUs."""

from tests.lab.engine import UPLINK
from tests.lab.faults.acts import from_outside, out
from tests.lab.faults.world import (
    BRIDGE,
    GATEWAY,
    HOST,
    INTERNET,
    IPV6,
    NETS,
    NOBODY,
    Act,
    Fault,
    Net,
    World,
    at,
    host,
    nft_at,
    nft_gone,
)  # fmt: skip

SMALL_MTU = 1300
NO_ADVICE = {"ip": "icmp type destination-unreachable drop", "ip6": "icmpv6 type packet-too-big drop"}


def _sysctl(name: str, value: str, namespace: str = HOST) -> Act:
    def act(world: World, net: Net) -> None:
        at(namespace, "sysctl", "-qw", f"{name.format(net=net)}={value}")

    return act


def _forwarding(value: str) -> Act:
    def act(world: World, net: Net) -> None:
        name = "net.ipv6.conf.all.forwarding" if net is IPV6 else f"net.ipv4.conf.{net.bridge}.forwarding"
        host("sysctl", "-qw", f"{name}={value}")
        if net is IPV6:  # forgets routes that came by advertisements, of which there are none here
            host("ip", "-6", "route", "replace", "default", "via", "fd00:1::1", check=False)

    return act


FORWARDED = (
    Fault("no-forwarding", "Forwarding is off where packets come in.", frozenset({"forwarding-disabled"}), out,
          _forwarding("0"), teardown=_forwarding("1"), nets=NETS),
    Fault("no-ip-forward", "net.ipv4.ip_forward is 0.", frozenset({"forwarding-disabled"}), out,
          _sysctl("net.ipv4.ip_forward", "0"), teardown=_sysctl("net.ipv4.ip_forward", "1"), nets=(BRIDGE,)),
)  # fmt: skip

STRANGE = "10.99.0.2"


def _strange(world: World, net: Net) -> None:
    world.exec(net.client, "ip", "addr", "add", f"{STRANGE}/32", "dev", "eth0")
    host("sysctl", "-qw", f"net.ipv4.conf.{net.bridge}.rp_filter=1")


def _not_strange(world: World, net: Net) -> None:
    world.exec(net.client, "ip", "addr", "del", f"{STRANGE}/32", "dev", "eth0")
    host("sysctl", "-qw", f"net.ipv4.conf.{net.bridge}.rp_filter=0")


def _resolved(world: World, net: Net) -> None:
    """Have the gateway's MAC known: with rp_filter the host does not answer ARP for strange senders either."""
    world.ping(net.client, net.gateway, 1)


def _from_strange(world: World, net: Net) -> None:
    world.ping(net.client, net.remote, 3, "-I", STRANGE)


def _two_ways(world: World, net: Net) -> None:
    """Outside clients come in by wlan0, and the way back goes by eth1."""
    world.second_uplink("203.0.113.77")
    host("ip", "route", "add", "100.64.0.0/24", "via", "192.168.3.1")


def _two_ways_strict(world: World, net: Net) -> None:
    _two_ways(world, net)
    host("sysctl", "-qw", f"net.ipv4.conf.{UPLINK}.rp_filter=1")


def _one_way(world: World, net: Net) -> None:
    host("ip", "link", "del", "eth1")
    host("sysctl", "-qw", f"net.ipv4.conf.{UPLINK}.rp_filter=0")


TWO = ("--uplink", UPLINK, "-i", "eth1")
ROUTED = (
    Fault("strange-source", "A container sends from an address that is not its network's, with rp_filter strict.",
          frozenset({"reverse-path-filtered"}), _from_strange, _strange, _resolved, _not_strange),
    Fault("strict-uplink", "The way back to a client goes by the other uplink, with rp_filter strict.",
          frozenset({"reverse-path-filtered"}), from_outside, _two_ways_strict, teardown=_one_way, nets=(BRIDGE,),
          capture=TWO),
    Fault("two-uplinks", "Questions come by one uplink, answers leave by the other.", frozenset({"asymmetric-path"}),
          from_outside, _two_ways, teardown=_one_way, capture=TWO),
)  # fmt: skip


def _vpn(net: Net) -> tuple[str, ...]:
    """A more specific route to addresses of the network, as a VPN adds it."""
    return ("route", "172.17.0.0/24" if net is BRIDGE else "10.20.0.0/25")


def _overlap(world: World, net: Net) -> None:
    kind, prefix = _vpn(net)
    host("ip", kind, "add", prefix, "via", "192.168.1.1")


def _no_overlap(world: World, net: Net) -> None:
    kind, prefix = _vpn(net)
    host("ip", kind, "del", prefix)


def _nowhere(namespace: str, *way: str) -> tuple[Act, Act]:
    """Return what leads nobody's network some way, and what undoes it."""
    kind, via = (way, ()) if len(way) == 1 else ((), way)

    def add(world: World, net: Net) -> None:
        at(namespace, "ip", "route", "add", *kind, "192.0.2.0/24", *via)

    def delete(world: World, net: Net) -> None:
        at(namespace, "ip", "route", "del", *kind, "192.0.2.0/24")

    return add, delete


def _to_nobody(world: World, net: Net) -> None:
    world.ping(net.client, NOBODY, 2)
    world.chat(net.client, "tcp", NOBODY, 80, "count=1")


_blackhole, _unblackhole = _nowhere(HOST, "blackhole")
_unreachable, _reachable = _nowhere(HOST, "unreachable")
_remote, _unremote = _nowhere(GATEWAY, "unreachable")
_bounce, _unbounce = _nowhere(GATEWAY, "via", "192.168.1.100")
_loop_there, _unloop = _nowhere(GATEWAY, "via", "100.64.0.2")


def _loop(world: World, net: Net) -> None:
    at(INTERNET, "sysctl", "-qw", "net.ipv4.ip_forward=1")
    _loop_there(world, net)


ENDED = (
    Fault("overlap", "A route to part of a container network leads elsewhere, as of a VPN.",
          frozenset({"subnet-overlap"}), out, _overlap, teardown=_no_overlap,
          also=frozenset({"ttl-exceeded", "loss-beyond-host", "host-unreachable", "loss-inside-host"})),
    Fault("blackhole", "The host has a blackhole route.", frozenset({"host-unreachable"}), _to_nobody, _blackhole,
          teardown=_unblackhole),
    Fault("unreachable", "The host has an unreachable route, and says so.", frozenset({"host-unreachable"}),
          _to_nobody, _unreachable, teardown=_reachable, nets=(BRIDGE,)),
    Fault("remote-unreachable", "The gateway has no way to the network, and says so.",
          frozenset({"host-unreachable"}), _to_nobody, _remote, teardown=_unremote),
    Fault("loop", "Two routers outside send packets to each other until their TTL ends.", frozenset({"ttl-exceeded"}),
          _to_nobody, _loop, teardown=_unloop),
    Fault("bounce", "The gateway sends packets back to the host that sent them.", frozenset({"ttl-exceeded"}),
          _to_nobody, _bounce, teardown=_unbounce),
)  # fmt: skip


def small(*, silent: bool) -> Act:
    """Return what makes a link behind the router small; *silent*, if it does not tell anybody."""

    def act(world: World, net: Net) -> None:
        at(GATEWAY, "ip", "link", "set", "wan0", "mtu", str(SMALL_MTU))
        if silent:
            nft_at(GATEWAY, "output", NO_ADVICE[net.family])

    return act


def large(world: World, net: Net) -> None:
    """Undo that, and let everybody forget it."""
    at(GATEWAY, "ip", "link", "set", "wan0", "mtu", "1500")
    nft_gone(GATEWAY)
    for name in (net.client, net.server):
        world.exec(name, "ip", net.ping, "route", "flush", "cache")
    at(INTERNET, "ip", "route", "flush", "cache")


def _large_pings(world: World, net: Net) -> None:
    world.ping(net.client, net.remote, 2)
    world.ping(net.client, net.remote, 3, "-s", "1400", "-M", "do")


def large_segments(world: World, net: Net) -> None:
    """Use TCP with a small message, then with a large one."""
    world.script(world.in_container(net.client), "odd.py", "two", net.remote, "7")


def _small_uplink(world: World, net: Net) -> None:
    host("ip", "link", "set", UPLINK, "mtu", str(SMALL_MTU))


def _large_uplink(world: World, net: Net) -> None:
    host("ip", "link", "set", UPLINK, "mtu", "1500")
    large(world, net)


FITTED = (
    Fault("small-path", "A link behind the gateway takes 1,300 bytes, and the gateway says so.",
          frozenset({"mtu-exceeded"}), _large_pings, small(silent=False), teardown=large, nets=NETS),
    Fault("small-uplink", "The host's uplink takes 1,300 bytes, and the host says so.", frozenset({"mtu-exceeded"}),
          _large_pings, _small_uplink, teardown=_large_uplink, nets=(BRIDGE,)),
    Fault("silent-path", "A link behind the gateway takes 1,300 bytes, and nobody says so: TCP.",
          frozenset({"mtu-blackhole"}), large_segments, small(silent=True), teardown=large, nets=NETS,
          also=frozenset({"loss-beyond-host"})),
    Fault("silent-path-ping", "A link behind the gateway takes 1,300 bytes, and nobody says so: pings.",
          frozenset({"mtu-blackhole"}), _large_pings, small(silent=True), teardown=large,
          also=frozenset({"loss-beyond-host"})),
)  # fmt: skip
