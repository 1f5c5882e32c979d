"""What containers wanted to send and kept to themselves: by rules, policies, routes, and by asking themselves."""

from pathlib import Path

import pytest

from analyzer.model import Finding, Severity
from tests.build import BRIDGE, C1, C2, arp, ether, tcp, udp
from tests.explain.scene import INSIDE, SERVER, Scene, frame, packet
from tests.explain.state import container, dumps, network

HYPOTHESIS = "nothing-left"
SYN, RST, ACK = 0x02, 0x04, 0x10
LO = {"ifindex": 1, "ifname": "lo", "flags": ["LOOPBACK", "UP"], "operstate": "UNKNOWN"}
ETH0 = {"ifindex": 2, "ifname": "eth0", "address": C1, "operstate": "UP", "addr_info": [{"local": INSIDE}]}
BARE: dict[str, object] = {**ETH0, "addr_info": []}
DOWN: dict[str, object] = {**ETH0, "operstate": "DOWN"}
ON_LINK = {"dst": "172.17.0.0/16", "dev": "eth0", "prefsrc": INSIDE}
DEFAULT = {"dst": "default", "gateway": "172.17.0.1", "dev": "eth0"}
WITHIN = "nsenter -t \"$(docker inspect -f '{{.State.Pid}}' c2)\" -n "
GATEWAY, ALL, NOBODY = "172.17.0.1", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"


def _scene(folder: Path, after: dict[str, object], before: dict[str, object] | None = None) -> Scene:
    """Return a host, and dumps of c2's namespace after and before; its interface is captured."""
    usual: dict[str, object] = {"ip-addr.json": [LO, ETH0], "ip-route.json": [ON_LINK, DEFAULT], "ss.txt": ""}
    scene = Scene(folder, dumps=dumps())
    scene.dumps |= {f"containers/c2/{name}": value for name, value in (usual | after).items()}
    scene.dumps |= {f"before/containers/c2/{name}": value for name, value in (usual | (before or {})).items()}
    return scene


def _found(scene: Scene, *, talks: bool = False, command: tuple[str, ...] = ()) -> list[Finding]:
    """Let somebody send to the container, which may send something itself, and return what is told."""
    for number, ms in enumerate((1, 9000)):
        data = packet("9.9.9.9", INSIDE, 17, udp(7, 7, b"x"), ident=number)
        scene.see("veth-c2", ms, frame(BRIDGE, C1, data))
    if talks:
        scene.see("veth-c2", 2, ether(C1, ALL, arp(1, C1, INSIDE, NOBODY, GATEWAY), 0x0806))
        scene.see("veth-c2", 3, ether(BRIDGE, C1, arp(2, BRIDGE, GATEWAY, C1, INSIDE), 0x0806))
    scene.recorded(10_000, container="c2", command=command)
    return scene.findings(HYPOTHESIS)


def _filter(rules: str) -> str:
    chains = ":INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:ASIDE - [0:0]\n:OUT - [0:0]\n:INNER - [0:0]\n"
    return f"*filter\n{chains}:OUTPUT ACCEPT [0:0]\n{rules}COMMIT\n"


def _nstat(**counts: int) -> dict[str, object]:
    return {"nstat.txt": "".join(f"{name} {count} 0.0\n" for name, count in counts.items())}


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("[{n}:0] -A OUTPUT -j OUT\n[{n}:0] -A OUT -j INNER\n[{n}:0] -A INNER -p tcp -j REJECT\n", True),
        ("[{n}:0] -A OUTPUT -p tcp -j ACCEPT\n", False),
        ("[{n}:0] -A INPUT -p tcp -j DROP\n", False),
        ("[{n}:0] -A ASIDE -p tcp -j DROP\n", False),
    ],
    ids=["by-two-jumps", "lets-pass", "of-what-comes", "nobody-jumps-there"],
)
def test_only_rules_that_stop_what_is_sent_are_named(tmp_path: Path, rules: str, told: bool) -> None:
    """A packet must come there from OUTPUT, and end there."""
    files: list[dict[str, object]] = [
        {"iptables-save.txt": _filter(rules.replace("{n}", str(count)))} for count in (9, 4)
    ]
    found = _found(_scene(tmp_path, *files))

    assert [(one.facts["chain"], one.facts["count"]) for one in found] == [("INNER", 5)] * told
    assert [one.commands for one in found] == [(f"{WITHIN}iptables -t filter -D INNER -p tcp -j REJECT",)] * told


