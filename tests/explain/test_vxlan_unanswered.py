"""What is told of an overlay network whose port is shut, on a recording of it."""

from analyzer import analyze
from tests.lab.faults.cases import RECORDED


def test_all_that_goes_to_the_other_host_is_told_as_one() -> None:
    """Pings and SYNs alike; sums that the card completes, inside and around them, are no fault."""
    findings = [one for one in analyze([RECORDED / "overlay-shut.overlay.tar.zst"]).findings if one.severity != "info"]
    (finding,) = (one for one in findings if one.check == "vxlan-unanswered")

    assert not any(one.check == "vxlan-checksum" for one in findings)
    assert finding.facts["peer"] == "192.168.2.100"
    assert finding.facts["others_answered"] is True
    assert finding.title.startswith("o1 gets no answer from 10.30.0.12 (ICMP, TCP): UDP port 4789 to 192.168.2.100")
