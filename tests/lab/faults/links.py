"""The host's ways out as links fail: no carrier, next hops that nobody is, two interfaces in one subnet."""

import threading

from tests.lab.commands import inside
from tests.lab.engine import GATEWAY, HOST, INTERNET, UPLINK
from tests.lab.faults.acts import out
from tests.lab.faults.world import BRIDGE, USER, Act, Fault, Net, World, at, host

NONE: frozenset[str] = frozenset()
NOBODY_THERE, SECOND = "192.168.1.66", "192.168.1.2"
"""Next hops beside the gateway: one that no machine has, one that the gateway has as well."""
OTHER_ADDRESS, OTHER_LINK = "192.168.1.101", "eth1"
TRIES = 6
ON_LAN = "192.168.1.210"


def _link(state: str, namespace: str = GATEWAY, device: str = "lan0") -> None:
    at(namespace, "ip", "link", "set", device, state)


def _unplugged(world: World, net: Net) -> None:
    _link("down")


def _plugged(world: World, net: Net) -> None:
    """Give the carrier back, and the routes that went with it at the gateway's end."""
    _link("up")
    at(GATEWAY, "ip", "addr", "replace", "fd00:1::1/64", "dev", "lan0", "nodad")
    at(HOST, "ip", "-6", "route", "replace", "default", "via", "fd00:1::1", check=False)


def _spare(world: World, net: Net) -> None:
    """Add an uplink that nobody plugged in, and that no route uses."""
    world.second_uplink("203.0.113.77")
    host("ip", "route", "del", "203.0.113.77")
    _link("down", GATEWAY, "lan2")


def _no_spare(world: World, net: Net) -> None:
    host("ip", "link", "del", OTHER_LINK)


def _while_it_flaps(away_s: float, count: int) -> Act:
    """Return what sends all the time, while the carrier goes twice for so long."""

    def act(world: World, net: Net) -> None:
        pings = threading.Thread(target=world.ping, args=(net.client, net.remote, count))
        pings.start()
        for _ in range(2):
            world.sleep(1)
            _link("down")
            world.sleep(away_s)
            _link("up")
        pings.join()

    return act


def _hops(*others: str) -> Act:
    """Return what gives the host more next hops for all that is outside, chosen by connection."""

    def act(world: World, net: Net) -> None:
        host("sysctl", "-qw", "net.ipv4.fib_multipath_hash_policy=1")
        hops = [word for hop in ("192.168.1.1", *others) for word in ("nexthop", "via", hop, "dev", UPLINK)]
        host("ip", "route", "replace", "default", *hops)
        at(GATEWAY, "ip", "addr", "add", f"{SECOND}/24", "dev", "lan0")

    return act


def _one_hop(world: World, net: Net) -> None:
    host("ip", "route", "replace", "default", "via", "192.168.1.1", "dev", UPLINK)
    host("sysctl", "-qw", "net.ipv4.fib_multipath_hash_policy=0")
    at(GATEWAY, "ip", "addr", "del", f"{SECOND}/24", "dev", "lan0")


def _many(world: World, net: Net) -> None:
    for _ in range(TRIES):
        world.chat(net.client, "tcp", net.remote, 7, "count=1")


def _two_in_one(world: World, net: Net) -> None:
    """Plug the host into its LAN twice, each with an address: either interface answers for both of them."""
    at(GATEWAY, "ip", "link", "add", "lanbr", "type", "bridge")
    world.second_uplink("203.0.113.77")
    host("ip", "route", "del", "203.0.113.77")
    host("ip", "addr", "flush", "dev", OTHER_LINK)
    host("ip", "addr", "add", f"{OTHER_ADDRESS}/24", "dev", OTHER_LINK)
    at(GATEWAY, "ip", "addr", "flush", "dev", "lan2")
    at(GATEWAY, "ip", "addr", "flush", "dev", "lan0", "scope", "global")
    for port in ("lan0", "lan2"):
        at(GATEWAY, "ip", "link", "set", port, "master", "lanbr")
    _link("up", GATEWAY, "lanbr")
    at(GATEWAY, "ip", "addr", "add", "192.168.1.1/24", "dev", "lanbr")
    at(GATEWAY, "ip", "addr", "add", "fd00:1::1/64", "dev", "lanbr", "nodad")


