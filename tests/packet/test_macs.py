"""What packets tell of MACs: the host's own, and behind which point each is at home."""

from dataclasses import fields

import numpy as np
import pytest

from analyzer.model import Role
from analyzer.packet.macs import MacVotes, router_macs
from analyzer.schema import Layer
from tests.packet.tables import BRIDGE, GATEWAY, INNER, UDP, UPLINK, Packet, at, context, packet, seen

POINTS = (at(0, "veth-c1", Role.VETH), at(1, "docker0", Role.BRIDGE), at(2, "wlan0", Role.UPLINK))
CHOSEN_AT_RANDOM = 0xAE87_CF80_9A2B
"""As CNI, Podman and Docker choose MACs: half of them begin with a set bit."""
NO_MAC = UDP & ~Layer.MAC_SRC


def _out(time_ns: int, *, ttl: int = 63, layers: int = UDP) -> Packet:
    inner = {"eth_src": INNER, "eth_dst": BRIDGE, "layers": layers}
    last = seen(2, time_ns + 9, eth_src=UPLINK, eth_dst=GATEWAY, ttl=ttl, layers=layers)
    return packet(seen(0, time_ns, **inner), seen(1, time_ns + 5, **inner), last)


@pytest.mark.parametrize(
    ("one", "macs"),
    [
        (_out(0), {BRIDGE, UPLINK}),
        (_out(0, ttl=64), set()),
        (_out(0, ttl=65), set()),
        (_out(0, layers=NO_MAC), set()),
        (packet(seen(2, 0)), set()),
    ],
    ids=["routed", "bridged", "the-other-way", "no-macs", "one-point"],
)
def test_the_hosts_own_macs_are_those_beside_a_hop_that_counts_down(one: Packet, macs: set[int]) -> None:
    """The one that the packet was sent to before, and the one that sent it on."""
    here = context(POINTS, [one])

    assert router_macs(here.frames, here.hops) == macs


def test_two_packets_after_each_other_are_no_hop() -> None:
    """The TTL of the second may be any."""
    here = context(POINTS, [packet(seen(0, 0, ttl=64)), packet(seen(0, 10, ttl=63))])

    assert router_macs(here.frames, here.hops) == set()


def _came(point: int, time_ns: int, mac: int = INNER, layers: int = UDP) -> Packet:
    other = 1 if point != 1 else 0
    return packet(*(seen(at_, time_ns + 5 * n, eth_src=mac, layers=layers) for n, at_ in enumerate((point, other))))


def _votes(*packets: Packet, numbers: list[int] | None = None) -> MacVotes:
    here = context(POINTS, packets)
    return MacVotes.of(here.frames, here.hops, None if numbers is None else np.array(numbers))


@pytest.mark.parametrize(
    ("packets", "homes"),
    [
        ([_came(0, 0), _came(1, 10), _came(0, 20)], {INNER: (0, 1)}),
        ([_came(1, 0), _came(1, 10), _came(0, 20)], {INNER: (1, 1)}),
        ([_came(2, 0), _came(0, 10)], {INNER: (0, 1)}),
        ([packet(seen(0, 0)), packet(seen(0, 5))], {}),
        ([_came(0, 0, layers=NO_MAC)], {}),
        ([_came(0, 0), _came(2, 10, GATEWAY)], {INNER: (0, 1), GATEWAY: (2, 1)}),
        ([_came(0, 0, CHOSEN_AT_RANDOM)], {CHOSEN_AT_RANDOM: (0, 1)}),
    ],
    ids=["most", "others-most", "as-many", "one-point-alone", "no-mac", "two-macs", "all-48-bits"],
)
def test_a_mac_is_at_home_where_most_of_its_packets_come_from(
    packets: list[Packet], homes: dict[int, tuple[int, int]]
) -> None:
    """Of as many, at the point that is nearest to a container; only those that travel show it."""
    assert _votes(*packets).homes(POINTS) == homes


def test_the_first_packet_shows_it() -> None:
    """By its number among all, and the frame at the point; where it came by later, its sender is not at home."""
    found = _votes(packet(seen(0, 0, eth_src=GATEWAY)), _came(0, 10), _came(0, 20), numbers=[30, 40, 50])

    assert (found.packets.tolist(), found.first_packet.tolist(), found.frame.tolist()) == ([2], [40], [2])
    assert _votes(_out(0)).packets.tolist() == [1]


def test_votes_of_parts_add_up() -> None:
    """Whatever order they come in: the first packet of all is the one that shows it."""
    one = _votes(_came(0, 10), _came(1, 20), numbers=[5, 6])
    two = _votes(_came(0, 30), _came(0, 40), _came(2, 50, GATEWAY), numbers=[2, 7, 8])
    found = [MacVotes.together(parts) for parts in ([one, two], [two, one])]

    for together in found:
        assert together.packets.tolist() == [1, 3, 1]
        assert together.first_packet.tolist() == [8, 2, 6]
    assert all(np.array_equal(*(getattr(one, field.name) for one in found)) for field in fields(MacVotes))
    assert len(MacVotes.together([_votes()]).packets) == 0
