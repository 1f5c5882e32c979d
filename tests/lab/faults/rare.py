"""Faults and healthy hosts of rarer kinds: those that once were told wrongly."""

from tests.lab.commands import inside
from tests.lab.engine import INTERNET
from tests.lab.faults.acts import echo, from_outside, out, rule
from tests.lab.faults.world import BRIDGE, HOST, USER, Act, Fault, Net, World, host, nft_at, nft_gone

FILTERED = frozenset({"filtered-by-rule"})
NONE: frozenset[str] = frozenset()


def _inserted(name: str, about: str, act: Act, *words: str, table: str = "filter", **options: object) -> Fault:
    """Make a fault of a rule that the checks must name."""
    insert, delete = rule(*words, table=table)
    return Fault(name, about, FILTERED, act, insert, teardown=delete, nets=(BRIDGE,), **options)  # type: ignore[arg-type]


def _to_host(world: World, net: Net) -> None:
    """Ping the bridge's own address: the host answers itself."""
    world.ping(net.client, net.gateway)


def _pings(world: World, net: Net) -> None:
    world.ping(net.client, net.remote, 8, "-i", "0.1")


def _ask(world: World, net: Net) -> None:
    world.script(world.in_container(net.client), "names.py", "ask", "198.51.100.53", "ok.example")


def _limit(world: World, net: Net) -> None:
    host("iptables", "-w", "-I", "DOCKER-USER", "-s", net.client_ip, "-p", "icmp", "-j", "DROP")
    host("iptables", "-w", "-I", "DOCKER-USER", *_few(net))


def _few(net: Net) -> tuple[str, ...]:
    return ("-s", net.client_ip, "-p", "icmp", "-m", "limit", "--limit", "1/sec", "--limit-burst", "2", "-j", "RETURN")


def _no_limit(world: World, net: Net) -> None:
    host("iptables", "-w", "-D", "DOCKER-USER", *_few(net))
    host("iptables", "-w", "-D", "DOCKER-USER", "-s", net.client_ip, "-p", "icmp", "-j", "DROP")


_passing, _unpassing = rule("DOCKER-USER", "-s", "NET:client_ip", "-j", "DROP")


def _ends_midway(world: World, net: Net) -> None:
    """Try, have the rule taken away, and try again."""
    out(world, net)
    _unpassing(world, net)
    out(world, net)


_notrack, _track = rule("PREROUTING", "-s", "NET:client_ip", "-j", "NOTRACK", table="raw")


def _policy(world: World, net: Net) -> None:
    nft_at(HOST, "forward", "tcp dport 80 accept")
    nft_at(HOST, "forward", "ip daddr != 198.51.100.80 accept")
    host("nft", "chain inet fault forward { policy drop; }")


def _no_policy(world: World, net: Net) -> None:
    nft_gone(HOST)


PROHIBIT = ("iif", "docker0", "to", "198.51.100.0/24", "prohibit")


def _prohibit(world: World, net: Net) -> None:
    host("ip", "rule", "add", *PROHIBIT)


def _allow(world: World, net: Net) -> None:
    host("ip", "rule", "del", *PROHIBIT)


def _blackhole(world: World, net: Net) -> None:
    host("ip", "route", "add", "blackhole", "default", "table", "100")
    host("ip", "rule", "add", "from", net.subnet, "table", "100")


def _no_blackhole(world: World, net: Net) -> None:
    host("ip", "rule", "del", "from", net.subnet, "table", "100")
    host("ip", "route", "del", "blackhole", "default", "table", "100")


def _wrong_gateway(world: World, net: Net) -> None:
    world.exec(net.client, "ip", "route", "replace", "default", "via", net.server_ip)


def _right_gateway(world: World, net: Net) -> None:
    world.exec(net.client, "ip", "route", "replace", "default", "via", net.gateway)


def _port_down(world: World, net: Net) -> None:
    """Let a ping arrive, then take the server's bridge port away."""
    world.ping(net.client, net.server_ip, 2)
    host("ip", "link", "set", world.host_veth(net.server), "nomaster")
    world.ping(net.client, net.server_ip, 3)


def _port_up(world: World, net: Net) -> None:
    host("ip", "link", "set", world.host_veth(net.server), "master", net.bridge)


