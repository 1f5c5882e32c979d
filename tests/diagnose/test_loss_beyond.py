"""Datagrams that get no answer: lost beyond the host, unless nobody was to answer them."""

from pathlib import Path

import pytest

from analyzer import analyze
from tests.simulate import Simulator


def _titles(folder: Path, asked: int, answered: int, *, sport: int = 40_000) -> list[str]:
    """Let a container send datagrams, the first of which are answered; others follow 2 s later."""
    simulator = Simulator(1)
    for server, count, answers in (("8.8.8.8", asked, answered), ("9.9.9.9", 1, 1)):
        flow = simulator.flow("udp", 2, server, sport, 7777, None)
        for number in range(count):
            simulator.send(flow, reply=False)
            if number < answers:
                simulator.send(flow, reply=True)
        simulator.now += 2_000_000_000
    return [finding.title for finding in analyze(simulator.write(folder)).findings]


@pytest.mark.parametrize(
    ("asked", "answered", "lost"),
    [
        (4, 4, []),
        (4, 3, ["1 packet"]),
        (4, 2, ["2 packets"]),
        (5, 3, ["2 packets"]),
        (4, 1, []),
        (5, 2, []),
        (4, 0, []),
    ],
)
def test_half_of_the_datagrams_must_be_answered(tmp_path: Path, asked: int, answered: int, lost: list[str]) -> None:
    """Who answers less is no server that owes answers: streams and logs go one way."""
    titles = _titles(tmp_path, asked, answered)

    assert titles == [f"{count} towards 8.8.8.8, or their answers, lost beyond wlan0" for count in lost]


def test_peers_with_equal_ports_owe_no_answers(tmp_path: Path) -> None:
    """Gossip goes from port to the same port, both ways."""
    assert _titles(tmp_path, 4, 3, sport=7777) == []
