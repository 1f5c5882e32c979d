"""Identities: what tells packets apart wherever they are seen, and what a Docker host rewrites."""

import numpy as np
import pytest

from analyzer.link.identity import identify
from analyzer.schema import FRAMES, NEIGHBOURS, QUOTES, Layer
from tests.packet.tables import ARP, ECHO, ERROR, ETHERNET, TCP, UDP, Frame, table

NEVER = 10_000
"""No point cut anything off."""
NDP = ETHERNET | Layer.IPV6 | Layer.ICMP | Layer.NEIGHBOUR


def _six(layers: int) -> int:
    return layers & ~Layer.IPV4 | Layer.IPV6


KINDS: dict[str, Frame] = {
    "tcp": {"layers": TCP | Layer.TCP_TS | Layer.DIGEST, "proto": 6, "ip_len": 62, "payload_len": 10},
    "udp": {"layers": UDP | Layer.DIGEST, "proto": 17, "ip_len": 38, "payload_len": 10},
    "echo": {"layers": ECHO | Layer.DIGEST, "proto": 1, "ip_len": 38, "payload_len": 10},
    "gre": {"layers": ETHERNET | Layer.IPV4 | Layer.TAG, "proto": 47, "ip_len": 38, "payload_len": 10},
    "part": {"layers": ETHERNET | Layer.IPV4 | Layer.FRAGMENT | Layer.DIGEST, "proto": 17, "ip_len": 30,
             "payload_len": 10, "frag_offset": 1480},
    "error": {"layers": ERROR | Layer.DIGEST, "proto": 1, "icmp_type": 3, "ip_len": 56, "payload_len": 28},
    "no ports": {"layers": ETHERNET | Layer.IPV4, "proto": 17, "ip_len": 24, "payload_len": 4},
    "lldp": {"layers": ETHERNET | Layer.DIGEST, "eth_type": 0x88CC, "payload_len": 40},
}  # fmt: skip


def _identity(frame: Frame, keep: int = NEVER, quote: Frame | None = None, message: Frame | None = None) -> int:
    """Identify the second of two frames."""
    frames = table(FRAMES, [{"proto": 99, "ip_id": 5}, frame])
    quotes = table(QUOTES, [{"row": 1, **quote}] if quote is not None else [])
    neighbours = table(NEIGHBOURS, [{"row": 1, **message}] if message is not None else [])
    return int(identify(frames, quotes, neighbours, keep)[1])


REWRITTEN = ("eth_src", "eth_dst", "vlan", "ttl", "tos", "sport", "dport", "window", "icmp_id", "direction", "orig_len")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "lldp"])
@pytest.mark.parametrize("name", REWRITTEN)
def test_what_a_host_rewrites_is_left_out(kind: str, name: str) -> None:
    """MACs, TTL, ports, and what else differs between two points."""
    assert _identity(KINDS[kind] | {name: 3}) == _identity(KINDS[kind])


@pytest.mark.parametrize(
    ("kind", "taken"),
    [
        ("tcp", "ip_id ip_len proto seq ack tsval tsecr tcp_flags"),
        ("udp", "ip_id ip_len proto digest"),
        ("echo", "ip_id ip_len proto digest icmp_type icmp_code icmp_seq"),
        ("gre", "ip_id ip_len proto seq ack"),
        ("part", "ip_id ip_len proto digest frag_offset"),
        ("error", "ip_id ip_len proto icmp_type icmp_code"),
        ("no ports", "ip_id ip_len proto src src_hi dst dst_hi"),
        ("lldp", "digest payload_len eth_src eth_dst eth_type vlan"),
    ],
)
def test_what_tells_packets_apart_is_taken_in(kind: str, taken: str) -> None:
    """Numbers, lengths, payload; addresses only where nothing else does. No two changes make the same."""
    frame, plain = KINDS[kind], _identity(KINDS[kind])
    values = {name: 11 if name == "proto" else frame.get(name, 0) + 7 for name in taken.split()}
    changed = {name: _identity(frame | {name: value}) for name, value in values.items()}

    assert len({plain, *changed.values()}) == len(changed) + 1


@pytest.mark.parametrize(
    "name", ["tsval", "tsecr", "tcp_flags", "icmp_type", "icmp_code", "icmp_seq", "src", "dst", "eth_type"]
)
@pytest.mark.parametrize("kind", ["udp", "part"])
def test_what_a_packet_does_not_have_is_left_out(kind: str, name: str) -> None:
    """A value means something only where its layer was decoded."""
    assert _identity(KINDS[kind] | {name: 3}) == _identity(KINDS[kind])


@pytest.mark.parametrize(
    ("kind", "same"),
    [("tcp", True), ("udp", True), ("echo", True), ("part", True), ("error", True), ("no ports", False)],
)
def test_addresses_count_where_nothing_else_tells(kind: str, same: bool) -> None:
    """NAT rewrites them; what has no ports decoded has nothing else."""
    assert (_identity(KINDS[kind] | {"src": 9}) == _identity(KINDS[kind])) == same


def test_a_protocol_without_ports_has_no_addresses_in_it() -> None:
    """Its tuple is the addresses, which NAT rewrites."""
    assert _identity(KINDS["gre"] | {"src": 9, "dst": 8}) == _identity(KINDS["gre"])


