"""What others take from under Docker: its rules, its bridge's address, the host's default route, and ways beyond."""

import json
import sys
from ipaddress import ip_address
from pathlib import Path
from tempfile import gettempdir

from tests.lab.commands import inside, run
from tests.lab.engine import GATEWAY, INTERNET, UPLINK
from tests.lab.faults.acts import from_outside, out
from tests.lab.faults.world import (
    BRIDGE,
    ELSEWHERE,
    HOST,
    OVERLAY,
    OVERLAY_NAME,
    RESOLVER,
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

NONE: frozenset[str] = frozenset()
SAVED = Path(gettempdir()) / "hoptrace-lab-rules"
XDP = Path(__file__).parents[1] / "xdp.py"
NEAR_MTU = 1400
VIRTUAL = "192.168.1.200"
IN_OTHER = "10.20.0.77"
"""An address of the other network that no container has."""


def _checks(*names: str) -> frozenset[str]:
    return frozenset(names)


def _flushed(world: World, net: Net) -> None:
    """Flush what Docker has made, as a firewall does that loads its own rules."""
    SAVED.write_text(run(*inside(HOST, "iptables-save")))
    host("iptables", "-w", "-F")
    host("iptables", "-w", "-t", "nat", "-F")


def _restored(world: World, net: Net) -> None:
    host("iptables-restore", str(SAVED))
    SAVED.unlink()


def _out_and_in(world: World, net: Net) -> None:
    out(world, net)
    from_outside(world, net)


def _readdressed(world: World, net: Net) -> None:
    """Give the bridge an address of somebody's choice instead of its own."""
    prefix = net.subnet.split("/")[1]
    host("ip", "addr", "del", f"{net.gateway}/{prefix}", "dev", net.bridge)
    host("ip", "addr", "add", "169.254.17.9/16", "dev", net.bridge)


def _addressed(world: World, net: Net) -> None:
    prefix = net.subnet.split("/")[1]
    host("ip", "addr", "del", "169.254.17.9/16", "dev", net.bridge)
    host("ip", "addr", "add", f"{net.gateway}/{prefix}", "brd", "+", "dev", net.bridge)


def _world_by_veth(world: World, net: Net) -> None:
    """Give a container's end on the host an address and a default route, as DHCP clients do."""
    veth = world.host_veth(net.server)
    host("ip", "addr", "add", "169.254.66.7/16", "dev", veth)
    host("ip", "route", "del", "default", "via", "192.168.1.1")
    host("ip", "route", "add", "default", "via", "192.168.1.1", "dev", UPLINK, "metric", "303")
    host("ip", "route", "add", "default", "dev", veth, "src", "169.254.66.7")


def _world_by_uplink(world: World, net: Net) -> None:
    host("ip", "addr", "flush", "dev", world.host_veth(net.server), "to", "169.254.0.0/16")
    host("ip", "route", "del", "default", "via", "192.168.1.1", "dev", UPLINK, "metric", "303")
    host("ip", "route", "replace", "default", "via", "192.168.1.1", "dev", UPLINK)


def _nowhere(world: World, net: Net) -> None:
    """Publish a port on an address that is to come, and does not."""
    host("sysctl", "-qw", "net.ipv4.ip_nonlocal_bind=1")
    world.run_container("edge", "-p", f"{VIRTUAL}:8443:80")


def _nowhere_gone(world: World, net: Net) -> None:
    world.remove_container("edge")
    host("sysctl", "-qw", "net.ipv4.ip_nonlocal_bind=0")


def _to_virtual(world: World, net: Net) -> None:
    world.chat_from(inside(GATEWAY), "tcp", VIRTUAL, 8443, "count=1")


def _small_way_in(world: World, net: Net) -> None:
    """Make the uplink small on both ends, with a router that tells nobody; somebody outside has much to send."""
    host("ip", "link", "set", UPLINK, "mtu", str(NEAR_MTU))
    at(GATEWAY, "ip", "link", "set", "lan0", "mtu", str(NEAR_MTU))
    nft_at(GATEWAY, "output", "icmp type destination-unreachable drop")
    world.background(inside(INTERNET), "big.py", "serve", "8000")
    world.sleep(0.3)


def _large_way_in(world: World, net: Net) -> None:
    nft_gone(GATEWAY)
    at(GATEWAY, "ip", "link", "set", "lan0", "mtu", "1500")
    host("ip", "link", "set", UPLINK, "mtu", "1500")


def _much(world: World, net: Net) -> None:
    for _ in range(2):
        world.script(world.in_container(net.client), "big.py", "ask", net.remote, "8000")


def _shut(rule: str) -> Act:
    """Return what shuts something at the router."""

    def act(world: World, net: Net) -> None:
        nft_at(GATEWAY, "forward", rule)

    return act


def _opened(world: World, net: Net) -> None:
    nft_gone(GATEWAY)


def _asks_two(world: World, net: Net) -> None:
    for server in (RESOLVER, ELSEWHERE):
        world.script(world.in_container(net.client), "names.py", "ask", server, "ok.example")
    world.chat(net.client, "tcp", net.remote, 7, "count=1")


def _to_overlay(world: World, net: Net) -> None:
    world.ping(net.client, net.server_ip, 3)
    world.chat(net.client, "tcp", net.server_ip, 80, "count=1", "lossy=1")


def _sent_to(host: str) -> Act:
    """Return what makes the overlay's table say that its other container is on a host."""

    def act(world: World, net: Net) -> None:
        where = world.in_overlay(OVERLAY_NAME)
        links = json.loads(run(*where, "ip", "-j", "-d", "link"))
        dev = next(one["ifname"] for one in links if one.get("linkinfo", {}).get("info_kind") == "vxlan")
        mac = ":".join(f"{number:02x}" for number in (2, 0x42, *ip_address(net.server_ip).packed))
        run(*where, "bridge", "fdb", "replace", mac, "dev", dev, "dst", host, "self", "permanent")

    return act


def _by_proxy(world: World, net: Net) -> None:
    for _ in range(2):
        world.chat(net.client, "udp", net.host, 5353, "count=1", "lossy=1")


def _to_nobody(world: World, net: Net) -> None:
    world.ping(net.client, IN_OTHER, 2)
    world.chat(net.client, "tcp", IN_OTHER, 80, "count=1")


def _halves(world: World, net: Net) -> None:
    """Send all by a tunnel, as VPNs do: by two routes before the default one."""
    host("ip", "link", "add", "tun7", "type", "veth", "peer", "name", "tun7-far")
    host("ip", "link", "set", "tun7", "up")
    for half in ("0.0.0.0/1", "128.0.0.0/1"):
        host("ip", "route", "add", half, "via", "192.168.1.1", "dev", UPLINK)
    host("ip", "addr", "add", "10.8.0.2/24", "dev", "tun7")


def _whole(world: World, net: Net) -> None:
    for half in ("0.0.0.0/1", "128.0.0.0/1"):
        host("ip", "route", "del", half, "via", "192.168.1.1", "dev", UPLINK)
    host("ip", "link", "del", "tun7")


def _taken_by_xdp(world: World, net: Net) -> None:
    """Let a program take all answers by TCP before anybody sees them."""
    host(sys.executable, str(XDP), UPLINK)


def _left_by_xdp(world: World, net: Net) -> None:
    host("ip", "link", "set", "dev", UPLINK, "xdpgeneric", "off")


TAKEN = (
    Fault("rules-flushed", "A firewall has flushed all rules.", _checks("docker-rules-gone"), _out_and_in, _flushed,
          teardown=_restored, also=_checks("docker-proxy-in-path", "untranslated-source-leak")),
    Fault("bridge-readdressed", "Somebody gave the bridge another address.", _checks("bridge-address-lost"),
          from_outside, _readdressed, teardown=_addressed, nets=(BRIDGE,), also=_checks("arp-unanswered")),
    Fault("default-by-veth", "A container's end on the host has a default route.", _checks("arp-unanswered"), out,
          _world_by_veth, teardown=_world_by_uplink, nets=(BRIDGE,),
          also=_checks("host-unreachable", "untranslated-source-leak")),
    Fault("published-nowhere", "A port is published on an address that the host does not have.",
          _checks("arp-unanswered"), _to_virtual, _nowhere, teardown=_nowhere_gone, nets=(BRIDGE,),
          capture=("-c", "edge")),
    Fault("small-way-in", "The uplink takes less than containers say that they do.", _checks("mtu-mismatch"), _much,
          _small_way_in, teardown=_large_way_in, nets=(BRIDGE, USER)),
    Fault("names-shut", "The router lets nothing for port 53 out.", _checks("dns-unanswered"), _asks_two,
          _shut("udp dport 53 drop"), teardown=_opened, nets=(USER,)),
    Fault("overlay-shut", "Nothing for port 4789 gets through between two hosts.", _checks("vxlan-unanswered"),
          _to_overlay, _shut("udp dport 4789 drop"), teardown=_opened, nets=(OVERLAY,)),
    Fault("overlay-wrong-host", "An overlay's table sends what is for a container to a host that has none of it.",
          _checks("vxlan-unanswered"), _to_overlay, _sent_to("192.168.2.77"), teardown=_sent_to("192.168.2.100"),
          nets=(OVERLAY,)),
    Fault("proxy-answers", "docker-proxy answers datagrams from another address than was asked.",
          _checks("answered-from-elsewhere"), _by_proxy, nets=(BRIDGE,), also=_checks("docker-proxy-in-path")),
    Fault("taken-by-network", "A container wants an address that another network has taken, and no container has.",
          _checks("subnet-overlap"), _to_nobody, nets=(BRIDGE,)),
    Fault("xdp-drop", "An XDP program at the uplink drops what answers.", _checks("syn-unanswered"), out, _taken_by_xdp,
          teardown=_left_by_xdp, nets=(BRIDGE, USER)),
    Fault("default-in-halves", "A VPN's two routes come before the default one.", NONE, out, _halves, teardown=_whole,
          nets=(BRIDGE,)),
)  # fmt: skip
