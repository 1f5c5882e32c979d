"""Faults that many people report: a VPN that is down, a router without NAT loopback, leftovers of another engine."""

import subprocess

from tests.lab.commands import inside
from tests.lab.engine import GATEWAY, INTERNET
from tests.lab.faults.acts import both
from tests.lab.faults.world import Act, Fault, Net, World, at, host, nft_gone

PUBLIC = "100.64.0.1"
"""The router's own address towards the internet."""
TUNNEL, TABLE = "vpn9", "119"
LEFT_OVER = ("PREROUTING", "-m", "addrtype", "--dst-type", "LOCAL", "-p", "tcp")
PORTS = "net.ipv4.ip_local_port_range"


def _echo(world: World, net: Net) -> None:
    world.chat(net.client, "tcp", net.remote, 7, "count=1")


def _marked(net: Net) -> tuple[str, ...]:
    return ("PREROUTING", "-i", net.bridge, "!", "-d", net.subnet, "-j", "MARK", "--set-xmark", "0x77")


def _into_tunnel(world: World, net: Net) -> None:
    """Send what a network sends out into a tunnel that nobody holds the other end of."""
    host("ip", "tuntap", "add", TUNNEL, "mode", "tun")
    host("ip", "addr", "add", "10.99.0.2/24", "dev", TUNNEL)
    host("ip", "link", "set", TUNNEL, "up")
    host("ip", "route", "add", "default", "dev", TUNNEL, "table", TABLE)
    host("ip", "rule", "add", "fwmark", "0x77", "lookup", TABLE, "priority", "100")
    host("iptables", "-w", "-t", "mangle", "-A", *_marked(net))


def _out_of_tunnel(world: World, net: Net) -> None:
    host("iptables", "-w", "-t", "mangle", "-D", *_marked(net), check=False)
    host("ip", "rule", "del", "fwmark", "0x77", "lookup", TABLE, check=False)
    host("ip", "link", "del", TUNNEL, check=False)


def _turned(world: World, net: Net) -> None:
    """Let the router translate what is for its own address, whoever asks, and mask nobody."""
    at(GATEWAY, "nft", "add table ip fault")
    at(GATEWAY, "nft", "add chain ip fault pre { type nat hook prerouting priority -110; }")
    at(GATEWAY, "nft", f"add rule ip fault pre ip daddr {PUBLIC} tcp dport {net.port} dnat to {net.host}:{net.port}")


def _straight(world: World, net: Net) -> None:
    nft_gone(GATEWAY, "ip")


def _by_public_address(world: World, net: Net) -> None:
    world.chat(net.client, "tcp", PUBLIC, net.port, "count=1")


def _left_over(world: World, net: Net) -> None:
    to = ("--dport", str(net.port), "-j", "DNAT", "--to-destination", "10.42.0.9:80")
    host("iptables", "-w", "-t", "nat", "-I", *LEFT_OVER, *to)


def _cleared(world: World, net: Net) -> None:
    to = ("--dport", str(net.port), "-j", "DNAT", "--to-destination", "10.42.0.9:80")
    host("iptables", "-w", "-t", "nat", "-D", *LEFT_OVER, *to, check=False)


def _in_vain(world: World, net: Net) -> None:
    world.chat_from(inside(INTERNET), "tcp", net.host, net.port, "count=1")


def _no_fragments(world: World, net: Net) -> None:
    at(GATEWAY, "nft", "add table ip fault")
    at(GATEWAY, "nft", "add chain ip fault early { type filter hook prerouting priority -450; }")
    at(GATEWAY, "nft", "add rule ip fault early ip frag-off & 0x3fff != 0 drop")


def _talk(*options: str) -> Act:
    def act(world: World, net: Net) -> None:
        world.chat(net.client, "udp", net.remote, 53, "lossy=1", *options)

    return act


def _few(world: World, net: Net) -> None:
    world.exec(net.client, "true")
    subprocess.run([*world.in_container(net.client), "sysctl", "-qw", f"{PORTS}=50000 50004"], check=True)


def _many(world: World, net: Net) -> None:
    subprocess.run([*world.in_container(net.client), "sysctl", "-qw", f"{PORTS}=32768 60999"], check=True)


def _all_open(world: World, net: Net) -> None:
    """Open as many connections as there are ports, and one more, which fails before anything is sent."""
    code = (
        "import socket,time;s=[socket.socket() for _ in range(6)];"
        f"print([x.connect_ex(('{net.server_ip}',80)) for x in s]);time.sleep(0.5)"
    )
    subprocess.run([*world.in_container(net.client), "python3", "-c", code], check=True, stdout=subprocess.DEVNULL)


COMMON = (
    Fault("vpn-down", "A mark and a table send a network's packets into a tunnel that is down.",
          frozenset({"sent-to-dead-link"}), _echo, _into_tunnel, teardown=_out_of_tunnel),
    Fault("no-loopback-at-router", "The router translates its public address for those inside, and masks nobody.",
          frozenset({"hairpin-at-router"}), _by_public_address, _turned, teardown=_straight,
          also=frozenset({"conntrack-contradiction", "client-address-hidden"})),
    Fault("left-over-dnat", "A rule of another engine takes a published port.", frozenset({"published-port-shadowed"}),
          _in_vain, _left_over, teardown=_cleared, also=frozenset({"filtered-by-rule", "loss-beyond-host"})),
    Fault("no-fragments", "The router drops fragments.", frozenset({"fragments-lost"}),
          both(_talk("count=2", "size=100"), _talk("count=3", "size=3000")), _no_fragments, teardown=_straight),
    Fault("few-own-ports", "A container has five local ports, and uses them all.", frozenset({"ports-exhausted"}),
          _all_open, _few, teardown=_many),
)  # fmt: skip