def test_a_rule_of_ipv6_is_deleted_by_its_own_program(tmp_path: Path) -> None:
    """The dump that it is of says which."""
    files: list[dict[str, object]] = [
        {"ip6tables-save.txt": _filter(f"[{count}:0] -A OUTPUT -j DROP\n")} for count in (1, 0)
    ]
    (finding,) = _found(_scene(tmp_path, *files))

    assert finding.commands == (f"{WITHIN}ip6tables -t filter -D OUTPUT -j DROP",)
    assert finding.proof == ("containers/c2/ip6tables-save.txt: -A OUTPUT -j DROP",)


@pytest.mark.parametrize(
    ("chain", "policy", "count"),
    [
        ("OUTPUT", "DROP [{n}:0]", 3),
        ("OUTPUT", "ACCEPT [{n}:0]", 0),
        ("OUTPUT", "DROP [4:0]", 0),
        ("INPUT", "DROP [{n}:0]", 0),
    ],
    ids=["moved", "accepts", "stood-still", "of-what-comes"],
)
def test_a_policy_is_named_by_its_counter(tmp_path: Path, chain: str, policy: str, count: int) -> None:
    """As rules are: one that stood still stopped nothing."""
    text = _filter("").replace(f":{chain} ACCEPT [0:0]", f":{chain} {policy}")
    files: list[dict[str, object]] = [{"iptables-save.txt": text.replace("{n}", str(number))} for number in (7, 4)]
    found = _found(_scene(tmp_path, *files))

    assert [(one.facts["policy_of"], one.facts["count"]) for one in found] == [("filter OUTPUT", count)] * bool(count)


@pytest.mark.parametrize(
    ("links", "routes", "lacks", "offers"),
    [
        ([LO, ETH0], [ON_LINK], "it has no default route", True),
        ([LO, DOWN], [], "eth0 is down", False),
        ([LO, BARE], [], "eth0 has no address", True),
        ([LO, ETH0], [ON_LINK, DEFAULT], "", False),
        ([LO, ETH0], [ON_LINK, {**DEFAULT, "type": "unreachable"}], "it has no default route", True),
    ],
    ids=["no-default", "down", "bare", "another-destination", "unreachable"],
)
def test_what_a_container_without_a_way_lacks(
    tmp_path: Path, links: list[object], routes: list[object], lacks: str, offers: bool
) -> None:
    """The default route is offered where it is missing, and the interface could use it."""
    inside = {"ip-addr.json": links, "ip-route.json": routes}
    (finding,) = _found(_scene(tmp_path, inside | _nstat(IpOutNoRoutes=6), inside | _nstat(IpOutNoRoutes=4)))

    assert finding.detail.partition(" that it wanted to send")[2].removeprefix(": ") == lacks
    assert finding.facts["count"] == 2
    assert finding.commands == (f"{WITHIN}ip route replace default via 172.17.0.1 dev eth0",) * offers


