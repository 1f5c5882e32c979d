"""What the engine says of containers, and how their published ports are read."""

from ipaddress import ip_address

import pytest

from analyzer.model.engine import Container, PublishedPort, Status


def _published(*texts: str) -> Container:
    return Container("web", "bridge", None, (), texts)


@pytest.mark.parametrize(
    ("text", "address", "version"),
    [
        ("192.168.1.100:8080->80/tcp", "192.168.1.100", 4),
        ("[fd00::100]:8080->80/tcp", "fd00::100", 6),
        ("0.0.0.0:8080->80/tcp", None, 4),
        (":::8080->80/tcp", None, 6),
        ("[::]:8080->80/tcp", None, 6),
        ("8080->80/tcp", None, None),
    ],
)
def test_a_port_is_for_one_address_or_for_all_of_a_version(text: str, address: str | None, version: int | None) -> None:
    """The unspecified address is all that the host has of that version; without one it is both versions."""
    port = PublishedPort.parse(text)

    assert port is not None
    assert port.address == (ip_address(address) if address else None)
    assert (port.version, port.outside, port.inside, port.protocol, port.text) == (version, 8080, 80, "tcp", text)


@pytest.mark.parametrize(
    "text",
    ["80/tcp", "", "0.0.0.0:x->80/tcp", "0.0.0.0:8080->x/tcp", "0.0.0.0:\u0663->80/tcp", "0.0.0.0:80->\u0663/tcp",
     "300.0.0.1:8080->80/tcp", "host:8080->80/tcp"],
)  # fmt: skip
def test_what_is_no_published_port_is_left_out(text: str) -> None:
    """A port that is only exposed, numbers that are none, and addresses that are none."""
    assert PublishedPort.parse(text) is None
    assert [port.outside for port in _published(text, "0.0.0.0:9->7/udp").ports] == [9]


def test_the_ports_of_a_host_are_told_apart_by_protocol() -> None:
    """By protocol and the host's port; of two texts for one of them the first counts, which is IPv4's."""
    texts = ("0.0.0.0:53->5353/udp", ":::53->5353/udp", "0.0.0.0:53->5353/tcp", "80/tcp", "0.0.0.0:\u0663->80/tcp")

    assert _published(*texts).published_ports() == {("udp", 53): texts[0], ("tcp", 53): texts[2]}


@pytest.mark.parametrize(
    ("text", "answers"),
    [("running", True), (None, True), ("paused", False), ("restarting", False), ("exited", False), ("dead", False)],
)
def test_only_what_runs_may_answer(text: str | None, answers: bool) -> None:
    """Where it was not recorded, nobody may say that it does not."""
    assert Status(text).answers is answers
