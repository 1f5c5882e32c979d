"""What is mistaken for something else: a protocol, a way out, a direction, a name on a list."""

from tests.lab.commands import inside
from tests.lab.engine import GATEWAY, HOST
from tests.lab.faults.acts import echo, rule
from tests.lab.faults.world import BRIDGE, USER, Act, Fault, Net, World, at, host, nft_at, nft_gone

PORT = "7443"
DEAD, DEAD_ROUTER = "dead0", "192.168.9.1"
UPLINK_ROUTER = "192.168.1.1"


def _serving(world: World, net: Net) -> None:
    world.background(world.in_container(net.server), "spoken.py", "serve", PORT)
    world.sleep(0.3)


def _says(how: str) -> Act:
    def act(world: World, net: Net) -> None:
        for _ in range(2):
            world.script(world.in_container(net.client), "spoken.py", how, net.server_ip, PORT)

    return act


def _detour(world: World, net: Net) -> None:
    """Let a default route with a smaller metric lead to nobody."""
    host("ip", "link", "add", DEAD, "type", "veth", "peer", "name", "dead1", "netns", GATEWAY)
    host("ip", "addr", "add", "192.168.9.2/24", "dev", DEAD)
    host("ip", "link", "set", DEAD, "up")
    at(GATEWAY, "ip", "addr", "add", f"{DEAD_ROUTER}/24", "dev", "dead1")
    at(GATEWAY, "ip", "link", "set", "dead1", "up")
    nft_at(GATEWAY, "prerouting", 'iifname "dead1" drop')
    host("ip", "route", "replace", "default", "via", UPLINK_ROUTER, "dev", "wlan0", "metric", "600")
    host("ip", "route", "del", "default", "via", UPLINK_ROUTER, "dev", "wlan0", "metric", "0", check=False)
    host("ip", "route", "add", "default", "via", DEAD_ROUTER, "dev", DEAD, "metric", "50")


def _straight(world: World, net: Net) -> None:
    nft_gone(GATEWAY)
    host("ip", "link", "del", DEAD, check=False)
    host("ip", "route", "add", "default", "via", UPLINK_ROUTER, "dev", "wlan0", check=False)
    host("ip", "route", "del", "default", "via", UPLINK_ROUTER, "dev", "wlan0", "metric", "600", check=False)


def _counts(world: World, net: Net) -> None:
    nft_at(GATEWAY, "prerouting", "ip ttl 63 drop")


def _mindless(world: World, net: Net) -> None:
    nft_gone(GATEWAY)


def _both_ask(world: World, net: Net) -> None:
    for _ in range(2):
        world.chat_from(inside(HOST), "tcp", net.remote, 7, "count=1")
        echo(world, net)


def _guarded(world: World, net: Net) -> None:
    """Let in by a set of interfaces, which lacks this network's bridge."""
    at(HOST, "nft", "add table inet fault")
    at(HOST, "nft", 'add set inet fault inside { type ifname; elements = { "lo", "docker0" }; }')
    at(HOST, "nft", "add chain inet fault transit { type filter hook forward priority 5; policy drop; }")
    at(HOST, "nft", "add rule inet fault transit ct state established,related accept")
    at(HOST, "nft", "add rule inet fault transit iifname @inside accept")


def _listed(world: World, net: Net) -> None:
    """Keep a list of addresses to drop, which has the server's."""
    at(HOST, "nft", "add table ip fault")
    at(HOST, "nft", "add set ip fault banned { type ipv4_addr; flags interval; elements = { 198.51.100.64/26 }; }")
    at(HOST, "nft", "add chain ip fault transit { type filter hook forward priority -5; }")
    at(HOST, "nft", "add rule ip fault transit ip daddr @banned counter drop")


def _open(family: str) -> Act:
    def act(world: World, net: Net) -> None:
        nft_gone(HOST, family)

    return act


_ZONE = rule("PREROUTING", "-i", "NET:bridge", "-j", "CT", "--zone", "7", table="raw")
FILTERED = frozenset({"filtered-by-rule"})

MISTAKEN = (
    Fault("tls-to-plain", "TLS is spoken to a server of plain HTTP.", frozenset({"wrong-protocol"}), _says("tls"),
          _serving),
    Fault("plain-and-well", "Plain HTTP is spoken to a server of plain HTTP.", frozenset(), _says("plain"), _serving,
          nets=(BRIDGE,)),
    Fault("one-way-zone", "A rule puts what containers send into a conntrack zone, and no rule their answers.",
          frozenset({"conntrack-invalid-reset"}), echo, _ZONE[0], teardown=_ZONE[1]),
    Fault("detour", "A default route with a smaller metric leads to nobody.", frozenset({"syn-unanswered"}), echo,
          _detour, teardown=_straight, nets=(BRIDGE,)),
    Fault("counted-down", "The router drops what somebody has routed before.", frozenset({"syn-unanswered"}), _both_ask,
          _counts, teardown=_mindless),
    Fault("lacking-set", "A set of interfaces that may pass lacks a bridge.", FILTERED, echo, _guarded,
          teardown=_open("inet"), nets=(USER,)),
    Fault("banned-range", "A list of addresses to drop has the server's.", FILTERED, echo, _listed,
          teardown=_open("ip"), nets=(BRIDGE,)),
)  # fmt: skip
