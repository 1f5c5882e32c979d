"""Tuples, addresses and MACs as people read them, and a tuple's way back."""

from ipaddress import ip_address

import pytest

from analyzer.model import FlowTuple, address, endpoint, mac_text

INSIDE, OUTSIDE = ip_address("172.17.0.2"), ip_address("8.8.8.8")


def test_the_answer_swaps_addresses_and_ports() -> None:
    """What nothing translated; the answer's answer is the question."""
    question = FlowTuple("tcp", INSIDE, OUTSIDE, 40_000, 80)

    assert question.reversed() == FlowTuple("tcp", OUTSIDE, INSIDE, 80, 40_000)
    assert question.reversed().reversed() == question


@pytest.mark.parametrize(("kind", "answer"), [(8, 0), (0, 8), (128, 129), (129, 128), (13, 13), (None, None)])
def test_the_answer_to_a_request_is_a_reply_with_the_same_identifier(kind: int | None, answer: int | None) -> None:
    """Echo types stand for each other, in both versions; others stay, and so do code and identifier."""
    back = FlowTuple("icmp", INSIDE, OUTSIDE, icmp_type=kind, icmp_code=0, icmp_id=7).reversed()

    assert (back.icmp_type, back.icmp_code, back.icmp_id) == (answer, 0, 7)
    assert (back.src, back.dst) == (OUTSIDE, INSIDE)


@pytest.mark.parametrize(
    ("flow", "text"),
    [
        (FlowTuple("tcp", INSIDE, OUTSIDE, 0, 80), "172.17.0.2:0 → 8.8.8.8:80"),
        (FlowTuple("icmp", INSIDE, OUTSIDE, icmp_type=8, icmp_id=0), "172.17.0.2 → 8.8.8.8 id 0"),
        (FlowTuple("gre", INSIDE, OUTSIDE), "172.17.0.2 → 8.8.8.8"),
        (FlowTuple("tcp", INSIDE, OUTSIDE, 40_000), "172.17.0.2 → 8.8.8.8"),
        (FlowTuple("udp", ip_address("fd00::2"), ip_address("2001:db8::1"), 5, 53), "[fd00::2]:5 → [2001:db8::1]:53"),
    ],
)
def test_a_tuple_is_read_from_source_to_destination(flow: FlowTuple, text: str) -> None:
    """With ports if both are known, else with an identifier if there is one; 0 is a number like others."""
    assert str(flow) == text


def test_an_endpoint_says_what_is_known() -> None:
    """Brackets keep the port of an IPv6 address apart; without a port there are none."""
    six = ip_address("fe80::1")

    assert [endpoint(OUTSIDE, 53), endpoint(OUTSIDE, None), endpoint(OUTSIDE, 0)] == [
        "8.8.8.8:53",
        "8.8.8.8",
        "8.8.8.8:0",
    ]
    assert [endpoint(six, 53), endpoint(six, None), endpoint(None, 53)] == ["[fe80::1]:53", "fe80::1", "?"]


def test_integers_of_tables_become_addresses_and_macs() -> None:
    """The high half is of IPv6 alone; a MAC has all its zeros, the first octet first."""
    six = int(ip_address("2001:db8::1"))

    assert address(4, 0, int(OUTSIDE)) == OUTSIDE
    assert address(6, six >> 64, six & (1 << 64) - 1) == ip_address("2001:db8::1")
    assert address(6, 0, 1) == ip_address("::1")
    assert [mac_text(mac) for mac in (0x0242_AC11_0004, 0)] == ["02:42:ac:11:00:04", "00:00:00:00:00:00"]
