"""Faults of rules: those that kill, and Docker's isolation of networks."""

from tests.lab.commands import inside
from tests.lab.engine import GATEWAY, INTERNET
from tests.lab.faults.acts import echo, rule
from tests.lab.faults.world import (
    BRIDGE,
    HOST,
    NETS,
    OTHER,
    Act,
    Fault,
    Net,
    World,
    at,
    host,
    nft_at,
    nft_gone,
)  # fmt: skip


def _echo_and_page(world: World, net: Net) -> None:
    echo(world, net)
    world.chat(net.client, "tcp", net.remote, 80, "count=0")


def _policy(value: str) -> Act:
    def act(world: World, net: Net) -> None:
        host(net.tables, "-w", "-P", "FORWARD", value)

    return act


def _policy_drop(world: World, net: Net) -> None:
    host(net.tables, "-w", "-I", "FORWARD", "-i", net.bridge, "-j", "DOCKER-USER")
    _policy("DROP")(world, net)
    host(net.tables, "-w", "-D", "FORWARD", "-i", net.bridge, "!", "-o", net.bridge, "-j", "ACCEPT")


def _policy_back(world: World, net: Net) -> None:
    host(net.tables, "-w", "-A", "FORWARD", "-i", net.bridge, "!", "-o", net.bridge, "-j", "ACCEPT")
    host(net.tables, "-w", "-D", "FORWARD", "-i", net.bridge, "-j", "DOCKER-USER")


_drop, _undrop = rule("FORWARD", "-i", "NET:bridge", "-p", "tcp", "--dport", "7", "-j", "DROP")
_user, _unuser = rule("DOCKER-USER", "-p", "tcp", "--dport", "7", "-j", "DROP")
_reject, _unreject = rule("FORWARD", "-i", "NET:bridge", "-p", "tcp", "--dport", "7", "-j", "REJECT")
_input, _uninput = rule("INPUT", "-i", "NET:bridge", "-d", "NET:gateway", "-j", "DROP")
_direct, _undirect = rule("PREROUTING", "-d", "NET:server_ip", "!", "-i", "NET:bridge", "-j", "DROP", table="raw")
_peer, _unpeer = rule("FORWARD", "-s", "NET:client_ip", "-d", "NET:server_ip", "-j", "DROP")


def _to_gateway(world: World, net: Net) -> None:
    world.ping(net.client, net.gateway)


def _to_server(world: World, net: Net) -> None:
    world.ping(net.client, net.server_ip)


def _native(world: World, net: Net) -> None:
    nft_at(HOST, "forward", f"iifname {net.bridge} tcp dport 7 counter drop")


def _native_gone(world: World, net: Net) -> None:
    nft_gone(HOST)


def _jumped(world: World, net: Net) -> None:
    """As firewall tools write it: the base chain only jumps."""
    at(HOST, "nft", "add table inet fault")
    at(HOST, "nft", "add chain inet fault guests")
    nft_at(HOST, "forward", f"iifname {net.bridge} jump guests")
    at(HOST, "nft", "add rule inet fault guests tcp dport 7 counter drop")


def _past_the_host(world: World, net: Net) -> None:
    """Ask the container's own address, from outside: the internet has a route to it through the host."""
    world.chat_from(inside(INTERNET), "tcp", net.server_ip, 80, "count=1")


def _way_in(world: World, net: Net) -> None:
    """Routes from outside to the container's network, and Docker 28's rule against what comes by them."""
    at(INTERNET, "ip", "route", "add", net.subnet, "via", "100.64.0.1")
    at(GATEWAY, "ip", "route", "add", net.subnet, "via", net.host)
    _direct(world, net)


def _no_way_in(world: World, net: Net) -> None:
    at(INTERNET, "ip", "route", "del", net.subnet, check=False)
    at(GATEWAY, "ip", "route", "del", net.subnet, check=False)
    _undirect(world, net)


FILTERED = (
    Fault("drop-rule", "A rule drops TCP to port 7.", frozenset({"filtered-by-rule"}), _echo_and_page,
          _drop, teardown=_undrop, nets=NETS),
    Fault("docker-user", "A rule in DOCKER-USER drops TCP to port 7.", frozenset({"filtered-by-rule"}), _echo_and_page,
          _user, teardown=_unuser),
    Fault("reject-rule", "A rule rejects TCP to port 7.", frozenset({"filtered-by-rule"}), echo,
          _reject, teardown=_unreject, nets=NETS),
    Fault("input-rule", "The host accepts nothing from containers.", frozenset({"filtered-by-rule"}), _to_gateway,
          _input, teardown=_uninput, nets=(BRIDGE,)),
    Fault("bridged-rule", "A rule drops what one container sends to another on the same bridge.",
          frozenset({"filtered-by-rule"}), _to_server, _peer, teardown=_unpeer),
    Fault("native-rule", "nftables' own table drops TCP to port 7.", frozenset({"filtered-by-rule"}), echo,
          _native, teardown=_native_gone, nets=NETS),
    Fault("native-jump", "A chain of nftables' own, to which its base chain jumps, drops TCP to port 7.",
          frozenset({"filtered-by-rule"}), echo, _jumped, teardown=_native_gone),
    Fault("direct-access", "Somebody outside uses a container's own address, which Docker 28 allows only its bridge.",
          frozenset({"network-isolation"}), _past_the_host, _way_in, teardown=_no_way_in),
    Fault("policy", "FORWARD's policy is DROP, and the rule that accepted is gone.", frozenset({"filtered-by-rule"}),
          echo, _policy_drop, teardown=_policy_back),
)  # fmt: skip


def _across(world: World, net: Net) -> None:
    world.ping(net.client, OTHER[net].server_ip)
    world.chat(net.client, "tcp", OTHER[net].server_ip, 80, "count=1")


ISOLATED = (
    Fault("other-network", "A container uses the address of one on another network.", frozenset({"network-isolation"}),
          _across),
)  # fmt: skip
