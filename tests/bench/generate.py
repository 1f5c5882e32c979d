"""Generates captures of three points of one Docker host, of any length, always the same for the same seed.

A container (172.17.0.2) talks to many servers over docker0 and the uplink, where MASQUERADE makes it 192.168.1.100 with
other ports. Frame *k* of each file is the same packet at all three points, except ARP, which the uplink has its own of.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzer.read.pcap import FILE_HEADER, NANOSECONDS
from analyzer.schema import Array, Bytes, Int64

POINTS = ("veth-c1", "docker0", "wlan0")
CONNECTIONS = 10_000
CONTAINER_MAC, BRIDGE_MAC = bytes.fromhex("0242ac110002"), bytes.fromhex("0242a59721da")
UPLINK_MAC, GATEWAY_MAC = bytes.fromhex("3c22fb102030"), bytes.fromhex("001daa010203")
CONTAINER, HOST = 0xAC11_0002, 0xC0A8_0164
START_NS = 1_790_000_000_000_000_000
SPACING_NS = 70_000
DELAYS_NS = (0, 20_000, 55_000)
"""From the container outwards; inwards the other way round."""
RECORD = 16
HEADERS = RECORD + 14 + 20 + 32
ARP_SIZE, PLAIN_HEADER, TCP_HEADER = 42, 42, 66
TCP, UDP, ICMP, ARP = 6, 17, 1, 0


@dataclass(frozen=True, slots=True)
class Traffic:
    """n packets, in order of time."""

    proto: Array
    connection: Int64
    reply: Array
    size: Int64
    """Of the frame, bytes."""
    seq: Array
    ack: Array
    number: Array
    """Counts the packets of a connection's direction; also the IP id and the echo sequence."""
    server: Array
    sport: Array
    dport: Array
    masqueraded: Array
    """Source port at the uplink."""


def make_traffic(count: int, seed: int) -> Traffic:
    """Invent *count* packets."""
    random = np.random.default_rng(seed)
    connection = random.zipf(1.2, count) % CONNECTIONS
    proto_of = random.choice([TCP, UDP, ICMP], CONNECTIONS, p=[0.75, 0.18, 0.07])
    proto = np.where(random.random(count) < 0.01, ARP, proto_of[connection])
    reply = random.random(count) < 0.5
    payload = random.choice([0, 0, 24, 200, 512, 1448, 1448], count)
    size = np.select(
        [proto == TCP, proto == ARP], [TCP_HEADER + payload, ARP_SIZE], PLAIN_HEADER + np.maximum(payload, 24)
    )
    flow = connection * 2 + reply
    payload = np.where(proto == TCP, payload, 0)
    seq = _running(flow, payload)
    other = _running_of_other(connection, reply, payload)
    start = random.integers(0, 1 << 32, CONNECTIONS * 2)
    return Traffic(
        proto=proto,
        connection=connection,
        reply=reply,
        size=size,
        seq=(start[flow] + seq) % (1 << 32),
        ack=(start[connection * 2 + ~reply] + other) % (1 << 32),
        number=_running(flow, np.ones(count, np.int64)),
        server=(0x0800_0000 + random.integers(1, 1 << 24, CONNECTIONS))[connection],
        sport=(20_000 + np.arange(CONNECTIONS) % 40_000)[connection],
        dport=random.choice([80, 443, 53, 8443], CONNECTIONS)[connection],
        masqueraded=np.where(np.arange(CONNECTIONS) % 3 == 0, 61_000 - np.arange(CONNECTIONS) % 40_000,
                             20_000 + np.arange(CONNECTIONS) % 40_000)[connection],
    )  # fmt: skip


def _running(flow: Int64, step: Int64) -> Int64:
    """Sum *step* over the earlier packets of the same flow."""
    order = np.argsort(flow, kind="stable")
    total = np.cumsum(step[order]) - step[order]
    begins = np.append(True, flow[order][1:] != flow[order][:-1])
    base = np.maximum.accumulate(np.where(begins, total, 0))
    result = np.empty_like(step)
    result[order] = total - base
    return result


def _running_of_other(connection: Int64, reply: Array, step: Int64) -> Int64:
    """Sum *step* over the earlier packets of the other direction."""
    forward = _running(connection, np.where(reply, 0, step))
    backward = _running(connection, np.where(reply, step, 0))
    return np.where(reply, forward, backward)


def write_captures(folder: Path, count: int, seed: int = 1) -> list[Path]:
    """Write one capture of *count* frames per point; return their paths."""
    traffic = make_traffic(count, seed)
    offset = FILE_HEADER + np.cumsum(traffic.size + RECORD) - (traffic.size + RECORD)
    total = FILE_HEADER + int((traffic.size + RECORD).sum())
    noise = np.random.default_rng(seed + 1).integers(0, 256, 1 << 20, np.uint8)
    # Payloads must be the same at every point: the bytes behind the headers are laid down once.
    data = np.resize(noise, total + HEADERS)
    data[:FILE_HEADER] = np.frombuffer(
        np.array([NANOSECONDS, 0x0004_0002, 0, 0, 262_144, 1], "<u4").tobytes(), np.uint8
    )
    paths = []
    for point, name in enumerate(POINTS):
        _write_headers(data, offset, traffic, point)
        paths.append(folder / f"{name}.pcap")
        data[:total].tofile(paths[-1])
    return paths


