"""Which causes are told: the order of hypotheses says nothing, and what explains a part hides nothing of the rest."""

import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer import analyze
from analyzer.cli import main
from analyzer.explain.case import Case
from analyzer.explain.hypotheses import HYPOTHESES
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.rank import Asked, explain
from analyzer.explain.told import Told
from analyzer.model import Basis, Finding, Severity
from tests.build import tcp, udp
from tests.explain.scene import Scene
from tests.lab.faults.cases import CASES

SYN, PSH, ACK = 2, 0x18, 0x10


def _named(name: str, *causes: Cause, specific: Specific = Specific.MECHANISM) -> Hypothesis:
    about = f"It may be {name}."
    return Hypothesis(name, Severity.ERROR, "captures", about, "", lambda case: causes, specific)


def _cause(packets: list[int], basis: Basis = Basis.OBSERVED, **fields: object) -> Cause:
    return Cause(packets, lambda left: Told({"left": [str(packet) for packet in left]}), basis, **fields)  # type: ignore[arg-type]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """A SYN that is sent again, and eight others, that go no further than the bridge, while others pass."""
    scene = Scene(tmp_path)
    for number in range(10):
        scene.out(number * 10, 6, tcp(40_000 + max(number - 1, 0), 80, 1, 0, SYN), until="docker0")
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    scene.back(9001, 17, udp(2, 1, b"y"), src="9.9.9.9")
    return scene.case()


def _explained(asked: Asked) -> tuple[Finding, ...]:
    return explain([asked.groups(asked.totals())], asked.failures)


def _told(found: Iterable[Finding]) -> dict[str, object]:
    return {finding.check: finding.facts["left"] for finding in found}


FIRST = ["0", "1"]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (_named("b", _cause([0, 1], Basis.STATED)), _named("a", _cause([0, 1]))),
        (_named("b", _cause([0, 1])), _named("a", _cause([0, 1], Basis.INFERRED))),
        (_named("b", _cause([0, 1], counted=True)), _named("a", _cause([0, 1]))),
        (_named("b", _cause([0, 1])), _named("a", _cause([0]))),
        (_named("b", _cause([0, 1]), specific=Specific.SETTING), _named("a", _cause([0, 1]))),
        (_named("b", _cause([0, 1], Basis.INFERRED)), _named("a", _cause([0, 1]), specific=Specific.PLACE)),
        (_named("b", _cause([0, 1], Basis.INFERRED), specific=Specific.PLACE),
         _named("a", _cause([0, 1]), specific=Specific.SILENCE)),
    ],
    ids=["stated", "observed", "counted", "share", "specific", "why-not-where", "where-not-who"],
)  # fmt: skip
def test_which_comes_first(case: Case, better: Hypothesis, worse: Hypothesis) -> None:
    """By basis, then a counter, then the share of the trouble, then how much it says; that of a place comes last."""
    for order in ((better, worse), (worse, better)):
        asked = Asked(case, order)

        assert _told(_explained(asked)) == {"b": FIRST}
        assert {asked.check_of(packet) for packet in (0, 1)} == {"b"}


def test_what_is_left_is_told_by_the_next(case: Case) -> None:
    """A cause that explains a part hides nothing of the rest."""
    part, all_of_it = _named("b", _cause([0, 1], Basis.STATED)), _named("a", _cause(list(range(10))))

    assert _told(_explained(Asked(case, (all_of_it, part)))) == {"b": FIRST, "a": [str(n) for n in range(2, 10)]}


def test_what_follows_from_a_cause(case: Case) -> None:
    """It is explained, too, unless another one is about just that."""
    one = _named("b", _cause([0], Basis.STATED, also=[1, 2]))
    about_it, place = _named("a", _cause([1])), _named("c", _cause([0, 1, 2, 3]), specific=Specific.PLACE)

    assert _told(_explained(Asked(case, (one, place)))) == {"b": ["0"], "c": ["3"]}
    assert _told(_explained(Asked(case, (one, place, about_it)))) == {"b": ["0"], "a": ["1"], "c": ["3"]}