def _strictly(world: World, net: Net) -> None:
    """Let the host take nothing by an interface that it would not answer by, which only one of the two is."""
    _two_in_one(world, net)
    for device in (UPLINK, OTHER_LINK):
        host("sysctl", "-qw", f"net.ipv4.conf.{device}.rp_filter=1")
    host("sysctl", "-qw", f"net.ipv4.conf.{UPLINK}.arp_ignore=1")


def _once(world: World, net: Net) -> None:
    host("ip", "link", "del", OTHER_LINK)
    for name in ("rp_filter", "arp_ignore"):
        host("sysctl", "-qw", f"net.ipv4.conf.{UPLINK}.{name}=0")
    at(GATEWAY, "ip", "link", "del", "lanbr")
    at(GATEWAY, "ip", "addr", "add", "192.168.1.1/24", "dev", "lan0")
    at(GATEWAY, "ip", "addr", "add", "fd00:1::1/64", "dev", "lan0", "nodad")


def _by_either(world: World, net: Net) -> None:
    """Use the published port by both addresses, as somebody outside does."""
    for address in ("192.168.1.100", OTHER_ADDRESS):
        world.chat_from(inside(INTERNET), "tcp", address, net.port, "count=1")


def _on_lan(world: World, net: Net) -> None:
    """Put a container on the LAN itself, by a macvlan of the uplink."""
    address = ("--subnet", "192.168.1.0/24", "--gateway", "192.168.1.1", "--ip-range", "192.168.1.208/28")
    world.docker("network", "create", "-d", "macvlan", *address, "-o", f"parent={UPLINK}", "lan")
    world.run_container("onlan", "--network", "lan", "--ip", ON_LAN)


def _off_lan(world: World, net: Net) -> None:
    world.remove_container("onlan")
    world.docker("network", "rm", "lan")


def _asks_lan(namespace: str) -> Act:
    def act(world: World, net: Net) -> None:
        at(namespace, "ping", "-n", "-c", "2", "-i", "0.3", "-W", "1", ON_LAN, check=False)

    return act


LINKS = (
    Fault("carrier-lost", "The uplink has no carrier.", frozenset({"arp-unanswered"}), out, _unplugged,
          teardown=_plugged),
    Fault("carrier-flaps", "The uplink loses its carrier twice, for a moment.", frozenset({"high-latency-hop"}),
          _while_it_flaps(1.5, 24), teardown=_plugged, nets=(BRIDGE,)),
    Fault("carrier-comes-and-goes", "The uplink loses its carrier twice, and has it again at the end.",
          frozenset({"host-unreachable"}), _while_it_flaps(4.5, 40), teardown=_plugged, nets=(USER,),
          also=frozenset({"arp-unanswered", "high-latency-hop"})),
    Fault("spare-without-carrier", "An interface that nothing uses has no carrier.", NONE, out, _spare,
          teardown=_no_spare, nets=(BRIDGE,)),
    Fault("macvlan-and-its-host", "The host asks for a container that is a macvlan of its own uplink.",
          frozenset({"arp-unanswered"}), _asks_lan(HOST), _on_lan, teardown=_off_lan, capture=("-c", "onlan")),
    Fault("macvlan-and-others", "The router asks for a container that is a macvlan of a host's uplink.", NONE,
          _asks_lan(GATEWAY), _on_lan, teardown=_off_lan, nets=(BRIDGE,), capture=("-c", "onlan")),
    Fault("next-hop-dead", "One of two next hops is nobody's.", frozenset({"arp-unanswered"}), _many,
          _hops(NOBODY_THERE), teardown=_one_hop, also=frozenset({"host-unreachable"})),
    Fault("next-hops", "Two next hops pass on what they are given.", NONE, _many, _hops(SECOND), teardown=_one_hop,
          nets=(BRIDGE,)),
    Fault("two-in-one-subnet-strictly", "The host is in one subnet twice, and filters by the way back.",
          frozenset({"arp-unanswered"}), _by_either, _strictly, teardown=_once,
          capture=("--uplink", UPLINK, "-i", OTHER_LINK)),
    Fault("two-in-one-subnet", "The host is in one subnet twice, and answers for both addresses by either.", NONE,
          _by_either, _two_in_one, teardown=_once, nets=(BRIDGE,), capture=("--uplink", UPLINK, "-i", OTHER_LINK)),
)  # fmt: skip
