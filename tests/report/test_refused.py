"""What is said of who refuses, and of what is known of why."""

import pytest

from analyzer.report.words.refused import connection_refused
from analyzer.report.words.sentence import Facts

REFUSED: Facts = {"target": "172.17.0.3", "ports": ["80/tcp"], "packets": 3}
WEB: Facts = {"container": "web"}
ELSEWHERE: Facts = {"container": "web", "elsewhere": ["db"], "listens_on": ["81/tcp"], "now_at": ["172.17.0.4"]}
NDOTS: Facts = {"short_name": "db.local", "domain": "example.org"}


@pytest.mark.parametrize(
    ("facts", "detail"),
    [
        ({}, "172.17.0.3 refuses port 80/tcp: 3 packets"),
        ({"container": "web", "ports": ["80/tcp", "81/tcp"], "more_ports": 4, "packets": 1},
         "172.17.0.3 (container web) refuses port 80/tcp, 81/tcp and 4 more: 1 packet"),
        ({"reset_for": "1.2.3.4", "probes": ""}, "this host itself resets connections to 1.2.3.4: 3 packets"),
        ({"probes": True, "reset_for": "1.2.3.4"}, "3 probes of a traceroute reached the end"),
        ({"too_late": True, "probes": True}, "3 answers came when nobody waited any more"),
    ],
)  # fmt: skip
def test_what_only_looks_like_a_refusal_is_none(facts: Facts, detail: str) -> None:
    """Late answers, probes, and what the host sends in another's name."""
    words = connection_refused({**REFUSED, **facts})

    assert words.detail == detail
    assert ("They reached it" in words.explanation) is ("refuses port" in detail)


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ({}, "172.17.0.3 refuses, nothing listens there"),
        (WEB, "web refuses, nothing listens there"),
        ({"by_turns": True}, "one of several behind 172.17.0.3 refuses, and others accept"),
        ({**WEB, "by_turns": True}, "web refuses at times, and accepts between: its program stops and starts again"),
        ({"published_locally": "127.0.0.1:80"}, "Docker publishes it as 127.0.0.1:80, for the host itself only"),
        ({"published_locally": "127.0.0.1:80", "answers_at": ["443"]},
         "172.17.0.3 refuses that port, and answers at 443"),
        ({"answers_at": ["443"], "listens_on": ["81/tcp"], "nobody_at": "80/tcp"},
         "172.17.0.3 refuses, it listens on 81/tcp"),
        (ELSEWHERE, "nothing listens there in web, but in db"),
        ({**ELSEWHERE, "made_since": ["db"]}, "it asks the address that db had before; web has it now"),
        ({**ELSEWHERE, "made_since": ["db"], "alias": "app"},
         "name app is of web and db alike, and only db has that port"),
        ({**ELSEWHERE, "died": True}, "the program in web has ended: it reset a connection, and nobody listens since"),
        ({**ELSEWHERE, "died": True, "maps_to": "8080"},
         "web, which publishes it as port 8080, listens on 81/tcp instead"),
        ({**ELSEWHERE, "maps_to": "8080", "asked_outside": "8080"}, "web refuses, it listens on 81/tcp"),
        ({**ELSEWHERE, "maps_to": "8080", "only_at": ["127.0.0.1", "::1"], "program": "app"},
         "app listens only on 127.0.0.1 and ::1"),
        ({"only_at": ["IPv4"]}, "what listens there listens only on IPv4"),
        ({"only_at": ["IPv4"], "listens_now": "app", **WEB}, "web refuses, for app did not listen there yet"),
        ({"router": "192.168.1.1", "listens_now": "app"}, "the router 192.168.1.1 itself refuses"),
        ({"router": "192.168.1.1", "published_by": "web"}, "refuses, which forwards web's port only from outside"),
        ({"sent_by_rule": "-j DNAT", "router": "192.168.1.1"}, "a rule sends it to 172.17.0.3, where nobody listens"),
        ({"strays": True, "sent_by_rule": "-j DNAT"}, ""),
        ({**NDOTS, "strays": True}, "db.local was completed to db.local.example.org by a search domain"),
    ],
)  # fmt: skip
def test_of_all_that_is_known_of_who_listens_one_thing_is_told_first(facts: Facts, cause: str) -> None:
    """What was asked wrongly before who is in between, before what listens elsewhere, before that nothing does."""
    words = connection_refused({**REFUSED, **facts})

    assert cause in words.cause
    assert bool(words.cause) is bool(cause)


