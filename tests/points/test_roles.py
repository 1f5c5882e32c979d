"""Points whose names tell nothing: traffic does."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analyzer import analyze
from analyzer.model import Basis, Container, Hosts, HostState, Mac, Network, Point, Role
from analyzer.packet.macs import MacVotes, router_macs
from analyzer.points.roles import Traffic, infer_points
from analyzer.read.records import LINKTYPE_LINUX_SLL
from analyzer.read.spec import PointSpec
from analyzer.schema import Layer
from tests.build import without_interfaces
from tests.packet.tables import BRIDGE, GATEWAY, UDP, UPLINK, Frame, Packet, at, context, packet, seen

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
FAULTS = Path(__file__).parents[1] / "faults"
TRUE_ROLES = {"veth": Role.VETH, "dock": Role.BRIDGE, "br-a": Role.BRIDGE, "br-v": Role.BRIDGE, "wlan": Role.UPLINK}


@pytest.mark.parametrize("sample", ["seed", "published-port", "same-bridge", "user-network", "ipv6"])
@pytest.mark.parametrize("backwards", [False, True])
def test_roles_from_traffic_alone(tmp_path: Path, sample: str, backwards: bool) -> None:
    """Files called x0, x1, ...; only a point that recorded nothing stays unknown."""
    originals = sorted((SAMPLES / sample).glob("*.pcap"), reverse=backwards)
    for number, original in enumerate(originals):
        shutil.copy(original, tmp_path / f"x{number}.pcap")
    trace = analyze(sorted(tmp_path.glob("*.pcap")))

    for point in trace.points:
        true = TRUE_ROLES[originals[int(point.name[1:])].name[:4]]
        assert point.role is (true if point.frames else Role.UNKNOWN)
        assert point.role_basis is Basis.INFERRED


def test_all_interfaces_in_linux_sll_are_no_single_one(tmp_path: Path) -> None:
    """A real capture of `any`, its headers cut to what LINUX_SLL says: told so, unless the user says what it is."""
    path = without_interfaces(SAMPLES / "any" / "any.pcap", tmp_path / "x.pcap")
    (point,) = analyze([path]).points
    (said,) = analyze([], points=[PointSpec(path, role=Role.UPLINK)]).points

    assert (point.role, point.container) == (Role.UNKNOWN, None)
    assert "LINUX_SLL2" in (point.unseen or "")
    assert (said.role, said.unseen) == (Role.UPLINK, None)


RECEIVED, OUT_AGAIN = {"direction": 0}, {"direction": 4, "ttl": 63}


@pytest.mark.parametrize(
    ("link_type", "interface", "frames", "several"),
    [
        (LINKTYPE_LINUX_SLL, None, (RECEIVED, OUT_AGAIN), True),
        (LINKTYPE_LINUX_SLL, "any", (RECEIVED, OUT_AGAIN), True),
        (LINKTYPE_LINUX_SLL, "ppp0", (RECEIVED, OUT_AGAIN), False),
        (LINKTYPE_LINUX_SLL, None, (RECEIVED,), False),
        (LINKTYPE_LINUX_SLL, None, (RECEIVED, RECEIVED), False),
        (LINKTYPE_LINUX_SLL, None, (OUT_AGAIN, OUT_AGAIN), False),
        (1, None, (RECEIVED, OUT_AGAIN), False),
    ],
)
def test_what_comes_in_and_goes_out_shows_several_interfaces(
    link_type: int, interface: str | None, frames: tuple[dict[str, Any], ...], several: bool
) -> None:
    """One interface, as of PPP, either receives a packet or sends it."""
    told = [replace(at(0, "x0", Role.UNKNOWN), link_type=link_type, interface=interface)]
    here = context(told, [_sent(*((0, {"layers": UDP | Layer.COOKED, **one}) for one in frames))])
    parts = [Traffic.of(told, here.frames, here.hops)] * 2
    (whole,), (parted,) = infer_points(told, parts[0], Hosts()), infer_points(told, Traffic.together(parts), Hosts())

    assert (whole.unseen is not None) is several
    assert parted == whole


def test_what_the_user_says_stands() -> None:
    """--point gives name, role, host and container, and is stated."""
    file = str(SAMPLES / "seed" / "veth-c3.pcap")
    spec = PointSpec(file, "inside", Role.CONTAINER, "host1", "web")
    (point,) = analyze([], points=[spec]).points

    assert (point.name, point.role, point.host, point.container) == ("inside", Role.CONTAINER, "host1", "web")
    assert (point.role_basis, point.container_basis) == (Basis.STATED, Basis.STATED)


def test_a_flooded_question_makes_no_home() -> None:
    """A port that one broadcast alone left by is not the port of who asked."""
    trace = analyze([str(FAULTS / "native-jump.user.mixed.tar.zst")])

    asked = {point.name: point.container for point in trace.points if point.role is Role.VETH}
    assert asked == {"veth-app": "app", "veth-c1": "c1", "veth-db": "db", "veth2670c11": None}


INNER, OTHER, THIRD = 0x0242_AC11_0002, 0x0242_AC11_0003, 0x0242_AC11_0004
OUT = {"eth_src": UPLINK, "eth_dst": GATEWAY, "ttl": 63, "src": "192.168.1.100"}
BACK = {"src": "8.8.8.8", "dst": "172.17.0.2", "eth_src": BRIDGE, "eth_dst": INNER, "ttl": 55}


def _unknown(*packets: Packet, points: int = 3, hosts: tuple[HostState, ...] = (), **fields: Any) -> list[Point]:
    """Infer points of which names tell nothing."""
    told = [at(n, f"x{n}", Role.UNKNOWN, **fields) for n in range(points)]
    here = context(told, packets, hosts=hosts)
    traffic = Traffic.of(told, here.frames, here.hops)
    return infer_points(told, traffic, Hosts.of(*hosts) if hosts else Hosts())


def _roles(*packets: Packet, points: int = 3) -> list[Role]:
    return [point.role for point in _unknown(*packets, points=points)]


def _sent(*frames: tuple[int, dict[str, Any]], time_ns: int = 10, **columns: Any) -> Packet:
    return packet(*(seen(point, time_ns + n, **columns | more) for n, (point, more) in enumerate(frames)))


WAY_OUT = _sent((0, {}), (1, {}), (2, OUT))
WAY_IN = _sent((2, {"src": "8.8.8.8", "dst": "192.168.1.100", "eth_src": GATEWAY, "eth_dst": UPLINK, "ttl": 56}),
               (1, BACK), (0, BACK), time_ns=90)  # fmt: skip


@pytest.mark.parametrize(
    ("packets", "roles"),
    [
        ([WAY_OUT], [Role.VETH, Role.BRIDGE, Role.UPLINK]),
        ([WAY_IN], [Role.VETH, Role.BRIDGE, Role.UPLINK]),
        ([WAY_OUT, WAY_IN], [Role.VETH, Role.BRIDGE, Role.UPLINK]),
        ([_sent((0, {}), (2, OUT))], [Role.VETH, Role.UNKNOWN, Role.UPLINK]),
        ([_sent((0, {"eth_src": n}), (2, OUT)) for n in (2, 4)], [Role.VETH, Role.UNKNOWN, Role.UPLINK]),
        ([_sent((0, {"eth_src": n}), (2, OUT)) for n in (2, 4, 6)], [Role.BRIDGE, Role.UNKNOWN, Role.UPLINK]),
        ([_sent((0, {}), (1, {"eth_src": BRIDGE, "ttl": 63}))], [Role.UNKNOWN, Role.UNKNOWN, Role.UNKNOWN]),
        ([_sent((0, {}))], [Role.UNKNOWN, Role.UNKNOWN, Role.UNKNOWN]),
        ([_sent((0, {"src": "127.0.0.1", "dst": "127.0.0.1"}))], [Role.LOOPBACK, Role.UNKNOWN, Role.UNKNOWN]),
        ([_sent((0, {"dst": "127.0.0.11"})), _sent((0, {}))], [Role.UNKNOWN, Role.UNKNOWN, Role.UNKNOWN]),
        (
            [_sent((0, {"dst": "127.0.0.11"})), _sent((0, {"dst": "127.0.0.1"})), _sent((0, {}))],
            [Role.LOOPBACK, Role.UNKNOWN, Role.UNKNOWN],
        ),
    ],
)
def test_a_role_is_told_by_translations(packets: list[Packet], roles: list[Role]) -> None:
    """Inside has the container's address, outside the host's; most of what a loopback sees is to 127.0.0.0/8."""
    assert _roles(*packets) == roles


def test_among_bridged_points_the_bridge_is_where_nobody_is_at_home() -> None:
    """Containers' packets come from their veths; where none does, the one next to the router."""
    between = _sent((0, {"eth_dst": OTHER}), (3, {"eth_dst": OTHER}), time_ns=5)
    two = [_sent((1, {"eth_src": OTHER}), (3, {"eth_src": OTHER}), (2, OUT), time_ns=50)]

    assert _roles(between, *two, _sent((0, {}), (3, {}), (2, OUT)), points=4) == [
        Role.VETH, Role.VETH, Role.UPLINK, Role.BRIDGE,
    ]  # fmt: skip