def _refused(folder: Path, state: dict[str, object] | None = None, *, resets: int = 2) -> Scene:
    """Return a host whose container c2 failed to connect, and listens as others do."""
    scene = _scene(folder, _nstat(TcpAttemptFails=3, TcpOutRsts=resets), _nstat(TcpAttemptFails=0, TcpOutRsts=0))
    asker = container("c2", INSIDE, C1)
    asker["State"] = {"Status": "running", **(state or {})}  # type: ignore[index]
    others = [container("db", "172.17.0.3", C2), container("away", "172.18.0.4", "02:42:ac:12:00:04", "apart")]
    networks = [network(), network("apart", "172.18.0.0/16", "br-apart")]
    scene.dumps |= {"docker-inspect.json": [asker, *others], "docker-network-inspect.json": networks}
    ports = "tcp LISTEN 0 128 127.0.0.1:9000 *:*\nudp UNCONN 0 0 *:53 *:*\n"
    ports += "".join(f"tcp LISTEN 0 128 0.0.0.0:{port} *:*\n" for port in range(5432, 5438))
    for name in ("away", "c2", "db"):
        scene.dumps[f"containers/{name}/ss.txt"] = ports
    return scene


def test_who_asked_itself_is_told_who_listens_beside_it(tmp_path: Path) -> None:
    """Five in other containers of its networks, by TCP and not on loopback; what failed was reset as well."""
    (finding,) = _found(_refused(tmp_path))

    assert (finding.facts["why"], finding.facts["count"]) == ("itself", 2)
    assert finding.facts["others"] == [f"db:{port}" for port in range(5432, 5437)]


@pytest.mark.parametrize(("resets", "count"), [(2, [2]), (1, [1]), (0, [])], ids=["as-many", "fewer", "none"])
def test_what_others_refused_is_taken_off(tmp_path: Path, resets: int, count: list[int]) -> None:
    """The kernel counts that as a failure as well, and the captures show it; it is no reset of its own."""
    scene = _refused(tmp_path, resets=resets)
    for number, (ends, macs) in enumerate((((INSIDE, SERVER), (C1, BRIDGE)), ((SERVER, INSIDE), (BRIDGE, C1)))):
        body = tcp(80, 4000, 0, 2, RST | ACK) if number else tcp(4000, 80, 1, 0, SYN)
        scene.see("veth-c2", 10 + number, frame(*macs, packet(*ends, 6, body, ident=20 + number)))

    assert [one.facts["count"] for one in _found(scene)] == count


def test_whom_it_refused_is_taken_off(tmp_path: Path) -> None:
    """A reset that left the container was for somebody else."""
    scene = _refused(tmp_path, resets=2)
    scene.see("veth-c2", 10, frame(BRIDGE, C1, packet(SERVER, INSIDE, 6, tcp(4000, 81, 1, 0, SYN), ident=20)))
    scene.see("veth-c2", 11, frame(C1, BRIDGE, packet(INSIDE, SERVER, 6, tcp(81, 4000, 0, 2, RST | ACK), ident=21)))

    assert [one.facts["count"] for one in _found(scene)] == [1]


@pytest.mark.parametrize(
    ("state", "talks", "told"),
    [({"Health": {"Status": "healthy"}}, True, False), ({"Health": {"Status": "healthy"}}, False, True),
     ({}, True, True)],
    ids=["checked-and-talks", "checked-and-silent", "not-checked"],
)  # fmt: skip
def test_a_health_check_may_be_refused_for_a_while(
    tmp_path: Path, state: dict[str, object], talks: bool, told: bool
) -> None:
    """It asks the container itself; only where nothing else was sent is that worth telling."""
    assert len(_found(_refused(tmp_path, state), talks=talks)) == told


@pytest.mark.parametrize(
    ("servers", "listens", "told"),
    [
        (("127.0.0.53",), "", True),
        (("127.0.0.53",), "udp UNCONN 0 0 127.0.0.53:53 *:*\n", False),
        (("127.0.0.53", "9.9.9.9"), "", False),
        (("127.0.0.11",), "", False),
        (("9.9.9.9",), "", False),
    ],
    ids=["stub", "somebody-listens", "another-one-too", "dockers", "outside"],
)
def test_a_resolver_that_was_copied_from_the_host(
    tmp_path: Path, servers: tuple[str, ...], listens: str, told: bool
) -> None:
    """Its loopback is the container's own, where nobody listens; the host's real servers are named instead."""
    inside = {"resolv.conf": "".join(f"nameserver {ip}\n" for ip in servers), "ss.txt": listens}
    scene = _scene(tmp_path, inside | _nstat(UdpNoPorts=5), inside | _nstat(UdpNoPorts=1))
    scene.dumps["resolv.conf"] = "nameserver 127.0.0.53\nnameserver 192.168.1.1\n"
    found = _found(scene, talks=True)

    assert [(one.facts["why"], one.facts["count"], one.facts["hosts_servers"]) for one in found] == [
        ("resolver", 4, ["192.168.1.1"])
    ] * told
    assert all(one.severity is Severity.ERROR for one in found)


