"""firewalld's zones: whose an interface is, and which one forwards a port."""

import pytest

from analyzer.model.firewalld import Zone, zone_of

EXTERNAL, PUBLIC = Zone("external", ("ens18",)), Zone("public", ("br1",), default=True)


@pytest.mark.parametrize(
    ("zones", "interface", "found"),
    [
        ((EXTERNAL, PUBLIC), "ens18", (EXTERNAL, True)),
        ((EXTERNAL, PUBLIC), "br1", (PUBLIC, True)),
        ((EXTERNAL, PUBLIC), "br0", (PUBLIC, False)),
        ((EXTERNAL,), "br0", (None, False)),
    ],
    ids=["named", "named-default", "by-default", "unknown"],
)
def test_whose_an_interface_is(
    zones: tuple[Zone, ...], interface: str, found: tuple[Zone | None, bool]
) -> None:  # fmt: skip
    """The zone that names it, else the default one, if that is known; and which of both it is."""
    assert zone_of(zones, interface) == found


@pytest.mark.parametrize(
    ("port", "protocol", "found"),
    [(8080, "tcp", True), (80, "tcp", False), (8080, "udp", False), (808, "tcp", False), (22, "tcp", True)],
)
def test_which_ports_a_zone_forwards(port: int, protocol: str, found: bool) -> None:
    """By number and protocol, whole."""
    zone = Zone("z", forward_ports=("port=8080:proto=tcp:toport=80:toaddr=10.0.0.2", "port=22:proto=tcp"))

    assert (zone.forwards(port, protocol) is not None) is found
