"""What a kernel did with packets in a rebuilt host: lines for the terminal, and JSON."""

import io
import json
from typing import Any

import pytest
from rich.console import Console

from analyzer.model.replay import Account, Agreement, End, Met, Replay, Replayed
from analyzer.report.replay import as_json, print_replay, step_text

DROPS = Met("ip filter", "DOCKER-USER", "-A DOCKER-USER -j DROP", 1, "drop")
POLICY = Met("ip filter", "FORWARD", "", None, "accept")
LEAVES = Account(End.FORWARDED, "", "wlan0", "192.168.1.100:1 → 8.8.8.8:53")
DROPPED = Account(End.DROPPED, "rule 1", "", "", (POLICY, DROPS))


def _lines(one: Replayed, *, missing: tuple[str, ...] = (), verbose: bool = False) -> list[str]:
    out = Console(file=io.StringIO(), width=200, highlight=False, markup=False, emoji=False)
    print_replay(out, Replay((one,), missing), verbose=verbose)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue().splitlines()


def _replayed(kernel: Account | None, hoptrace: Account | None, agreement: Agreement, why: str = "") -> Replayed:
    return Replayed(4, "TCP SYN", kernel, hoptrace, agreement, why)


def test_where_accounts_agree_one_line_tells_both() -> None:
    """And the last line counts the journeys of each kind."""
    lines = _lines(_replayed(LEAVES, LEAVES, Agreement.AGREES))

    assert lines == [
        "✓ J4 TCP SYN: leaves by wlan0 as 192.168.1.100:1 → 8.8.8.8:53", "",
        "1 journey: 1 agree, 0 differs, 0 cannot be said",
    ]  # fmt: skip


def test_where_accounts_differ_both_are_told() -> None:
    """Under each other, the kernel's first."""
    lines = _lines(_replayed(DROPPED, LEAVES, Agreement.DIFFERS))

    assert lines[:3] == [
        "✗ J4 TCP SYN: dropped by rule 1", "    kernel:   dropped by rule 1",
        "    hoptrace: leaves by wlan0 as 192.168.1.100:1 → 8.8.8.8:53",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kernel", "line"),
    [
        (None, "? J4 TCP SYN: cannot be said: no route"),
        (DROPPED, "? J4 TCP SYN: dropped by rule 1 — cannot be said: no route"),
    ],
)
def test_what_cannot_be_said_has_its_reason(kernel: Account | None, line: str) -> None:
    """Behind what the kernel did, where that is known."""
    assert _lines(_replayed(kernel, LEAVES, Agreement.UNSAID, "no route"))[0] == line


def test_what_was_met_is_told_only_if_that_is_asked_for() -> None:
    """A rule with its place, a policy without; answers of the host and what was not built are told always."""
    one = Replayed(4, "TCP SYN", DROPPED, DROPPED, Agreement.AGREES, "", ("RST to 172.17.0.2",))
    brief, full = (_lines(one, missing=("set x",), verbose=verbose) for verbose in (False, True))
    steps = ["    ip filter FORWARD: accept", "    ip filter DOCKER-USER: rule 1 -A DOCKER-USER -j DROP: drop"]

    assert brief[1:3] == ["    the host answers: RST to 172.17.0.2", "not built: set x"]
    assert full[2:4] == steps
    assert [line for line in full if line not in brief] == steps


def test_a_rule_s_text_cannot_act_on_the_terminal() -> None:
    """It stands there escaped."""
    lines = _lines(_replayed(Account(End.DROPPED, "\x1b[31m", "", ""), None, Agreement.AGREES))

    assert r"dropped by \x1b[31m" in lines[0]


def test_a_rule_without_a_number_has_no_place() -> None:
    """It is told by its text alone."""
    assert step_text(Met("inet t", "c", "-j X", None, "drop")) == "inet t c: -j X: drop"


def test_json_leaves_out_what_is_not_known() -> None:
    """Empty texts, lists and accounts; number 0 of a journey is a number."""
    told = Replay((Replayed(0, "TCP SYN", DROPPED, None, Agreement.UNSAID, "", ()),), ("é",))
    text = as_json(told)
    document: dict[str, Any] = json.loads(text)

    assert document == {
        "schema": "hoptrace-replay/1",
        "journeys": [{
            "journey": 0, "summary": "TCP SYN", "agreement": "cannot be said",
            "kernel": {"end": "dropped", "by": "rule 1", "steps": [
                {"table": "ip filter", "chain": "FORWARD", "verdict": "accept"},
                {"table": "ip filter", "chain": "DOCKER-USER", "rule": "-A DOCKER-USER -j DROP", "number": 1,
                 "verdict": "drop"},
            ]},
        }],
        "not_built": ["é"],
    }  # fmt: skip
    assert text.endswith("}\n")
