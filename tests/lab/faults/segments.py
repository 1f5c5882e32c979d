"""Faults of neighbours and addresses, and losses."""

from tests.lab.faults.acts import both, from_outside, out
from tests.lab.faults.world import (
    BRIDGE,
    GATEWAY,
    HOST,
    IPV6,
    NETS,
    USER,
    Act,
    Fault,
    Net,
    World,
    at,
    host,
    nft_at,
    nft_gone,
)  # fmt: skip

ABSENT = {BRIDGE: "172.17.0.99", USER: "10.20.0.99", IPV6: "fd00:d::99"}


def _to_absent(world: World, net: Net) -> None:
    world.ping(net.client, ABSENT[net], 4)


def _to_absent_beyond(world: World, net: Net) -> None:
    world.ping(net.client, "192.168.1.77", 5, "-W", "4")


def _twice(world: World, net: Net) -> None:
    prefix = net.subnet.split("/")[1]
    world.exec("twin", "ip", "addr", "add", f"{net.server_ip}/{prefix}", "dev", "eth0")


def _once(world: World, net: Net) -> None:
    prefix = net.subnet.split("/")[1]
    world.exec("twin", "ip", "addr", "del", f"{net.server_ip}/{prefix}", "dev", "eth0")


def _to_server(world: World, net: Net) -> None:
    world.ping(net.client, net.server_ip)


def _changed_card(world: World, net: Net) -> None:
    _to_server(world, net)
    world.exec(net.server, "ip", "link", "set", "eth0", "address", "02:42:0a:14:aa:bb")
    world.exec(net.client, "ip", "neigh", "flush", "all")
    world.sleep(0.3)
    _to_server(world, net)


def _card_back(world: World, net: Net) -> None:
    mac = "02:42:" + ":".join(f"{int(part):02x}" for part in net.server_ip.split("."))
    world.exec(net.server, "ip", "link", "set", "eth0", "address", mac)


def _wrong_mac(world: World, net: Net) -> None:
    host("ip", "neigh", "replace", net.server_ip, "lladdr", "02:42:de:ad:be:ef", "dev", net.bridge, "nud", "permanent")


def _right_mac(world: World, net: Net) -> None:
    host("ip", "neigh", "del", net.server_ip, "dev", net.bridge)


NEIGHBOURS = (
    Fault("absent", "A container wants an address of its network that nobody has.", frozenset({"arp-unanswered"}),
          _to_absent, nets=NETS),
    Fault("absent-beyond", "A container wants an address of the host's LAN that nobody has.",
          frozenset({"arp-unanswered"}), _to_absent_beyond),
    Fault("twice", "Two containers have one address.", frozenset({"duplicate-address"}), _to_server, _twice,
          teardown=_once, capture=("-c", "twin"), third=True),
    Fault("changed-card", "A container's MAC changes.", frozenset({"mac-moved"}), _changed_card, teardown=_card_back),
    Fault("wrong-neighbour", "The host's neighbour entry for a container has another MAC.",
          frozenset({"neighbour-stale"}), from_outside, warm=_wrong_mac, teardown=_right_mac,
          also=frozenset({"syn-unanswered", "loss-inside-host"})),
)  # fmt: skip


def _vanishing(rule: str) -> tuple[Act, Act]:
    """Return what drops packets by a rule that is gone when the host's state is recorded."""

    def add(world: World, net: Net) -> None:
        nft_at(HOST, "forward", rule.format(net=net))

    def delete(world: World, net: Net) -> None:
        nft_gone(HOST)

    return add, delete


def _gone_before_dumps(rule: str, act: Act) -> Act:
    add, delete = _vanishing(rule)
    return both(both(add, act), delete)


def _narrow_link(world: World, net: Net) -> None:
    at(HOST, "tc", "qdisc", "replace", "dev", net.bridge, "root", "tbf", "rate", "64kbit", "burst", "1600", "latency",
       "400ms")  # fmt: skip


def _wide_link(world: World, net: Net) -> None:
    at(HOST, "tc", "qdisc", "del", "dev", net.bridge, "root", check=False)


def _pings_back(world: World, net: Net) -> None:
    world.ping(net.client, net.remote, 6, "-s", "1200", "-i", "0.05")


def _lossy(world: World, net: Net) -> None:
    nft_at(GATEWAY, "forward", "numgen inc mod 5 == 3 drop")


def _not_lossy(world: World, net: Net) -> None:
    nft_gone(GATEWAY)


def _much(world: World, net: Net) -> None:
    world.ping(net.client, net.remote, 12, "-i", "0.1")
    world.chat(net.client, "tcp", net.remote, 7, "count=12", "size=700", "answer=700", "lossy=1")


LOST = (
    Fault("vanishing-rule", "Something in the host drops packets, and no dump shows it.",
          frozenset({"loss-inside-host"}), _gone_before_dumps("iifname {net.bridge} tcp dport 7 drop", out),
          nets=NETS),
    Fault("vanishing-answers", "Something in the host drops answers, and no dump shows it.",
          frozenset({"loss-inside-host"}), _gone_before_dumps("oifname {net.bridge} tcp sport 7 drop", out)),
    Fault("lossy-internet", "Every fifth packet is lost behind the gateway.", frozenset({"loss-beyond-host"}), _much,
          _lossy, teardown=_not_lossy, nets=NETS, also=frozenset({"syn-unanswered"})),
    Fault("slow-bridge", "Answers wait in the bridge's queue.", frozenset({"high-latency-hop"}), _pings_back,
          _narrow_link, teardown=_wide_link, also=frozenset({"loss-inside-host"})),
)  # fmt: skip
