"""What a host's recorded state answers, and what is known where nothing was recorded."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from analyzer.model import (
    BridgePort,
    Container,
    FdbEntry,
    Hosts,
    HostState,
    Link,
    Mac,
    Neighbour,
    Network,
    Route,
)
from analyzer.model.engine import OnHost
from analyzer.model.host import Listener
from analyzer.model.rules import NFT, Policy, Table
from analyzer.state.load import load_host
from analyzer.state.rules.iptables import parse_tables

SAMPLE = Path(__file__).parents[2] / "sample_pcaps" / "bundle" / "host"
MAC = Mac(0x0242_AC11_0002)
RULES = ("*filter", ":FORWARD DROP [{}:0]", ":OWN - [0:0]", "[{}:0] -A FORWARD -j OWN", "COMMIT")


def _tables(packets: int, version: int = 4) -> tuple[Table, ...]:
    return tuple(parse_tables([line.format(packets) for line in RULES], version))


@pytest.fixture(scope="module")
def host() -> HostState:
    """A real Docker host, recorded."""
    return load_host(SAMPLE)


def test_a_route_may_leave_by_each_of_its_ways() -> None:
    """Those of a route with several, else the one that it has."""
    one = Route(ip_network("0.0.0.0/0"), "wlan0", ip_address("192.168.1.1"), 0, "main", "")
    several = replace(one, nexthops=(("wlan0", None), ("wlan1", None)))

    assert one.devices == {"wlan0"}
    assert several.devices == {"wlan0", "wlan1"}


def test_entries_are_printed_as_their_tools_print_them() -> None:
    """What an entry does not have is left out."""
    neighbour = Neighbour(ip_address("172.17.0.2"), "docker0", MAC, "REACHABLE")
    entry = FdbEntry(MAC, "veth1", "docker0", permanent=True)

    assert neighbour.text == "172.17.0.2 dev docker0 lladdr 02:42:ac:11:00:02 REACHABLE"
    assert replace(neighbour, mac=None, state="FAILED").text == "172.17.0.2 dev docker0 FAILED"
    assert entry.text == "02:42:ac:11:00:02 dev veth1 master docker0 permanent"
    assert replace(entry, master=None, permanent=False).text == "02:42:ac:11:00:02 dev veth1"


@pytest.mark.parametrize(
    ("address", "version", "dst", "taken"),
    [
        (None, None, "172.17.0.2", True),
        (None, 4, "172.17.0.2", True),
        (None, 4, "fd00::2", False),
        ("172.17.0.2", 4, "172.17.0.2", True),
        ("127.0.0.1", 4, "172.17.0.2", False),
    ],
)
def test_a_listener_takes_what_comes_to_its_address(
    address: str | None, version: int | None, dst: str, taken: bool
) -> None:
    """One without an address takes all of its version, or of both; protocol and port must be its own."""
    listener = Listener("tcp", ip_address(address) if address else None, version, 80, "nginx")
    state = HostState(listeners=(listener,))
    ip = ip_address(dst)

    assert (state.listener("tcp", ip, 80) is listener) is taken
    assert (state.listener("udp", ip, 80), state.listener("tcp", ip, 81)) == (None, None)


def test_what_a_real_host_has_is_found_by_name_mac_and_address(host: HostState) -> None:
    """Interfaces, containers, their networks, and the addresses that are the host's own."""
    web = host.container_of_address(ip_address("172.17.0.3"))
    bridge = host.link("docker0")

    assert web is not None
    assert bridge is not None
    assert (web.name, host.container_of_mac(web.mac or 0)) == ("web", web)
    assert (host.network_of(web) or host.networks[-1]).bridge == "docker0"
    assert host.network_of(replace(web, network="gone")) is None
    assert host.link_of_mac(bridge.mac) is bridge
    assert host.link_of_mac(None) is None
    assert [host.owns(ip_address(ip)) for ip in ("172.17.0.1", "172.17.0.3")] == [True, False]


def test_a_bridge_sends_back_only_by_ports_in_hairpin_mode() -> None:
    """The mode of one port says nothing of another."""
    ports = tuple(
        BridgePort(dev, "docker0", "forwarding", dev == "veth1", isolated=False) for dev in ("veth1", "veth2")
    )
    state = HostState(ports=ports)

    assert [state.sends_back(dev) for dev in ("veth1", "veth2", "veth3", None)] == [True, False, False, False]


def test_the_own_interface_of_a_container_is_that_with_its_mac_inside() -> None:
    """Where its namespace was recorded; the host's interfaces are others."""
    inner = Link(2, "eth0", MAC, None, None)
    container = Container("web", "bridge", MAC, ())
    inside = {"web": HostState(links=(replace(inner, name="lo", mac=None), inner))}

    assert HostState(inside=inside).interface_inside(container) is inner
    assert HostState(links=(inner,)).interface_inside(container) is None
    assert HostState(inside=inside).interface_inside(replace(container, mac=None)) is None


