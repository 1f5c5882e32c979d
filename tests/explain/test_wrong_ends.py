"""An info hides no error, a question that was sent again is not slow, groups are for many."""

import struct
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer import analyze
from analyzer.cli import main
from analyzer.model import Disposition, Severity
from tests.build import BRIDGE, C1, GATEWAY, T0, UPLINK, Record, echo, ether, ipv4, ipv6, tcp, write_pcap

MS = 1_000_000
CLIENT, HOST, SERVER, ROUTER = "172.17.0.2", "192.168.1.100", "8.8.8.8", "192.168.1.1"
PORT, WEB = 40_000, 80
SYN, ACK, DATA = 0x02, 0x10, 0x18


@dataclass
class _Host:
    """A host with one container, captured at three points; every packet has its own identification."""

    now: int = T0
    ident: int = 0
    points: dict[str, list[Record]] = field(default_factory=lambda: {"veth-c1": [], "docker0": [], "wlan0": []})

    def out(self, segment: bytes, *, lost: bool = False, wait_ms: float = 5, proto: int = 6) -> bytes:
        """Send one from the container outwards; return it as it left."""
        self._wait(wait_ms)
        inside = ether(C1, BRIDGE, ipv4(CLIENT, SERVER, proto, segment, ident=self.ident))
        outside = ipv4(HOST, SERVER, proto, segment, ident=self.ident, ttl=63)
        self._record(inside, None if lost else ether(UPLINK, GATEWAY, outside), delay=(0, 5, 40))
        return outside

    def back(
        self, segment: bytes, *, source: str = SERVER, wait_ms: float = 5, proto: int = 6, inside: bytes = b""
    ) -> None:
        """Send one to the container; *inside* is what it is there, if that is something else."""
        self._wait(wait_ms)
        outer = ether(GATEWAY, UPLINK, ipv4(source, HOST, proto, segment, ident=self.ident, ttl=60))
        inner = ether(BRIDGE, C1, ipv4(source, CLIENT, proto, inside or segment, ident=self.ident, ttl=59))
        self._record(inner, outer, delay=(45, 40, 0))

    def _wait(self, ms: float) -> None:
        self.now += round(ms * MS)
        self.ident += 1

    def _record(self, inside: bytes, outside: bytes | None, delay: tuple[int, int, int]) -> None:
        for records, frame, late in zip(self.points.values(), (inside, inside, outside), delay, strict=True):
            if frame is not None:
                records.append((self.now + late * 1000, frame))

    def write(self, folder: Path, snap: int = 120) -> list[str]:
        return [write_pcap(folder / f"{name}.pcap", sorted(r), snap=snap) for name, r in self.points.items()]


def _segment(seq: int, ack: int, flags: int, payload: bytes = b"", *, sport: int = PORT, dport: int = WEB) -> bytes:
    return tcp(sport, dport, seq, ack, flags, payload, (seq, ack))


def _with_losses(*, frag_needed: bool) -> _Host:
    """Make a connection of which eight segments vanish in the host; at first it may have met a smaller link."""
    host = _Host()
    host.out(_segment(999, 0, SYN))
    host.back(_segment(4999, 1000, SYN | ACK, sport=WEB, dport=PORT))
    host.out(_segment(1000, 5000, ACK))
    large = _segment(1000, 5000, DATA, b"x" * 1400)
    left = host.out(large)
    if frag_needed:
        quotes = left[:36], ipv4(CLIENT, SERVER, 6, large, ident=host.ident, ttl=63)[:36]
        outer, inner = (struct.pack("!BBHHH", 3, 4, 0, 0, 1200) + quote for quote in quotes)
        host.back(outer, source=ROUTER, proto=1, inside=inner)
    for seq in (1000, 1700):
        host.out(_segment(seq, 5000, DATA, b"x" * 700))
        host.back(_segment(5000, seq + 700, ACK, sport=WEB, dport=PORT))
    for number in range(8):
        host.out(_segment(2400 + 100 * number, 5000, DATA, b"y" * 100), lost=True, wait_ms=50)
        host.out(_segment(100, 0, SYN, sport=41_000 + number))
        host.back(_segment(300, 101, SYN | ACK, sport=WEB, dport=41_000 + number))
    return host


@pytest.mark.parametrize("frag_needed", [False, True])
def test_a_smaller_link_does_not_hide_losses(frag_needed: bool, tmp_path: Path) -> None:
    """Eight packets are lost inside the host, whatever a router said of another one before."""
    paths = _with_losses(frag_needed=frag_needed).write(tmp_path)
    findings = analyze(paths).findings
    done = CliRunner().invoke(main, ["analyze", *paths, "-n", "0", "--fail-on", "error"])

    assert [(f.check, f.severity) for f in findings][:1] == [("loss-inside-host", Severity.ERROR)]
    assert findings[0].detail.startswith("8 packets lost inside the host")
    assert ("mtu-exceeded" in {finding.check for finding in findings}) == frag_needed
    assert done.exit_code == 1


def test_a_segment_that_was_sent_again_has_no_long_way(tmp_path: Path) -> None:
    """Sent again after 300 ms and answered 10 ms after that: neither the way nor the server took 310 ms."""
    host = _Host()
    host.out(_segment(999, 0, SYN))
    host.back(_segment(4999, 1000, SYN | ACK, sport=WEB, dport=PORT))
    host.out(_segment(1000, 5000, ACK))
    request = _segment(1000, 5000, DATA, b"GET / HTTP/1.1")
    host.out(request)
    host.out(request, wait_ms=300)
    host.back(_segment(5000, 1014, DATA, b"HTTP/1.1 200 OK", sport=WEB, dport=PORT), wait_ms=10)
    host.out(_segment(1014, 5015, ACK))
    paths = host.write(tmp_path, snap=262_144)
    first = next(journey for journey in analyze(paths).journeys() if journey.sent_again_ns)
    text = CliRunner().invoke(main, ["analyze", *paths]).output

    assert first.sent_again_ns == 300 * MS
    assert first.reply_latency_ns == pytest.approx(310 * MS, abs=MS)
    assert "retransmitted after 300 ms, answered by J5 10.0 ms after that" in text


def test_a_bridges_own_reports_to_groups(tmp_path: Path) -> None:
    """MLD reports in a capture of all devices are for whoever listens, also without their MACs: not lost."""
    report = ipv6("fe80::1", "ff02::16", 58, struct.pack("!BBHHH", 143, 0, 0, 0, 0), hops=1)
    ping = ipv4(CLIENT, SERVER, 1, echo(8, 1, 1), ident=9)
    records: list[Record] = []
    for number in range(4):
        cooked = struct.pack("!HHIHBB8s", 0x86DD, 0, 5, 1, 4, 6, bytes.fromhex("0242a59721da0000"))
        records.append((T0 + number * MS, cooked + report))
        cooked = struct.pack("!HHIHBB8s", 0x0800, 0, 6, 1, 0, 6, bytes.fromhex("0242ac1100020000"))
        records.append((T0 + number * MS + 500, cooked + ping))
    path = write_pcap(tmp_path / "any.pcap", records, link_type=276)
    ends = {j.disposition for j in analyze([path]).journeys() if str(j.hops[0].dst) == "ff02::16"}

    assert ends == {Disposition.DELIVERED}
