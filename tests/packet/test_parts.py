"""Packets that are not one frame per point: every hop of one has the same bytes, and every byte its hop."""

from collections import Counter
from pathlib import Path

import dpkt
import pytest

from analyzer import analyze
from analyzer.model import Disposition, Journey
from analyzer.run import Trace

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"


def _trace(sample: str) -> Trace:
    return analyze(sorted((SAMPLES / sample).glob("*.pcap")))


def _packets(sample: str) -> dict[str, list[bytes]]:
    """Return the IPv4 packets of each point, in order of the file; what is no IPv4 is empty."""
    found: dict[str, list[bytes]] = {}
    for file in (SAMPLES / sample).glob("*.pcap"):
        with file.open("rb") as stream:
            frames = [frame for _, frame in dpkt.pcap.Reader(stream)]
        found[file.stem] = [f[14:] if f[12:14] == b"\x08\x00" else b"" for f in frames]
    return found


def _whole(parts: list[bytes]) -> bytes:
    """Put fragments together; leave out ports, identifier and checksum, which NAT rewrites."""
    ordered = sorted(parts, key=lambda p: int.from_bytes(p[6:8], "big") & 0x1FFF)
    return b"".join(p[20 : int.from_bytes(p[2:4], "big")] for p in ordered)[8:]


def test_fragments_are_one_packet_also_where_the_bridge_puts_them_together() -> None:
    """Each datagram's bytes are the same at every hop, and no frame of one is left over."""
    packets, trace = _packets("fragments"), _trace("fragments")
    counts = Counter[tuple[int, ...]]()
    for journey in trace.journeys():
        contents = {
            _whole([packets[hop.point][frame - 1] for frame in hop.frames])
            for hop in journey.hops
            if hop.ttl is not None
        }
        assert len(contents) <= 1, journey.id
        if any(len(hop.frames) > 1 for hop in journey.hops):
            counts[tuple(len(hop.frames) for hop in journey.hops)] += 1

    assert counts[3, 1, 3] == 4  # two pings and two datagrams outwards, put together on docker0
    assert sum(counts.values()) == 6  # and the two pings' replies, in three fragments everywhere
    assert {j.disposition for j in trace.journeys()} <= {Disposition.DELIVERED, Disposition.LEFT_HOST}


def _range(journey: Journey, packets: dict[str, list[bytes]], hop: int) -> tuple[int, int, int]:
    """Return first sequence number, last, and the bytes between that were seen."""
    segments = []
    for frame in journey.hops[hop].frames:
        packet = packets[journey.hops[hop].point][frame - 1]
        header = 20 + (packet[32] >> 4) * 4
        start = int.from_bytes(packet[24:28], "big")
        segments.append((start, int.from_bytes(packet[2:4], "big") - header))
    return min(s for s, _ in segments), max(s + n for s, n in segments), sum(n for _, n in segments)


def test_segments_are_one_packet_where_offload_splits_them() -> None:
    """Each packet's hops cover the same bytes exactly once, in one frame or in many."""
    packets, trace = _packets("segments"), _trace("segments")
    split = 0
    for journey in trace.journeys():
        if journey.protocol == "tcp":
            ranges = {_range(journey, packets, hop) for hop in range(len(journey.hops))}
            assert len(ranges) == 1, journey.id
            first, last, seen = ranges.pop()
            assert last - first == seen
            assert len(journey.hops) == 3
            split += any(len(hop.frames) > 1 for hop in journey.hops)

    assert split > 0
    assert {j.disposition for j in trace.journeys()} <= {Disposition.DELIVERED, Disposition.LEFT_HOST}


@pytest.mark.parametrize("sample", ["hairpin", "self-hairpin"])
def test_a_hairpin_shows_one_packet_several_times_at_one_point(sample: str) -> None:
    """Each IP id of a direction is one packet, however often docker0 and the server's veth saw it."""
    packets, trace = _packets(sample), _trace(sample)
    owners: dict[tuple[int, bytes], set[int]] = {}
    repeated = 0
    for journey in trace.journeys():
        if journey.protocol != "tcp":
            continue
        for hop in journey.hops:
            packet = packets[hop.point][hop.frames[0] - 1]
            key = int.from_bytes(packet[4:6], "big"), packet[24:32]  # IP id, sequence and acknowledgement numbers
            if key[0]:  # SYN-ACKs have no IP id, and a SYN that came twice is answered twice
                owners.setdefault(key, set()).add(journey.id)
        points = Counter(hop.point for hop in journey.hops)
        repeated += max(points.values()) > 1

    assert repeated > 5
    assert {len(ids) for ids in owners.values()} == {1}
    assert len(trace.connections) == 1


@pytest.mark.parametrize("sample", ["segments", "fragments"])
def test_what_changed_is_told(sample: str) -> None:
    """A hop with another number of frames says which and why."""
    told = {
        rewrite.by
        for journey in _trace(sample).journeys()
        for hop in journey.hops
        for rewrite in hop.rewrites
        if rewrite.field == "frames"
    }

    assert told == {"segmentation" if sample == "segments" else "fragmentation"}