def test_the_others_stand_in_it(case: Case) -> None:
    """Other causes of the same packets, with their reason; what only says where or what kind is no other cause."""
    told = _named("b", _cause([0, 1], Basis.STATED))
    others = (
        _named("a", _cause([1], why="because")),
        _named("c", _cause([0])),
        _named("d", _cause([0]), specific=Specific.KIND),
        _named("e", _cause([0]), specific=Specific.PLACE),
    )
    (finding,) = _explained(Asked(case, (*others, told)))

    assert [(one.check, one.why) for one in finding.alternatives] == [("a", "because"), ("c", "It may be c.")]


def test_what_explains_no_trouble_is_told_beside(case: Case) -> None:
    """It takes nothing away, and nothing is taken from it."""
    beside = _named("a", _cause([0]), specific=Specific.NOTHING)

    assert _told(_explained(Asked(case, (beside, _named("b", _cause([0])))))) == {"a": ["0"], "b": ["0"]}


def test_a_cause_without_packets_is_told(case: Case) -> None:
    """A dump says it, whatever captures show."""
    assert _told(_explained(Asked(case, (_named("a", _cause([], Basis.STATED)),)))) == {"a": []}


@pytest.mark.parametrize("chosen", CASES[::7], ids=lambda one: one.name)
def test_no_order(chosen: object) -> None:
    """Whatever order hypotheses are asked in, the findings are the same, and so is what explains each packet."""
    trace = analyze([chosen.path])  # type: ignore[attr-defined]
    rng = random.Random(3)

    def asked(hypotheses: tuple[Hypothesis, ...]) -> tuple[tuple[Finding, ...], list[str | None]]:
        told = trace.correlated
        case = Case(
            trace.context, trace.tracer, trace.files, told.contradictions, lambda: trace.names, trace.read_again
        )
        part = Asked(case, hypotheses)
        return _explained(part), [part.check_of(packet) for packet in range(trace.packets)]

    usual = asked(HYPOTHESES)
    for order in (HYPOTHESES[::-1], *(tuple(rng.sample(HYPOTHESES, len(HYPOTHESES))) for _ in range(3))):
        assert asked(order) == usual


def _masked(scene: Scene) -> None:
    """Of one connection, a segment is too long, which a router says; later eight are lost inside the host."""
    scene.out(0, 6, tcp(40_000, 80, 999, 0, SYN))
    scene.back(5, 6, tcp(80, 40_000, 4999, 1000, SYN | ACK))
    long = tcp(40_000, 80, 1000, 5000, PSH, b"x" * 1400)
    scene.out(10, 6, long, ident=7)
    scene.error(12, 3, 4, 6, long, ident=7, by="192.168.1.1", word=1200)
    scene.out(20, 6, tcp(40_000, 80, 1000, 5000, PSH, b"x" * 700))
    scene.back(25, 6, tcp(80, 40_000, 5000, 1700, ACK))
    for number in range(8):
        scene.out(100 + number * 50, 6, tcp(40_000, 80, 1700 + number * 10, 5000, PSH, b"y" * 10), until="docker0")
        scene.out(110 + number * 50, 17, udp(1, 2, b"x%d" % number), dst="9.9.9.9")
        scene.back(111 + number * 50, 17, udp(2, 1, b"y%d" % number), src="9.9.9.9")


def test_what_is_harmless_hides_no_loss(tmp_path: Path) -> None:
    """A router's word that TCP adapts to is worth knowing; the packets lost later are an error of their own."""
    scene = Scene(tmp_path)
    _masked(scene)
    findings = scene.findings()

    assert [(one.severity, one.check, one.facts["packets"]) for one in findings] == [
        (Severity.ERROR, "loss-inside-host", 8), (Severity.INFO, "mtu-exceeded", 1),
    ]  # fmt: skip
    assert CliRunner().invoke(main, ["analyze", str(tmp_path), "--fail-on", "error"]).exit_code == 1


def test_two_hosts_lose_nothing_of_each_other() -> None:
    """A second host's bundle beside it changes nothing of what is said of the first."""
    faults = Path(__file__).parents[1] / "faults"
    other = Path(__file__).parents[2] / "sample_pcaps" / "overlay" / "host2"
    for name in ("drop-rule.bridge", "no-forwarding.bridge"):
        alone = analyze([faults / f"{name}.tar.zst"]).findings
        beside = analyze([faults / f"{name}.tar.zst", other]).findings
        same = [one for one in beside if one.check in {finding.check for finding in alone}]

        assert [(one.check, one.basis, one.facts["cause"]) for one in same] == [
            (one.check, one.basis, one.facts["cause"]) for one in alone
        ]
