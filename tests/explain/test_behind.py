"""Causes that stand behind what acts: tables, timeouts, limits, other ends, names of one IP version."""

from pathlib import Path
from typing import Any

import pytest

from analyzer.model import Severity
from tests.build import BRIDGE, C1, GATEWAY, UPLINK, echo, tcp
from tests.explain.scene import HOST, INSIDE, SERVER, Scene, frame, packet
from tests.explain.state import container, dumps, links, network, routes, rules

SYN, RST, ACK = 0x02, 0x04, 0x10
TIMEOUT = "net.netfilter.nf_conntrack_tcp_timeout_established"


def _talk(scene: Scene, ms: float, sport: int = 40_000, dport: int = 80, *, ttl: int = 54) -> None:
    """Open a connection, which the server grants."""
    scene.out(ms, 6, tcp(sport, dport, 1, 0, SYN))
    scene.back(ms + 5, 6, tcp(dport, sport, 7, 2, SYN | ACK), ttl=ttl)
    scene.out(ms + 6, 6, tcp(sport, dport, 2, 8, ACK))


@pytest.mark.parametrize(
    ("pause_s", "known", "told"),
    [(3, "2", True), (1, "2", False), (3, "432000", False), (3, None, False)],
    ids=["longer", "shorter", "five-days", "not-recorded"],
)
def test_a_connection_that_conntrack_forgot(tmp_path: Path, pause_s: float, known: str | None, told: bool) -> None:
    """What comes after a pause longer than the timeout, and goes no further."""
    drop = "-A FORWARD -p tcp -m length --length 100: -j DROP\n"
    files = dumps(iptables_save=rules(forward=drop))
    files["sysctl.txt"] = "net.ipv4.ip_forward = 1\n" + (f"{TIMEOUT} = {known}\n" if known else "")
    scene = Scene(tmp_path, dumps=files)
    _talk(scene, 0)
    scene.out(6 + pause_s * 1000, 6, tcp(40_000, 80, 2, 8, ACK, b"x" * 100), until="docker0")
    scene.out(9000 + pause_s * 1000, 17, b"\0\7\0\7\0\x08\0\0", dst="9.9.9.9")
    found = scene.findings("conntrack-timeout")

    assert [finding.title for finding in found] == [
        "c2 loses its connection to 8.8.8.8:80 (TCP): it was silent for 3 s, and conntrack forgets connections after 2"
    ] * told


@pytest.mark.parametrize(
    ("ttl", "data", "told"),
    [(64, b"get", True), (54, b"get", False), (64, b"", False)],
    ids=["another-ttl", "its-own", "nothing-asked"],
)
def test_a_reset_on_the_way(tmp_path: Path, ttl: int, data: bytes, told: bool) -> None:
    """A RST right after the first data, with a TTL that nothing else from there has."""
    scene = Scene(tmp_path)
    _talk(scene, 0)
    if data:
        scene.out(10, 6, tcp(40_000, 80, 2, 8, ACK, data))
    scene.back(15, 6, tcp(80, 40_000, 8, 0, RST), ttl=ttl)
    found = scene.findings("reset-on-the-way")

    assert [finding.title for finding in found] == [
        "c2 cannot use 8.8.8.8:80 (TCP): somebody on the way resets it after its first data, not 8.8.8.8 itself"
    ] * told


@pytest.mark.parametrize(
    ("kind", "drops", "told"),
    [("tbf", 3, True), ("tbf", 0, False), ("fq_codel", 3, False)],
    ids=["limit", "stood-still", "everywhere"],
)
def test_a_queue_that_drops(tmp_path: Path, kind: str, drops: int, told: bool) -> None:
    """One that somebody set up as a limit, by its counter."""

    def queue(count: int) -> list[dict[str, object]]:
        return [{"dev": "wlan0", "kind": kind, "drops": count, "options": {"rate": 16_000}}]

    scene = Scene(tmp_path, dumps=dumps() | {"tc-qdisc.json": queue(5 + drops), "before/tc-qdisc.json": queue(5)})
    _talk(scene, 0)

    assert [finding.detail for finding in scene.findings("queue-drops")] == [
        "the queue tbf on wlan0, which lets 128 kbit/s pass, dropped 3 packets"
    ] * told