@pytest.mark.parametrize(
    ("facts", "remedy"),
    [
        ({}, None),
        ({"nobody_at": "80/tcp"}, "Start the program, or see in its log"),
        ({"listens_on": ["81/tcp"], "nobody_at": "80/tcp"}, "Start on 172.17.0.3 what shall listen on 80/tcp"),
        ({"listens_on": ["81/tcp"], **WEB}, "If 81/tcp was meant, ask for that. Else see in the log of web"),
        ({"died": True, **WEB}, "docker logs web, its exit code"),
        ({"died": True, "listens_on": ["81/tcp"], **WEB}, "If 81/tcp was meant"),
        ({"only_at": ["IPv4"]}, "Let the program listen on ::, which takes IPv4 as well"),
        ({"only_at": ["127.0.0.1"], "program": "app", **WEB}, "Let app listen on 0.0.0.0 or ::"),
        ({"only_at": ["127.0.0.1"], "program": "app"}, "Let app listen on 172.17.0.3 as well. On 0.0.0.0 or ::"),
        ({**ELSEWHERE, "asked_outside": "8080"}, "-p 8080:81; or"),
        ({**ELSEWHERE, "maps_to": "8081"}, "-p 8081:81; or"),
        ({**ELSEWHERE, "listens_on": []}, "Start the program in web (docker logs says why it does not run)"),
        ({**ELSEWHERE, "alias": "app", "made_since": ["db"]}, "Give the name app to db alone"),
        ({**ELSEWHERE, "made_since": ["db"]}, "db is 172.17.0.4 now."),
        (ELSEWHERE, "If db was meant: ask by its name"),
        ({"strays": True}, "for TFTP and the like, a conntrack helper"),
        ({"router": "192.168.1.1"}, "See on 192.168.1.1, the router"),
        ({"router": "192.168.1.1", "published_by": "web"}, "Ask for web by its name on a network that both are on"),
        ({"sent_by_rule": "-j DNAT", "router": "192.168.1.1"}, "Limit the rule"),
        ({**NDOTS, "sent_by_rule": "-j DNAT"}, "Take the search domain example.org away"),
        ({**NDOTS, "listens_now": "app"}, "depends_on with condition service_healthy"),
    ],
)  # fmt: skip
def test_each_reason_has_its_remedy(facts: Facts, remedy: str | None) -> None:
    """The likeliest to help first; nothing where nothing is known."""
    told = connection_refused({**REFUSED, **facts}).remedy

    assert told is None if remedy is None else remedy in str(told)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"nobody_at": "80/tcp"}, "nobody listens on 80/tcp there; what listens: nothing."),
        ({"nobody_at": "80/tcp", "listens_on": ["81/tcp", "82/tcp"]}, "what listens: 81/tcp, 82/tcp."),
        ({"accepted_later": True}, "Later connections were accepted."),
        ({**WEB, "unhealthy": True}, "Docker's health check calls web unhealthy."),
        ({"accepted_later": True, "by_turns": True}, "Between refusals, the same port was accepted."),
        ({"turned": True, "then_reached": "IPv4"}, "turned to IPv4 at once, and got through."),
        ({"short_name": "db", "domain": "x"}, "If a container called db was meant, it is not known on this network"),
        (NDOTS, "options ndots says how many dots"),
        ({"router": "r", "published_by": "web"}, "(NAT loopback)"),
        ({"strays": True}, "come from another address or port than it asked"),
    ],
)  # fmt: skip
def test_what_else_is_known_is_added(facts: Facts, said: str) -> None:
    """What listens, what came after, and what a name was completed to."""
    plain = connection_refused(REFUSED).explanation

    assert said in connection_refused({**REFUSED, **facts}).explanation
    assert said not in plain