def _write_headers(data: Bytes, offset: Int64, traffic: Traffic, point: int) -> None:
    count = len(offset)
    outside = point == len(POINTS) - 1
    delay = np.where(traffic.reply, DELAYS_NS[-1 - point], DELAYS_NS[point])
    time_ns = START_NS + np.arange(count) * SPACING_NS + delay
    record = np.empty((count, 4), "<u4")
    record[:, 0], record[:, 1] = time_ns // 1_000_000_000, time_ns % 1_000_000_000
    record[:, 2] = record[:, 3] = traffic.size
    for proto, header in ((TCP, TCP_HEADER), (UDP, PLAIN_HEADER), (ICMP, PLAIN_HEADER), (ARP, ARP_SIZE)):
        chosen = np.flatnonzero(traffic.proto == proto)
        if not len(chosen):
            continue
        frame = np.zeros((len(chosen), header), np.uint8)
        near, far = (UPLINK_MAC, GATEWAY_MAC) if outside else (CONTAINER_MAC, BRIDGE_MAC)
        _put_macs(frame, traffic.reply[chosen], near, far)
        if proto == ARP:
            _put_arp(frame, near, HOST if outside else CONTAINER)
        else:
            _put_ip(frame, traffic, chosen, proto, outside)
        block = np.concatenate([record[chosen].view(np.uint8).reshape(len(chosen), RECORD), frame], axis=1)
        np.lib.stride_tricks.as_strided(data, (len(data) - block.shape[1] + 1, block.shape[1]), (1, 1))[
            offset[chosen]
        ] = block


def _put(frame: Bytes, at: int, value: Array, size: int) -> None:
    frame[:, at : at + size] = np.asarray(value).astype(f">u{size}").view(np.uint8).reshape(len(frame), size)


def _put_macs(frame: Bytes, reply: Array, near: bytes, far: bytes) -> None:
    there = np.frombuffer(far + near, np.uint8)
    back = np.frombuffer(near + far, np.uint8)
    frame[:, :12] = np.where(reply[:, None], back, there)


def _put_arp(frame: Bytes, mac: bytes, ip: int) -> None:
    frame[:] = np.frombuffer(
        b"\xff" * 6 + mac + bytes.fromhex("0806000108000604 0001".replace(" ", "")) + mac + ip.to_bytes(4, "big")
        + bytes(6) + ((ip & ~0xFF) | 1).to_bytes(4, "big"),
        np.uint8,
    )  # fmt: skip


def _put_ip(frame: Bytes, traffic: Traffic, chosen: Int64, proto: int, outside: bool) -> None:
    reply = traffic.reply[chosen]
    inner = np.full(len(chosen), HOST if outside else CONTAINER)
    server, port = traffic.server[chosen], traffic.masqueraded[chosen] if outside else traffic.sport[chosen]
    _put(frame, 12, np.full(len(chosen), 0x0800), 2)
    frame[:, 14] = 0x45
    _put(frame, 16, traffic.size[chosen] - 14, 2)
    _put(frame, 18, traffic.number[chosen] & 0xFFFF, 2)
    _put(frame, 20, np.full(len(chosen), 0x4000), 2)
    # One less where the host has routed it.
    frame[:, 22] = np.where(reply, 55 if outside else 54, 63 if outside else 64)
    frame[:, 23] = proto
    _put(frame, 26, np.where(reply, server, inner), 4)
    _put(frame, 30, np.where(reply, inner, server), 4)
    if proto == ICMP:
        frame[:, 34] = np.where(reply, 0, 8)
        _put(frame, 38, port, 2)
        _put(frame, 40, traffic.number[chosen] & 0xFFFF, 2)
        return
    dport = traffic.dport[chosen]
    _put(frame, 34, np.where(reply, dport, port), 2)
    _put(frame, 36, np.where(reply, port, dport), 2)
    if proto == UDP:
        _put(frame, 38, traffic.size[chosen] - 34, 2)
        return
    _put(frame, 38, traffic.seq[chosen], 4)
    _put(frame, 42, traffic.ack[chosen], 4)
    _put(frame, 46, np.full(len(chosen), 0x8018), 2)
    _put(frame, 48, np.full(len(chosen), 501), 2)
    _put(frame, 54, np.full(len(chosen), 0x0101080A), 4)
    _put(frame, 58, traffic.number[chosen], 4)
    _put(frame, 62, traffic.number[chosen] + 7, 4)
