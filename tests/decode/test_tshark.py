"""The samples' fields are what the real tshark says."""

import subprocess
from ipaddress import IPv6Address, ip_address
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.decode.dissect import dissect
from analyzer.model import mac_text
from analyzer.schema import Layer

SAMPLES = sorted(Path(__file__).parents[2].glob("sample_pcaps/*/*.pcap"))
pytestmark = pytest.mark.tshark
FIELDS = (
    "frame.number", "frame.time_epoch", "frame.len", "eth.src", "eth.dst", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst",
    "ip.ttl", "ipv6.hlim", "ip.id", "tcp.srcport", "udp.srcport", "tcp.dstport", "udp.dstport", "tcp.seq_raw",
    "tcp.ack_raw", "tcp.flags", "tcp.len", "tcp.options.timestamp.tsval", "icmp.type", "icmp.ident", "icmp.seq",
    "arp.src.proto_ipv4",
)  # fmt: skip


@pytest.mark.parametrize(
    "path", [p for p in SAMPLES if p.stat().st_size > 24], ids=lambda p: f"{p.parent.name}/{p.name}"
)
def test_fields(path: Path) -> None:
    """Frame by frame, on every sample; a first fragment's ports tshark tells only with the whole datagram."""
    command = ["tshark", "-r", str(path), "-o", "ip.defragment:FALSE", "-T", "fields", "-E", "occurrence=f"]
    for field in FIELDS:
        command += ["-e", field]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    frames = analyze([path]).frames
    rows = [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in text.splitlines()]

    assert len(rows) == len(frames)
    for said, row in zip(rows, frames.to_dict("records"), strict=True):
        layers = row["layers"]
        assert said["frame.number"] == str(row["frame"])
        assert int(said["frame.time_epoch"].replace(".", "")) == row["time_ns"]
        if layers & Layer.MAC_DST:
            assert (said["eth.src"], said["eth.dst"]) == (mac_text(row["eth_src"]), mac_text(row["eth_dst"]))
        if layers & Layer.IPV4:
            assert (said["ip.src"], said["ip.dst"]) == tuple(str(ip_address(row[n])) for n in ("src", "dst"))
            assert (int(said["ip.ttl"]), int(said["ip.id"], 16)) == (row["ttl"], row["ip_id"])
        if layers & Layer.IPV6:
            both = [IPv6Address(row[f"{n}_hi"] << 64 | row[n]).exploded for n in ("src", "dst")]
            assert [ip_address(said["ipv6.src"]).exploded, ip_address(said["ipv6.dst"]).exploded] == both
        if layers & (Layer.TCP | Layer.UDP) and said[f"{'tcp' if layers & Layer.TCP else 'udp'}.srcport"]:
            kind = "tcp" if layers & Layer.TCP else "udp"
            ports = (int(said[f"{kind}.srcport"]), int(said[f"{kind}.dstport"]))
            assert ports == (row["sport"], row["dport"])
        if layers & Layer.TCP:
            numbers = (int(said["tcp.seq_raw"]), int(said["tcp.ack_raw"]), int(said["tcp.flags"], 16))
            assert numbers == (row["seq"], row["ack"], row["tcp_flags"])
            assert int(said["tcp.len"]) == row["payload_len"]
            assert int(said["tcp.options.timestamp.tsval"] or 0) == row["tsval"]
        if layers & Layer.ECHO and layers & Layer.IPV4 and said["icmp.ident"]:
            assert (int(said["icmp.ident"]), int(said["icmp.seq"])) == (row["icmp_id"], row["icmp_seq"])
        if layers & Layer.ARP:
            assert said["arp.src.proto_ipv4"] == str(ip_address(row["src"]))


def test_dissect_gives_the_chosen_frames_in_full() -> None:
    """pyshark is asked for a few frames only, and tells their layers."""
    path = next(p for p in SAMPLES if p.parent.name == "seed" and p.name == "wlan0.pcap")
    found = list(dissect(str(path), [3, 1]))

    assert [number for number, _ in found] == [1, 3]
    assert any("Protocol: ICMP" in line for line in found[1][1])
