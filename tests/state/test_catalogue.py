"""What is told of rules that are evaluated is what the evaluation does."""

import pytest

from analyzer.model.question import Missing, Unknown
from analyzer.model.rules import Unfollowed
from analyzer.model.verdict import Why
from analyzer.state.rules.catalogue import causes, evaluated, undecidable
from analyzer.state.rules.options import Option, question
from analyzer.state.rules.targets import statements
from tests.state.rules.judge import answer, syn

EVALUATED = dict(evaluated())


def test_targets_that_are_told_are_followed() -> None:
    """And none that is not followed is told."""
    told = EVALUATED["iptables: targets"].split(", ")

    assert told == sorted(told)
    assert {"ACCEPT", "DNAT", "MASQUERADE", "MARK", "LOG", "CT"} <= set(told)
    assert not {"NETMAP", "NFQUEUE", "SYNPROXY"} & set(told)
    for target in told:
        unfollowed = [one for one in statements(target, ()) if isinstance(one, Unfollowed)]
        assert all(one.missing is Missing.VALUE for one in unfollowed), target


@pytest.mark.parametrize(
    ("of", "words"),
    [
        ("iptables: matches", "-m conntrack --ctdir"),
        ("iptables: matches", "-m set --match-set"),
        ("iptables: matches", "-m dccp, -m dscp --dscp --dscp-class, "),
        ("iptables: matches", "-m multiport --dports --ports --sports"),
        ("nftables: meta", "iifname"),
        ("nftables: headers", "udp dport sport"),
        ("nftables: ct", "status"),
        ("nftables: statements", "ct mark set"),
        ("nftables: statements", "masquerade"),
        ("iptables: matches", "--dport --sport -d -f -i -o -p -s, -m "),
    ],
)
def test_what_is_evaluated_is_told_with_its_module(of: str, words: str) -> None:
    """Of iptables the match before its options; of nftables the protocol before its fields."""
    assert words in EVALUATED[of]


def test_every_reason_has_its_line() -> None:
    """In the order of the reasons, with one sentence each."""
    told = undecidable()

    assert [what for what, _ in told] == [f"it {missing.words}" for missing in Missing]
    assert all(text.startswith(missing.meaning) for missing, (_, text) in zip(Missing, told, strict=True))


@pytest.mark.parametrize("module", ["bpf", "limit", "recent", "time", "string", "owner", "policy"])
def test_a_match_stands_at_the_reason_that_its_question_gives(module: str) -> None:
    """And at no other one."""
    asked = question(Option("--anything", "x", negated=False, module=module), {})
    found = answer(asked, syn())
    lines = [what for what, text in undecidable() if f"-m {module}," in text or f"-m {module})" in text]

    assert isinstance(found, Unknown)
    assert lines == [f"it {found.missing.words}"]


def test_every_cause_is_told_with_the_kernels_place() -> None:
    """None is left out, and none is told twice."""
    assert causes() == [(why.words, why.kernel) for why in Why]
    assert len({what for what, _ in causes()}) == len(Why)