FOREIGN = ("POSTROUTING", "-s", "172.17.0.0/16", "-o", "wlan0", "-j", "SNAT", "--to-source", "192.168.1.200")


def _foreign(world: World, net: Net) -> None:
    host("iptables", "-w", "-t", "nat", "-I", *FOREIGN)


def _not_foreign(world: World, net: Net) -> None:
    host("iptables", "-w", "-t", "nat", "-D", *FOREIGN)


def _logging(world: World, net: Net) -> None:
    """Do as ufw does: log up to a limit, and let the policy drop."""
    host("iptables", "-w", "-N", "fw-log")
    host("iptables", "-w", "-A", "fw-log", "-m", "limit", "--limit", "3/min", "-j", "LOG", "--log-prefix", "[BLOCK] ")
    host("iptables", "-w", "-A", "fw-log", "-j", "DROP")
    host("iptables", "-w", "-I", "DOCKER-USER", "-p", "tcp", "--dport", "7", "-j", "fw-log")


def _not_logging(world: World, net: Net) -> None:
    host("iptables", "-w", "-D", "DOCKER-USER", "-p", "tcp", "--dport", "7", "-j", "fw-log")
    host("iptables", "-w", "-F", "fw-log")
    host("iptables", "-w", "-X", "fw-log")


def _static_mac(world: World, net: Net) -> None:
    world.exec(net.client, "ip", "neigh", "replace", net.gateway, "lladdr", "02:42:de:ad:be:01", "dev", "eth0", "nud",
               "permanent")  # fmt: skip


def _no_static_mac(world: World, net: Net) -> None:
    world.exec(net.client, "ip", "neigh", "del", net.gateway, "dev", "eth0")


def _ask_slowly(world: World, net: Net) -> None:
    world.script(world.in_container(net.client), "names.py", "ask", "198.51.100.53", "=slow.example", "=ok.example")


def _no_fragments(world: World, net: Net) -> None:
    """Drop fragments before br_netfilter and conntrack put them together."""
    nft_at(HOST, "prerouting", "ip frag-off & 0x3fff != 0 counter drop", family="ip", priority=-450)


def _fragments(world: World, net: Net) -> None:
    nft_gone(HOST, "ip")


def _long(world: World, net: Net) -> None:
    world.ping(net.client, net.remote, 2)
    world.chat(net.client, "udp", "203.0.113.53", 53, "count=3", "size=3000", "lossy=1")


def _isolated(state: str) -> Act:
    def act(world: World, net: Net) -> None:
        for name in (net.client, net.server):
            host("bridge", "link", "set", "dev", world.host_veth(name), "isolated", state)

    return act


def _to_server(world: World, net: Net) -> None:
    world.ping(net.client, net.server_ip, 4)


