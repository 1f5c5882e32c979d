"""The first line of findings: a table of facts gives the sentence, without any recording."""

import re

import pytest

from analyzer.model import Basis, Finding, Severity
from analyzer.model.finding import Fact
from analyzer.report.words import SAYS, worded
from analyzer.report.words.sentence import several, without_port

RETURN = "Let just this pass before the rule:"
REMOTE = "198.51.100.80:7"
OUT: dict[str, Fact] = {
    "who": ["c1"], "what": [REMOTE], "protocols": ["TCP"], "tries": 3, "failed": 3, "packets": 3, "of_packets": 3,
    "connections": [f"172.17.0.2:40000 → {REMOTE}"], "more_connections": 0,
}  # fmt: skip
RULE: dict[str, Fact] = {"cause": "rule “-A X -j DROP” in filter", "chain": "DOCKER-USER", "number": 1}
POLICY: dict[str, Fact] = {"cause": "policy DROP of filter FORWARD", "policy_of": "filter FORWARD"}


def _told(check: str, **facts: Fact) -> Finding:
    (found,) = worded([Finding(check, Severity.ERROR, Basis.STATED, {**OUT, **facts}, remedy="Do it.")])
    return found


@pytest.mark.parametrize(
    ("check", "facts", "title"),
    [
        ("filtered-by-rule", RULE, f"c1 cannot reach {REMOTE} (TCP): rule 1 of DOCKER-USER drops it"),
        ("filtered-by-rule", {**RULE, "rejected": True},
         f"c1 cannot reach {REMOTE} (TCP): rule 1 of DOCKER-USER rejects it"),
        ("filtered-by-rule", POLICY,
         f"c1 cannot reach {REMOTE} (TCP): no rule of filter FORWARD accepts it, and its policy is DROP"),
        ("filtered-by-rule", {**RULE, "failed": 1}, (f"c1 reaches {REMOTE} (TCP) only sometimes, 2 of 3 tries: rule 1 "
         "of DOCKER-USER drops it")),
        ("filtered-by-rule", {**RULE, "failed": 0, "of_packets": 9},
         f"c1 loses 3 of 9 packets to {REMOTE} (TCP): rule 1 of DOCKER-USER drops it"),
        ("filtered-by-rule", {**RULE, "failed": 0, "of_packets": 9, "of_replies": True},
         f"c1 loses 3 of 9 answers from {REMOTE} (TCP): rule 1 of DOCKER-USER drops it"),
        ("network-isolation", {"cause": "rule", "from_container": "worker", "to_container": "db", "network": "n",
                               "who": ["worker"], "what": ["db:5432"]},
         "worker cannot reach db:5432 (TCP): they share no network, and Docker keeps networks apart"),
        ("forwarding-disabled", {"cause": "x", "settings": ["net.ipv4.conf.docker0.forwarding"],
                                 "what": ["198.51.100.80", REMOTE], "protocols": ["ICMP", "TCP"]},
         "c1 cannot reach 198.51.100.80 (ICMP, TCP): net.ipv4.conf.docker0.forwarding is 0"),
        ("masquerade-missing", {"where": "wlan0", "as_address": "172.17.0.2", "known": True},
         f"c1 gets no answer from {REMOTE} (TCP): its packets leave by wlan0 as 172.17.0.2, untranslated"),
        ("connection-refused", {"target": "172.17.0.3", "container": "web", "ports": ["8888/tcp"],
                                "what": ["web:8888"]},
         "c1 cannot reach web:8888 (TCP): web refuses, nothing listens there"),
        ("syn-unanswered", {"target": "172.17.0.3:80", "last": "docker0", "end": "delivered", "what": ["web:80"]},
         "c1 cannot reach web:80 (TCP): its SYNs get to docker0, and nobody answers"),
        ("syn-unanswered", {"target": REMOTE, "last": "docker0", "end": "not-observable"},
         f"c1 gets no answer from {REMOTE} (TCP): not known where, there is no capture beyond docker0"),
        ("arp-unanswered", {"asked": "192.168.1.77", "where": "wlan0", "asker": "192.168.1.100", "questions": 3,
                            "what": ["192.168.1.77"], "protocols": ["ICMP"]},
         "c1 cannot reach 192.168.1.77 (ICMP): nobody at wlan0 answers ARP for 192.168.1.77"),
        ("reverse-path-filtered", {"cause": "rp_filter on wlan0: the way back to 100.64.0.2 goes by eth1",
                                   "settings": ["x"], "who": ["100.64.0.2"], "what": ["192.168.1.100:8080"]},
         ("100.64.0.2 cannot reach 192.168.1.100:8080 (TCP): rp_filter on wlan0 drops it, the way back to 100.64.0.2 "
         "goes by eth1")),
        ("mtu-exceeded", {"longest": 1428, "told_by": "192.168.1.1", "mtu": 1300, "adapts": False},
         "c1 cannot send more than 1300 bytes to 198.51.100.80: 192.168.1.1 says no more fits"),
        ("vxlan-mtu", {"least": 1428, "fits": 84, "last": "wlan0", "who": ["10.30.0.11"], "what": ["10.30.0.12"]},
         ("10.30.0.11 cannot send 1428 bytes or more to 10.30.0.12: they vanish beyond wlan0, probably too long for a "
          "link there")),
        ("dns-failed", {"server": "198.51.100.53", "outcomes": ["SERVFAIL", "REFUSED"], "names": "a A",
                        "asked_names": ["a.example", "b.example", "c.example"], "questions": 3},
         "c1 cannot resolve a.example, b.example and 1 more: name server 198.51.100.53 answers SERVFAIL and REFUSED"),
        ("loss-beyond-host", {"where": "wlan0", "towards": True, "peer": "198.51.100.80", "failed": 0,
                              "of_packets": 20},
         f"c1 loses 3 of 20 packets to {REMOTE} (TCP): lost beyond wlan0, or their answers"),
        ("conntrack-full", {"entries": 60, "limit": 60}, ("c1 cannot open connections: conntrack is full, 60 of 60 "
         "entries")),
        ("conntrack-invalid-reset", {"where": "wlan0", "idle_s": 500},
         (f"c1 loses its connection to {REMOTE} (TCP): the host itself resets it, after 500 s of silence conntrack had "
         "forgotten it")),
        ("published-port-not-translated", {"port": "0.0.0.0:80->80/tcp", "container": "web", "relayed": False},
         f"c1 cannot use {REMOTE} (TCP): no DNAT rule sends published port 0.0.0.0:80->80/tcp on to web"),
        ("filtered-by-rule", {**RULE, "who": ["c1", "c2", "c3", "c4"]},
         f"c1, c2 and 2 more cannot reach {REMOTE} (TCP): rule 1 of DOCKER-USER drops it"),
        ("filtered-by-rule", {**RULE, "who": []}, "3 packets dropped: rule “-A X -j DROP” in filter"),
        ("docker-proxy-in-path", {"port": "a:1", "inner": "b:2", "client": "c", "relayed": 1},
         "docker-proxy relays a:1 to b:2"),
    ],
)  # fmt: skip
def test_who_cannot_do_what_and_why(check: str, facts: dict[str, Fact], title: str) -> None:
    """Names before addresses, the port with what it is of; every try, some, or packets only; then what acts."""
    assert _told(check, **facts).title == title


