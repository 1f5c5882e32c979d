"""Whether IPv6 is forwarded."""

from dataclasses import replace

import pytest

from analyzer.model import Network
from tests.explain.host.state import HOST, asked, network

check = asked("forwarding-disabled")

NAME = "net.ipv6.conf.all.forwarding"
BOTH = network("both", "172.17.0.0/16", "fd00:17::/64")


@pytest.mark.parametrize(
    ("value", "networks", "needing"),
    [
        ("0", (BOTH,), "both"),
        ("0", (network("old", "172.18.0.0/16"), BOTH, network("later", "fd00:18::/64")), "both"),
        ("0", (network("old", "172.18.0.0/16"),), None),
        ("0", (replace(BOTH, internal=True),), None),
        ("1", (BOTH,), None),
        (None, (BOTH,), None),
    ],
    ids=["off", "first", "ipv4-only", "internal", "on", "unknown"],
)
def test_where_a_network_has_ipv6(value: str | None, networks: tuple[Network, ...], needing: str | None) -> None:
    """The first network that needs it is named."""
    host = replace(HOST, networks=networks, sysctls={NAME: value} if value is not None else {})
    told = [(f.check, f.detail, f.proof) for f in check(host)]

    assert told == [
        ("forwarding-disabled", f"IPv6 forwarding is off, network {needing} needs it", (f"sysctl.txt: {NAME} = 0",))
    ] * (needing is not None)
