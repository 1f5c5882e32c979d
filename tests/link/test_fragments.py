"""Later fragments belong to the first one that is nearest in time, within the kernel's reassembly time."""

import struct
from pathlib import Path

import numpy as np
import pytest

from analyzer import analyze
from analyzer.link.fragments import nearest_first
from analyzer.run import Trace
from tests.build import BRIDGE, C1, T0, Record, ether, ipv4, ipv6, udp, write_pcap

S = 1_000_000_000
MORE, AT_1480 = 0x2000, 185
FRAGMENT, MORE6 = 44, 1


def _datagram(time_ns: int, sport: int, ident: int, *, version: int) -> list[Record]:
    """Two fragments of one UDP datagram of 1,800 bytes, the second one 20 µs later."""
    whole = udp(sport, 53, bytes(1792))
    if version == 4:
        parts = [ipv4("172.17.0.2", "8.8.8.8", 17, whole[:1480], ident=ident, flags=MORE),
                 ipv4("172.17.0.2", "8.8.8.8", 17, whole[1480:], ident=ident, flags=AT_1480)]  # fmt: skip
    else:
        heads = [struct.pack("!BBHI", 17, 0, at, ident) for at in (MORE6, 1480)]
        parts = [ipv6("fd00::2", "fd00::9", FRAGMENT, head + data)
                 for head, data in zip(heads, (whole[:1480], whole[1480:]), strict=True)]  # fmt: skip
    kind = 0x0800 if version == 4 else 0x86DD
    return [(time_ns + 20_000 * place, ether(C1, BRIDGE, part, kind)) for place, part in enumerate(parts)]


def _trace(folder: Path, records: list[Record]) -> Trace:
    return analyze([write_pcap(folder / "docker0.pcap", sorted(records))])


def _connection_of_each_frame(trace: Trace) -> list[int | None]:
    by_frame = {
        frame: journey.connection for journey in trace.journeys() for hop in journey.hops for frame in hop.frames
    }
    return [by_frame[frame] for frame in sorted(by_frame)]


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("apart_s", [2, 40, 90])
def test_an_identification_that_comes_again(version: int, apart_s: int, tmp_path: Path) -> None:
    """25 datagrams, and 25 of other ports with the same identifications: each later fragment has its own ports."""
    records = [
        record
        for round_ in range(2)
        for number in range(25)
        for record in _datagram(
            T0 + round_ * apart_s * S + number * 1_000_000, 4000 + 100 * round_ + number, number + 1, version=version
        )
    ]
    connections = _connection_of_each_frame(_trace(tmp_path, records))

    assert None not in connections
    assert connections[::2] == connections[1::2]
    assert len(set(connections)) == 50


@pytest.mark.parametrize(
    ("version", "seconds", "joined"), [(4, 29, True), (4, 31, False), (6, 59, True), (6, 61, False)]
)
def test_the_reassembly_time(version: int, seconds: int, joined: bool, tmp_path: Path) -> None:
    """A later fragment that the kernel would not put together any more has no ports."""
    first, later = _datagram(T0, 4000, 7, version=version)
    trace = _trace(tmp_path, [first, (T0 + seconds * S, later[1])])

    assert (None not in _connection_of_each_frame(trace)) == (seconds in (29, 59))


def test_the_nearest_of_two() -> None:
    """Of two that are equally near the earlier one; none of another group, none out of reach."""
    group = np.array([0, 0, 0, 0, 1, 0])
    time_ns = np.array([0, 100, 50, 80, 50, 500])
    first = np.array([True, True, False, False, False, False])

    assert nearest_first(group, time_ns, first, 300).tolist() == [0, 1, 0, 1, -1, -1]