def test_the_bridge_is_next_to_the_router() -> None:
    """Of two points at which nobody is at home."""
    inward = [
        _sent((2, {"src": "8.8.8.8", "dst": "192.168.1.100", "eth_src": GATEWAY, "eth_dst": UPLINK, "ttl": 56}),
              (1, BACK), (0, BACK), time_ns=90 * n)
        for n in range(3)
    ]  # fmt: skip

    listens = _sent((0, {"eth_dst": OTHER}), (3, {"eth_dst": OTHER}), time_ns=5)

    assert _roles(*inward) == [Role.VETH, Role.BRIDGE, Role.UPLINK]
    assert _roles(listens, WAY_OUT, points=4) == [Role.VETH, Role.BRIDGE, Role.UPLINK, Role.VETH]


def test_what_a_name_says_stands() -> None:
    """Only roles that nobody knows are inferred, by those that are known."""
    told = [at(0, "x0", Role.UNKNOWN), at(1, "br0", Role.BRIDGE), at(2, "w", Role.UNKNOWN)]
    here = context(told, [WAY_OUT])
    found = infer_points(told, Traffic.of(told, here.frames, here.hops), Hosts())

    assert [point.role for point in found] == [Role.VETH, Role.BRIDGE, Role.UPLINK]


@pytest.mark.parametrize(
    ("packets", "macs"),
    [
        ([WAY_OUT], {BRIDGE, UPLINK}),
        ([_sent((0, {}), (1, {}))], set()),
        ([_sent((0, {}), (1, OUT | {"ttl": 65}))], set()),
        ([_sent((0, {"layers": UDP & ~Layer.MAC_SRC}), (1, OUT))], set()),
        ([_sent((0, {})), _sent((1, OUT))], set()),
        ([WAY_OUT, _sent((0, {"eth_dst": 9}), (2, {"eth_src": 11, "ttl": 63}))], {BRIDGE, UPLINK, 9, 11}),
    ],
)
def test_which_macs_route(packets: list[Packet], macs: set[int]) -> None:
    """Those that a packet goes to before its TTL falls, and comes from after it."""
    here = context([at(n, f"x{n}", Role.UNKNOWN) for n in range(3)], packets)

    assert router_macs(here.frames, here.hops) == macs


