"""What is said of questions to name servers."""

import pytest

from analyzer.report.words.names import (
    SHOWN_NAMES,
    container_name_unknown,
    dns_conntrack_race,
    dns_failed,
    dns_unanswered,
    embedded_dns_failed,
    no_address,
)
from analyzer.report.words.sentence import Facts, Verb

FAILED: Facts = {"server": "10.0.0.53", "questions": 2, "names": ["a.example"], "outcomes": ["NXDOMAIN"]}
SILENT: Facts = {"server": "10.0.0.53", "questions": 1, "names": ["a.example"], "last": "wlan0"}
NONE: Facts = {"server": "10.0.0.53", "questions": 1, "asked_names": ["a.example"], "kind": "none"}
WANTED: Facts = {"who": ["c1"], "wanted": "db", "servers": ["127.0.0.11"], "networks": ["back"],
                 "outcome_of": "NXDOMAIN",
                 "names": ["db"]}  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [
        ({"torn": ["a.example"], "known_to": ["10.1.1.1"]}, "denies that it exists when asked for one type of address",
         "NOERROR without records"),
        ({"known_to": ["10.1.1.1"], "nowhere": True}, "does not know it, and 10.1.1.1 does",
         "docker run --dns 10.1.1.1"),
        ({"nowhere": True}, "name server 10.0.0.53 knows no such name", "does this server know it"),
        ({"outcomes": ["REFUSED"]}, "name server 10.0.0.53 answers REFUSED", "allow-recursion"),
        ({"outcomes": ["SERVFAIL"]}, "name server 10.0.0.53 answers SERVFAIL", "Ask the server by hand"),
        ({"outcomes": ["NXDOMAIN", "REFUSED"]}, "answers NXDOMAIN and REFUSED", "Ask the server by hand"),
    ],
)  # fmt: skip
def test_each_way_to_fail_has_its_cause_and_its_remedy(facts: Facts, cause: str, remedy: str) -> None:
    """What another server knows, or one type of address has, comes before the plain answer."""
    words = dns_failed({**FAILED, **facts})

    assert words.cause.endswith(cause)
    assert remedy in str(words.remedy)
    assert words.verb is Verb.RESOLVE


def test_a_name_that_is_known_somewhere_is_nobody_s_trouble() -> None:
    """Search domains ask for names that are not: only one that resolves nowhere keeps somebody from something."""
    assert dns_failed(FAILED).cause == ""
    assert dns_failed(FAILED).detail == "name server 10.0.0.53 knows no such name: a.example"


@pytest.mark.parametrize(("count", "more"), [(SHOWN_NAMES, ""), (SHOWN_NAMES + 2, " and 2 more")])
def test_a_few_names_are_told_and_the_others_counted(count: int, more: str) -> None:
    """In the order in which they were asked for."""
    names = [f"n{number}" for number in range(count)]

    assert dns_failed({**FAILED, "names": names}).detail.endswith(f": n0, n1, n2, n3{more}")


@pytest.mark.parametrize(
    ("facts", "remedy"),
    [
        ({}, "another one?"),
        ({"hosts_servers": ["9.9.9.9", "8.8.8.8"]},
         "another one? The host itself asks 9.9.9.9 and 8.8.8.8: docker run --dns 9.9.9.9 does, too."),
        ({"hosts_servers": ["9.9.9.9"], "answering": ["10.1.1.1"]},
         "another one? 10.1.1.1 does answer: leave 10.0.0.53 out of the name servers (--dns, dns in daemon.json)."),
    ],
)  # fmt: skip
def test_another_server_is_named_where_one_is_known(facts: Facts, remedy: str) -> None:
    """One that was seen to answer, before those that the host asks."""
    assert str(dns_failed({**FAILED, **facts}).remedy).endswith(remedy)


def test_where_a_server_s_address_comes_from_is_said() -> None:
    """By whose resolv.conf; that it answers other questions, too."""
    words = dns_failed({**FAILED, "outcomes": ["REFUSED"], "resolv_conf": "c1", "answers_others": True})

    assert words.explanation.endswith("c1's resolv.conf names this server.")
    assert "It answers other questions." in words.explanation


@pytest.mark.parametrize(
    ("facts", "detail", "cause", "remedy"),
    [
        ({}, "left 1 question unanswered", "does not answer, last seen at wlan0", None),
        ({"answering": ["10.1.1.1"]}, "left 1 question unanswered", "does not answer, last seen at wlan0",
         "Try the server by hand: dig @10.0.0.53 NAME. 10.1.1.1 does answer"),
        ({"only_kind": "AAAA", "other_kinds": ["A"]}, "answers A, and leaves 1 question for AAAA unanswered", "",
         "options no-aaaa"),
        ({"late": True, "took_s": 4.06, "only_kind": "AAAA"}, "took up to 4.1 s for 1 question", "", None),
        ({"strangers": ["10.0.0.9"], "late": True}, "for 10.0.0.53 come from 10.0.0.9",
         "10.0.0.53 is asked, and 10.0.0.9 answers", "docker run --dns 10.0.0.9"),
    ],
)  # fmt: skip
def test_no_answer_a_late_one_and_a_stranger_s_are_told_apart(
    facts: Facts, detail: str, cause: str, remedy: str | None
) -> None:
    """A late answer, or one that lacks a type, keeps nobody from anything for good."""
    words = dns_unanswered({**SILENT, **facts})

    assert detail in words.detail
    assert words.cause.endswith(cause)
    assert bool(words.cause) is bool(cause)
    assert words.remedy is None if remedy is None else remedy in str(words.remedy)


