"""Dumps to HostState: each optional, a damaged one named and left out."""

import json
import shutil
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from analyzer.errors import InputError
from analyzer.explain.doctor import examine
from analyzer.model import HostState, PortVlan
from analyzer.state import dumps
from analyzer.state.conntrack import parse_conntrack
from analyzer.state.dumps import NAMES
from analyzer.state.load import load_host
from analyzer.state.routing import Sought, choose

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


def test_the_seed_host(tmp_path: Path) -> None:
    """Containers, networks, routes and links, as the engine's host had them."""
    host = load_host(SEED / "host", events=SEED / "conntrack-events.txt")
    chosen = choose(host, Sought(ip_address("8.8.8.8")))

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
TUPLES = "src=1.2.3.4 dst=5.6.7.8 sport=1 dport=2 src=5.6.7.8 dst=1.2.3.4 sport=2 dport=1"


def test_every_dump_of_a_recorded_bundle() -> None:
    """What capture records, before and after, is read: nothing is left out."""
    host = load_host(BUNDLE / "host", events=BUNDLE / "conntrack-events.txt")
    web = next(container for container in host.containers if container.name == "web")
    rule = next(rule for rule in host.routing_rules if rule.version == 4 and rule.table == "main")
    masquerade = next(one for one in host.rules() if one.target == "MASQUERADE")

    assert host.problems == ()
    assert web.published == ("0.0.0.0:8080->80/tcp", ":::8080->80/tcp")
    assert rule.text == "32766: from all lookup main"
    assert {port.master for port in host.ports} == {"docker0"}
    assert all(port.state == "forwarding" for port in host.ports)
    assert host.sysctls["net.ipv4.ip_forward"] == "1"
    assert (host.counted("IpForwDatagrams") or 0) >= 4
    assert host.counted("conntrack.drop") == 0
    assert masquerade.packets > (host.counted_before(masquerade) or 0)
    assert not any(table.native for table in host.tables)
    assert {"icmp", "tcp"} <= {entry.original.protocol for entry in host.conntrack}
    assert any(entry.state == "TIME_WAIT" and entry.timeout_s for entry in host.conntrack)


@pytest.mark.parametrize("file", sorted(path.name for path in (BUNDLE / "host").iterdir()))
@pytest.mark.parametrize("content", ["", "\0\xff", "[{}]", "{", "1 2 3 = : -A X", "*filter\n-A X --dport"])
def test_each_damaged_dump_leaves_the_others(tmp_path: Path, file: str, content: str) -> None:
    """Whatever stands in one file: no exception, and the other files are read."""
    shutil.copytree(BUNDLE / "host", tmp_path / "host")
    (tmp_path / "host" / file).write_text(content)
    host = load_host(tmp_path / "host")

    assert sum(map(bool, (host.links, host.routes, host.containers, host.tables, host.sysctls, host.counters))) >= 5


def test_no_rules_are_a_ruleset_and_no_dump_is_none(tmp_path: Path) -> None:
    """``iptables-save`` prints nothing where there is no table: then nothing is filtered, and that is known."""
    (tmp_path / "iptables-save.txt").write_text("")
    host = load_host(tmp_path)

    assert host.ruled == {4}
    assert host.knows_rules(4)
    assert not host.knows_rules(6)
    assert host.problems == ()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """An error of its own, not an empty host."""
    with pytest.raises(InputError, match=r"/nowhere: no such folder of host dumps$"):
        load_host(tmp_path / "nowhere")


def test_an_empty_folder(tmp_path: Path) -> None:
    """It tells nothing, and nothing is wrong with it."""
    assert load_host(tmp_path, name="alpha") == HostState(name="alpha")


