"""Findings in the terminal: what is told of one, in which order, and what is left out."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from analyzer.model import Basis, Evidence, Finding, Severity
from analyzer.model.finding import Explained, Other
from analyzer.report.terminal.console import THEME
from analyzer.report.terminal.findings import print_checks, print_doctor, print_finding, print_rows

PLAIN = Finding("the-check", Severity.ERROR, Basis.STATED, title="It fails", detail="It fails", remedy="Mend it.")
FULL = replace(
    PLAIN, detail="3 packets dropped", explanation="For a reason.", commands=("iptables -D X 1 " + "x" * 90,),
    tried="then it passes", evidence=(Evidence("docker0", 3, 2), Evidence("wlan0")), proof=("rules.txt: -A X",),
    alternatives=(Other("other", "it fits as well", "run it again"),), refuted=(Other("third", "it is not there"),),
    facts={"packets": 3},
)  # fmt: skip


def _screen(*, terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), width=60 if terminal else 160, force_terminal=terminal, color_system=None,
                   theme=THEME, highlight=False, markup=False, emoji=False, soft_wrap=True)  # fmt: skip


def _lines(out: Console) -> list[str]:
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue().splitlines()


def _told(finding: Finding) -> list[str]:
    out = _screen()
    print_finding(out, finding)
    return _lines(out)


def test_what_is_not_known_of_a_finding_has_no_line() -> None:
    """A detail that is the title is not told twice; the remedy stands always."""
    assert _told(PLAIN) == ["", "error: It fails  (the-check, stated)", "  Remedy: Mend it."]


def test_all_that_is_known_stands_in_its_order() -> None:
    """What was counted, why, what helps, what to type, whether it was tried; then what shows it, and what else fits."""
    assert _told(FULL)[2:] == [
        "  3 packets dropped.",
        "  For a reason.",
        "  Remedy: Mend it.",
        f"    {FULL.commands[0]}",
        "  Tried on the recorded state: then it passes",
        "  Evidence: docker0 #3 (J2), wlan0 and 2 more",
        "  rules.txt: -A X",
        "  Also possible: other: it fits as well To tell: run it again.",
        "  Ruled out: third: it is not there",
    ]


@pytest.mark.parametrize(
    ("packets", "journey", "more"),
    [(1, 2, ""), (2, 2, " and 1 more"), (1_236, 2, " and 1,235 more"), (5, None, ""), ("many", 2, "")],
)
def test_packets_beside_those_that_are_shown_are_counted(packets: int | str, journey: int | None, more: str) -> None:
    """Only frames of journeys are packets: without one there is nothing to count from."""
    shown = replace(PLAIN, evidence=(Evidence("docker0", 3, journey), Evidence("wlan0", 9)), facts={"packets": packets})
    name = "docker0 #3" if journey is None else "docker0 #3 (J2)"

    assert _told(shown)[-1] == f"  Evidence: {name}, wlan0 #9{more}"


def test_a_command_is_one_line_also_where_text_is_broken() -> None:
    """It is pasted; all other lines fit the terminal."""
    out = _screen(terminal=True)
    print_finding(out, replace(FULL, explanation="long " * 40))
    long = [line for line in _lines(out) if len(line) > 60]

    assert long == [f"    {FULL.commands[0]}"]


def test_text_of_others_is_escaped_wherever_it_stands() -> None:
    """A title, a rule, a command, a remedy."""
    bad = "\x1b[2J"
    told = _told(
        replace(
            FULL, title=bad, detail=f"{bad}.", explanation=bad, remedy=bad, commands=(bad,), tried=bad, proof=(bad,),
            evidence=(Evidence(bad),), alternatives=(Other("other", bad, bad),),
        )
    )  # fmt: skip

    assert "\x1b" not in "".join(told)
    assert "".join(told).count(r"\x1b[2J") == 10


def test_checks_are_listed_with_what_they_need() -> None:
    """One that is new is marked, and they are counted."""
    check = Explained("a-check", Severity.WARNING, "captures", "It speaks.", "Mend it.")
    out = _screen()
    print_checks(out, [check, replace(check, name="new-check", preview=True)])

    assert [line for line in _lines(out) if line] == [
        "a-check  warning", "  It speaks.", "  Needs: captures", "  Remedy: Mend it.",
        "new-check  warning  preview", "  It speaks.", "  Needs: captures", "  Remedy: Mend it.", "2 checks",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("findings", "problems", "last"),
    [
        ((), (), "host1: nothing wrong was found"),
        ((), ("ip route: not permitted",), "host1: nothing wrong was found in what could be read"),
        ((PLAIN,), ("ip route: not permitted",), "host1: 1 finding"),
        ((PLAIN, PLAIN), (), "host1: 2 findings"),
    ],
)
def test_a_host_s_state_is_summed_up_last(findings: tuple[Finding, ...], problems: tuple[str, ...], last: str) -> None:
    """That nothing was found means less where something could not be read."""
    out = _screen()
    print_doctor(out, "host1", findings, problems)
    lines = _lines(out)

    assert lines[-1] == last
    assert [line for line in lines if line.startswith("not known: ")] == [f"not known: {one}" for one in problems]
    assert sum("It fails" in line for line in lines) == len(findings)


def test_names_stand_with_what_they_are() -> None:
    """Under their title, each in a line, and an empty line behind."""
    out = _screen()
    print_rows(out, "Roles", [("veth", "the host's end"), ("bridge", "docker0")])

    assert _lines(out) == ["Roles", "  veth: the host's end", "  bridge: docker0", ""]
