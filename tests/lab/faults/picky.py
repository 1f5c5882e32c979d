"""What is lost on some condition only: marked for ECN, too many at once, or at one server of several."""

from tests.lab.commands import inside
from tests.lab.engine import GATEWAY, HOST, INTERNET
from tests.lab.faults.acts import both, rule
from tests.lab.faults.world import BRIDGE, ELSEWHERE, USER, Act, Fault, Net, World, at, nft_at, nft_gone

NONE: frozenset[str] = frozenset()
ECN, FALLBACK = "net.ipv4.tcp_ecn", "net.ipv4.tcp_ecn_fallback"
VIRTUAL = "9000"
UNUSED = {BRIDGE: "172.17.0.99", USER: "10.20.0.99"}


def _marks(world: World, net: Net) -> None:
    """Let the client ask for ECN, and not go on without it."""
    world.exec(net.client, "sysctl", "-qw", f"{ECN}=1", f"{FALLBACK}=0")


def _marks_not(world: World, net: Net) -> None:
    world.exec(net.client, "sysctl", "-qw", f"{ECN}=2", f"{FALLBACK}=1")


def _fussy(world: World, net: Net) -> None:
    """Drop, at the router, SYNs with the two flags that once were reserved."""
    _marks(world, net)
    nft_at(GATEWAY, "forward", "tcp flags & (syn|ecn|cwr) == syn|ecn|cwr drop")


def _lenient(world: World, net: Net) -> None:
    nft_gone(GATEWAY)
    _marks_not(world, net)


def _both_ask(world: World, net: Net) -> None:
    for name in (net.client, net.server) * 2:
        world.chat(name, "tcp", net.remote, 7, "count=1")


def _limited(world: World, net: Net) -> None:
    nft_at(GATEWAY, "forward", "udp dport 53 limit rate over 8/second burst 4 packets drop")


def _unlimited(world: World, net: Net) -> None:
    nft_gone(GATEWAY)


def _slowly(world: World, net: Net) -> None:
    world.chat(net.client, "udp", net.remote, 53, "count=8", "rest=250", "lossy=1")


def _at_once(world: World, net: Net) -> None:
    """Send sixty different datagrams within a second."""
    code = (
        "import socket,time;s=socket.socket(type=socket.SOCK_DGRAM);"
        f"print([(s.sendto(b'%d at once' % n,('{net.remote}',53)),time.sleep(0.01)) for n in range(60)])"
    )
    world.exec(net.client, "python3", "-c", code)
    world.sleep(0.5)


def _balanced(*targets: str, namespace: str = GATEWAY, port: str = "7", of: str = "{net.remote}") -> Act:
    """Return what shares connections among servers, one after the other; *targets* may name ports, too."""

    def act(world: World, net: Net) -> None:
        chosen = ", ".join(f"{place} : {target.format(net=net, unused=UNUSED[net])}"
                           for place, target in enumerate(targets))  # fmt: skip
        at(namespace, "nft", "add table ip fault")
        at(namespace, "nft", "add chain ip fault pre { type nat hook prerouting priority -110; }")
        where = f"ip daddr {of.format(net=net)} tcp dport {port}"
        to = "dnat ip addr . port to" if " . " in targets[0] else "dnat to"
        at(namespace, "nft", f"add rule ip fault pre {where} {to} numgen inc mod {len(targets)} map {{ {chosen} }}")

    return act


def _unbalanced(world: World, net: Net) -> None:
    nft_gone(GATEWAY, "ip")
    nft_gone(HOST, "ip")


def _six(world: World, net: Net) -> None:
    for _ in range(6):
        world.chat(net.client, "tcp", net.remote, 7, "count=1")


def _six_in(world: World, net: Net) -> None:
    for _ in range(6):
        world.chat_from(inside(INTERNET), "tcp", net.host, int(VIRTUAL), "count=1")


def _dead_server(world: World, net: Net) -> None:
    """Share what is for one address between a server and one that takes nothing."""
    nft_at(INTERNET, "input", f"ip daddr {ELSEWHERE} tcp dport 7 drop")
    _balanced("{net.remote}", ELSEWHERE)(world, net)


def _alive(world: World, net: Net) -> None:
    nft_gone(INTERNET)
    _unbalanced(world, net)


_shared = _balanced("{net.server_ip} . 80", "{unused} . 80", namespace=HOST, port=VIRTUAL, of="{net.host}")
_TRANSLATED = rule("DOCKER-USER", "-m", "conntrack", "--ctstate", "DNAT", "-j", "ACCEPT")

PICKY = (
    Fault("ecn-shut", "The router drops SYNs that offer ECN.", frozenset({"syn-unanswered"}), _both_ask, _fussy,
          teardown=_lenient),
    Fault("ecn-taken", "A container's connections use ECN, and everybody takes it.", NONE, _both_ask, _marks,
          teardown=_marks_not, nets=(BRIDGE,)),
    Fault("too-many-at-once", "The router passes eight datagrams a second, and drops what is more.",
          frozenset({"loss-beyond-host"}), both(_slowly, _at_once), _limited, teardown=_unlimited),
    Fault("one-server-of-two", "Behind one address are two servers, and one takes nothing.",
          frozenset({"syn-unanswered"}), _six, _dead_server, teardown=_alive),
    Fault("one-target-of-two", "A rule of the host shares a port between two containers, and one is gone.",
          frozenset({"arp-unanswered"}), _six_in,
          both(_shared, _TRANSLATED[0]), teardown=both(_unbalanced, _TRANSLATED[1]),
          also=frozenset({"host-unreachable"})),
    Fault("one-server-refuses", "Behind one port are two, and on one of them nobody listens.",
          frozenset({"connection-refused"}), _six, _balanced("{net.remote} . 7", "{net.remote} . 9"),
          teardown=_alive),
    Fault("two-servers", "Behind one address are two servers, and both answer.", NONE, _six,
          _balanced("{net.remote}", ELSEWHERE), teardown=_alive, nets=(BRIDGE,)),
)  # fmt: skip
