"""What belongs to selected packets: points, connections, findings, whatever parts they are told in."""

from pathlib import Path

import pytest

from analyzer import analyze

FAULT = Path(__file__).parents[1] / "faults" / "no-dnat-and-failing-resolver.bridge.tar.zst"


@pytest.mark.parametrize("parts", [1, 3])
def test_a_selection_narrows_all_of_it(parts: int) -> None:
    """To where its packets were seen, whose they are, and what is wrong with them."""
    trace = analyze([FAULT], parts=parts)
    whole, dns, web = (trace.content(selection=text) for text in (None, "dns", "tcp.dstport == 8080"))

    assert {"dns-failed", "published-port-not-translated"} < {one.check for one in whole.findings}
    assert [one.check for one in dns.findings] == ["dns-failed"]
    assert "published-port-not-translated" in {one.check for one in web.findings}
    assert "dns-failed" not in {one.check for one in web.findings}
    assert {one.protocol for one in dns.connections} == {"udp"}
    assert len(list(dns.connection_texts)) == dns.connection_count == 2
    assert "lo" not in {point.name for point in dns.points}
    assert {point.name for point in dns.points} < {point.name for point in whole.points}


def test_what_is_about_others_of_the_same_connection_is_told() -> None:
    """Evidence names some packets; a later one of theirs is as much in trouble."""
    trace = analyze([Path(FAULT).with_name("docker-user.bridge.tar.zst")])
    (finding,) = trace.findings
    shown = [one.journey for one in finding.evidence if one.journey is not None]
    content = trace.content(numbers=shown[-1:])

    assert [one.check for one in content.findings] == [finding.check]
    assert (content.picked, content.connection_count) == (1, 1)


def test_nothing_that_is_selected_has_nothing() -> None:
    """No point, no connection, no finding."""
    content = analyze([FAULT]).content(selection="sctp")

    assert (content.points, list(content.connections), content.findings, content.worked) == ([], [], (), ())
