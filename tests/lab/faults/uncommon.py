"""Rules that look like something else: what they ask for is no address or port, or what they do is no drop."""

from tests.lab.engine import HOST
from tests.lab.faults.acts import both, echo, out, rule
from tests.lab.faults.world import BRIDGE, USER, Act, Fault, Net, World, at, host

NONE: frozenset[str] = frozenset()
FILTERED = frozenset({"filtered-by-rule"})
TO_ECHO = ("-p", "tcp", "--dport", "7")
LOOKED_FOR = "not for everybody"


def _ruled(*words: str, table: str = "filter", chain: str = "DOCKER-USER") -> tuple[Act, Act]:
    return rule(chain, "-i", "NET:bridge", *words, table=table)


def _says(*lines: str) -> Act:
    """Return what sends lines to the echo server, each in a segment of its own."""

    def act(world: World, net: Net) -> None:
        code = (
            f"import socket,time;s=socket.create_connection(('{net.remote}',7),3);s.settimeout(2.5);"
            f"print([(s.sendall(x.encode()),time.sleep(0.2)) for x in {lines!r}]);time.sleep(2)"
        )
        world.exec(net.client, "python3", "-c", code, check=False)

    return act


def _many_at_once(world: World, net: Net) -> None:
    """Hold three connections to the echo server at a time."""
    code = (
        "import socket,time;s=[socket.socket() for _ in range(3)];[x.settimeout(1.5) for x in s];"
        f"print([x.connect_ex(('{net.remote}',7)) for x in s]);time.sleep(0.5)"
    )
    world.exec(net.client, "python3", "-c", code, check=False)


def _netdev(world: World, net: Net) -> None:
    """Drop what comes in by the client's port, before anything else sees it, captures excepted."""
    veth = world.host_veth(net.client)
    at(HOST, "nft", "add table netdev fault")
    at(HOST, "nft", f"add chain netdev fault early {{ type filter hook ingress device {veth} priority 0; }}")
    at(HOST, "nft", "add rule netdev fault early tcp dport 7 counter drop")


def _no_netdev(world: World, net: Net) -> None:
    at(HOST, "nft", "delete table netdev fault")


def _legacy(world: World, net: Net) -> None:
    host("iptables-legacy", "-w", "-I", "FORWARD", *TO_ECHO, "-j", "DROP")


def _no_legacy(world: World, net: Net) -> None:
    host("iptables-legacy", "-w", "-D", "FORWARD", *TO_ECHO, "-j", "DROP")


def _masks(source: str, flag: str) -> None:
    host("iptables", "-w", "-t", "nat", flag, "POSTROUTING", "-s", source, "-j", "MASQUERADE")


def _narrow(world: World, net: Net) -> None:
    """Put a rule in the place of Docker's that is for other addresses of the network."""
    host("iptables", "-w", "-t", "nat", "-D", "POSTROUTING", "-s", net.subnet, "!", "-o", net.bridge, "-j",
         "MASQUERADE")  # fmt: skip
    _masks("172.17.128.0/17" if net is BRIDGE else "10.20.0.128/25", "-A")


def _wide(world: World, net: Net) -> None:
    _masks("172.17.128.0/17" if net is BRIDGE else "10.20.0.128/25", "-D")
    host("iptables", "-w", "-t", "nat", "-I", "POSTROUTING", "-s", net.subnet, "!", "-o", net.bridge, "-j",
         "MASQUERADE")  # fmt: skip


_redirect = rule("PREROUTING", "-i", "NET:bridge", *TO_ECHO, "-j", "REDIRECT", "--to-ports", "3129", table="nat")
_queue = _ruled(*TO_ECHO, "-j", "NFQUEUE", "--queue-num", "7")
_string = _ruled(*TO_ECHO, "-m", "string", "--algo", "bm", "--string", LOOKED_FOR, "-j", "DROP")
_connlimit = _ruled(*TO_ECHO, "-m", "connlimit", "--connlimit-above", "1", "-j", "REJECT")
_recent = _ruled(*TO_ECHO, "--syn", "-m", "recent", "--name", "fault", "--update", "--seconds", "60", "-j", "DROP")
_remember = _ruled(*TO_ECHO, "--syn", "-m", "recent", "--name", "fault", "--set")
_hashlimit = _ruled(*TO_ECHO, "--syn", "-m", "hashlimit", "--hashlimit-name", "fault", "--hashlimit-above", "1/min",
                    "--hashlimit-burst", "1", "--hashlimit-mode", "srcip", "-j", "DROP")  # fmt: skip
_time = _ruled(*TO_ECHO, "-m", "time", "--timestart", "00:00", "--timestop", "23:59:59", "-j", "DROP")

UNCOMMON = (
    Fault("redirected", "A rule redirects to a proxy that is not there.", frozenset({"connection-refused"}), echo,
          _redirect[0], teardown=_redirect[1]),
    Fault("queued", "A rule gives packets to a program that does not run.", FILTERED, echo, _queue[0],
          teardown=_queue[1]),
    Fault("string-dropped", "A rule drops segments by what is in them.", FILTERED, _says("hello", LOOKED_FOR),
          _string[0], teardown=_string[1], also=frozenset({"loss-inside-host", "connection-goes-silent"})),
    Fault("too-many-connections", "A rule rejects a client's second connection.", FILTERED, _many_at_once,
          _connlimit[0], teardown=_connlimit[1]),
    Fault("seen-recently", "A rule drops whoever came within a minute.", FILTERED, both(echo, echo),
          both(_remember[0], _recent[0]), teardown=both(_recent[1], _remember[1])),
    Fault("hash-limited", "A rule passes one connection a minute.", FILTERED, both(echo, echo), _hashlimit[0],
          teardown=_hashlimit[1]),
    Fault("at-this-time", "A rule drops at some times of the day.", FILTERED, echo, _time[0], teardown=_time[1]),
    Fault("netdev-rule", "A rule drops where frames come in.", FILTERED, both(echo, out), _netdev,
          teardown=_no_netdev, also=frozenset({"loss-inside-host"})),
    Fault("legacy-rule", "A rule of iptables-legacy drops, beside the rules for nftables.", FILTERED, echo, _legacy,
          teardown=_no_legacy),
    Fault("narrow-masquerade", "A MASQUERADE rule is for other addresses of the network.",
          frozenset({"masquerade-missing"}), out, _narrow, teardown=_wide,
          also=frozenset({"untranslated-source-leak"})),
    Fault("string-passed", "A rule looks for what nobody sends.", NONE, _says("hello", "world"), _string[0],
          teardown=_string[1], nets=(BRIDGE,)),
    Fault("few-connections", "A rule rejects a client's second connection, and there is one at a time.", NONE, echo,
          _connlimit[0], teardown=_connlimit[1], nets=(USER,)),
)  # fmt: skip
