"""A container whose whole network is a program: pasta, as rootless Podman starts it; real recordings of it."""

import pytest

from analyzer.model import ProxyStep, Severity
from tests.explain.hosts import trace_of

USER_MODE = ("pasta.healthy", "pasta.dropped", "pasta.silent")


def test_both_sides_are_joined() -> None:
    """Out and in, with the same two addresses on both sides; whoever relays has its name by the host's sockets."""
    trace = trace_of("pasta.healthy")
    connections = [trace.connection(number) for number in range(len(trace.connections))]
    fronts = [one for one in connections if one.relayed_to is not None]
    steps = {step for journey in trace.journeys() for step in journey.steps if isinstance(step, ProxyStep)}

    assert len(connections) == 4
    assert [(one.original.dport, connections[one.relayed_to or 0].original.dport) for one in fronts] == [
        (80, 80), (8080, 80)
    ]  # fmt: skip
    assert {(step.program, step.user_mode) for step in steps} == {("pasta", True)}
    assert trace.findings == ()
    assert not {"dropped", "lost", "rejected"} & set(trace.dispositions())


@pytest.mark.parametrize(
    ("name", "check", "title"),
    [
        ("pasta.dropped", "syn-unanswered", "pid-28106 gets no answer from 8.8.8.8:80 (TCP)"),
        ("pasta.silent", "connection-refused",
         "192.168.1.1 cannot reach pid-28106:80 (TCP): pid-28106 refuses, nothing listens there"),
    ],
)  # fmt: skip
def test_what_is_wrong(name: str, check: str, title: str) -> None:
    """Told of the side where it is: whoever answers ARP inside is no second machine, who comes in is no container."""
    errors = [one for one in trace_of(name).findings if one.severity is Severity.ERROR]

    assert [one.check for one in errors] == [check]
    assert errors[0].title.startswith(title)