SMALL: dict[str, str] = {
    "daemon.json": '{"iptables": false}',
    "tc-qdisc.json": '[{"dev": "lo", "drops": 3}, {"dev": "lo", "drops": 4}]',
    "softnet_stat.txt": "00000010 00000002 00000001",
    "ip-addr.json": '[{"ifindex": 1, "ifname": "lo", "stats64": {"rx": {"dropped": 1}, "tx": {"errors": 2}}}]',
    "ip-route.json": '[{"dst": "10.0.0.0/8", "dev": "eth0"}]',
    "ip-rule.json": '[{"priority": 4, "table": "main"}]',
    "ip6-rule.json": '[{"priority": 6, "table": "main"}]',
    "ip-neigh.json": '[{"dst": "10.0.0.1", "dev": "eth0"}]',
    "bridge-fdb.json": '[{"mac": "02:42:ac:11:00:04", "ifname": "eth0"}]',
    "bridge-link.json": '[{"ifname": "eth0"}]',
    "bridge-vlan.json": '[{"ifname": "veth1", "vlans": [{"vlan": 7, "flags": ["PVID"]}, {"vlan": 9, "vlanEnd": 12}]}]',
    "iptables-save.txt": "*filter\n:INPUT DROP [0:0]\nCOMMIT\n",
    "ip6tables-save.txt": "*nat\n:INPUT ACCEPT [0:0]\nCOMMIT\n",
    "nft-ruleset.json": '{"nftables": [{"table": {"family": "inet", "name": "own"}}]}',
    "conntrack.txt": "ipv4 2 icmp 1 9 src=10.0.0.1 dst=10.0.0.2 type=8 id=1 src=10.0.0.2 dst=10.0.0.1 type=0 id=1",
    "conntrack6.txt": "ipv6 10 icmpv6 58 9 src=fd00::1 dst=fd00::2 type=128 id=1 src=fd00::2 dst=fd00::1 type=129 id=1",
    "conntrack-stats.txt": "cpu=0 found=3",
    "nstat.txt": "IpInReceives 15 0.0",
    "sysctl.txt": "net.a = 1 2\nnot a setting\nnet.b=0",
    "sysctl-interfaces.txt": "net.b = 7\n/proc/sys/net/c/eth0.7/d:1\t2",
    "ss.txt": "tcp LISTEN 3 128 127.0.0.1%lo:80 0.0.0.0:* users:((\"web\",pid=1,fd=3))",
    "resolv.conf": "nameserver 192.0.2.53\nsearch example.org lan",
    "docker-version.json": "{}",
    "podman-version.json": "{}",
    "nerdctl-version.json": "{}",
    "crictl-version.txt": "RuntimeName: containerd",
    "nerdctl-inspect.json": '[{"Name": "n1", "NetworkSettings": {"Networks": {"unknown-eth0": {}}}}]',
    "nerdctl-network-inspect.json": '[{"Name": "bridge", "Id": "3"}]',
    "crictl-inspect.json": '[{"status": {"id": "4", "metadata": {"name": "pod"}, "network": {"ip": "10.244.1.3"}}}]',
    "ipset.txt": "create good hash:ip\nadd good 10.0.0.1",
    "docker-inspect.json": '[{"Name": "/web", "NetworkSettings": {"Networks": {"app": {}}}}]',
    "docker-network-inspect.json": '[{"Name": "app", "Id": "1"}]',
    "podman-inspect.json": '[{"Name": "db", "NetworkSettings": {"Networks": {"podman": {}}}}]',
    "podman-network-inspect.json": '[{"name": "podman", "id": "2", "driver": "bridge", "network_interface": "podman0", '
    '"subnets": [{"subnet": "10.88.0.0/16", "gateway": "10.88.0.1"}]}]',
}  # fmt: skip


VERSIONS = {"docker-version.json", "podman-version.json", "nerdctl-version.json", "crictl-version.txt"}
"""For people."""
COUNTED = {
    "IpInReceives": 15, "conntrack.found": 3, "link.lo.rx.dropped": 1, "link.lo.tx.errors": 2, "qdisc.lo.drops": 7,
    "softnet.dropped": 2, "softnet.time_squeeze": 1,
}  # fmt: skip


def _folder(path: Path, **changed: str) -> Path:
    path.mkdir()
    for file, text in {**SMALL, **changed}.items():
        (path / file).write_text(text)
    return path


