"""What is said of ends that do not understand, or do not answer, each other."""

import pytest

from analyzer.report.words.sentence import Facts, Verb
from analyzer.report.words.spoken import (
    ftp_data_unreachable,
    request_unanswered,
    reset_on_the_way,
    wrong_protocol,
)

WAITING: Facts = {"waiting": 5, "room": 4, "program": "app"}
ASKED: Facts = {"name": "web", "server": "172.17.0.3:80", "kind": "silent", "count": 2, "longest_s": 4.04}
RST: Facts = {"packets": 1, "where": "wlan0", "server": "1.2.3.4", "ttl": 63, "others_ttl": 54}
FTP: Facts = {"server": "files", "named": "172.17.0.2", "shown": "192.168.1.100", "port": 30000, "code": "425",
              "connections_tried": 2}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "cause", "remedy"),
    [("tls", "it speaks TLS to a port of web that speaks plain HTTP", "Use http://"),
     ("http", "it speaks plain HTTP to a port of web that speaks TLS", "Use https://")],
)  # fmt: skip
def test_a_wrong_protocol_says_who_speaks_which(kind: str, cause: str, remedy: str) -> None:
    """And to use the other one."""
    words = wrong_protocol({**ASKED, "kind": kind})

    assert words.cause == cause
    assert str(words.remedy).startswith(remedy)


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ({"shut_names": ["a.example"], "served_names": ["b.example"], "next_hop": True},
         "the next hop resets TLS for a.example, while b.example passes, not 1.2.3.4 itself"),
        ({"shut_names": ["a.example"]}, "somebody on the way resets TLS for a.example, not 1.2.3.4 itself"),
        ({}, "somebody on the way resets it after its first data, not 1.2.3.4 itself"),
    ],
)  # fmt: skip
def test_a_reset_on_the_way_says_who_and_for_which_names(facts: Facts, cause: str) -> None:
    """As far as it is known; its TTL tells it from the server's own."""
    words = reset_on_the_way({**RST, **facts})

    assert words.cause == cause
    assert "They have a TTL of 63, and all else from there 54" in words.explanation


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [
        ({}, "web takes the request and does not answer for 4.0 s", "See the log of web: what it waits for"),
        ({"name": "172.17.0.3"}, "172.17.0.3 takes the request", "See the log of what listens at 172.17.0.3:80: "),
        ({"kind": "closed"}, "closes it at once, without a word", "an allow-list"),
        ({"kind": "closed", "asked": True, **WAITING}, "closes it after the first request", "an allow-list"),
        ({"kind": "reset", **WAITING}, "web itself resets the connection after the first request", "a crash"),
        (WAITING, "app in web does not accept connections, 5 wait", "See what app waits for"),
        ({"masked_by": "-j MASQUERADE", "seen_as": "172.17.0.1", "kind": "reset"},
         "it comes to web as 172.17.0.1, for a rule masquerades inside the bridge, and web resets it",
         "Limit the rule"),
        ({"masked_by": "-j MASQUERADE", "seen_as": "172.17.0.1", "kind": "closed"}, "and web closes it",
         "Limit the rule"),
        ({"masked_by": "-j MASQUERADE", "seen_as": "172.17.0.1"}, "and web does not answer", "Limit the rule"),
    ],
)  # fmt: skip
def test_a_request_without_an_answer_was_closed_reset_or_left_waiting(facts: Facts, cause: str, remedy: str) -> None:
    """A rule that hides its client explains each of them; else what the server did says where to look."""
    words = request_unanswered({**ASKED, **facts})

    assert cause in words.cause
    assert remedy in str(words.remedy)
    assert words.verb is Verb.USE


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [
        ({"why": "inner-address"}, "it names its inner address 172.17.0.2 to the server, in FTP's active mode",
         "Use passive mode"),
        ({"why": "inner-address", "passive": True}, "files names its inner address 172.17.0.2 for FTP's data",
         "the one that clients use, 192.168.1.100"),
        ({"why": "port-not-published", "passive": True}, "FTP's passive port 30000 of files is not published",
         "publish just these"),
    ],
)  # fmt: skip
def test_ftp_says_what_was_named_and_to_whom(facts: Facts, cause: str, remedy: str) -> None:
    """And what the server said of it, if it did."""
    words = ftp_data_unreachable({**FTP, **facts})

    assert words.cause == cause
    assert remedy in str(words.remedy)
    assert "The server says 425 to that." in words.explanation
    assert "The server says" not in ftp_data_unreachable({**FTP, **facts, "code": ""}).explanation
