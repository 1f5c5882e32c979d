"""Dumps to HostState: each optional, a damaged one named and left out."""

import shutil
from ipaddress import ip_address
from pathlib import Path

import pytest

from analyzer.host.conntrack import parse_conntrack
from analyzer.host.load import load_host
from analyzer.host.routing import choose

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


def test_the_seed_host(tmp_path: Path) -> None:
    """Containers, networks, routes and links, as the engine's host had them."""
    host = load_host(SEED / "host", events=SEED / "conntrack-events.txt")
    chosen = choose(host, ip_address("8.8.8.8"))

    assert host.problems == ()
    assert {c.name: str(c.addresses[0]) for c in host.containers}["c3"] == "172.17.0.4"
    assert next(n for n in host.networks if n.name == "bridge").bridge == "docker0"
    assert chosen is not None
    assert chosen.route.text == "default via 192.168.1.1 dev wlan0"
    assert chosen.why == "no other prefix fits in table main, by rule “32766: from all lookup main”"
    assert host.owns(ip_address("192.168.1.100"))
    assert {entry.original.protocol for entry in host.conntrack} == {"icmp", "tcp"}


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", '{"a": []}', "null", '[{"ifindex": "x"}]', "[" * 100_000, "\0"])
def test_a_damaged_dump_is_named_and_left_out(tmp_path: Path, content: str) -> None:
    """Whatever a dump holds, the others are still read."""
    for name in ("ip-addr", "ip-route", "ip-neigh", "bridge-fdb", "docker-inspect", "docker-network-inspect"):
        (tmp_path / f"{name}.json").write_text(content)
    (tmp_path / "conntrack.txt").write_text(f"{content}\nipv4 2 udp 17 src=zzz\n")
    (tmp_path / "iptables-save.txt").write_text(f'*nat\n-A POSTROUTING -s "{content}\n')
    host = load_host(tmp_path)

    assert host.links == ()
    assert host.conntrack == ()
    assert any("conntrack.txt" in problem for problem in host.problems)


def test_conntrack_lines() -> None:
    """Listings and events, an echo id beside the entry's own."""
    listed = (
        "ipv4     2 icmp     1 28 src=172.17.0.4 dst=8.8.8.8 type=8 code=0 id=7 "
        "src=8.8.8.8 dst=192.168.1.100 type=0 code=0 id=9 mark=0 use=1 id=511156774"
    )
    event = (
        "[1795465712.781582]\t    [NEW] ipv4     2 tcp      6 120 SYN_SENT src=172.17.0.4 dst=8.8.8.8 sport=1 dport=80 "
        "[UNREPLIED] src=8.8.8.8 dst=192.168.1.100 sport=80 dport=2 id=5"
    )
    (echo, tcp), unreadable = parse_conntrack((listed, event))

    assert unreadable == 0
    assert (echo.original.icmp_id, echo.reply.icmp_id, echo.id, echo.first_ns) == (7, 9, 511156774, None)
    assert (tcp.reply.dport, tcp.id, tcp.first_ns) == (2, 5, 1795465712781582000)


@pytest.mark.parametrize(
    "wrong",
    ["src=1.2.3.4 dst=::1 sport=1 dport=2 src=::1 dst=1.2.3.4 sport=2 dport=1",
     "src=1.2.3.4 dst=5.6.7.8 sport=1 dport=2 src=fe80::1 dst=1.2.3.4 sport=2 dport=1",
     "src=1.2.3.4 dst=5.6.7.8 sport=1 dport=99999999 src=5.6.7.8 dst=1.2.3.4 sport=2 dport=1",
     "src=1.2.3.4 dst=5.6.7.8 sport=1 dport=-5 src=5.6.7.8 dst=1.2.3.4 sport=2 dport=1"],
)  # fmt: skip
def test_senseless_conntrack_lines_are_unreadable(wrong: str) -> None:
    """Mixed families and impossible ports."""
    assert parse_conntrack([f"ipv4 2 tcp 6 10 ESTABLISHED {wrong}"]) == ([], 1)


@pytest.mark.parametrize("value", ["1e999", "-Infinity", "[]", "{}"])
def test_numbers_that_are_none(tmp_path: Path, value: str) -> None:
    """JSON's parser takes infinity; a dump with it is left out."""
    (tmp_path / "ip-addr.json").write_text(f'[{{"ifindex": {value}, "ifname": "x"}}]')
    (tmp_path / "ip-route.json").write_text(f'[{{"dst": "default", "metric": {value}}}]')
    host = load_host(tmp_path)

    assert (host.links, host.routes, len(host.problems)) == ((), (), 2)


BUNDLE = SEED.parent / "bundle"


def test_every_dump_of_a_recorded_bundle() -> None:
    """What capture records, before and after, is read: nothing is left out."""
    host = load_host(BUNDLE / "host", events=BUNDLE / "conntrack-events.txt")
    web = next(container for container in host.containers if container.name == "web")
    rule = next(rule for rule in host.routing_rules if rule.version == 4 and rule.table == "main")
    masquerade = next(one for rules in host.rulesets for one in rules.rules() if one.target == "MASQUERADE")

    assert host.problems == ()
    assert web.published == ("0.0.0.0:8080->80/tcp", ":::8080->80/tcp")
    assert rule.text == "32766: from all lookup main"
    assert {port.master for port in host.ports} == {"docker0"}
    assert all(port.state == "forwarding" for port in host.ports)
    assert host.sysctls["net.ipv4.ip_forward"] == "1"
    assert (host.counted("IpForwDatagrams") or 0) >= 4
    assert host.counted("conntrack.drop") == 0
    assert masquerade.packets > (host.counted_before(masquerade) or 0)
    assert [table.name for table in host.native] == []
    assert {"icmp", "tcp"} <= {entry.original.protocol for entry in host.conntrack}
    assert any(entry.state == "TIME_WAIT" and entry.timeout_s for entry in host.conntrack)


@pytest.mark.parametrize("file", sorted(path.name for path in (BUNDLE / "host").iterdir()))
@pytest.mark.parametrize("content", ["", "\0\xff", "[{}]", "{", "1 2 3 = : -A X", "*filter\n-A X --dport"])
def test_each_damaged_dump_leaves_the_others(tmp_path: Path, file: str, content: str) -> None:
    """Whatever stands in one file: no exception, and the other files are read."""
    shutil.copytree(BUNDLE / "host", tmp_path / "host")
    (tmp_path / "host" / file).write_text(content)
    host = load_host(tmp_path / "host")

    assert sum(map(bool, (host.links, host.routes, host.containers, host.rulesets, host.sysctls, host.counters))) >= 5


def test_no_rules_are_a_ruleset_and_no_dump_is_none(tmp_path: Path) -> None:
    """``iptables-save`` prints nothing where there is no table: then nothing is filtered, and that is known."""
    (tmp_path / "iptables-save.txt").write_text("")
    host = load_host(tmp_path)

    assert [rules.version for rules in host.rulesets] == [4]
    assert host.ruleset(6) is None
    assert host.problems == ()
