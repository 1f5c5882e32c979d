"""hoptrace capture changes nothing: a container gets as many packets while it runs as without it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer import analyze
from tests.lab.commands import inside
from tests.lab.engine import HOST, Lab

pytestmark = pytest.mark.live
TALK = ("talk", "udp", "192.168.1.100", "5353", "count=3")
"""Three questions to the published port, each answered."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A host without docker-proxy, whose bridge turns packets for a published port round, by br_netfilter."""
    with Lab(userland_proxy=False) as lab:
        lab.run_container("c1")
        lab.run_container("web", "-p", "5353:53/udp")
        lab.start_server(lab.in_container("web"), "udp", "53")
        yield lab


def _received(lab: Lab) -> int:
    """Return how many IP packets web has taken in so far (InReceives of RFC 4293)."""
    names, values = (line.split() for line in lab.exec("web", "cat", "/proc/net/snmp").splitlines()[:2])
    return int(values[names.index("InReceives")])


def _more(lab: Lab, *command: str) -> int:
    before = _received(lab)
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "DOCKER_HOST": lab.socket})
    return _received(lab) - before


def _talk(lab: Lab, client: str) -> tuple[str, ...]:
    peers = Path(__file__).parents[1] / "lab" / "peers.py"
    return (*lab.in_container(client), sys.executable, str(peers), *TALK)


@pytest.mark.parametrize(("client", "packets"), [("c1", 3), ("web", 6)])
def test_packets_are_as_many(lab: Lab, tmp_path: Path, client: str, packets: int) -> None:
    """Of a container beside it, and of the container itself, which gets its own questions and answers."""
    alone = _more(lab, *_talk(lab, client))
    options = ("-c", "c1", "-c", "web", "-o", str(tmp_path / "b"), "--no-analyze", "--")
    capture = (*inside(lab.namespace), sys.executable, "-m", "analyzer", "capture", *options)
    captured = _more(lab, *capture, *_talk(lab, client))
    trace = analyze([tmp_path / "b"])
    asked = [journey for journey in trace.journeys() if journey.protocol == "udp"]

    assert (alone, captured) == (packets, packets)
    assert [journey.disposition.value for journey in asked] == ["delivered"] * 6
    assert len({journey.connection for journey in asked}) == 1


def test_what_a_promiscuous_capture_does(lab: Lab) -> None:
    """Why: with tcpdump as it runs by itself on the bridge, the container gets each question twice."""
    spoiling = subprocess.Popen(inside(HOST, "tcpdump", "-i", "docker0", "-w", "/dev/null"), stderr=subprocess.PIPE)
    try:
        assert spoiling.stderr is not None
        spoiling.stderr.readline()
        doubled = _more(lab, *_talk(lab, "c1"))
    finally:
        spoiling.terminate()
        spoiling.communicate()

    assert doubled >= 6
