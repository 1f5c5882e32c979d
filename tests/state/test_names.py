"""Numbers behind the names that rules use, by the rules that the names themselves follow."""

import socket

import dpkt
import pytest

from analyzer.decode import offsets as o
from analyzer.state.rules import names
from analyzer.state.rules.names import protocol_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("tcp", 6), ("TCP", 6), ("17", 17), ("0", 0), ("255", 255), ("256", None), ("-1", None), ("٦", None),
        ("all", None), ("", None), ("ipv6-icmp", 58), ("icmpv6", 58), ("ax.25", 93),
    ],
)  # fmt: skip
def test_a_protocol_is_given_by_name_or_number(text: str, number: int | None) -> None:
    """Capitals do not matter; what is no protocol is none."""
    assert protocol_number(text) == number


def test_protocols_are_those_of_the_system() -> None:
    """Wherever Python knows the same name."""
    known = {name: getattr(socket, f"IPPROTO_{name.upper()}", None) for name in names.PROTOCOLS}
    # What Linux calls IPPROTO_IPIP is 4, which /etc/protocols calls ipencap, and 94 there is another protocol.
    common = {name: number for name, number in known.items() if number is not None and name != "ipip"}

    assert {"tcp", "udp", "icmp", "gre", "esp", "ah", "sctp"} <= set(common)
    assert common == {name: names.PROTOCOLS[name] for name in common}


def test_protocols_with_ports_are_those_that_are_decoded_with_ports() -> None:
    """Rules and captures agree about them."""
    named = {names.PROTOCOLS[name] for name in ("tcp", "udp", "dccp", "sctp", "udplite")}

    assert named == names.WITH_PORTS
    assert named == {o.PROTO_TCP, o.PROTO_UDP, o.PROTO_DCCP, o.PROTO_SCTP, o.PROTO_UDPLITE}


def test_classes_of_service_follow_their_rule() -> None:
    """Selector n is 8n (RFC 2474), assured forwarding n with drop precedence m is 8n + 2m (RFC 2597)."""
    for name, value in names.DSCP.items():
        if name.startswith("cs"):
            assert value == 8 * int(name[2:])
        if name.startswith("af"):
            assert value == 8 * int(name[2]) + 2 * int(name[3])
    assert sum(name.startswith("af") for name in names.DSCP) == 12
    assert (names.DSCP["ef"], names.DSCP["be"], names.DSCP["va"]) == (46, 0, 44)


def test_tcp_flags_are_bits_of_the_header() -> None:
    """Both tools' names for the same ones; ALL are the six of iptables."""
    header = {
        name: getattr(dpkt.tcp, f"TH_{ {'psh': 'PUSH', 'ecn': 'ECE'}.get(name, name.upper()) }")
        for name in names.TCP_FLAGS
    }
    six = {name.upper(): bit for name, bit in header.items() if bit < 64}

    assert header == names.TCP_FLAGS
    assert six == {name: bit for name, bit in names.XT_TCP_FLAGS.items() if name not in ("ALL", "NONE")}
    assert names.XT_TCP_FLAGS["ALL"] == sum(six.values())


@pytest.mark.parametrize(
    ("iptables", "nft"), [(names.XT_ICMP, names.NFT_ICMP), (names.XT_ICMP6, names.NFT_ICMP6)], ids=["ICMP", "ICMPv6"]
)
def test_both_tools_mean_the_same_type_by_a_name(
    iptables: dict[str, tuple[int, int | None]], nft: dict[str, int]
) -> None:
    """A name of a type has no code."""
    common = set(iptables) & set(nft)

    assert len(common) > 5
    assert {name: iptables[name] for name in common} == {name: (nft[name], None) for name in common}


def test_codes_belong_to_their_types() -> None:
    """What iptables calls unreachable, prohibited or unknown is a code of that type alone, each another one."""
    for types, codes, kind in ((names.XT_ICMP, names.NFT_ICMP_CODES, 3), (names.XT_ICMP6, names.NFT_ICMP6_CODES, 1)):
        of_kind = [code for number, code in types.values() if number == kind and code is not None]
        assert len(of_kind) == len(set(of_kind))
        assert set(codes.values()) <= set(of_kind)
    assert names.XT_ICMP["fragmentation-needed"] == (o.ICMP_UNREACHABLE, o.ICMP_FRAGMENTATION_NEEDED)
    assert names.XT_ICMP6["packet-too-big"] == (o.ICMP6_TOO_BIG, None)
    assert names.XT_ICMP["port-unreachable"][1] == names.NFT_ICMP_CODES["port-unreachable"] == 3
    assert names.XT_ICMP6["port-unreachable"][1] == names.NFT_ICMP6_CODES["port-unreachable"] == 4