def test_each_file_has_its_place(tmp_path: Path) -> None:
    """What stands in it is found in the part of the state that it is for."""
    host = load_host(_folder(tmp_path / "host"), name="alpha")

    assert (host.name, host.problems, set(host.files)) == ("alpha", (), set(SMALL))
    assert host.vlans == (PortVlan("veth1", 7, 7, untagged=True), PortVlan("veth1", 9, 12, untagged=False))
    assert [(one.port, one.program, one.interface, one.waiting) for one in host.listeners] == [(80, "web", "lo", 3)]
    assert (host.resolvers, host.search) == ((ip_address("192.0.2.53"),), ("example.org", "lan"))
    assert [link.name for link in host.links] == ["lo"]
    assert [route.dev for route in host.routes] == ["eth0"]
    assert [(rule.priority, rule.version) for rule in host.routing_rules] == [(4, 4), (6, 6)]
    assert (host.neighbours[0].dev, host.fdb[0].dev, host.ports[0].dev) == ("eth0", "eth0", "eth0")
    assert host.ruled == {4, 6}
    assert [(table.family, table.name, table.native) for table in host.tables] == [
        ("ip", "filter", False), ("ip6", "nat", False), ("inet", "own", True)
    ]  # fmt: skip
    assert [table.sets["good"].members for table in host.tables[:2]] == [(ip_address("10.0.0.1"),)] * 2
    assert [entry.original.src.version for entry in host.conntrack] == [4, 6]
    assert host.sysctls == {"net.a": "1 2", "net.b": "7", "net.c.eth0.7.d": "1 2"}
    assert host.counters == COUNTED
    assert (host.containers[0].name, host.networks[0].name) == ("web", "app")
    assert (host.tables_before, host.counters_before) == ((), {})


def test_the_state_before(tmp_path: Path) -> None:
    """Rules and counters of the folder beside it; what it misses is no problem."""
    before = _folder(
        tmp_path / "host-before",
        **{"nstat.txt": "IpInReceives 5 0.0", "iptables-save.txt": "*raw\nCOMMIT\n", "sysctl.txt": "net.a = 9"},
    )
    (before / "ip6tables-save.txt").unlink()
    host = load_host(_folder(tmp_path / "host"))

    assert [(table.family, table.name) for table in host.tables_before] == [("ip", "raw"), ("inet", "own")]
    assert host.counters_before == COUNTED | {"IpInReceives": 5}
    assert (host.counted("IpInReceives"), host.sysctls["net.a"], host.problems) == (10, "1 2", ())


def test_problems_of_the_state_before(tmp_path: Path) -> None:
    """They are told as well."""
    _folder(tmp_path / "host-before", **{"nft-ruleset.json": "{", "iptables-save.txt": "*filter\n[x:y] -A X"})
    host = load_host(_folder(tmp_path / "host"))

    assert [problem.partition(":")[0] for problem in host.problems] == ["iptables-save.txt", "nft-ruleset.json"]
    assert [(table.family, table.name) for table in host.tables_before] == [("ip6", "nat")]


@pytest.mark.parametrize(
    ("missing", "tables"),
    [
        ([], ["ip own"]),
        (["ip6tables-save.txt"], ["ip own", "ip6 nat"]),
        (["iptables-save.txt"], ["ip filter", "ip own"]),
    ],
)
def test_tables_of_iptables_in_nftables_dump(tmp_path: Path, missing: list[str], tables: list[str]) -> None:
    """They are read there only for a family whose own dump is missing."""
    names = [("ip", "filter"), ("ip", "own"), ("ip6", "nat")]
    dump = {"nftables": [{"table": {"family": family, "name": name}} for family, name in names]}
    folder = _folder(tmp_path / "host", **{"nft-ruleset.json": json.dumps(dump)})
    for file in missing:
        (folder / file).unlink()

    assert [f"{table.family} {table.name}" for table in load_host(folder).tables if table.native] == tables


@pytest.mark.parametrize("text", ["", "\n"])
def test_commands_that_print_nothing(tmp_path: Path, text: str) -> None:
    """A dump that is empty tells that there is nothing."""
    host = load_host(_folder(tmp_path / "host", **dict.fromkeys(SMALL, text)))

    assert (host.problems, host.links, host.tables, host.routing_rules) == ((), (), (), ())
    assert host.ruled == {4, 6}


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("ip-addr.json", "{", "ip-addr.json: not as its command prints it: JSONDecodeError: Expecting property name"),
        (
            "ip-rule.json",
            "[7]",
            "ip-rule.json: not as its command prints it: ValidationError: Expected `object`, got `int`",
        ),
        ("ip6-rule.json", '[{"src": "x"}]', "ip6-rule.json: not as its command prints it: ValueError: "),
        (
            "docker-inspect.json",
            "[{}]",
            "docker-inspect.json: not as its command prints it: ValidationError: Object missing required field `Name`",
        ),
        ("nft-ruleset.json", "[]", "nft-ruleset.json: not as its command prints it: TypeError: "),
        ("conntrack.txt", "x\nx\n", "conntrack.txt: 2 lines not as conntrack prints them"),
        ("conntrack6.txt", "x y\n\n", "conntrack6.txt: 1 line not as conntrack prints them"),
        ("iptables-save.txt", "[x:y] -A X", "iptables-save.txt: not as its command prints it: ValueError: [x:y] -A X"),
    ],
)
def test_the_text_of_a_problem(tmp_path: Path, file: str, text: str, problem: str) -> None:
    """The file, and the beginning of what is wrong; all others are read."""
    host = load_host(_folder(tmp_path / "host", **{file: text}))

    assert len(host.problems) == 1
    assert host.problems[0].startswith(problem)
    assert file in host.files


