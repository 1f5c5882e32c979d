"""Faults inside containers: their own rules, routes and servers; and containers that only look odd inside."""

import subprocess

from tests.lab.faults.acts import both, from_outside, out
from tests.lab.faults.world import BRIDGE, USER, Act, Fault, Net, World


def in_(who: str, *command: str) -> Act:
    """Return what runs a program in the client's or server's namespace; ``NET:`` words are fields of the network."""

    def act(world: World, net: Net) -> None:
        words = [str(getattr(net, word[4:])) if word.startswith("NET:") else word for word in command]
        world.exec(getattr(net, who), *words)

    return act


def _rule(who: str, *rule: str) -> tuple[Act, Act]:
    return in_(who, "iptables", "-A", *rule), in_(who, "iptables", "-D", *rule)


def _no_default(who: str) -> tuple[Act, Act]:
    return in_(who, "ip", "route", "del", "default"), in_(who, "ip", "route", "add", "default", "via", "NET:gateway")


def _to_server(world: World, net: Net) -> None:
    world.chat(net.client, "tcp", net.server_ip, 80, "count=1")


def _ping_server(world: World, net: Net) -> None:
    world.ping(net.client, net.server_ip, 3)


def _on_loopback(world: World, net: Net) -> None:
    """Start a server that listens on 127.0.0.1 alone."""
    command = [*world.in_container(net.server), "python3", "-m", "http.server", "8090", "--bind", "127.0.0.1"]
    quiet = subprocess.DEVNULL
    world.meanwhile.append(subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet))
    world.sleep(0.7)


def _to_loopback_server(world: World, net: Net) -> None:
    world.chat(net.client, "tcp", net.server_ip, 8090, "count=1")


def _to_itself(world: World, net: Net) -> None:
    for _ in range(2):
        world.chat(net.client, "tcp", "127.0.0.1", 5432, "count=1")


def _full_queue(world: World, net: Net) -> None:
    """Start a server that accepts nobody, and let others fill its queue."""
    code = (
        "import socket,time;s=socket.socket();s.setsockopt(1,2,1);s.bind(('',8091));s.listen(1);"
        "c=[socket.socket() for _ in range(4)];[x.setblocking(False) for x in c];"
        "[x.connect_ex(('127.0.0.1',8091)) for x in c];time.sleep(60)"
    )
    world.meanwhile.append(subprocess.Popen([*world.in_container(net.server), "python3", "-c", code]))
    world.sleep(0.7)


def _to_full_queue(world: World, net: Net) -> None:
    world.chat(net.client, "tcp", net.server_ip, 8091, "count=1")


_DROPS = _rule("server", "INPUT", "-p", "tcp", "--dport", "80", "-j", "DROP")
_RESETS = _rule("server", "INPUT", "-p", "tcp", "--dport", "80", "-j", "REJECT", "--reject-with", "tcp-reset")
_MUTE = _rule("server", "OUTPUT", "-p", "tcp", "--sport", "80", "-j", "DROP")
_KEPT = _rule("client", "OUTPUT", "-o", "eth0", "-j", "DROP")
_ODD = _rule("server", "INPUT", "-p", "tcp", "--dport", "8443", "-j", "DROP")
_HOMELESS, _AWAY = _no_default("server"), _no_default("client")
_STOPPED, _UNSENT = frozenset({"stopped-in-container"}), frozenset({"nothing-left"})

WITHIN = (
    Fault("drops-inside", "The server's own firewall drops.", _STOPPED, _to_server, _DROPS[0], teardown=_DROPS[1]),
    Fault("resets-inside", "The server's own firewall resets.", _STOPPED, _to_server, _RESETS[0], teardown=_RESETS[1]),
    Fault("mute-inside", "The server's own firewall drops its answers.", _STOPPED, _to_server, _MUTE[0],
          teardown=_MUTE[1]),
    Fault("no-way-back-inside", "The server has no default route, and somebody outside asks.", _STOPPED,
          from_outside, _HOMELESS[0], teardown=_HOMELESS[1]),
    Fault("ignores-pings", "The server's kernel ignores pings.", frozenset({"ping-unanswered"}), _ping_server,
          in_("server", "sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=1"),
          teardown=in_("server", "sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=0")),
    Fault("only-on-loopback", "The server listens on 127.0.0.1 alone.", frozenset({"connection-refused"}),
          _to_loopback_server, _on_loopback),
    Fault("full-queue", "The server accepts no connections, and its queue is full.", frozenset({"syn-unanswered"}),
          _to_full_queue, _full_queue),
    Fault("no-default-route", "The client has no default route.", _UNSENT, out, _AWAY[0], teardown=_AWAY[1]),
    Fault("kept-inside", "The client's own firewall drops what it sends.", _UNSENT, out, _KEPT[0], teardown=_KEPT[1]),
    Fault("asks-itself", "The client asks localhost, and means another container.", _UNSENT, _to_itself),
)  # fmt: skip
ODD_INSIDE = (
    Fault("rules-inside", "The server has a firewall of its own, which stops nobody.", frozenset(),
          both(_to_server, from_outside), _ODD[0], teardown=_ODD[1]),
    Fault("routeless-inside", "The server has no default route, and all who ask are on its network.", frozenset(),
          _to_server, _HOMELESS[0], teardown=_HOMELESS[1], nets=(BRIDGE, USER)),
)  # fmt: skip
