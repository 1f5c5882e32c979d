"""Lines of journeys that are alike: marks are found again, whatever else the text says."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.model import Journey
from analyzer.model.alike import Alike
from analyzer.report.fields import to_json
from analyzer.report.lines import FIRST, lines

SEED = Path(__file__).parents[2] / "sample_pcaps" / "seed"


def _tcp() -> Journey:
    """Return a journey with all numbers that there may be."""
    return next(one for one in analyze([SEED]).journeys() if one.protocol == "tcp" and one.ack and one.answered_by)


def _alike(one: Journey, **numbers: int) -> Alike:
    """Return what a journey has, as if there were more like it."""
    own: dict[str, int | None] = {
        "id": one.id, "latency": one.latency_ns, "payload_len": one.payload_len, "seq": one.seq, "ack": one.ack,
        "window": one.window, "tcp_flags": one.tcp_flags, "answers": one.answers, "answered_by": one.answered_by,
        "reply_latency_ns": one.reply_latency_ns, "retransmission_of": one.retransmission_of,
    }  # fmt: skip
    for place, hop in enumerate(one.hops):
        own |= {f"frame{place}": hop.frames[0], f"time{place}": hop.time_ns, f"latency{place}": hop.latency_ns,
                f"length{place}": hop.length, f"ip_id{place}": hop.ip_id}  # fmt: skip
    known = {name: [-1 if number is None else number] for name, number in {**own, **numbers}.items()}
    return Alike("kind", partial(replace, one), [one.summary], known)


def _line(alike: Alike) -> str:
    (found,) = lines([(1, [([0], alike)])])
    return found


@pytest.mark.parametrize(
    "reason",
    ["as usual", f"{FIRST}", f"{FIRST + 3} {FIRST + 1_000_000_000_000}", "100%s %d %%", '"answers": 3, "id": 4'],
)
def test_what_a_journey_says_itself(reason: str) -> None:
    """Numbers like marks, signs that format, text like fields."""
    one = replace(_tcp(), reason=reason)

    assert json.loads(_line(_alike(one))) == to_json(one)


@pytest.mark.parametrize("name", ["answers", "answered_by", "reply_latency_ns", "retransmission_of", "ack"])
def test_what_some_have_and_others_have_not(name: str) -> None:
    """-1 is none, and is left out; 0 is a number."""
    one = _tcp()
    with_it, without = (json.loads(_line(_alike(one, **{name: number}))) for number in (0, -1))

    assert with_it[name] == 0
    assert name not in without
    assert {key: value for key, value in with_it.items() if key != name} == without