RULES = [{"priority": 0, "table": "local"}, {"priority": 5270, "table": "52"}, {"priority": 32766, "table": "main"}]


@pytest.mark.parametrize(
    ("rule", "own", "told"),
    [(RULES, [], True), ([RULES[0], RULES[2]], [], False),
     (RULES, [{"dst": "172.17.0.0/16", "dev": "docker0", "table": "52"}], False)],
    ids=["before-main", "main-alone", "has-it-too"],
)  # fmt: skip
def test_a_table_before_main(tmp_path: Path, rule: list[dict[str, object]], own: list[Any], told: bool) -> None:
    """It has another way to the container than its bridge."""
    way = [*routes(), {"dst": "default", "dev": "tun0", "table": "52"}, *own]
    scene = Scene(tmp_path, dumps=dumps(ip_route=way) | {"ip-rule.json": rule})
    scene.out(0, 6, tcp(40_000, 80, 1, 0, SYN))
    scene.out(9000, 17, b"\0\7\0\7\0\x08\0\0", dst="9.9.9.9")
    found = scene.findings("container-routed-elsewhere")

    assert [(finding.title, finding.commands) for finding in found] == [
        ("c2 cannot reach 8.8.8.8:80 (TCP): what is for c2 goes to tun0 by table 52, not to docker0",
         ("ip rule add to 172.17.0.0/16 lookup main priority 5269",))
    ] * told  # fmt: skip


@pytest.mark.parametrize(("value", "told"), [("0", True), ("1", False), (None, False)], ids=["off", "on", "unknown"])
def test_what_is_sent_to_loopback(tmp_path: Path, value: str | None, told: bool) -> None:
    """DNAT to 127.0.0.1 of what comes by a bridge."""
    nat = "-A PREROUTING -d 172.17.0.1/32 -p tcp -m tcp --dport 6379 -j DNAT --to-destination 127.0.0.1:6379\n"
    files = dumps(iptables_save=rules(nat=nat))
    names = ("all", "docker0") if value is not None else ()
    files["sysctl.txt"] += "".join(f"net.ipv4.conf.{name}.route_localnet = {value}\n" for name in names)
    scene = Scene(tmp_path, dumps=files)
    for number, ms in enumerate((0, 1000, 3000)):
        for point in ("veth-c2", "docker0"):
            data = packet(INSIDE, "172.17.0.1", 6, tcp(4000, 6379, 1, 0, SYN), ident=number)
            scene.see(point, ms, frame(C1, BRIDGE, data))
    scene.out(9000, 17, b"\0\7\0\7\0\x08\0\0", dst="9.9.9.9")
    found = scene.findings("loopback-not-routed")

    assert len(found) == told
    assert all(finding.title.endswith("sent on to 127.0.0.1, and net.ipv4.conf.docker0.route_localnet is 0")
               for finding in found)  # fmt: skip


@pytest.mark.parametrize(
    ("subnet", "owner", "told"),
    [("8.8.8.0/24", None, True), ("8.8.8.0/24", SERVER, False), ("10.8.0.0/16", None, False)],
    ids=["public", "a-container's", "private"],
)
def test_public_addresses_that_a_network_took(tmp_path: Path, subnet: str, owner: str | None, told: bool) -> None:
    """The host looks there for whoever has them on the internet."""
    files = dumps()
    files["docker-network-inspect.json"].append(network("wiki", subnet, "br-wiki"))  # type: ignore[attr-defined]
    if owner is not None:
        files["docker-inspect.json"].append(container("w", owner, "02:00:00:00:00:77", "wiki"))  # type: ignore[attr-defined]
    scene = Scene(tmp_path, dumps=files)
    scene.out(0, 6, tcp(40_000, 80, 1, 0, SYN), until="docker0")
    scene.out(9000, 17, b"\0\7\0\7\0\x08\0\0", dst="9.9.9.9")
    found = [finding for finding in scene.findings("subnet-overlap") if "public" in finding.facts]

    assert [finding.title for finding in found] == [
        "c2 cannot reach 8.8.8.8:80 (TCP): network wiki has taken its addresses, 8.8.8.0/24"
    ] * told