@pytest.mark.parametrize(
    ("packets", "homes"),
    [
        ([_sent((0, {}), (1, {}))], {INNER: (0, 1)}),
        ([_sent((0, {}))], {}),
        ([_sent((0, {"layers": UDP & ~Layer.MAC_SRC}), (1, {}))], {}),
        ([_sent((0, {})), _sent((0, {}), (1, {}), time_ns=20), _sent((0, {}), (1, {}), time_ns=40)], {INNER: (0, 2)}),
        ([_sent((0, {}), (1, {})), _sent((2, {}), (1, {})), _sent((2, {}), (1, {}))], {INNER: (2, 1)}),
        ([_sent((1, {}), (2, {})), _sent((0, {}), (1, {}))], {INNER: (0, 1)}),
        (
            [_sent((0, {}), (1, OUT)), _sent((1, {"eth_src": OTHER}), (0, {}), time_ns=20)],
            {INNER: (0, 1), OTHER: (1, 2)},
        ),
    ],
)
def test_where_macs_are_at_home(packets: list[Packet], homes: dict[int, tuple[int, int]]) -> None:
    """Where most of their packets come from; of equally many the inner point, with the first frame there."""
    points = [at(0, "v", Role.VETH), at(1, "b", Role.BRIDGE), at(2, "w", Role.UPLINK)]
    here = context(points, packets)

    assert MacVotes.of(here.frames, here.hops).homes(points) == homes


