"""What rules say of IPv6, against the kernel: every ICMPv6 type by each name, hop limits and lengths."""

import re
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from analyzer.model import HostState
from analyzer.model.question import ABSENT
from analyzer.model.rules import Table
from analyzer.state.path import Path
from analyzer.state.rules.iptables import parse_tables
from analyzer.state.rules.names import ICMP6, NFT_ICMP6, NFT_ICMP6_CODES, XT_ICMP6
from analyzer.state.rules.nft import parse_native
from analyzer.state.rules.packet import Packet
from tests.lab.commands import inside, run

pytestmark = pytest.mark.live
SPACE, SELF = "ht-nf-6", ip_address("::1")
SIZES = (8, 48, 1200)
SEND = """
import socket, struct
for size in (8, 48, 1200):
    for kind in range(256):
        for code in range(8):
            out = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
            out.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 1 + kind % 255)
            out.sendto(struct.pack("!BBHI", kind, code, 0, 0).ljust(size, b"."), ("::1", 0))
            out.close()
"""
PACKETS = [
    Packet(ICMP6, SELF, SELF, icmp_type=kind, icmp_code=code, length=40 + size, ttl=1 + kind % 255, iif=ABSENT)
    for size in SIZES for kind in range(256) for code in range(8)
]  # fmt: skip


@pytest.fixture
def space() -> Iterator[str]:
    """A namespace that answers nothing."""
    run("ip", "netns", "add", SPACE)
    try:
        run(*inside(SPACE, "ip", "link", "set", "lo", "up"))
        run(*inside(SPACE, "ip6tables", "-A", "INPUT", "-j", "DROP"))
        yield SPACE
    finally:
        run("ip", "netns", "del", SPACE)


def _expected(tables: list[Table]) -> Counter[str]:
    """Count the packets that each rule on the way out matches."""
    path = Path(HostState(tables=tuple(tables)))
    matched = (rule for packet in PACKETS for rule in path.sent(packet).matched)
    return Counter(rule.text for rule in matched if rule.chain != "INPUT")


def test_ip6tables(space: str) -> None:
    """Each name that ip6tables knows for a type or code; hl and length."""
    matches = [f"-p ipv6-icmp -m icmp6 --icmpv6-type {name}" for name in (*XT_ICMP6, "141", "1/5", "128/0")]
    matches += ["-m hl --hl-lt 40", "-m hl --hl-gt 200", "-m hl --hl-eq 64", "-m length --length 48:90"]
    matches += ["-p ipv6-icmp", "-p tcp", "-m length ! --length 48"]
    for match in matches:
        run(*inside(space, "ip6tables", "-A", "OUTPUT", *match.split()))
    saved = run(*inside(space, "ip6tables-save")).splitlines()
    expected = _expected(parse_tables(saved, 6))
    run(*inside(space, "python3", "-c", SEND))
    told = re.findall(r"^\[(\d+):\d+\] (-A OUTPUT .*)$", run(*inside(space, "ip6tables-save", "-c")), re.MULTILINE)

    counted = Counter[str]()
    for count, text in told:  # some names are of one number
        counted[text] += int(count)

    assert len(told) == len(matches)
    assert +counted == expected


def test_rules_of_nftables_own(space: str) -> None:
    """The same names are other numbers than in ICMPv4; ip6 length leaves the header out."""
    matches = [f"icmpv6 type {name}" for name in NFT_ICMP6] + [f"icmpv6 code {name}" for name in NFT_ICMP6_CODES]
    matches += ["icmpv6 type != echo-request", "icmpv6 type { echo-request, packet-too-big }", "icmp type echo-request"]
    matches += ["ip6 hoplimit < 40", "ip6 length 48", "meta l4proto ipv6-icmp", "ip6 nexthdr 58", "meta length 88"]
    run(*inside(space, "nft", "add table inet six"))
    run(*inside(space, "nft", "add chain inet six out { type filter hook output priority 0; }"))
    for match in matches:
        run(*inside(space, "nft", f"add rule inet six out {match} counter"))
    before = parse_native(run(*inside(space, "nft", "-j", "list", "ruleset")))
    expected = _expected(before)
    run(*inside(space, "python3", "-c", SEND))
    after = parse_native(run(*inside(space, "nft", "-j", "list", "ruleset")))
    rules = [rule for table in after for rule in table.rules()]
    counted = Counter[str]()
    for rule in rules:
        counted[rule.text] += rule.packets or 0

    assert len(rules) == len(matches)
    assert +counted == expected
