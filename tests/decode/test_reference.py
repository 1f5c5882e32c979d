"""What decoding means, on literal bytes."""

from analyzer.decode.reference import decode_frame
from analyzer.read.records import Interface
from analyzer.schema import Layer

ETHERNET = [Interface(1, 0)][0]
SYN = bytes.fromhex(
    "0242a59721da0242ac1100020800"  # Ethernet: to the bridge, from 172.17.0.2's MAC, IPv4
    "4500003cb00b40004006ce8bac11000208080808"  # IPv4: 60 bytes, id 0xb00b, DF, ttl 64, TCP, 172.17.0.2 -> 8.8.8.8
    "bd0600507e55fa2100000000a002faf0000000000204 05b40402080a56391d23000000000103030a".replace(" ", "")
)


def test_tcp_syn() -> None:
    """Each field has the value that stands in the bytes."""
    row = decode_frame(SYN, len(SYN), ETHERNET).frame

    assert row["eth_src"] == 0x0242AC110002
    assert (row["src"], row["dst"]) == (0xAC110002, 0x08080808)
    assert (row["sport"], row["dport"], row["seq"], row["tcp_flags"]) == (48390, 80, 0x7E55FA21, 2)
    assert (row["tsval"], row["tsecr"], row["payload_len"], row["ip_id"]) == (0x56391D23, 0, 0, 0xB00B)
    assert row["layers"] == int(
        Layer.MAC_SRC | Layer.MAC_DST | Layer.ETH_TYPE | Layer.IPV4 | Layer.DONT_FRAGMENT | Layer.PORTS
        | Layer.TCP | Layer.TCP_TS | Layer.DIGEST
    )  # fmt: skip


def test_a_cut_header_says_where_and_what_was_needed() -> None:
    """An error names layer, offset, needed and found length."""
    one = decode_frame(SYN[:30], len(SYN), ETHERNET)

    assert one.stopped == "IPv4 header at byte 14: needed 20 bytes, found 16"
    assert one.frame["layers"] & Layer.CUT
    assert not one.frame["layers"] & Layer.IPV4


def test_a_header_that_contradicts_itself_is_malformed() -> None:
    """An IPv4 header length below 20 bytes cannot be."""
    wrong = bytearray(SYN)
    wrong[14] = 0x44
    one = decode_frame(bytes(wrong), len(wrong), ETHERNET)

    assert one.frame["layers"] & Layer.MALFORMED
    assert "IPv4" in one.stopped


def test_padding_is_no_payload() -> None:
    """Ethernet pads to 60 bytes; the IP length says what belongs to the packet."""
    padded = SYN[:14] + bytes.fromhex("4500001c000100004011000000000000000000000001000200080000") + bytes(18)

    assert decode_frame(padded, len(padded), ETHERNET).frame["payload_len"] == 0
