"""Faults by which somebody who is there does not answer for an address, or is asked for one that is elsewhere."""

from tests.lab.faults.within import in_
from tests.lab.faults.world import HOST, Act, Fault, Net, World, host, nft_at, nft_gone

ARP = frozenset({"arp-unanswered"})
LOST = frozenset({"bridge-address-lost"})
SOON = frozenset({"host-unreachable", "loss-inside-host", "nothing-left"})
"""What may follow from it."""


def _to_server(world: World, net: Net) -> None:
    world.ping(net.client, net.server_ip, 4)


def _out(world: World, net: Net) -> None:
    world.ping(net.client, net.remote, 4)


def _veth(*words: str) -> Act:
    """Return what changes the host's end of the server's veth."""

    def act(world: World, net: Net) -> None:
        named = [getattr(net, word[4:]) if word.startswith("NET:") else word for word in words]
        host("ip", "link", "set", world.host_veth(net.server), *named)

    return act


def _bridge_without_address(world: World, net: Net) -> None:
    host("ip", "addr", "del", f"{net.gateway}/{net.subnet.split('/')[1]}", "dev", net.bridge)


def _bridge_with_address(world: World, net: Net) -> None:
    host("ip", "addr", "add", f"{net.gateway}/{net.subnet.split('/')[1]}", "brd", "+", "dev", net.bridge)


def _server_moves(world: World, net: Net) -> None:
    prefix = net.subnet.split("/")[1]
    world.exec(net.server, "ip", "addr", "del", f"{net.server_ip}/{prefix}", "dev", "eth0")
    world.exec(net.server, "ip", "addr", "add", f"{net.server_ip.rpartition('.')[0]}.77/{prefix}", "dev", "eth0")


def _server_returns(world: World, net: Net) -> None:
    prefix = net.subnet.split("/")[1]
    world.exec(net.server, "ip", "addr", "flush", "dev", "eth0")
    world.exec(net.server, "ip", "addr", "add", f"{net.server_ip}/{prefix}", "brd", "+", "dev", "eth0")
    world.exec(net.server, "ip", "route", "replace", "default", "via", net.gateway)


def _wrong_gateway(world: World, net: Net) -> None:
    gateway = f"{net.gateway.rpartition('.')[0]}.254"
    world.exec(net.client, "ip", "route", "replace", "default", "via", gateway, "dev", "eth0")


def _no_arp(world: World, net: Net) -> None:
    nft_at(HOST, "forward", f'oifname "{world.host_veth(net.server)}" ether type arp counter drop', family="bridge")


def _arp(world: World, net: Net) -> None:
    nft_gone(HOST, "bridge")


_RIGHT_GATEWAY = in_("client", "ip", "route", "replace", "default", "via", "NET:gateway")

THERE = (
    Fault("port-down", "The server's end on the host is down.", ARP, _to_server, _veth("down"), teardown=_veth("up"),
          also=SOON),
    Fault("out-of-bridge", "The server's end on the host is out of its bridge.", ARP, _to_server, _veth("nomaster"),
          teardown=_veth("master", "NET:bridge"), also=SOON),
    Fault("bridge-without-address", "The bridge has lost the gateway's address.", LOST, _out, _bridge_without_address,
          teardown=_bridge_with_address, also=SOON),
    Fault("moved-inside", "The server has taken another address.", ARP, _to_server, _server_moves,
          teardown=_server_returns, also=SOON),
    Fault("absent-gateway", "The client's default route is by an address that nobody has.", ARP, _out, _wrong_gateway,
          teardown=_RIGHT_GATEWAY, also=SOON),
    Fault("on-link", "The client takes the whole world for neighbours.", ARP, _out,
          in_("client", "ip", "route", "replace", "default", "dev", "eth0"), teardown=_RIGHT_GATEWAY, also=SOON),
    Fault("no-arp", "A rule of the bridge drops ARP.", ARP, _to_server, _no_arp, teardown=_arp, also=SOON),
)  # fmt: skip