@pytest.mark.parametrize(
    ("outer", "dropped", "told"), [(1400, 4, True), (1500, 4, False), (1400, 0, False)], ids=["narrow", "same", "none"]
)
def test_a_veth_whose_ends_differ(tmp_path: Path, outer: int, dropped: int, told: bool) -> None:
    """What one end sends and the other does not take is counted where it is sent."""

    def inner(count: int) -> list[dict[str, object]]:
        stats = {"rx": {"dropped": 0}, "tx": {"dropped": count}}
        return [{"ifindex": 2, "ifname": "eth0", "mtu": 1500, "link_index": 7, "address": C1, "stats64": stats,
                 "linkinfo": {"info_kind": "veth"}}]  # fmt: skip

    files = dumps()
    files["ip-addr.json"] = [
        *links(),
        {"ifindex": 7, "ifname": "veth7", "mtu": outer, "linkinfo": {"info_kind": "veth"}},
    ]
    scene = Scene(tmp_path, dumps=files | {"containers/c2/ip-addr.json": inner(3 + dropped),
                                           "before/containers/c2/ip-addr.json": inner(3)})  # fmt: skip
    _talk(scene, 0)

    assert [finding.detail for finding in scene.findings("mtu-mismatch")] == [
        "eth0 of c2 has MTU 1500, its end on the host, veth7, 1400: 4 packets too long"
    ] * told


def test_the_end_that_takes_less_is_widened(tmp_path: Path) -> None:
    """Which may be the container's own."""

    def outer(count: int) -> list[dict[str, object]]:
        stats = {"rx": {"dropped": 0}, "tx": {"dropped": count}}
        return [*links(), {"ifindex": 7, "ifname": "veth7", "mtu": 1500, "stats64": stats,
                           "linkinfo": {"info_kind": "veth"}}]  # fmt: skip

    inner = [{"ifindex": 2, "ifname": "eth0", "mtu": 1400, "link_index": 7, "address": C1,
              "linkinfo": {"info_kind": "veth"}}]  # fmt: skip
    files = dumps(ip_addr=outer(5)) | {"before/ip-addr.json": outer(1), "containers/c2/ip-addr.json": inner,
                                       "before/containers/c2/ip-addr.json": inner}  # fmt: skip
    scene = Scene(tmp_path, dumps=files)
    _talk(scene, 0)
    (finding,) = scene.findings("mtu-mismatch")

    assert finding.commands == ("nsenter -t \"$(docker inspect -f '{{.State.Pid}}' c2)\" -n ip link set eth0 mtu 1500",)


@pytest.mark.parametrize(
    ("version", "later_ms", "severity"),
    [(6, 300, Severity.INFO), (6, 9000, Severity.ERROR), (4, 300, Severity.ERROR)],
    ids=["right-after", "much-later", "the-same-version"],
)
def test_what_was_reached_by_the_other_ip_version(
    tmp_path: Path, version: int, later_ms: float, severity: Severity
) -> None:
    """IPv6 that fails while IPv4 serves the same client is nobody's trouble."""
    six = {"bridge": {"IPAddress": INSIDE, "GlobalIPv6Address": "fd00:17::2", "MacAddress": C1}}
    inspect = [{"Name": "/c2", "NetworkSettings": {"Networks": six}}]
    scene = Scene(tmp_path, dumps=dumps(docker_inspect=inspect))
    src, dst = ("fd00:17::2", "2001:4860::8") if version == 6 else (INSIDE, "9.9.9.9")
    masked = "fd00:1::100" if version == 6 else HOST
    scene.out(0, 6, tcp(40_000, 80, 1, 0, SYN), src=src, dst=dst, masked=masked)
    _talk(scene, later_ms, 40_001)
    scene.out(12_000, 17, b"\0\7\0\7\0\x08\0\0", dst="9.9.9.9")

    assert [finding.severity for finding in scene.findings("syn-unanswered")] == [severity]


