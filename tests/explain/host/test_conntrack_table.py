"""How full conntrack's table is."""

import pytest

from analyzer.model import HostState, Severity
from tests.explain.host.state import asked

check = asked("conntrack-full")

COUNT, MOST = "net.netfilter.nf_conntrack_count", "net.netfilter.nf_conntrack_max"


@pytest.mark.parametrize(
    ("count", "most", "severity"),
    [
        ("899", "1000", None),
        ("900", "1000", Severity.WARNING),
        ("999", "1000", Severity.WARNING),
        ("1000", "1000", Severity.ERROR),
        ("1200", "1000", Severity.ERROR),
        ("5", "0", None),
        ("0", "0", None),
        (None, "1000", None),
        ("1000", None, None),
    ],
)
def test_from_nine_tenths_on(count: str | None, most: str | None, severity: Severity | None) -> None:
    """A warning from nine tenths on, an error when it is full; nothing where a number is missing, or no limit."""
    sysctls = {name: value for name, value in ((COUNT, count), (MOST, most)) if value is not None}
    found = check(HostState(sysctls=sysctls))

    assert [finding.severity for finding in found] == ([severity] if severity else [])


def test_what_is_told() -> None:
    """Both numbers, both lines, and twice the limit as the remedy."""
    (finding,) = check(HostState(sysctls={COUNT: "262144", MOST: "262144"}))

    assert finding.check == "conntrack-full"
    assert finding.detail == "conntrack holds 262,144 of 262,144 entries"
    assert finding.proof == (f"sysctl.txt: {COUNT} = 262144", f"sysctl.txt: {MOST} = 262144")
    assert finding.commands == (f"sysctl -w {MOST}=524288",)