def test_a_long_error_is_cut(tmp_path: Path) -> None:
    """120 characters are told, behind the file and what is wrong with it."""
    host = load_host(_folder(tmp_path / "host", **{"ip-neigh.json": json.dumps([{"dst": "x" * 500, "dev": "d"}])}))

    assert host.problems == ("ip-neigh.json: not as its command prints it: ValueError: '" + "x" * 107,)


def test_events_beside_the_dumps(tmp_path: Path) -> None:
    """They come after the listings; those inside the folder are read too."""
    event = "[1.0] [NEW] " + SMALL["conntrack.txt"]
    events = tmp_path / "events.txt"
    events.write_text(f"{event}\nx\n")
    host = load_host(_folder(tmp_path / "host", **{"conntrack-events.txt": f"y\n{event} id=9"}), events=events)

    assert [(entry.first_ns, entry.id, entry.original.src.version) for entry in host.conntrack] == [
        (None, None, 4), (None, None, 6), (10**9, 9, 4), (10**9, None, 4)
    ]  # fmt: skip
    assert host.problems == (
        "conntrack-events.txt: 1 line not as conntrack prints them",
        "events.txt: 1 line not as conntrack prints them",
    )


def test_events_that_are_not_there(tmp_path: Path) -> None:
    """As if none had been named."""
    host = load_host(_folder(tmp_path / "host"), events=tmp_path / "nothing.txt")

    assert (len(host.conntrack), host.problems) == (2, ())


@pytest.mark.parametrize("more", [0, 1])
def test_the_largest_dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int) -> None:
    """A larger one is not read, and told."""
    folder = _folder(tmp_path / "host")
    monkeypatch.setattr(dumps, "MAX_DUMP", 1 << 20)
    (folder / "ip-addr.json").write_text(SMALL["ip-addr.json"].ljust((1 << 20) + more))
    host = load_host(folder)

    assert host.problems == (("ip-addr.json: larger than 1 MiB",) if more else ())
    assert len(host.links) == (0 if more else 1)


def test_bytes_that_are_no_utf_8(tmp_path: Path) -> None:
    """They are replaced, and the dump is read."""
    folder = _folder(tmp_path / "host")
    (folder / "sysctl.txt").write_bytes(b"net.a = \xff\n")

    assert load_host(folder).sysctls["net.a"] == "\N{REPLACEMENT CHARACTER}"


def test_a_dump_that_is_a_folder(tmp_path: Path) -> None:
    """It is as if it were not there."""
    folder = _folder(tmp_path / "host")
    (folder / "ip-addr.json").unlink()
    (folder / "ip-addr.json").mkdir()
    host = load_host(folder)

    assert (host.links, host.problems, "ip-addr.json" in host.files) == ((), (), False)


@pytest.mark.parametrize("folder", ["host", "host-before"])
@pytest.mark.parametrize("file", sorted(set(SMALL) - VERSIONS))
def test_a_dump_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, file: str) -> None:
    """Told once, with the reason that the system gives; of the state before, for what is compared with it."""
    for name in ("host", "host-before"):
        _folder(tmp_path / name)
    refused, read, opened = tmp_path / folder / file, Path.read_text, Path.open

    def refuse(path: Path, *args: Any, **options: Any) -> str:
        if path == refused:
            raise PermissionError(13, "Permission denied")
        return read(path, *args, **options)

    def refuse_to_open(path: Path, *args: Any, **options: Any) -> Any:
        if path == refused:
            raise PermissionError(13, "Permission denied")
        return opened(path, *args, **options)

    monkeypatch.setattr(Path, "read_text", refuse)
    monkeypatch.setattr(Path, "open", refuse_to_open)
    compared = ("ipset.txt", "iptables-save.txt", "ip6tables-save.txt", "nft-ruleset.json", "nstat.txt",
                "ip-addr.json", "tc-qdisc.json", "softnet_stat.txt",
                "conntrack-stats.txt")  # fmt: skip

    assert load_host(tmp_path / "host").problems == (
        (f"{file}: Permission denied",) if folder == "host" or file in compared else ()
    )  # fmt: skip


