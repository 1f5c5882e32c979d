"""Where a packet goes into a tunnel, and where it comes out."""

from ipaddress import ip_address
from typing import Any

import numpy as np
import pytest

from analyzer.journey.tunnel import through_tunnel
from analyzer.model import Role, TunnelStep
from analyzer.packet.sight import sights
from analyzer.schema import Layer
from tests.packet.tables import ETHERNET, UDP, Frame, at, context, packet, seen

OUTER = {"vni": 4097, "layers": UDP, "src": "192.168.1.100", "dst": "192.168.2.100", "sport": 50_000, "dport": 4789}
SIX = OUTER | {"layers": ETHERNET | Layer.IPV6, "src": "fd00:1::1", "dst": "fd00:2::2"}


def _frame(point: int, tunnel: dict[str, Any] | None) -> Frame:
    return seen(point, 10 + point, **({"layers": UDP | Layer.TUNNEL, "tunnel": tunnel} if tunnel else {}))


def _steps(*tunnels: dict[str, Any] | None) -> list[TunnelStep]:
    """Tell what happened before the last of a packet's frames."""
    points = tuple(at(n, f"p{n}", Role.UNKNOWN) for n in range(len(tunnels)))
    here = context(points, [packet(*(_frame(n, tunnel) for n, tunnel in enumerate(tunnels)))])
    *before, last = (hop[0] for hop in next(sights(here, np.array([0]))))
    return through_tunnel(here, before[-1] if before else None, last, 3)


@pytest.mark.parametrize(
    ("tunnels", "action"),
    [
        ([None, OUTER], "encapsulated"),
        ([OUTER], "encapsulated"),
        ([OUTER, OUTER], "carried"),
        ([OUTER, None], "decapsulated"),
        ([None, None], None),
        ([None], None),
    ],
)
def test_what_a_tunnel_did(tunnels: list[dict[str, Any] | None], action: str | None) -> None:
    """Between two sightings, or before the first one."""
    assert [step.action for step in _steps(*tunnels)] == ([action] if action else [])


def test_a_step_is_told_by_the_outer_headers() -> None:
    """Of the frame that is in the tunnel, the one before or the one after."""
    other = OUTER | {"vni": 7, "src": "10.0.0.1"}

    assert _steps(other, OUTER) == [
        TunnelStep("carried", 4097, ip_address("192.168.1.100"), ip_address("192.168.2.100"), 50_000, 4789, 3)
    ]
    assert [(step.vni, str(step.src)) for step in _steps(OUTER, other, None)] == [(7, "10.0.0.1")]
    assert [(str(step.src), str(step.dst)) for step in _steps(None, SIX)] == [("fd00:1::1", "fd00:2::2")]
