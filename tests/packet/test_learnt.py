"""What bridges learnt: which frames show a MAC's port, and how each entry is told."""

import pytest

from analyzer.model import Container, FdbEntry, HostState, Link, Mac, Role
from analyzer.model.overview import LearntMac
from analyzer.packet import learnt as module
from analyzer.schema import Layer
from tests.packet.tables import INNER, UDP, Packet, at, context, packet, seen

OTHER = 0x0242_AC11_0003
POINTS = (
    at(0, "veth-c1", Role.VETH, interface="veth1a", container="c1"),
    at(1, "veth-c2", Role.VETH),
    at(2, "docker0", Role.BRIDGE),
    at(3, "wlan0", Role.UPLINK),
    at(4, "vxlan0", Role.OVERLAY),
    at(5, "eth0", Role.CONTAINER),
)


def _came_in(point: int, time_ns: int, mac: int = INNER, layers: int = UDP) -> Packet:
    return packet(seen(point, time_ns, eth_src=mac, layers=layers), seen(2, time_ns + 5, eth_src=mac, layers=layers))


def _learnt(*packets: Packet, host: HostState | None = None) -> list[LearntMac]:
    return context(POINTS, packets, hosts=[host or HostState()]).all.learnt


@pytest.mark.parametrize("port", [0, 1, 4, 5])
def test_a_frame_shows_where_its_sender_is(port: int) -> None:
    """At a port of a bridge, by the frame that came in there first."""
    found = _learnt(_came_in(port, 10), _came_in(port, 20))

    assert [(entry.mac, entry.point, entry.frame, entry.time_ns) for entry in found] == [
        (INNER, POINTS[port].name, 1, 10)
    ]


@pytest.mark.parametrize(
    "shown",
    [
        packet(seen(0, 10)),
        packet(seen(3, 10), seen(2, 15)),
        packet(seen(2, 10), seen(3, 15)),
        _came_in(0, 10, layers=UDP & ~Layer.MAC_SRC),
    ],
    ids=["one point", "uplink", "bridge", "no MAC"],
)
def test_what_shows_no_port(shown: Packet) -> None:
    """Seen at one point alone, or not at a port first, or without a MAC."""
    assert _learnt(shown) == []


def test_the_hosts_own_macs_are_not_learnt() -> None:
    """Its bridge sends by itself."""
    host = HostState(links=(Link(3, "docker0", Mac(INNER), "bridge", None),))

    assert _learnt(_came_in(0, 10), _came_in(1, 20, OTHER), host=host) == _learnt(_came_in(1, 20, OTHER), host=host)
    assert len(_learnt(_came_in(1, 20, OTHER), host=host)) == 1


def test_a_mac_that_moves_back_is_learnt_each_time() -> None:
    """In order of time over all MACs; each from where it was before, and never from another MAC's port."""
    found = _learnt(_came_in(1, 30), _came_in(0, 10), _came_in(0, 50), _came_in(1, 40, OTHER), _came_in(0, 20, OTHER))

    assert [(entry.time_ns, entry.mac, entry.point, entry.moved_from) for entry in found] == [
        (10, INNER, "veth-c1", None),
        (20, OTHER, "veth-c1", None),
        (30, INNER, "veth-c2", "veth-c1"),
        (40, OTHER, "veth-c2", "veth-c1"),
        (50, INNER, "veth-c1", "veth-c2"),
    ]


def test_entries_of_one_time_are_in_order_of_macs() -> None:
    """So that a report is the same every time."""
    assert [entry.mac for entry in _learnt(_came_in(0, 10, OTHER), _came_in(1, 10))] == [INNER, OTHER]


def test_a_flooded_frame_moves_nothing() -> None:
    """By Docker's MACs it is another container's than the port's: that one's port was not captured."""
    host = HostState(containers=(Container("c1", "bridge", Mac(INNER), ()), Container("c2", "bridge", Mac(OTHER), ())))
    found = _learnt(_came_in(0, 10), _came_in(0, 20, OTHER), _came_in(1, 30, OTHER), host=host)

    assert [(entry.mac, entry.point, entry.container) for entry in found] == [
        (INNER, "veth-c1", "c1"),
        (OTHER, "veth-c2", "c2"),
    ]


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([(INNER, "veth1a")], "02:42:ac:11:00:02 dev veth1a"),
        ([(INNER, "veth-c1")], "02:42:ac:11:00:02 dev veth-c1"),
        ([(OTHER, "veth1a"), (INNER, "veth1a")], "02:42:ac:11:00:02 dev veth1a"),
        ([(OTHER, "veth1a"), (INNER, "veth9z")], None),
    ],
)
def test_a_recorded_entry_is_told_where_it_says_the_same(entries: list[tuple[int, str]], told: str | None) -> None:
    """The same MAC behind the same port, and no other."""
    host = HostState(fdb=tuple(FdbEntry(Mac(mac), dev, None, permanent=False) for mac, dev in entries))
    (found,) = _learnt(_came_in(0, 10), host=host)

    assert (found.entry, found.bridge, found.container) == (told, "docker0", None)


def test_no_more_than_a_list_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """A MAC that jumps with every frame fills it; the first ones are told."""
    monkeypatch.setattr(module, "MOST", 2)

    assert [entry.time_ns for entry in _learnt(*(_came_in(n % 2, 10 * n) for n in range(5)))] == [0, 10]
