"""The story of a journey in prose, with the addresses and times of the capture."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer import analyze
from analyzer.cli import main
from analyzer.report.lesson import lesson

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"


def _told(sample: str, number: int) -> str:
    trace = analyze(sorted((SAMPLES / sample).glob("host[0-9]")) or [SAMPLES / sample])
    return "\n".join(lesson(trace.journey(number), {point.name: point for point in trace.points}))


def test_the_seed_s_first_ping() -> None:
    """Everything a teacher would name, in the order in which it happens."""
    told = _told("seed", 3)
    order = [
        "Container c3, 172.17.0.4, sends an ICMP echo request",
        "goes to the gateway 172.17.0.1",
        "“who has 172.17.0.1?”",
        "hands it up to the host's IP stack",
        "“default via 192.168.1.1 dev wlan0”",
        "from 64 to 63",
        "masquerades: source 172.17.0.4 becomes 192.168.1.100",
        "“who has 192.168.1.1?”",
        "the uplink wlan0",
        "The answer is J6",
    ]

    assert [told.index(words) for words in order] == sorted(told.index(words) for words in order)


@pytest.mark.parametrize(
    ("sample", "number", "words"),
    [
        ("seed", 6, "is put back: destination 192.168.1.100 becomes 172.17.0.4"),
        (
            "published-port",
            2,
            "translates the destination (DNAT): destination 192.168.1.100:8080 becomes 172.17.0.2:80",
        ),
        ("same-bridge", 2, "the destination is on its own link"),
        ("overlay", 6, "becomes the payload of a UDP datagram (VXLAN) from 192.168.1.100 to 192.168.2.100"),
        ("icmp-errors", 3, "Here its way ends, and the sender is told"),
    ],
)
def test_other_ways(sample: str, number: int, words: str) -> None:
    """Replies, published ports, one bridge, an overlay, an error."""
    assert words in _told(sample, number)


def test_every_journey_of_every_sample_can_be_explained() -> None:
    """And says nothing of None."""
    for folder in sorted(SAMPLES.iterdir()):
        trace = analyze(sorted(folder.glob("host[0-9]")) or [folder])
        points = {point.name: point for point in trace.points}
        for journey in trace.journeys():
            assert "None" not in "\n".join(lesson(journey, points)), (folder.name, journey.id)


@pytest.mark.parametrize("command", [["show", str(SAMPLES / "seed"), "J3"], ["analyze", str(SAMPLES / "seed")]])
def test_explain_on_the_command_line(command: list[str]) -> None:
    """--explain tells journeys in prose, in lines that fit."""
    result = CliRunner().invoke(main, [*command, "--explain"])

    assert "As every router does" in " ".join(result.output.split())
    assert result.exit_code == 0