RARE = (
    _inserted("raw-rule", "A rule of raw PREROUTING drops DNS.", _ask, "PREROUTING", "-p", "udp", "--dport", "53", "-j",
              "DROP", table="raw"),
    _inserted("mangle-rule", "A rule of mangle drops pings on their way out.", _pings, "POSTROUTING", "-o", "wlan0",
              "-p", "icmp", "-j", "DROP", table="mangle"),
    _inserted("output-rule", "The host's own answers are dropped.", _to_host, "OUTPUT", "-p", "icmp", "--icmp-type",
              "echo-reply", "-j", "DROP"),
    _inserted("reset-rule", "A rule answers with RST, as if the server refused.", echo, "DOCKER-USER", "-p", "tcp",
              "--dport", "7", "-j", "REJECT", "--reject-with", "tcp-reset"),
    _inserted("published-rule", "The rule of Docker's manual for published ports.", from_outside, "DOCKER-USER", "-i",
              "wlan0", "-p", "tcp", "-m", "conntrack", "--ctorigdstport", "8080", "--ctdir", "ORIGINAL", "-j", "DROP"),
    _inserted("every-third", "A rule drops every third packet: only its counter tells.", _pings, "DOCKER-USER", "-p",
              "icmp", "-m", "statistic", "--mode", "nth", "--every", "3", "--packet", "0", "-j", "DROP"),
    Fault("limit", "What is beyond a limit is dropped by the rule behind it.", FILTERED, _pings, _limit,
          teardown=_no_limit, nets=(BRIDGE,)),
    Fault("gone-rule", "A rule is taken away while captures run.", FILTERED, _ends_midway, _passing, nets=(BRIDGE,)),
    Fault("native-policy", "The policy of nftables' own chain drops.", FILTERED, echo, _policy, teardown=_no_policy,
          nets=(BRIDGE,)),
    Fault("not-tracked", "A rule takes packets out of connection tracking.", frozenset({"masquerade-missing"}), out,
          _notrack, teardown=_track, nets=(BRIDGE,)),
    Fault("prohibit", "A rule of ip rule prohibits.", frozenset({"host-unreachable"}), out, _prohibit,
          teardown=_allow, nets=(BRIDGE,)),
    Fault("other-table", "A rule leads to a table with a blackhole.", frozenset({"host-unreachable"}), out, _blackhole,
          teardown=_no_blackhole),
    Fault("wrong-gateway", "A container has another container for its gateway.", frozenset({"syn-unanswered"}), echo,
          _wrong_gateway, teardown=_right_gateway),
    Fault("no-port", "The server's veth is taken out of its bridge.", frozenset({"loss-inside-host"}), _port_down,
          teardown=_port_up),
    Fault("foreign-source", "SNAT gives an address that the host does not have.", frozenset({"arp-unanswered"}), out,
          _foreign, teardown=_not_foreign, nets=(BRIDGE,)),
    Fault("fragments", "A rule drops fragments.", FILTERED, _long, _no_fragments, teardown=_fragments),
    Fault("isolated", "Two bridge ports are isolated from each other.", frozenset({"arp-unanswered"}), _to_server,
          _isolated("on"), teardown=_isolated("off")),
    Fault("logged", "A chain logs up to a limit, and drops.", FILTERED, echo, _logging, teardown=_not_logging),
    Fault("static-mac", "A container has a wrong, permanent MAC for its gateway.", frozenset({"neighbour-stale"}), out,
          warm=_static_mac, teardown=_no_static_mac),
    Fault("slow-resolver", "A name server takes more than a second.", frozenset({"dns-unanswered"}), _ask_slowly,
          nets=(BRIDGE,)),
)  # fmt: skip


def _third(world: World, net: Net) -> None:
    """Talk to a container whose veth is not captured."""
    where = world.address_of("twin", net)
    world.ping(net.client, where, 4)
    world.ping(net.client, net.server_ip, 2)


def _traceroute(world: World, net: Net) -> None:
    """Send datagrams as traceroute does."""
    world.script(world.in_container(net.client), "odd.py", "trace", net.remote)


def _joined(world: World, net: Net) -> None:
    world.docker("network", "connect", "appnet", "twin")
    world.ping("twin", USER.server_ip, 3)
    world.ping("twin", net.remote, 3)
    world.ping("twin", net.client_ip, 3)


def _parted(world: World, net: Net) -> None:
    world.docker("network", "disconnect", "appnet", "twin")


def _aborts(world: World, net: Net) -> None:
    """Close with RST, again and again."""
    for _ in range(4):
        world.chat(net.client, "tcp", net.remote, 7, "count=2")
        world.chat_from(inside(INTERNET), "tcp", net.host, net.port, "count=1")


QUIET = (
    Fault("third", "A container talks to one whose veth is not captured.", NONE, _third, third=True,
          nets=(BRIDGE,)),
    Fault("traceroute", "A container traces a route with UDP.", NONE, _traceroute),
    Fault("source-filter", "Only what containers send was captured, and nothing of it behind NAT.", NONE, out,
          capture=("-f", "src host 172.17.0.2"), nets=(BRIDGE,)),
    Fault("port-filter", "Only one direction was captured.", NONE, out, capture=("-f", "dst port 7")),
    Fault("short", "Captures keep 34 bytes of each frame.", NONE, out, capture=("-s", "34")),
    Fault("joined", "A third container joins another network while captures run.", NONE, _joined, third=True,
          capture=("-c", "app", "-c", "db"),
          nets=(BRIDGE,), teardown=_parted),
    Fault("aborts", "Clients close with RST.", NONE, _aborts, nets=(BRIDGE, USER)),
)  # fmt: skip
