"""What is told of an overlay network whose port is shut, on a recording of it."""

from analyzer import analyze
from tests.lab.faults.cases import RECORDED


def test_a_host_that_is_none_of_the_networks_is_told_as_that() -> None:
    """The overlay's own table, and Docker's list of its hosts, contradict each other; else nothing is stray."""
    found = {
        name: next(one for one in analyze([RECORDED / f"{name}.overlay.tar.zst"]).findings
                   if one.check == "vxlan-unanswered")
        for name in ("overlay-wrong-host", "overlay-shut")
    }  # fmt: skip
    wrong = found["overlay-wrong-host"]

    assert wrong.title.endswith("network ovnet sends it to 192.168.2.77, which is none of its hosts")
    assert [line.partition(":")[0] for line in wrong.proof] == [
        "overlays/ovnet/bridge-fdb.json", "docker-network-inspect.json",
    ]  # fmt: skip
    assert "network" not in found["overlay-shut"].facts


def test_all_that_goes_to_the_other_host_is_told_as_one() -> None:
    """Pings and SYNs alike; sums that the card completes, inside and around them, are no fault."""
    findings = [one for one in analyze([RECORDED / "overlay-shut.overlay.tar.zst"]).findings if one.severity != "info"]
    (finding,) = (one for one in findings if one.check == "vxlan-unanswered")

    assert not any(one.check == "vxlan-checksum" for one in findings)
    assert finding.facts["peer"] == "192.168.2.100"
    assert finding.facts["others_answered"] is True
    assert finding.title.startswith("o1 gets no answer from 10.30.0.12 (ICMP, TCP): UDP port 4789 to 192.168.2.100")
