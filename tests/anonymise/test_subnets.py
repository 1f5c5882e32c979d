"""The subnets and ranges that dumps name."""

from ipaddress import ip_address, ip_network

import pytest

from analyzer.anonymise.subnets import named_in, networks_in, ranges_in


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[{"dst":"172.17.0.0/16","dev":"docker0"}]', {"172.17.0.0/16"}),
        ('[{"family":"inet","local":"10.1.2.3","prefixlen":20,"broadcast":"10.1.15.255"}]', {"10.1.0.0/20"}),
        ('{"prefix": {"addr": "fd00:1::", "len": 48}}', {"fd00:1::/48"}),
        ("-A POSTROUTING -s 10.0.0.0/255.255.252.0 -j MASQUERADE", {"10.0.0.0/22"}),
        ('"Subnet": "fd12::/64"', {"fd12::/64"}),
        ("1.2.3.4/99 300.1.1.1/8 a/b 10/8", set()),
    ],
)  # fmt: skip
def test_networks(text: str, named: set[str]) -> None:
    """As iproute2, nftables, iptables and Docker write them."""
    assert networks_in(text) == {ip_network(one) for one in named}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("--to-source 192.0.2.7-192.0.2.9 --random", ("192.0.2.7", "192.0.2.9")),
        ("add blocked 10.0.0.5-10.0.0.20", ("10.0.0.5", "10.0.0.20")),
        ('{"range": ["fd00::5", "fd00::9"]}', ("fd00::5", "fd00::9")),
        ("9.9.9.9-fd00::1", None),
        ("999.1.1.1-2.2.2.2", None),
    ],
)
def test_ranges(text: str, named: tuple[str, str] | None) -> None:
    """As iptables, ipset and nftables write them."""
    assert ranges_in(text) == ({(ip_address(named[0]), ip_address(named[1]))} if named else set())


def test_all_dumps_together() -> None:
    """Whatever named them."""
    networks, ranges = named_in(["10.0.0.0/8", "10.0.0.1-10.0.0.2", "192.0.2.0/24"])

    assert networks == {ip_network("10.0.0.0/8"), ip_network("192.0.2.0/24")}
    assert len(ranges) == 1