def _named(*frames: Frame, point: Point | None = None, **host: Any) -> Point:
    """Name the container behind a veth whose only frames these are."""
    one = point or at(0, "veth-c1", Role.VETH, interface="veth1a")
    here = context([one, at(1, "b", Role.BRIDGE)], [packet(frame) for frame in frames])
    hosts = Hosts.of(HostState(**host))
    return infer_points(here.points, Traffic.of(here.points, here.frames, here.hops), hosts)[0]


CONTAINERS = (Container("web", "net", Mac(INNER), ()), Container("db", "other", Mac(OTHER), ()))
GROUP = 0x0100_5E00_00FB


@pytest.mark.parametrize(
    ("frames", "container"),
    [
        ([seen(0, 1)], "web"),
        ([seen(0, 1), seen(0, 2, eth_src=BRIDGE, eth_dst=INNER)], "web"),
        ([seen(0, 1), seen(0, 2, eth_dst=GROUP)], "web"),
        ([seen(0, 1), seen(0, 2, eth_src=OTHER, eth_dst=GROUP)], "web"),
        ([seen(0, 1), seen(0, 2, eth_src=OTHER)], None),
        ([seen(0, 1, eth_dst=OTHER)], None),
        ([seen(0, 1, eth_dst=OTHER), seen(0, 2, eth_src=OTHER, eth_dst=INNER)], None),
        ([seen(0, 1, eth_src=THIRD)], None),
        ([seen(0, 1, layers=UDP & ~Layer.MAC_SRC)], None),
        ([], None),
    ],
)
def test_a_container_is_named_by_the_only_mac(frames: list[Frame], container: str | None) -> None:
    """One that is in every frame to one receiver; of two containers' MACs nobody knows which."""
    found = _named(*frames, containers=CONTAINERS)

    assert (found.container, found.network) == (container, "net" if container else None)
    assert found.container_basis is (Basis.STATED if container else None)


@pytest.mark.parametrize("role", list(Role))
def test_only_ports_have_containers(role: Role) -> None:
    """Veths, and containers' own ends."""
    found = _named(seen(0, 1), point=at(0, "p", role), containers=CONTAINERS)

    assert (found.container is not None) == (role in (Role.VETH, Role.CONTAINER))


def test_a_containers_name_that_is_known_stands() -> None:
    """A file is called so; that it is one is stated now, and its network is told."""
    found = _named(seen(0, 1), point=at(0, "v", Role.VETH, container="c1"), containers=CONTAINERS)

    assert (found.container, found.container_basis, found.network) == ("c1", Basis.STATED, "net")


@pytest.mark.parametrize(
    ("bridge", "network"), [("veth1a", "net"), ("veth-c1", "net"), ("docker0", None), (None, None)]
)
def test_a_bridge_is_named_by_its_network(bridge: str | None, network: str | None) -> None:
    """By the interface, or what its capture is called; it has no container then."""
    found = _named(seen(0, 1), networks=(Network("net", "1", "bridge", bridge, (), ()),))

    assert (found.network, found.container) == (network, None)
