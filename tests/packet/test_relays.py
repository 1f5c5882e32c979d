"""docker-proxy: two connections, joined by the bytes that they carry."""

from collections import defaultdict
from pathlib import Path

import dpkt

from analyzer import analyze
from analyzer.model import ProxyStep
from analyzer.run import Trace

PROXY = Path(__file__).parents[2] / "sample_pcaps" / "docker-proxy"
Ends = tuple[bytes, int, bytes, int]


def _contents(folder: Path) -> dict[Ends, bytes]:
    """Put together what each direction of each connection carried, all of it."""
    parts: dict[Ends, dict[int, bytes]] = defaultdict(dict)
    for path in sorted(folder.glob("*.pcap")):
        with path.open("rb") as stream:
            for _, data in dpkt.pcap.Reader(stream):
                ip = dpkt.ethernet.Ethernet(data).data
                tcp = ip.data if isinstance(ip, dpkt.ip.IP | dpkt.ip6.IP6) else None
                if isinstance(tcp, dpkt.tcp.TCP) and tcp.data:
                    parts[ip.src, tcp.sport, ip.dst, tcp.dport][tcp.seq] = bytes(tcp.data)
    return {ends: b"".join(found[seq] for seq in sorted(found)) for ends, found in parts.items()}


def _truth() -> set[tuple[int, int]]:
    """Return the clients' ports, at the relay and at the server, of connections that carried the same."""
    by_content = defaultdict(list)
    for ends, content in _contents(PROXY).items():
        if ends[3] in (8080, 80):
            by_content[content].append((ends[3], ends[1]))
    return {(dict(found)[8080], dict(found)[80]) for found in by_content.values()}


def _found(trace: Trace) -> set[tuple[int, int]]:
    connections = [trace.connection(number) for number in range(len(trace.connections))]
    for connection in connections:
        if connection.relayed_to is not None:
            assert connections[connection.relayed_to].relayed_from == connection.id
    return {
        (c.original.sport or 0, connections[c.relayed_to].original.sport or 0)
        for c in connections
        if c.relayed_to is not None
    }


def test_every_relay_is_found() -> None:
    """By 127.0.0.1 over lo, from a container to the host's own address, and from outside over IPv6."""
    trace = analyze([PROXY])

    assert len(_truth()) == 6
    assert _found(trace) == _truth()
    assert not trace.connections["ambiguous"].any()


def test_bytes_go_on_in_the_other_connection() -> None:
    """A packet with data that reaches the relay says where its bytes go; one without says nothing."""
    trace = analyze([PROXY])
    front = next(c for c in map(trace.connection, range(12)) if c.relayed_to is not None)
    journeys = [j for j in trace.journeys() if j.connection == front.id and j.direction == "original"]
    proxied = {j.summary: [s.connection for s in j.steps if isinstance(s, ProxyStep)] for j in journeys}

    assert proxied["TCP PSH,ACK 500 bytes"] == [front.relayed_to]
    assert proxied["TCP SYN"] == []


def test_nothing_is_relayed_elsewhere() -> None:
    """No sample without docker-proxy has a relay, hairpins least of all."""
    for folder in sorted(PROXY.parent.iterdir()):
        if folder.is_dir() and folder.name not in (PROXY.name, "bundle"):
            assert (analyze([folder]).connections["relayed_to"] == -1).all(), folder.name
