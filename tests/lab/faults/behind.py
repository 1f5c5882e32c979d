"""Faults whose cause stands behind what acts: timeouts, limits, martians, filters on the way, names of one IP "
"version."""

import subprocess
from pathlib import Path

from tests.lab.engine import INTERNET
from tests.lab.faults.acts import both, rule
from tests.lab.faults.world import (
    ELSEWHERE,
    GATEWAY,
    HOST,
    IPV6,
    RESOLVER,
    USER,
    Act,
    Fault,
    Net,
    World,
    at,
    host,
    nft_gone,
)

PEERS = Path(__file__).parents[1] / "peers.py"
FORGETS = "net.netfilter.nf_conntrack_tcp_timeout_established"
LAN = "lan0"


def _sysctl(*settings: str) -> Act:
    def act(world: World, net: Net) -> None:
        for setting in settings:
            host("sysctl", "-qw", setting)

    return act


def _with_a_rest(world: World, net: Net) -> None:
    world.chat(net.client, "tcp", net.remote, 7, "count=2", "rest=3500", "lossy=1")


def _much(world: World, net: Net) -> None:
    world.chat(net.client, "tcp", net.remote, 7, "count=20", "size=1200", "answer=1200", "lossy=1")


def _limited(world: World, net: Net) -> None:
    veth = world.host_veth(net.client)
    at(HOST, "tc", "qdisc", "add", "dev", veth, "root", "tbf", "rate", "32kbit", "burst", "3000", "limit", "3000")


def _unlimited(world: World, net: Net) -> None:
    at(HOST, "tc", "qdisc", "del", "dev", world.host_veth(net.client), "root", check=False)


def _reset_at_rest(world: World, net: Net) -> None:
    """Let the server forget a connection that rests."""
    asked = [*world.in_container(net.client), "python3", str(PEERS), "talk", "tcp", net.remote, "7", "abort=1",
             "count=2", "rest=2200", "lossy=1"]  # fmt: skip
    talk = subprocess.Popen(asked, stdin=subprocess.DEVNULL)
    world.sleep(1.2)
    at(INTERNET, "iptables", "-I", "INPUT", "-p", "tcp", "--dport", "7", "-j", "REJECT", "--reject-with", "tcp-reset")
    talk.wait(20)


def _forgiven(world: World, net: Net) -> None:
    at(INTERNET, "iptables", "-D", "INPUT", "-p", "tcp", "--dport", "7", "-j", "REJECT", "--reject-with", "tcp-reset",
       check=False)  # fmt: skip


def _by_another(world: World, net: Net) -> None:
    """Let the server answer from its other address: stateless, as no conntrack would."""
    at(INTERNET, "nft", "add table ip fault")
    at(INTERNET, "nft", "add chain ip fault out { type filter hook output priority -300; }")
    at(INTERNET, "nft", f"add rule ip fault out tcp sport 7 ip saddr {net.remote} notrack ip saddr set {ELSEWHERE}")


def _by_itself(world: World, net: Net) -> None:
    nft_gone(INTERNET, "ip")


def _echo_once(world: World, net: Net) -> None:
    world.chat(net.client, "tcp", net.remote, 7, "count=1")


def _to_gateway(world: World, net: Net) -> None:
    world.chat(net.client, "tcp", net.gateway, 6379, "count=1")


def _filtered(world: World, net: Net) -> None:
    at(GATEWAY, "iptables", "-I", "FORWARD", "-p", "tcp", "--dport", "7", "-m", "length", "--length", "100:", "-j",
       "REJECT", "--reject-with", "tcp-reset")  # fmt: skip


def _unfiltered(world: World, net: Net) -> None:
    at(GATEWAY, "iptables", "-F", "FORWARD")


def _longer(world: World, net: Net) -> None:
    world.chat(net.client, "tcp", net.remote, 7, "count=1", "size=300", "lossy=1")


def _as_neighbours(world: World, net: Net) -> None:
    """Let the router take the network's addresses for its own segment's, and masquerade none of them."""
    at(GATEWAY, "ip", "-6", "route", "replace", net.subnet, "dev", LAN)
    host("ip6tables", "-t", "nat", "-I", "POSTROUTING", "-s", net.subnet, "-j", "ACCEPT")


