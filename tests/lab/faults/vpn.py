"""Tunnels of the host: WireGuard whose peer never answers, or that takes no such address; IPsec without keys for it.

Recording these needs wireguard-go and wireguard-tools: the tunnel is a program, as where the kernel has none.
"""

from tests.lab.commands import run
from tests.lab.engine import GATEWAY
from tests.lab.faults.world import BRIDGE, HOST, USER, Act, Fault, Net, World, at, host, nft_at, nft_gone

NONE: frozenset[str] = frozenset()
TUNNEL, PORT = "wg0", "51820"
INNER = {HOST: "10.77.0.2/24", GATEWAY: "10.77.0.1/24"}
THERE, ELSEWHERE = "10.77.0.1", "10.78.0.1"
"""The tunnel's other end, and an address behind it."""
OFFICE = "203.0.113.0/24"


def _keys() -> tuple[str, str]:
    private = run("wg", "genkey").strip()
    return private, run("sh", "-c", f"echo {private} | wg pubkey").strip()


def _tunnel(allowed: str = "10.77.0.0/24,10.78.0.0/24", port: str = PORT) -> Act:
    """Return what makes a tunnel between the host and its router; *port* is where the host looks for the other end."""

    def act(world: World, net: Net) -> None:
        keys = {namespace: _keys() for namespace in INNER}
        peers = {
            HOST: ("peer", keys[GATEWAY][1], "endpoint", f"192.168.1.1:{port}", "allowed-ips", allowed),
            GATEWAY: ("peer", keys[HOST][1], "allowed-ips", "10.77.0.0/24,172.16.0.0/12,10.20.0.0/24"),
        }
        for namespace, address in INNER.items():
            # Its own folder of sockets, or either end would list the other one's as well.
            own = "mkdir -p /run/wireguard && mount -t tmpfs tmpfs /run/wireguard && " if namespace == GATEWAY else ""
            settings = " ".join(("listen-port", PORT, "private-key", "/dev/stdin", *peers[namespace]))
            start = f"{own}wireguard-go {TUNNEL} 2>/dev/null && echo {keys[namespace][0]} | wg set {TUNNEL} {settings}"
            at(namespace, "sh", "-c", start)
            at(namespace, "ip", "addr", "add", address, "dev", TUNNEL)
            at(namespace, "ip", "link", "set", TUNNEL, "up", "mtu", "1420")
        at(GATEWAY, "ip", "addr", "add", f"{ELSEWHERE}/32", "dev", "lo")
        host("ip", "route", "add", "10.78.0.0/24", "dev", TUNNEL)

    return act


def _no_tunnel(world: World, net: Net) -> None:
    nft_gone(GATEWAY)
    for namespace in INNER:
        at(namespace, "ip", "link", "del", TUNNEL, check=False)
    at(GATEWAY, "ip", "addr", "del", f"{ELSEWHERE}/32", "dev", "lo", check=False)


def _shut(world: World, net: Net) -> None:
    """Let nothing for the tunnel's port in at the other end."""
    _tunnel()(world, net)
    nft_at(GATEWAY, "input", f"udp dport {PORT} drop")


def _through(world: World, net: Net) -> None:
    world.ping(net.client, THERE, 2)
    world.ping(net.client, ELSEWHERE, 2)
    host("ping", "-n", "-c", "2", "-i", "0.3", "-W", "1", ELSEWHERE, check=False)


def _policy(net: Net, what: str, *how: str) -> None:
    host("ip", "xfrm", "policy", what, "src", "0.0.0.0/0", "dst", OFFICE, "dir", "out", *how)


def _without_keys(world: World, net: Net) -> None:
    """Want all that is for a network encrypted, as IPsec daemons do, while there is no key for it."""
    tunnel = ("tmpl", "src", net.host, "dst", "100.64.0.2", "proto", "esp", "mode", "tunnel")
    _policy(net, "add", *tunnel)


def _blocked(world: World, net: Net) -> None:
    _policy(net, "add", "action", "block")


def _passed(world: World, net: Net) -> None:
    _policy(net, "add")


def _free(world: World, net: Net) -> None:
    _policy(net, "delete")


def _to_office(world: World, net: Net) -> None:
    world.ping(net.client, "203.0.113.53", 2)
    world.chat(net.client, "tcp", "203.0.113.53", 7, "count=1")
    world.ping(net.client, net.remote, 1)


NO_PEER = frozenset({"wireguard-no-peer"})
VPN = (
    Fault("wireguard-shut", "A WireGuard peer never answers.", NO_PEER, _through, _shut, teardown=_no_tunnel),
    Fault("wireguard-not-allowed", "A WireGuard peer is not meant for an address that a route sends to it.",
          NO_PEER, _through, _tunnel("10.77.0.0/24"), teardown=_no_tunnel),
    Fault("wireguard", "A WireGuard tunnel works.", NONE, _through, _tunnel(), teardown=_no_tunnel, nets=(BRIDGE,)),
    Fault("ipsec-without-keys", "An IPsec policy wants what nobody has keys for.", frozenset({"ipsec-drops"}),
          _to_office, _without_keys, teardown=_free),
    Fault("ipsec-blocked", "An IPsec policy blocks a network.", frozenset({"ipsec-drops"}), _to_office, _blocked,
          teardown=_free, nets=(USER,)),
    Fault("ipsec-passed", "An IPsec policy lets a network's packets pass as they are.", NONE, _to_office, _passed,
          teardown=_free, nets=(BRIDGE,)),
)  # fmt: skip