@pytest.mark.parametrize(
    ("answers", "said"),
    [(0, "It answered nothing at all."), (1, "It answered 1 other."), (2, "It answered 2 others.")],
)
def test_a_server_that_keeps_silent_may_answer_others(answers: int, said: str) -> None:
    """Or nobody, which is another cause."""
    assert said in dns_unanswered({**SILENT, "answers": answers}).explanation


def test_an_answer_that_came_when_asked_again_is_not_slow() -> None:
    """The time that the lost one cost is taken off."""
    words = dns_unanswered({**SILENT, "late": True, "took_s": 5.02, "asked_again_s": 5.0})

    assert "answered 1 question only when asked again, up to 5.0 s later" in words.detail
    assert "Nothing came for 5.0 s" in words.explanation
    assert "then took 0.020 s" in words.explanation


def test_an_answer_without_an_address_is_told_from_one_that_leads_nowhere() -> None:
    """Nothing for the name, or an address that a blocklist gives."""
    blocked = no_address({**NONE, "kind": "blocked", "given": ["0.0.0.0"]})

    assert no_address(NONE).cause == "name server 10.0.0.53 knows the name, and gives no address for it"
    assert blocked.cause == "name server 10.0.0.53 answers 0.0.0.0, as blocklists do"
    assert "blocklists" not in no_address(NONE).explanation


@pytest.mark.parametrize(
    ("own", "said"),
    [(["front", "edge"], "c1 is on front, edge, db on back"), ([], "c1 is on no network that dumps name")],
)
def test_a_container_that_is_not_found_is_on_another_network(own: list[str], said: str) -> None:
    """Both have their networks told, where they are known."""
    words = container_name_unknown({**WANTED, "own_networks": own})

    assert words.detail == "c1 asks 127.0.0.11 for container db, whose name is in no DNS there"
    assert said in words.explanation
    assert "the answer is NXDOMAIN" in words.explanation


def test_docker_s_own_server_and_a_race_of_two_questions_are_causes_of_their_own() -> None:
    """Each says what was asked for, and how often."""
    race = dns_conntrack_race({"packets": 1, "names": ["a.example"]})

    assert race.detail == "1 DNS question lost in the host beside a twin from the same port"
    assert "one of them went no further: a.example" in race.explanation
    assert embedded_dns_failed({"questions": 2, "names": ["a"]}).detail == "Docker's name server failed 2 questions"


@pytest.mark.parametrize(
    ("facts", "cause", "remedy"),
    [
        ({"ring": ["pihole", "the router"]}, "name servers pihole and the router ask each other, in a circle",
         "Let one of the two answer for that name"),
        ({"strangers": ["10.0.0.54"], "program": "dnsmasq"},
         "dnsmasq on this host is asked at 10.0.0.53, and answers from 10.0.0.54", "dnsmasq: listen-address"),
        ({"strangers": ["172.17.0.1"], "program": "docker-proxy", "proxied": "unbound", "inner_port": 5353,
          "port": "53/udp"},
         "docker-proxy on this host is asked at 10.0.0.53, and answers from 172.17.0.1", "-p 10.0.0.53:53:5353/udp"),
        ({"servers": ["8.8.4.4", "8.8.8.8"], "outside": ["9.9.9.9"], "answering": ["9.9.9.9"]},
         "none of 8.8.4.4, 8.8.8.8 answers, last seen at wlan0, and 9.9.9.9 does", "docker run --dns 9.9.9.9"),
        ({"alive": True, "answers": 0}, "name server 10.0.0.53 does not answer, last seen at wlan0", ""),
        ({"local_only": "pihole", "asker": "10.0.0.9", "served": "172.17.0.2"},
         "pihole answers its own network, 172.17.0.2, and keeps silent to others", "permit all origins"),
    ],
    ids=["ring", "own-server", "docker-proxy", "some-outside", "alive", "local-only"],
)  # fmt: skip
def test_why_nobody_answers_is_told_where_it_is_known(facts: Facts, cause: str, remedy: str) -> None:
    """Each with what its programs call the setting."""
    words = dns_unanswered({**SILENT, "asked_names": ["a.example"], **facts})

    assert (words.cause, words.verb) == (cause, Verb.RESOLVE)
    assert remedy in str(words.remedy)
