"""How an account of a packet's way is told in one line, and how journeys are counted."""

import pytest

from analyzer.model.replay import Account, Agreement, End, Replay, Replayed

FLOW = "172.17.0.2:40000 → 8.8.8.8:80"


@pytest.mark.parametrize(
    ("account", "text"),
    [
        (Account(End.FORWARDED, "", "wlan0", FLOW), f"leaves by wlan0 as {FLOW}"),
        (Account(End.FORWARDED, "", "wlan0", ""), "leaves by wlan0"),
        (Account(End.FORWARDED, "", "", FLOW), f"leaves by an unknown interface as {FLOW}"),
        (Account(End.DELIVERED, "", "", ""), "delivered to the host itself"),
        (Account(End.DELIVERED, "", "", FLOW), f"delivered to the host itself as {FLOW}"),
        (Account(End.DROPPED, "rule “-A FORWARD -j DROP”", "", ""), "dropped by rule “-A FORWARD -j DROP”"),
        (Account(End.REJECTED, "rule “-j REJECT”", "", ""), "rejected by rule “-j REJECT”"),
        (Account(End.DROPPED, "", "", ""), "dropped"),
        (Account(End.UNKNOWN, "", "wlan0", FLOW), "unknown"),
    ],
)
def test_an_account_says_where_the_way_ended_and_by_what(account: Account, text: str) -> None:
    """What left says by which interface and as what; what did not says what stopped it, if that is known."""
    assert str(account) == text


def test_journeys_are_counted_by_outcome() -> None:
    """Each once; an outcome that there was not is 0."""
    outcomes = (Agreement.AGREES, Agreement.UNSAID, Agreement.AGREES)
    replay = Replay(tuple(Replayed(number, "", None, None, one, "") for number, one in enumerate(outcomes)), ())

    assert [replay.count(one) for one in (Agreement.AGREES, Agreement.DIFFERS, Agreement.UNSAID)] == [2, 0, 1]
