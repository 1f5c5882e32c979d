"""What is said of connection tracking."""

import pytest

from analyzer.report.words.sentence import Facts, Verb
from analyzer.report.words.tracked import conntrack_full, conntrack_invalid_reset, conntrack_timeout, stale_conntrack

STALE: Facts = {"packets": 1, "old": "172.17.0.9", "commands": ["conntrack -D"]}
RESET: Facts = {"packets": 2, "where": "wlan0", "commands": ["iptables -D X"]}
FULL: Facts = {"entries": 1_000, "limit": 1_000}


@pytest.mark.parametrize(
    ("facts", "detail", "cause"),
    [
        ({}, "1 packet left untranslated, and today's rules would masquerade them",
         "an old conntrack entry leaves it untranslated"),
        ({"today": "172.17.0.3"}, "1 packet went to 172.17.0.9, and today's rules would send them to 172.17.0.3",
         "an old conntrack entry sends it to 172.17.0.9, today it would be 172.17.0.3"),
        ({"today": "172.17.0.3", "without": True},
         "1 packet went to 172.17.0.9, and today's rules would send them to 172.17.0.3",
         "a conntrack entry that is older than the rule keeps it at 172.17.0.9, today it would be 172.17.0.3"),
    ],
)  # fmt: skip
def test_an_old_entry_is_told_with_what_today_s_rules_would_do(facts: Facts, detail: str, cause: str) -> None:
    """Send it elsewhere, or masquerade it."""
    words = stale_conntrack({**STALE, **facts})

    assert (words.detail, words.cause) == (detail, cause)
    assert words.remedy == "Delete the entry; the next packet makes a new one."


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [
        ({}, "the host itself resets it, conntrack calls its answers INVALID", None),
        ({"idle_s": 0}, "the host itself resets it, after 0 s of silence conntrack had forgotten it", "TCP keepalive"),
        ({"idle_s": 500, "zone_rule": "-j CT --zone 1"},
         "a rule puts only one direction into a conntrack zone: “-j CT --zone 1”", "--zone-orig"),
    ],
)  # fmt: skip
def test_a_reset_by_the_host_itself_says_why_it_did_not_know_the_connection(
    facts: Facts, cause: str, remedy: str | None
) -> None:
    """A zone of a rule's, a pause, or else an answer that is INVALID: keepalives help only against the second."""
    words = conntrack_invalid_reset({**RESET, **facts})

    assert words.cause == cause
    assert words.remedy is None if remedy is None else remedy in str(words.remedy)
    assert ("when conntrack had forgotten the connection" in words.explanation) is (facts.get("idle_s") == 0)
    assert words.detail.startswith("2 RSTs sent by the host itself at wlan0")


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [
        ({}, "", "look who holds so many"),
        ({"packets": 1}, "conntrack is full, 1,000 of 1,000 entries", "look who holds so many"),
        ({"packets": 1, "holder": "c1", "held": 900},
         "conntrack is full, 1,000 of 1,000 entries, 900 of them of c1", "see what c1 does with so many"),
    ],
)  # fmt: skip
def test_a_full_table_says_who_holds_it(facts: Facts, cause: str, remedy: str) -> None:
    """It keeps somebody from something only where packets were lost."""
    words = conntrack_full({**FULL, **facts})

    assert words.cause == cause
    assert remedy in str(words.remedy)
    assert words.verb is Verb.OPEN


def test_a_pause_that_is_too_long_is_told_beside_the_setting() -> None:
    """To the second, as the setting is."""
    facts: Facts = {"packets": 1, "pause_s": 45.4, "timeout_s": 30, "setting": "nf_conntrack_udp_timeout"}

    assert conntrack_timeout(facts).cause == "it was silent for 45 s, and conntrack forgets connections after 30"
    assert "every 30 s, or raise nf_conntrack_udp_timeout" in str(conntrack_timeout(facts).remedy)