def _as_others(world: World, net: Net) -> None:
    at(GATEWAY, "ip", "-6", "route", "del", net.subnet, "dev", LAN)
    host("ip6tables", "-t", "nat", "-D", "POSTROUTING", "-s", net.subnet, "-j", "ACCEPT")


def _only_six(world: World, net: Net) -> None:
    """Ask for a name with an IPv6 address alone, and try that."""
    world.script(world.in_container(net.client), "names.py", "ask", RESOLVER, "six.example")
    world.exec(net.client, "ping", "-n", "-c", "1", "-W", "1", "2001:db8::80", check=False)


def _out6(world: World, net: Net) -> None:
    world.chat(net.client, "tcp", net.remote, 7, "count=1")


_AWAY = ("192.168.1.1", "dev", "wlan0", "table", "52")


def _other_table(world: World, net: Net) -> None:
    """Let a table that comes before main have but a default route, as VPN clients do."""
    host("ip", "route", "add", "default", "via", *_AWAY)
    host("ip", "rule", "add", "from", "all", "lookup", "52", "priority", "5270")


def _main_table(world: World, net: Net) -> None:
    host("ip", "rule", "del", "priority", "5270")
    host("ip", "route", "flush", "table", "52")


_INVALID = rule("FORWARD", "-m", "conntrack", "--ctstate", "INVALID", "-j", "DROP")
_LOOPBACK = rule("PREROUTING", "-d", "NET:gateway", "-p", "tcp", "--dport", "6379", "-j", "DNAT", "--to-destination",
                 "127.0.0.1:6379", table="nat")  # fmt: skip
_FORGETFUL = _sysctl(f"{FORGETS}=2", "net.netfilter.nf_conntrack_tcp_loose=0")
_MINDFUL = _sysctl(f"{FORGETS}=432000", "net.netfilter.nf_conntrack_tcp_loose=1")

BEHIND = (
    Fault("forgotten-at-rest", "conntrack forgets a connection that rests, and what comes then is invalid.",
          frozenset({"conntrack-timeout"}), _with_a_rest, both(_FORGETFUL, _INVALID[0]),
          teardown=both(_MINDFUL, _INVALID[1]), also=frozenset({"filtered-by-rule"})),
    Fault("reset-at-rest", "The server resets a connection that was idle.", frozenset({"reset-after-idle"}),
          _reset_at_rest, teardown=_forgiven),
    Fault("other-server", "The server answers from another address of its own.",
          frozenset({"answered-from-elsewhere"}), _echo_once, _by_another, teardown=_by_itself,
          also=frozenset({"conntrack-invalid-reset"})),
    Fault("shaped", "A queue on the client's veth lets little pass.", frozenset({"queue-drops"}), _much, _limited,
          teardown=_unlimited, also=frozenset({"high-latency-hop", "loss-inside-host", "loss-beyond-host"})),
    Fault("to-loopback", "DNAT to 127.0.0.1, where route_localnet is 0.", frozenset({"loopback-not-routed"}),
          _to_gateway, _LOOPBACK[0], teardown=_LOOPBACK[1]),
    Fault("content-filter", "A router resets connections by what is in them.", frozenset({"reset-on-the-way"}), _longer,
          _filtered, teardown=_unfiltered),
    Fault("not-our-neighbour", "The router asks the LAN for a container's IPv6 address.",
          frozenset({"ndp-proxy-missing"}), _out6, _as_neighbours, teardown=_as_others, nets=(IPV6,),
          also=frozenset({"syn-unanswered", "masquerade-missing"})),
    Fault("table-before-main", "A table before main has another way to the containers.",
          frozenset({"container-routed-elsewhere"}), _out6, _other_table, teardown=_main_table,
          also=frozenset({"syn-unanswered", "loss-inside-host", "ttl-exceeded", "loss-beyond-host"})),
    Fault("only-six", "A name has an IPv6 address alone, and the client has no IPv6.", frozenset({"no-ipv6-for-name"}),
          _only_six, nets=(USER,)),
)  # fmt: skip