@pytest.mark.parametrize(
    ("sent", "severity"),
    [
        (ether(C1, ALL, arp(1, C1, INSIDE, NOBODY, GATEWAY), 0x0806), Severity.WARNING),
        (frame(C1, BRIDGE, packet(INSIDE, SERVER, 17, udp(1, 2, b"x"))), Severity.WARNING),
        (frame(C1, BRIDGE, packet("fd00:17::2", "2001:4860::8", 17, udp(1, 2, b"x"))), Severity.WARNING),
        (frame(C1, "33:33:00:00:00:02", packet("fe80::2", "ff02::2", 58, b"\x85" + bytes(7))), Severity.ERROR),
        (frame(C2, BRIDGE, packet("172.17.0.3", SERVER, 17, udp(1, 2, b"x"))), Severity.ERROR),
    ],
    ids=["arp", "ipv4", "ipv6", "what-ipv6-says-by-itself", "another's"],
)
def test_who_sent_something_else_is_less_hurt(tmp_path: Path, sent: bytes, severity: Severity) -> None:
    """Then only a part of it was kept back."""
    scene = _scene(tmp_path, _nstat(IpOutNoRoutes=6), _nstat(IpOutNoRoutes=4))
    scene.see("veth-c2", 5, sent)

    assert [finding.severity for finding in _found(scene)] == [severity]


def test_who_owes_answers_is_not_accused_here(tmp_path: Path) -> None:
    """What it did not send may be just those, which are told as such."""
    scene = _scene(tmp_path, _nstat(IpOutNoRoutes=6), _nstat(IpOutNoRoutes=4))
    for number in range(3):
        syn = packet("9.9.9.9", INSIDE, 6, tcp(4000, 80, 1, 0, SYN), ident=10 + number)
        scene.see("veth-c2", 1000 + 1000 * number, frame(BRIDGE, C1, syn))

    assert _found(scene) == []


@pytest.mark.parametrize(
    ("counted", "talks", "whys"), [(2, False, ["no-route"]), (0, False, ["unknown"]), (0, True, [])],
    ids=["known", "unknown", "it-sent"],
)  # fmt: skip
def test_a_command_that_sent_nothing_is_told_only_without_a_reason(
    tmp_path: Path, counted: int, talks: bool, whys: list[str]
) -> None:
    """Where something is known to have kept it back, that says enough."""
    scene = _scene(tmp_path, _nstat(IpOutNoRoutes=4 + counted), _nstat(IpOutNoRoutes=4))
    found = _found(scene, talks=talks, command=("docker", "exec", "c2", "curl"))

    assert [one.facts["why"] for one in found] == whys
    assert [one.severity is Severity.INFO for one in found] == [why == "unknown" for why in whys]


@pytest.mark.parametrize(("internal", "told"), [(True, ["bridge"]), (False, [])])
def test_an_internal_network_has_no_way_out_by_design(tmp_path: Path, internal: bool, told: list[str]) -> None:
    """All of the container's networks have to be."""
    inside: dict[str, object] = {"ip-route.json": [ON_LINK]}
    scene = _scene(tmp_path, inside | _nstat(IpOutNoRoutes=6), inside | _nstat(IpOutNoRoutes=4))
    scene.dumps |= {"docker-network-inspect.json": [network(Internal=internal)]}
    (finding,) = _found(scene)

    assert finding.facts["internal"] == told
