"""WireGuard's peers, and IPsec's policies and keys, as their programs print them."""

from ipaddress import ip_address, ip_network

import pytest

from analyzer.model import IpsecPolicy, IpsecState
from analyzer.state.vpn import parse_peers, parse_policies, parse_states

WG = """interface: wg0
  public key: QS9E=
  private key: (hidden)
  listening port: 51820
  fwmark: 0xca6c

peer: one=
  preshared key: (hidden)
  endpoint: 192.168.1.1:51820
  allowed ips: 10.77.0.0/24, fd00::/64
  latest handshake: 1 day, 2 hours, 3 minutes, 4 seconds ago
  transfer: 0 B received, 296 B sent
  persistent keepalive: every 25 seconds

peer: two=
  endpoint: [fe80::1%eth0]:4500
  allowed ips: 10.78.0.0/24
  latest handshake: Now

interface: wg1
  listening port: 1

peer: three=
  allowed ips: (none)
"""
POLICIES = """src 10.0.0.0/8 dst 203.0.113.0/24 proto tcp dport 80 uid 0
\tdir out action block index 9 priority 100 ptype main share any flag  (0x00000000)
\tlifetime config:
\t  limit: soft (INF)(bytes), hard (INF)(bytes)
src 0.0.0.0/0 dst 203.0.113.0/24 uid 0
\tdir out action allow index 1 priority 7 ptype main share any flag  (0x00000000)
\ttmpl src 192.168.1.100 dst 100.64.0.2
\t\tproto esp spi 0x00000000(0) reqid 0(0x00000000) mode tunnel
\t\tlevel required share any
src ::/0 dst ::/0 uid 0
\tsocket out action allow index 3 priority 0 ptype main share any flag  (0x00000000)
"""
SHORT = """src 10.1.0.0/16 dst 10.2.0.0/16
\tdir fwd priority 3
\tmark 0x5/0xffffffff
\ttmpl src 1.1.1.1 dst 2.2.2.2
\t\tproto comp reqid 1 mode tunnel
\t\tlevel use
\ttmpl src 0.0.0.0 dst 0.0.0.0
\t\tproto esp reqid 1 mode transport
"""
STATES = """src 10.1.1.1 dst 10.1.1.2
\tproto esp spi 0x00000001(1) reqid 0(0x00000000) mode tunnel
\treplay-window 0 seq 0x00000000 flag  (0x00000000)
src 10.1.1.2 dst 10.1.1.3
\tproto esp spi 0x00000000 reqid 0 mode tunnel
src 10.1.1.3 dst nonsense
\tproto ah spi 0x7 reqid 0 mode tunnel
"""


def test_peers_of_all_interfaces() -> None:
    """What a peer has no line for it has not; an address' zone says nothing of whose it is."""
    one, two, three = parse_peers(WG.splitlines())

    assert (one.dev, one.key, one.endpoint) == ("wg0", "one=", (ip_address("192.168.1.1"), 51820))
    assert one.allowed == (ip_network("10.77.0.0/24"), ip_network("fd00::/64"))
    assert (one.handshake_s, two.handshake_s, three.handshake_s) == (93_784, 0, None)
    assert two.endpoint == (ip_address("fe80::1"), 4500)
    assert (three.dev, three.endpoint, three.allowed) == ("wg1", None, ())
    assert [peer.silent for peer in (one, two, three)] == [True, False, True]


@pytest.mark.parametrize("text", ["", "nonsense", "peer: x", "interface: w\npeer: x\n allowed ips: y\n"])
def test_what_is_no_listing_has_no_peers(text: str) -> None:
    """A peer belongs to an interface, and its addresses are addresses."""
    assert parse_peers(text.splitlines()) == ()


def test_policies_in_the_order_in_which_they_count() -> None:
    """Those of single sockets are left out; what asks for more than addresses is not whole."""
    tunnel, block = parse_policies(POLICIES.splitlines())

    assert tunnel == IpsecPolicy(
        "out", ip_network("0.0.0.0/0"), ip_network("203.0.113.0/24"), False, (("esp", ip_address("100.64.0.2")),), 7,
        True, "src 0.0.0.0/0 dst 203.0.113.0/24 dir out",
    )  # fmt: skip
    assert (block.blocks, block.wants, block.whole, block.priority) == (True, (), False, 100)


def test_what_a_policy_only_uses_it_does_not_want() -> None:
    """Compression is used where there is a state for it; transport mode's far end is whoever the packet is for."""
    (policy,) = parse_policies(SHORT.splitlines())

    assert (policy.direction, policy.wants, policy.whole) == ("fwd", (("esp", None),), False)


def test_only_states_with_keys_are_some() -> None:
    """The kernel lists those that it waits for as well, with SPI 0."""
    assert parse_states(STATES.splitlines()) == (
        IpsecState("esp", ip_address("10.1.1.1"), ip_address("10.1.1.2")),
    )  # fmt: skip