@pytest.mark.parametrize("bit", [Layer.MORE_FRAGMENTS, Layer.IPV6])
def test_bits_that_tell_packets_apart(bit: int) -> None:
    """A datagram's last fragment is another one, and so is one of the other version."""
    frame = KINDS["part"]

    assert _identity(frame | {"layers": frame["layers"] | bit}) != _identity(frame)


def test_an_ipv6_identification_may_be_another_one_behind_a_host() -> None:
    """One that puts fragments together gives the datagram a new one."""
    frame = KINDS["part"] | {"layers": _six(KINDS["part"]["layers"])}

    assert _identity(frame | {"ip_id": 9}) == _identity(frame)


@pytest.mark.parametrize(
    ("kind", "names", "least"),
    [
        ("tcp", "seq", 28),
        ("tcp", "ack tcp_flags", 40),
        ("tcp", "tsval tsecr", 52),
        ("gre", "seq ack", 28),
        ("echo", "icmp_type icmp_code icmp_seq", 28),
        ("udp", "digest", 28),
        ("echo", "digest", 28),
    ],
)
@pytest.mark.parametrize("version", [4, 6])
def test_what_a_header_says_counts_if_no_point_cut_it_off(kind: str, names: str, least: int, version: int) -> None:
    """Else two sightings of one packet would differ by how much was kept."""
    frame = dict(KINDS[kind])
    if version == 6:
        frame |= {"layers": _six(frame["layers"]), "ip_len": frame["ip_len"] + 20}
        least += 20
    for name in names.split():
        counts = [_identity(frame | {name: 9}, keep) != _identity(frame, keep) for keep in (least - 1, least)]
        assert counts == [False, True], name


@pytest.mark.parametrize("kind", ["tcp", "error"])
def test_payloads_that_nat_rewrites_are_left_out(kind: str) -> None:
    """TCP has its numbers; an error begins with the packet that it quotes."""
    assert _identity(KINDS[kind] | {"digest": 9}) == _identity(KINDS[kind])


def test_later_fragments_of_tcp_are_told_by_their_payload() -> None:
    """They have no numbers."""
    frame = KINDS["part"] | {"proto": 6}

    assert _identity(frame | {"digest": 9}) != _identity(frame)
    assert _identity(frame | {"digest": 9}, 20) != _identity(frame, 20)


def test_a_payload_without_a_digest_is_unknown() -> None:
    """A frame that was cut too short has none."""
    frame = KINDS["udp"] | {"layers": UDP}

    assert _identity(frame | {"digest": 9}) == _identity(frame)


@pytest.mark.parametrize(
    ("version", "kind", "error"), [(4, 3, True), (4, 8, False), (4, 1, False), (6, 1, True), (6, 128, False)]
)
def test_which_icmp_messages_are_errors(version: int, kind: int, error: bool) -> None:
    """Of each version its own."""
    layers = KINDS["error"]["layers"] & ~Layer.QUOTE
    frame = KINDS["error"] | {"icmp_type": kind, "layers": layers if version == 4 else _six(layers)}

    assert (_identity(frame | {"digest": 9}) == _identity(frame)) == error


QUOTE = {"layers": UDP, "proto": 17, "ip_id": 9, "ip_len": 40}


@pytest.mark.parametrize("name", ["proto", "ip_id", "ip_len", "mtu", "seq", "icmp_seq"])
@pytest.mark.parametrize(("layers", "least"), [(UDP, 56), (_six(UDP), 96)], ids=["ipv4", "ipv6"])
def test_what_an_error_quotes_is_taken_in(name: str, layers: int, least: int) -> None:
    """As of the packet itself, if every point kept that much."""
    one, other = QUOTE | {"layers": layers}, QUOTE | {"layers": layers, name: 6}
    counts = [
        _identity(KINDS["error"], keep, quote=one) != _identity(KINDS["error"], keep, quote=other)
        for keep in (least - 1, least, NEVER)
    ]

    assert counts == [False, True, True]


@pytest.mark.parametrize("name", ["src", "dst", "sport", "dport", "icmp_id", "ttl"])
def test_what_nat_rewrites_in_a_quote_is_left_out(name: str) -> None:
    """It translates the quoted packet, too."""
    assert _identity(KINDS["error"], quote=QUOTE | {name: 9}) == _identity(KINDS["error"], quote=QUOTE)


@pytest.mark.parametrize("name", ["op", "asked_hi", "asked", "mac", "to_mac", "peer_hi", "peer"])
@pytest.mark.parametrize(("layers", "least"), [(ARP, 28), (NDP, 72)], ids=["arp", "ndp"])
def test_a_neighbours_message_is_taken_in(name: str, layers: int, least: int) -> None:
    """All of it, if every point kept it; its addresses always."""
    frame, message = {"layers": layers, "proto": 58 if layers == NDP else 0}, {"op": 1, "asked": 4, "peer": 5}
    counts = [
        _identity(frame, keep, message=message) != _identity(frame, keep, message=message | {name: 2})
        for keep in (least - 1, least)
    ]

    assert counts == [False, True]
    assert _identity(frame, 0, message=message) != _identity(frame | {"src": 1}, 0, message=message)


def test_identities_do_not_depend_on_what_else_there_is() -> None:
    """Each frame has its own."""
    frames = table(FRAMES, [*KINDS.values()])
    together = identify(frames, table(QUOTES, []), table(NEIGHBOURS, []), NEVER)

    assert together.tolist() == [_identity(frame) for frame in KINDS.values()]
    assert len(np.unique(together)) == len(KINDS)