def test_what_was_counted_comes_second() -> None:
    """And then why, of which connections."""
    told = _told("filtered-by-rule", **RULE)

    assert told.detail == "3 packets dropped: rule “-A X -j DROP” in filter"
    assert told.explanation.endswith(f"Of 172.17.0.2:40000 → {REMOTE}.")


@pytest.mark.parametrize(
    ("outcome", "said", "typed"),
    [
        ("helps", RETURN, ("a", "b")),
        ("not-enough", "Not enough, for something else stops the packet after it: a; b", ()),
        ("undecided", f"{RETURN} Whether that is enough, the recorded rules do not decide.", ("a", "b")),
    ],
)  # fmt: skip
def test_remedies(outcome: str, said: str, typed: tuple[str, ...]) -> None:
    """In words, and then what to type, as it stands; nothing that was tried and does not help."""
    told = _told("filtered-by-rule", **RULE, commands=["a", "b"], outcome=outcome)

    assert (told.remedy, told.commands) == (said, typed)


def test_without_a_command() -> None:
    """What the check says of itself stands."""
    assert _told("filtered-by-rule", **RULE).remedy == "Do it."


@pytest.mark.parametrize(
    ("text", "bare"),
    [("db:5432", "db"), ("db", "db"), ("[fe80::1]:53", "fe80::1"), ("fe80::1", "fe80::1"), ("8.8.8.8:53", "8.8.8.8"),
     ("a:b", "a:b")],
)  # fmt: skip
def test_ends_without_their_ports(text: str, bare: str) -> None:
    """Names and addresses of both versions."""
    assert without_port(text) == bare


def test_names_are_joined() -> None:
    """Each once."""
    assert several(["a", "a"]) == "a"
    assert several(["a", "b", "a"]) == "a, b"
    assert several([f"c{n}" for n in range(1200)]) == "c0, c1 and 1,198 more"


def test_every_check_has_its_sentences_in_one_place() -> None:
    """Explain makes facts: no sentence of a finding stands there."""
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in SAYS)


@pytest.mark.parametrize(
    ("what", "told"),
    [(["10.0.0.9:3128"], True), (["10.0.0.9:3128", "10.0.0.9:80"], False), ([REMOTE], False)],
    ids=["proxy", "others-too", "another"],
)
def test_a_proxy_that_does_not_answer_is_told_as_one(what: list[str], told: bool) -> None:
    """Containers are told to ask it by their environment, which no bundle has."""
    found = _told("arp-unanswered", what=what, asked="10.0.0.9")

    assert ("HTTP_PROXY" in found.remedy) is told
    assert found.title.endswith("by its port it is an HTTP proxy") is told
    assert "HTTP_PROXY" not in _told("filtered-by-rule", what=what, **RULE).remedy