def test_answers_that_come_old(tmp_path: Path) -> None:
    """With a TTL that ends on this host: no probe, for nobody sends answers so."""
    scene = Scene(tmp_path, dumps=dumps())
    scene.out(0, 6, tcp(40_000, 80, 1, 0, SYN))
    answer = tcp(80, 40_000, 7, 2, SYN | ACK)
    scene.see("wlan0", 5, frame(GATEWAY, UPLINK, packet(SERVER, HOST, 6, answer, ttl=1, ident=9)))
    quoted = b"\x0b\0\0\0\0\0\0\0" + packet(SERVER, HOST, 6, answer, ttl=1, ident=9)[:28]
    scene.see("wlan0", 6, frame(UPLINK, GATEWAY, packet(HOST, SERVER, 1, quoted, ident=10)))
    scene.out(9000, 1, echo(8, 1, 1), dst="9.9.9.9")
    (finding,) = scene.findings("ttl-exceeded")

    assert finding.severity is Severity.ERROR
    assert finding.title.endswith("answers come with a TTL of 1, which ends on this host")


@pytest.mark.parametrize(("heard", "told"), [(False, True), (True, False)], ids=["stopped-here", "heard"])
def test_errors_that_the_sender_never_hears(tmp_path: Path, heard: bool, told: bool) -> None:
    """A router says what fits, and this host does not pass it on."""
    scene = Scene(tmp_path, dumps=dumps())
    _talk(scene, 0)
    body = tcp(40_000, 80, 2, 8, ACK, b"x" * 1400)
    for number in range(3):
        scene.out(10 + number * 1000, 6, body, ident=70 + number)
        data = b"\3\4\0\0" + (1300).to_bytes(4) + packet(HOST, SERVER, 6, body, ttl=63, ident=70 + number)[:28]
        scene.see("wlan0", 11 + number * 1000, frame(GATEWAY, UPLINK, packet("192.168.1.1", HOST, 1, data)))
        if heard:
            inner = b"\3\4\0\0" + (1300).to_bytes(4) + packet(INSIDE, SERVER, 6, body, ttl=63, ident=70 + number)[:28]
            for point in ("docker0", "veth-c2"):
                error = packet("192.168.1.1", INSIDE, 1, inner, ttl=63)
                scene.see(point, 11.1 + number * 1000, frame(BRIDGE, C1, error))
    scene.out(9000, 1, echo(8, 1, 1), dst="9.9.9.9")
    found = [finding for finding in scene.findings("mtu-exceeded") if finding.severity is Severity.ERROR]

    assert [finding.title.endswith("this host stops that answer behind wlan0") for finding in found] == [told]


def test_an_ipv6_sender_without_an_address(tmp_path: Path) -> None:
    """What comes from a link-local address, no router passes on."""
    scene = Scene(tmp_path)
    data = packet("fe80::2", "2001:4860::8", 6, tcp(4000, 80, 1, 0, SYN))
    for point in ("veth-c2", "docker0"):
        scene.see(point, 0, frame(C1, BRIDGE, data))
    error = packet("fd00:17::1", "fe80::2", 58, b"\1\2\0\0\0\0\0\0" + data)
    for point in ("docker0", "veth-c2"):
        scene.see(point, 1, frame(BRIDGE, C1, error))
    scene.out(9000, 1, echo(8, 1, 1), dst="9.9.9.9")
    (finding,) = scene.findings("host-unreachable")

    assert finding.title.endswith("has no usable IPv6 address but its link-local one")
