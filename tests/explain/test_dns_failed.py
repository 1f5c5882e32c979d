"""What name servers answer when they cannot tell."""

from pathlib import Path

import pytest

from analyzer.model import Severity
from tests.build import udp
from tests.explain.dns import answer, ask, message
from tests.explain.scene import SERVER, Scene

HYPOTHESIS = "dns-failed"
FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = 1, 2, 3, 4, 5


def _answers(scene: Scene, *outcomes: int, server: str = SERVER) -> None:
    first = scene.ident
    for number, outcome in enumerate(outcomes, first):
        ask(scene, number * 10, number, f"{number}.example", server=server)
        answer(scene, number * 10 + 5, number, f"{number}.example", "A", outcome, server=server)


@pytest.mark.parametrize(
    ("outcome", "title", "severity"),
    [
        (0, None, None),
        (FORMERR, "name server 8.8.8.8 failed 1 question: FORMERR", Severity.ERROR),
        (SERVFAIL, "name server 8.8.8.8 failed 1 question: SERVFAIL", Severity.ERROR),
        (NXDOMAIN, "name server 8.8.8.8 knows no such name: 0.example A", Severity.WARNING),
        (NOTIMP, "name server 8.8.8.8 failed 1 question: NOTIMP", Severity.ERROR),
        (REFUSED, "name server 8.8.8.8 refused 1 question", Severity.ERROR),
        (9, None, None),
    ],
)
def test_outcomes(tmp_path: Path, outcome: int, title: str | None, severity: Severity | None) -> None:
    """A name that is not there is a warning: the server works."""
    scene = Scene(tmp_path)
    _answers(scene, outcome)

    assert [(f.detail, f.severity) for f in scene.findings(HYPOTHESIS)] == ([(title, severity)] if title else [])


@pytest.mark.parametrize(
    ("others", "severity"),
    [((), Severity.ERROR), ((0,), Severity.WARNING), ((NXDOMAIN,), Severity.WARNING), ((9,), Severity.ERROR)],
)
def test_a_server_that_answers_others(tmp_path: Path, others: tuple[int, ...], severity: Severity) -> None:
    """Is a warning; the kinds of failures are named once each."""
    scene = Scene(tmp_path)
    _answers(scene, SERVFAIL, REFUSED, SERVFAIL, *others)
    (finding,) = (one for one in scene.findings(HYPOTHESIS) if "failed" in one.detail)

    assert finding.detail == "name server 8.8.8.8 failed 3 questions: SERVFAIL, REFUSED"
    assert finding.severity is severity
    assert finding.explanation == "Asked for 0.example A, 1.example A, 2.example A." + (
        " It answers other questions." if severity is Severity.WARNING else ""
    )
    assert [str(one) for one in finding.evidence] == ["veth-c2 #2", "veth-c2 #4", "veth-c2 #6"]


def test_each_server_by_itself(tmp_path: Path) -> None:
    """What one answers says nothing of the other."""
    scene = Scene(tmp_path)
    _answers(scene, SERVFAIL, server="9.9.9.9")
    _answers(scene, 0, SERVFAIL)

    assert [(f.detail[:19], f.severity) for f in scene.findings(HYPOTHESIS)] == [
        ("name server 9.9.9.9", Severity.ERROR),
        ("name server 8.8.8.8", Severity.WARNING),
    ]


@pytest.mark.parametrize(
    ("name", "severity"),
    [("web", Severity.INFO), ("web.lan.example", Severity.INFO), ("db", Severity.WARNING)],
    ids=["without-domain", "another-domain", "another-name"],
)
def test_search_domains(tmp_path: Path, name: str, severity: Severity) -> None:
    """A name with a domain behind it that is unknown means nothing, if another form of it is known."""
    scene = Scene(tmp_path)
    for number, (asked, outcome) in enumerate((("web.lan", NXDOMAIN), (name, 0))):
        ask(scene, number * 10, number, asked)
        answer(scene, number * 10 + 5, number, asked, "A", outcome)

    assert [finding.severity for finding in scene.findings(HYPOTHESIS)] == [severity]


def test_names_that_are_not_there(tmp_path: Path) -> None:
    """All of one server together."""
    scene = Scene(tmp_path)
    _answers(scene, NXDOMAIN, NXDOMAIN, 0)
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.detail == "name server 8.8.8.8 knows no such name: 0.example A, 1.example A"
    assert finding.explanation.startswith("2 questions got NXDOMAIN. ")
    assert len(finding.evidence) == 2
    assert finding.remedy == "If the name is right: does this server know it, or another one?"


def test_a_name_that_only_another_server_knows(tmp_path: Path) -> None:
    """Then it is the wrong server that is asked, and that is an error."""
    scene = Scene(tmp_path)
    ask(scene, 0, 1, "git.corp")
    answer(scene, 5, 1, "git.corp", outcome=3)
    known = message(2, "git.corp", "A", 0)[:6] + b"\0\1" + message(2, "git.corp", "A", 0)[8:]
    known += b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + bytes([192, 168, 1, 9])
    ask(scene, 10, 2, "git.corp", server="9.9.9.9")
    scene.back(15, 17, udp(53, 30_002, known), src="9.9.9.9")
    (finding,) = scene.findings("dns-failed")

    assert finding.severity is Severity.ERROR
    assert finding.title.endswith(f"name server {SERVER} does not know it, and 9.9.9.9 does")
