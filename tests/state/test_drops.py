"""drops.txt: what the kernel said it dropped."""

import pytest

from analyzer.model.drop import Drop, Sighting
from analyzer.state.drops import parse_drops
from analyzer.state.reasons import DELIVERED, REASONS, TELLING

LINE = (
    "1795668405.599505 IP_RPFILTER ip_rcv_finish_core 2048 docker0,150,1795668405.971506,s eth0,136,1795668405.971547,r"
)
DROP = Drop(
    1_795_668_405_599_505_000,
    "IP_RPFILTER",
    "ip_rcv_finish_core",
    (
        Sighting("docker0", 150, 1_795_668_405_971_506_000, False),
        Sighting("eth0", 136, 1_795_668_405_971_547_000, True),
    ),
)


def test_drops_and_what_was_lost() -> None:
    """Each with all interfaces; times to the microsecond, exactly."""
    assert parse_drops([LINE, "lost 3", LINE, "lost 4"]) == ((DROP, DROP), 7)


@pytest.mark.parametrize(
    "line",
    ["", "lost", "lost x", "1.0 A f 2048", "x A f 2048 eth0,1,1.0,r", "1.0 A f 2048 eth0", "1.0 A f 2048 eth0,x,1.0,r",
     "1.0 A f 2048 eth0,1,y,r"],
)  # fmt: skip
def test_lines_that_are_none(line: str) -> None:
    """They are passed over."""
    assert parse_drops([line, LINE]) == ((DROP,), 0)


def test_an_interface_with_a_comma() -> None:
    """The kernel allows that in a name."""
    ((drop,), _) = parse_drops(["1.5 A f 2048 a,b,60,1.25,r"])

    assert drop.way == (Sighting("a,b", 60, 1_250_000_000, True),)


def test_reasons_fit_together() -> None:
    """What matters of what was delivered is known, and tells something."""
    assert set(REASONS) >= TELLING | DELIVERED
    assert all(reason.meaning for reason in REASONS.values())
