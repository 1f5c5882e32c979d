"""What is said of ports that lead to no container."""

import pytest

from analyzer.report.words.published import published
from analyzer.report.words.refused import connection_refused
from analyzer.report.words.sentence import Facts

REFUSED: Facts = {"target": "172.17.0.3", "ports": ["80/tcp"], "packets": 3}
PUBLISHED: Facts = {"publisher": "web", "port_text": "127.0.0.1:8080->80/tcp", "status": "exited", "network": "n"}


@pytest.mark.parametrize(
    ("publishes", "cause", "remedy"),
    [
        ("not-running", "web, which publishes that port, does not run (exited)", "docker start web"),
        ("no-proxy", "docker-proxy for 127.0.0.1:8080->80/tcp of web does not run", "docker restart web"),
        ("host-network", "web is on the host's network", "Ask for its program's own port, 80,"),
        ("internal", "web is on network n, which is internal", "docker network connect NETWORK web"),
        ("other-address", "at that address alone", "port 80; or publish"),
        ("other-version", "for that IP version alone", "the other IP version"),
        ("other-protocol", "which is another protocol", "-p .../udp."),
        ("unpublished", "web listens on 127.0.0.1:8080->80/tcp, and does not publish it", "If web was meant"),
        ("inside-port", "that is web's own port", "ask for port 8080."),
    ],
)
def test_a_container_that_publishes_what_comes_near_says_how(publishes: str, cause: str, remedy: str) -> None:
    """The cause is the explanation as well; ports are taken from how it is published."""
    words = connection_refused({**REFUSED, **PUBLISHED, "publishes": publishes})

    assert cause in words.cause
    assert f"where nobody listens on that port: {words.cause}." in words.explanation
    assert remedy in str(words.remedy)


def test_a_port_that_is_published_for_udp_is_asked_by_tcp() -> None:
    """The other way round."""
    facts: Facts = {**REFUSED, **PUBLISHED, "port_text": "0.0.0.0:53->53/udp", "publishes": "other-protocol"}

    assert "-p .../tcp." in str(connection_refused(facts).remedy)


def test_of_several_containers_all_are_named() -> None:
    """Nobody knows which one is meant."""
    cause, remedy = published({**PUBLISHED, "publishes": "inside-port", "each": ["web as 1->80", "db as 2->80"]})

    assert cause == "that is the own port of several containers, which publish it otherwise: web as 1->80, db as 2->80"
    assert remedy == "From outside, ask for the port that whoever is meant is published at."