WRONG = [
    None,
    True,
    7,
    -1,
    1 << 63,
    1 << 70,
    1.5,
    "",
    "x",
    "\0",
    "7",
    [],
    ["x"],
    [None],
    {},
    {"x": "y"},
    [[]],
    "9" * 400,
]


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the way to every value in some JSON, of lists to their first items only."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _places(inner, (*path, key))


def _changed(value: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    if not path:
        return wrong
    copy = value.copy()
    copy[path[0]] = _changed(value[path[0]], path[1:], wrong)
    return copy


@pytest.mark.parametrize("file", [name for name in NAMES if name.endswith(".json") and name not in VERSIONS])
def test_every_value_may_be_wrong(tmp_path: Path, file: str) -> None:
    """Each field of a recorded dump, with values of every type and size: a dump is read, or left out by name."""
    path = BUNDLE / "host" / file
    recorded = json.loads(path.read_text() if path.exists() else SMALL[file])
    (tmp_path / "host").mkdir()
    for place in _places(recorded):
        for wrong in WRONG:
            (tmp_path / "host" / file).write_text(json.dumps(_changed(recorded, place, wrong)))
            host = load_host(tmp_path / "host")

            assert all(problem.startswith(f"{file}: not as its command prints it: ") for problem in host.problems)
            examine(host)


@pytest.mark.parametrize(
    "line",
    [
        f"[99999999999.000001]\t[NEW] {TUPLES}",
        f"ipv4 2 udp 17 {1 << 63} {TUPLES}",
        f"ipv4 2 udp 17 29 {TUPLES} id={1 << 63}",
    ],
)
def test_numbers_of_conntrack_that_are_out_of_range(line: str) -> None:
    """Times and numbers that no kernel has."""
    assert parse_conntrack([line]) == ([], 1)


def test_how_many_entries_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ones, which is told; a line without an end is not taken into memory."""
    monkeypatch.setattr(dumps, "MOST_ENTRIES", 3)
    lines = [f"ipv4 2 udp 17 29 {TUPLES} id={number}\n" for number in range(4)]
    for count in (3, 4):
        folder = tmp_path / str(count)
        folder.mkdir()
        (folder / "conntrack.txt").write_text("".join(lines[:count]))
        host = load_host(folder)

        assert [entry.id for entry in host.conntrack] == [0, 1, 2]
        assert host.problems == (("conntrack.txt: more than 3 lines, of which the first were read",) * (count - 3))


def test_a_dump_of_before_stands_in(tmp_path: Path) -> None:
    """Where a recording was killed: it is told, and rules have no counters that could be compared with themselves."""
    shutil.copytree(BUNDLE / "host", tmp_path / "host")
    shutil.copytree(BUNDLE / "host-before", tmp_path / "host-before")
    (tmp_path / "host" / "docker-inspect.json").unlink()
    some = load_host(tmp_path / "host")
    shutil.rmtree(tmp_path / "host")
    all_of_it = load_host(tmp_path / "host")

    assert some.problems == ("not recorded at the end, so taken as before: docker-inspect.json",)
    assert {container.name for container in some.containers} == {"c1", "web"}
    assert some.tables_before
    assert len(all_of_it.problems[0].split(", ")) > 10
    assert (all_of_it.tables_before, all_of_it.counters_before) == ((), {})
    assert not any(rule.counts or rule.packets for rule in all_of_it.rules())
    assert len(list(all_of_it.rules())) == len(list(some.rules()))


def test_networks_of_podman_that_nobody_is_on(tmp_path: Path) -> None:
    """They have no bridge yet, which is no fault: they are left out, unless nobody told of interfaces."""
    folder = tmp_path / "host"
    folder.mkdir()
    (folder / "podman-network-inspect.json").write_text(SMALL["podman-network-inspect.json"])
    told = [one.name for one in load_host(folder).networks]
    (folder / "ip-addr.json").write_text('[{"ifindex": 2, "ifname": "eth0"}]')
    without = [one.name for one in load_host(folder).networks]
    (folder / "ip-addr.json").write_text('[{"ifindex": 2, "ifname": "podman0"}]')

    assert (told, without, [one.name for one in load_host(folder).networks]) == (["podman"], [], ["podman"])
