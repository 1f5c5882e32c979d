"""The terminal: what stands first, where lines break, and the ladder."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from analyzer import analyze
from analyzer.report.terminal import print_ladder, print_report
from analyzer.report.terminal.console import THEME

ROOT = Path(__file__).parents[2]
RULE = ROOT / "tests" / "faults" / "docker-user.bridge.tar.zst"


def _screen(width: int) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=True, no_color=True, theme=THEME, highlight=False,
                   markup=False, emoji=False, soft_wrap=True, color_system=None)  # fmt: skip


def _text(out: Console) -> str:
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


@pytest.mark.parametrize("path", [RULE, ROOT / "sample_pcaps" / "overlay" / "host1", ROOT / "sample_pcaps" / "seed"])
def test_at_80_columns_no_word_is_split(path: Path) -> None:
    """Each line fits, but for commands and rules, which are pasted."""
    out = _screen(80)
    print_report(out, analyze([path]).content())
    lines = _text(out).splitlines()
    long = [line for line in lines if len(line) > 80]

    assert all(line.strip().startswith(("iptables", "nft", "-A")) for line in long), long


def test_the_incident_stands_first() -> None:
    """The sentence, then the finding with its remedy, then points and connections, then journeys."""
    out = _screen(100)
    content = analyze([RULE]).content()
    print_report(out, content)
    text = _text(out)
    places = [
        text.index(word)
        for word in ("c1 cannot reach", "error: c1", "Remedy:", "Evidence:", "point  ", "C0  tcp", "J0 ARP")
    ]

    assert text.startswith("c1 cannot reach 198.51.100.80:7 (TCP): rule 1 of DOCKER-USER drops it\n")
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("path", "journeys", "shown"),
    [
        (RULE, (2,), ["c1 docker0 198.51.100.80", "J2 TCP SYN ●─●─✕ dropped: rule"]),
        (RULE, (5, 8), ["c1 docker0 wlan0 198.51.100.80", "J5 TCP SYN ●─●─ SNAT ─●·▶", "J8 TCP SYN,ACK ◀─●─ SNAT ─●"]),
        (ROOT / "sample_pcaps" / "published-port", (2,), ["100.64.0.2 wlan0 docker0 web", "J2 TCP SYN ●─ DNAT ─●─▶"]),
    ],
)  # fmt: skip
def test_the_ladder(path: Path, journeys: tuple[int, ...], shown: list[str]) -> None:
    """A lane a point; what was translated stands on the way, the end where it was."""
    trace = analyze([path])
    out = _screen(120)
    print_ladder(out, [trace.journey(number) for number in journeys], trace.points)
    told = [_squeezed(line) for line in _text(out).splitlines() if line.strip()]

    assert len(told) == len(shown)
    assert all(line.startswith(wanted) for line, wanted in zip(told, shown, strict=True)), told


def _squeezed(line: str) -> str:
    """Leave one of each run of spaces, dashes and dots."""
    kept = [
        letter for place, letter in enumerate(line.strip()) if letter not in " ─·" or line.strip()[place - 1] != letter
    ]
    return "".join(kept)
