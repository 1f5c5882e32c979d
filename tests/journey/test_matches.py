"""What fields are true for, packet by packet."""

import numpy as np
import pytest

from analyzer.journey.build import Tracer
from analyzer.journey.matches import CONTAINS, Matches
from analyzer.model import Role
from analyzer.model.overview import NameQuery
from analyzer.model.tuple import address
from tests.packet.tables import at, context, packet, seen

POINTS = (at(0, "veth-c1", Role.VETH, container="c1"), at(1, "docker0", Role.BRIDGE))


def _matches(names: list[NameQuery] | None = None) -> Matches:
    """Look at a packet at both points, and one at the bridge."""
    here = context(POINTS, [packet(seen(0, 10), seen(1, 11)), packet(seen(1, 20, src="10.0.0.9"))])
    return Matches(here, Tracer(here), lambda: names or [])


@pytest.mark.parametrize(
    ("field", "sign", "value", "found"),
    [
        ("point", "==", "docker0", [True, True]),
        ("point", "==", "veth-c1", [True, False]),
        ("point", CONTAINS, "VETH", [True, False]),
        ("point", "==", "VETH-C1", [False, False]),
        ("container", "==", "c1", [True, False]),
        ("service", "==", "c1", [False, False]),
        ("ip.src", "==", "10.0.0.9", [False, True]),
        ("frame.number", "<=", "1", [True, False]),
    ],
)
def test_any_hop_makes_it_true(field: str, sign: str, value: str, found: list[bool]) -> None:
    """A packet that one of the points saw is found by it."""
    assert _matches().test(field, sign, value).tolist() == found


def test_questions_and_answers_are_found_by_what_was_asked() -> None:
    """Both of them, by name, type and outcome; without an outcome nothing is found by it."""
    ends = address(4, 0, 1), address(4, 0, 2)
    asked = _matches([NameQuery("web.example", "A", *ends, 1, 0, answer=1, outcome="NXDOMAIN")])
    silent = _matches([NameQuery("web.example", "A", *ends, 1, 0)])

    assert asked.test("dns.qry.name", CONTAINS, "EXAMPLE").tolist() == [True, True]
    assert asked.test("dns.flags.rcode", "==", "NXDOMAIN").tolist() == [True, True]
    assert asked.test("dns.qry.type", "==", "AAAA").tolist() == [False, False]
    assert np.asarray(silent.protocol("dns")).tolist() == [True, False]
    assert not silent.test("dns.flags.rcode", "==", "NXDOMAIN").any()


def test_what_is_no_protocol() -> None:
    """It is not found to be one, and not to be absent either."""
    assert _matches().protocol("colour") is None
