"""Who asks name servers and tunnels' other ends, and whether either does anything else."""

from ipaddress import ip_address

import pytest

from analyzer.model import Role
from analyzer.packet.asking import alive, asked, askers, busy, tunnels
from analyzer.packet.context import Context
from tests.packet.tables import UDP, Frame, at, connection, context, packet, seen

POINTS = (at(0, "wlan0", Role.UPLINK),)
C1, C2, SERVER = "172.17.0.2", "2001:db8::2", "8.8.8.8"
OWN, PEER = "192.168.1.100", "192.168.2.100"


def _row(src: str, dst: str, port: int, *, answered: bool = True, began_ns: int = 0) -> Frame:
    flow = src, 4000, dst, port
    return connection(original=flow, reply=(dst, port, src, 4000), seen_reply=answered, first_ns=began_ns)


def _of(*rows: Frame) -> Context:
    inner = seen(0, 10, layers=UDP, tunnel={"src": OWN, "dst": PEER, "dport": 4789, "vni": 7})
    return context(POINTS, (packet(inner, connection=0),), connections=rows)


def _numbers(*addresses: str) -> set[int]:
    return {int(ip_address(one)) for one in addresses}


def test_whom_names_and_tunnels_are_asked_of() -> None:
    """Name servers by their port, and the outer ends of tunnels; who asks is no server."""
    here = _of(_row(C1, SERVER, 53), _row(C1, "9.9.9.9", 80), _row(C2, "2001:db8::53", 53))

    assert asked(here) == _numbers(SERVER, "2001:db8::53", PEER)
    assert askers(here) == _numbers(C1, C2)
    assert tunnels(here) == {(int(ip_address(OWN)), int(ip_address(PEER)))}


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (_row(C1, SERVER, 443), True),
        (_row(C1, SERVER, 443, answered=False), False),
        (_row(C1, SERVER, 53), False),
        (_row(SERVER, C1, 22), True),
        (_row(C1, "8.8.8.9", 443), False),
        (_row(C2, "2001:db8::808:808", 443), False),
    ],
    ids=["answers", "silent", "names-alone", "asks-itself", "another", "same-lower-half"],
)
def test_who_is_wanted_and_answers_anything_else(row: Frame, found: bool) -> None:
    """At either end of a connection; questions for names do not count, and both halves of an address do."""
    assert alive(_of(row), _numbers(SERVER)) == (_numbers(SERVER) if found else set())


def test_when_an_asker_began_the_last_of_anything_else() -> None:
    """The latest, whatever the order of rows; nothing of those who only ask for names, or are not asked about."""
    here = _of(
        _row(C1, "9.9.9.9", 80, began_ns=30), _row(C1, "9.9.9.9", 81, began_ns=20), _row(C1, SERVER, 53, began_ns=40),
        _row(C2, SERVER, 53, began_ns=50), _row("172.17.0.9", "9.9.9.9", 80, began_ns=60),
    )  # fmt: skip

    assert busy(here, _numbers(C1, C2)) == {int(ip_address(C1)): 30}
