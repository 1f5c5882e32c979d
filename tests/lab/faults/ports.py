"""What a bridge's own settings do to its ports: a delay, a lock, and no copy of what is for all."""

from tests.lab.engine import HOST
from tests.lab.faults.world import BRIDGE, IPV6, USER, Act, Fault, Net, World, at, host

NONE: frozenset[str] = frozenset()
UNANSWERED = frozenset({"arp-unanswered"})
LONGEST_DELAY = "3000"
"""Of a port that comes up, in hundredths of a second; twice of it passes until it forwards."""


def _neighbours(world: World, net: Net) -> None:
    world.ping(net.client, net.server_ip, 2)
    world.chat(net.client, "tcp", net.server_ip, 80, "count=1")


def _spanning(net: Net, state: str) -> None:
    host("ip", "link", "set", net.bridge, "type", "bridge", "stp_state", state, "forward_delay", LONGEST_DELAY)


def _listening(world: World, net: Net) -> None:
    """Let the server's port come up again on a bridge that first listens for others."""
    _spanning(net, "1")
    veth = world.host_veth(net.server)
    for state in ("down", "up"):
        host("ip", "link", "set", veth, state)


def _spans(world: World, net: Net) -> None:
    _spanning(net, "1")


def _single(world: World, net: Net) -> None:
    _spanning(net, "0")
    for name in (net.client, net.server):
        host("bridge", "link", "set", "dev", world.host_veth(name), "state", "3")


def _port(who: str, *settings: str) -> Act:
    """Return what sets flags of somebody's port, and makes the bridge learn anew."""

    def act(world: World, net: Net) -> None:
        veth = world.host_veth(getattr(net, who))
        host("bridge", "link", "set", "dev", veth, *settings)
        host("ip", "link", "set", veth, "type", "bridge_slave", "fdb_flush")

    return act


def _known(world: World, net: Net) -> None:
    """Lock the port for all but the container's own MAC, as who means to lock ports does."""
    veth, mac = world.host_veth(net.client), world.exec(net.client, "cat", "/sys/class/net/eth0/address").strip()
    host("bridge", "link", "set", "dev", veth, "learning", "off")
    host("bridge", "fdb", "replace", mac, "dev", veth, "master", "static")
    host("bridge", "link", "set", "dev", veth, "locked", "on")


def _unknown(world: World, net: Net) -> None:
    veth, mac = world.host_veth(net.client), world.exec(net.client, "cat", "/sys/class/net/eth0/address").strip()
    at(HOST, "bridge", "fdb", "del", mac, "dev", veth, "master", check=False)
    host("bridge", "link", "set", "dev", veth, "locked", "off", "learning", "on")


def _hairpins(state: str) -> Act:
    """Return what lets ports send back where they came from what the bridge floods, as without docker-proxy."""

    def act(world: World, net: Net) -> None:
        for name in (net.client, net.server):
            host("bridge", "link", "set", "dev", world.host_veth(name), "hairpin", state)

    return act


def _forgets(world: World, net: Net) -> None:
    """Talk while the bridge forgets again and again where everybody is."""
    for _ in range(3):
        for name in (net.client, net.server):
            host("ip", "link", "set", world.host_veth(name), "type", "bridge_slave", "fdb_flush")
        world.ping(net.server, net.client_ip, 2)
        world.chat(net.client, "udp", net.server_ip, 53, "count=2")
        _neighbours(world, net)


PORTS = (
    Fault("port-listening", "A bridge with STP waits before a port that came up forwards.", UNANSWERED, _neighbours,
          _listening, teardown=_single),
    Fault("port-locked", "A bridge's port takes nothing from MACs that nobody allowed.", UNANSWERED, _neighbours,
          _port("client", "learning", "off", "locked", "on"),
          teardown=_port("client", "locked", "off", "learning", "on")),
    Fault("port-without-broadcast", "A bridge gives a port no copy of broadcasts.", UNANSWERED, _neighbours,
          _port("server", "bcast_flood", "off"), teardown=_port("server", "bcast_flood", "on")),
    Fault("port-without-multicast", "A bridge gives a port no copy of multicasts, by which IPv6 asks for neighbours.",
          UNANSWERED, _neighbours, _port("server", "mcast_flood", "off"),
          teardown=_port("server", "mcast_flood", "on"), nets=(IPV6,)),
    Fault("flooded-and-sent-back", "Ports in hairpin mode send back what a bridge floods.", NONE, _forgets,
          _hairpins("on"), teardown=_hairpins("off")),
    Fault("ports-span", "A bridge has STP, and its ports forward.", NONE, _neighbours, _spans, teardown=_single,
          nets=(BRIDGE,)),
    Fault("port-locked-for-others", "A bridge's port takes what its container sends, and nothing else.", NONE,
          _neighbours, _known, teardown=_unknown, nets=(USER,)),
    Fault("port-without-ipv4-multicast", "A bridge gives a port no copy of multicasts, and IPv4 needs none.", NONE,
          _neighbours, _port("server", "mcast_flood", "off"), teardown=_port("server", "mcast_flood", "on"),
          nets=(BRIDGE,)),
)  # fmt: skip
