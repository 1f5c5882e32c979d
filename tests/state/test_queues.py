"""Queues to programs: which are read, and what rules that fill others do."""

import pytest

from analyzer.model.rules import Decide, Unfollowed, Verdict
from analyzer.state.queues import parse_readers, queue_of, unread
from analyzer.state.rules.iptables import parse_tables

LISTING = """2 /proc/net/netfilter/nfnetlink_queue
    0  12345     0 2 65531     0     0        1  1
    7  12346     0 2 65531     0     0        1  1
"""
RULES = "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -p tcp -j NFQUEUE{}\nCOMMIT\n"


@pytest.mark.parametrize(
    ("text", "read"),
    [(LISTING, {0, 7}), ("0 /proc/net/netfilter/nfnetlink_queue\n", set()), ("", None), ("\n", None)],
    ids=["two", "none", "not-recorded", "blank"],
)
def test_queues_that_are_read(text: str, read: set[int] | None) -> None:
    """The first line counts them; that there are none is known only if it is there."""
    assert parse_readers(text.splitlines()) == read


@pytest.mark.parametrize(
    ("options", "queue", "drops"),
    [
        ("", 0, False),
        (" --queue-num 7", 7, False),
        (" --queue-num 8", 8, True),
        (" --queue-num 8 --queue-bypass", None, False),
        (" --queue-balance 8:9", None, False),
    ],
    ids=["first", "read", "unread", "bypass", "balance"],
)
def test_what_nobody_reads_is_dropped(options: str, queue: int | None, drops: bool) -> None:
    """Unless the rule says that it passes then, or chooses among several."""
    tables = parse_tables(RULES.format(options).splitlines(), 4)
    unread(tables, frozenset({0, 7}))
    (rule,) = (rule for table in tables for rule in table.rules())

    assert queue_of(rule) == queue
    assert any(isinstance(step, Decide) and step.verdict is Verdict.DROP for step in rule.steps) is drops
    assert any(isinstance(step, Unfollowed) for step in rule.steps) is not drops


def test_where_nobody_knows_who_reads_rules_stay_as_they_are() -> None:
    """And so do those that fill no queue."""
    tables = parse_tables(RULES.format(" --queue-num 8").splitlines(), 4)
    before = [rule.steps for table in tables for rule in table.rules()]
    unread(tables, None)

    assert [rule.steps for table in tables for rule in table.rules()] == before
    (rule,) = parse_tables(RULES.replace("NFQUEUE{}", "DROP").splitlines(), 4)[0].rules()
    assert queue_of(rule) is None