def test_whose_rules_are_known_is_told_by_version() -> None:
    """A dump without rules is knowledge as well; nftables' own tables are for both versions."""
    native = Table("inet", "own", NFT)
    empty, four, own = HostState(ruled=frozenset({6})), HostState(tables=_tables(0)), HostState(tables=(native,))

    assert [(one.knows_rules(4), one.knows_rules(6)) for one in (HostState(), empty, four, own)] == [
        (False, False), (False, True), (True, False), (True, True),
    ]  # fmt: skip
    assert (own.knows_iptables(4), four.knows_iptables(4), HostState().tells, empty.tells) == (False, True, False, True)


def test_counts_are_those_before_and_after_the_recording() -> None:
    """A rule, a policy and a counter that were not recorded before are unknown, not 0."""
    state = HostState(tables=_tables(8), tables_before=_tables(5), counters={"a": 9, "b": 2}, counters_before={"a": 4})
    (table,), (rule,) = state.tables, state.rules()
    other = replace(state, tables_before=_tables(5, 6))

    assert (rule.packets, state.counted_before(rule), other.counted_before(rule)) == (8, 5, None)
    assert state.policy(table, "FORWARD") == Policy("DROP", 8)
    assert state.policy(table, "FORWARD", before=True) == Policy("DROP", 5)
    assert other.policy(table, "FORWARD", before=True) is None
    assert (state.policy(table, "OWN"), state.policy(table, "INPUT")) == (None, None)
    assert [state.counted(name) for name in ("a", "b", "c")] == [5, None, None]


def test_several_hosts_share_only_what_means_the_same_everywhere() -> None:
    """Containers and what could not be read, with the host's name; not links, which each host has of its own."""
    one, two = (
        HostState(name, links=(Link(1, "docker0", MAC, "bridge", None),), problems=("x",),
                  containers=(Container(f"on-{name}", "bridge", MAC, (ip_address("172.17.0.2"),)),))
        for name in ("h1", "h2")
    )  # fmt: skip
    hosts = Hosts.of(one, two)

    assert hosts.everywhere.links == ()
    assert [c.name for c in hosts.everywhere.containers] == ["on-h1", "on-h2"]
    assert hosts.everywhere.problems == ("h1: x", "h2: x")
    assert (hosts["h2"], hosts["h3"]) == (two, HostState())
    assert Hosts.of(one).everywhere is one


@pytest.mark.parametrize(("driver", "owner"), [("overlay", "c"), ("bridge", None)])
def test_only_addresses_of_an_overlay_are_one_container_on_all_hosts(driver: str, owner: str | None) -> None:
    """Docker gives each host the same addresses otherwise; a host's own container comes before others."""
    ip = ip_address("10.0.1.2")
    network = Network("net", "id", driver, None, (), ())
    far = HostState("h1", containers=(Container("c", "net", MAC, (ip,)),), networks=(network,))
    near = HostState("h2", containers=(Container("own", "bridge", Mac(7), (ip_address("10.0.1.9"),)),))
    same = HostState("h3", containers=(Container("same", "bridge", MAC, (ip,)),))
    hosts = Hosts.of(far, near, same)
    found = (hosts.owner_of_mac(MAC, "h2"), hosts.owner_of_address(ip, "h2"))

    assert [one.name if one else None for one in found] == [owner, owner]
    own = (hosts.owner_of_mac(7, "h2"), hosts.owner_of_mac(MAC, "h3"), hosts.owner_of_address(ip, "h3"))
    assert [one.name for one in own if one] == ["own", "same", "same"]


def test_a_neighbour_is_looked_for_at_an_interface_or_at_all() -> None:
    """The same address may be there at two interfaces."""
    entries = tuple(Neighbour(ip_address("10.0.0.1"), dev, MAC, "STALE") for dev in ("a", "b"))
    state = HostState(neighbours=entries)

    assert state.neighbour(entries[0].ip, "b") is entries[1]
    assert state.neighbour(entries[0].ip) is entries[0]
    assert state.neighbour(entries[0].ip, "c") is None


@pytest.mark.parametrize(
    ("pid", "container", "owner"), [(7, "", "edge"), (8, "ab", "edge"), (8, "cd", None), (None, "", None)]
)
def test_whose_a_socket_of_the_host_is(pid: int | None, container: str, owner: str | None) -> None:
    """By its process, or by its cgroup; without either nobody's."""
    socket = Listener("tcp", None, None, 80, "nginx", pid=pid, container_id=container)
    host = HostState(on_host=(OnHost("edge", "ab", 7), OnHost("old", "", 9)))

    assert host.owner_of_socket(socket) == owner
