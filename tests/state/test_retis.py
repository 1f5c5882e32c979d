"""retis.data: what ``retis collect`` saw of drops, in the form of its documentation, as before 1.6 and after."""

import json
from pathlib import Path
from typing import Any

import pytest

from analyzer.model import Disposition
from analyzer.model.drop import Drop, Sighting
from analyzer.state.retis import DROPPED, FILE, MOST_ALIVE, RECEIVED, SENT, parse_retis
from tests.build import T0, tcp, udp
from tests.explain.scene import Scene
from tests.explain.state import dumps

BEGUN = T0 - 7_000_000_000
LENGTH = 20 + 20
"""Of a SYN, without the link header."""


def _begun() -> str:
    seconds, ns = divmod(BEGUN, 10**9)
    return json.dumps(
        {
            "common": {"timestamp": 1},
            "startup": {"retis_version": "v1.6.0", "clock_monotonic_offset": {"sec": seconds, "nsec": ns}},
        }
    )


def _event(symbol: str, us: int, dev: str, *, new: bool = True, skb: int = 1, **sections: Any) -> str:
    """Return what happened *us* after T0."""
    of = (
        {"dev": {"name": dev, "ifindex": 3}, "packet": {"len": LENGTH + 14, "capture_len": 54, "data": "AAAA"}}
        if new
        else {"skb": {"dev_name": dev, "l3_len": LENGTH, "ip_version": 4}}
    )
    return json.dumps(
        {
            "common": {"timestamp": T0 - BEGUN + us * 1000, "smp_id": 0},
            "kernel": {"probe_type": "raw_tracepoint", "symbol": symbol, **sections.pop("kernel", {})},
            "skb-tracking": {"orig_head": 18_446_616_568_293_939_200, "skb": 5, "timestamp": skb},
            **of,
            **sections,
        }
    )


def _dropped(us: int, *, reason: str = "TC_INGRESS", **options: Any) -> str:
    return _event(DROPPED, us, "docker0", **{"skb-drop": {"drop_reason": reason}, **options})


@pytest.mark.parametrize("new", [True, False])
def test_a_drop_and_its_way(new: bool) -> None:
    """Both shapes; lengths with the link header where it was sent, without it where it came in."""
    lines = [
        _begun(),
        _event(SENT, 0, "veth9", new=new),
        _event(RECEIVED, 5, "docker0", new=new),
        _event(RECEIVED, 6, "docker0", new=new, skb=2),
        _dropped(8, new=new),
    ]

    way = (Sighting("veth9", LENGTH + 14, T0, False), Sighting("docker0", LENGTH, T0 + 5000, True))
    assert parse_retis(lines) == (Drop(T0 + 8000, "TC_INGRESS", DROPPED, way, FILE),)


def test_what_a_sorted_file_and_a_stack_tell() -> None:
    """A series stands in one line; the stack names who dropped, not who freed."""
    stack = {"stack_trace": ["kfree_skb_reason+0x8f", "nft_do_chain+0x5c", "nf_hook_slow+0x40"]}
    why = {"drop_reason": "LAST_ACTION", "subsys": "openvswitch"}
    line = f"[{_event(RECEIVED, 5, 'docker0')},{_dropped(8, kernel=stack, **{'skb-drop': why})}]"
    ((drop,)) = parse_retis([_begun(), line])

    assert (drop.function, drop.reason) == ("nft_do_chain", "openvswitch/LAST_ACTION")


def test_a_drop_alone() -> None:
    """Without the tracepoints before it, it was last at its device."""
    (drop,) = parse_retis([_begun(), _dropped(8)])

    assert drop.way == (Sighting("docker0", LENGTH, T0 + 8000, True),)


@pytest.mark.parametrize("line", ["", "{", "[]", "7", '{"kernel":{"symbol":5}}', '{"common":{}}', "[" * 100_000, '"x"'])
def test_lines_that_are_none(line: str) -> None:
    """They are passed over."""
    assert len(parse_retis([_begun(), line, _dropped(8)])) == 1


def test_packets_without_end() -> None:
    """The way of those that were seen long ago is forgotten."""
    lines = [_event(RECEIVED, 1, "docker0", skb=number) for number in range(MOST_ALIVE + 1)]
    (drop,) = parse_retis([_begun(), *lines, _dropped(9, skb=0)])

    assert drop.way == (Sighting("docker0", LENGTH, T0 + 9000, True),)


@pytest.mark.parametrize("beside", [False, True])
def test_joined_with_frames(tmp_path: Path, beside: bool) -> None:
    """A packet that went no further was dropped there; that is observed, and the file named."""
    events = "\n".join([_begun(), _event(RECEIVED, 100_023, "docker0"), _dropped(100_025)])
    scene = Scene(tmp_path, dumps={FILE: events, **dumps()})
    scene.out(0, 17, udp(1, 2, b"x"))
    scene.back(10, 17, udp(2, 1, b"x"))
    scene.out(100, 6, tcp(40_000, 80, 1, 0, 2), until="docker0")
    scene.out(2000, 17, udp(1, 2, b"x"))
    scene.back(2010, 17, udp(2, 1, b"x"))
    if beside:
        scene.dumps["drops.txt"] = "lost 5\n"
    case = scene.case()
    (finding,) = scene.findings("dropped-by-kernel")

    assert case.tracer.outcome(2).disposition is Disposition.DROPPED
    assert finding.proof == ("retis.data: TC_INGRESS skb:kfree_skb docker0",)
