"""What docker events tell of containers that ended."""

import json
from typing import Any

import pytest

from analyzer.model import Container, Status
from analyzer.state.happened import ended

WEB = Container("web", "net", None, ())
GONE = Container("web", "net", None, (), status=Status("exited", 1))
OTHER = Container("web", "other", None, ())


def _event(kind: str, action: str, name: str, time_ns: Any = 7, code: Any = "137") -> str:
    return json.dumps({"Type": kind, "Action": action, "timeNano": time_ns,
                       "Actor": {"Attributes": {"name": name, "exitCode": code}}})  # fmt: skip


@pytest.mark.parametrize(
    ("event", "after", "told"),
    [
        (_event("container", "die", "web"), (), ("removed", 137)),
        (_event("container", "die", "web"), (GONE,), ("exited", 137)),
        (_event("container", "die", "web"), (WEB,), ("restarted", 137)),
        (_event("container", "die", "web", code="x"), (), ("removed", None)),
        (_event("network", "disconnect", "net"), (OTHER,), ("disconnected", None)),
        (_event("network", "disconnect", "net"), (OTHER, WEB), None),
        (_event("network", "disconnect", "net"), (), None),
        (_event("network", "connect", "net"), (OTHER,), None),
        (_event("container", "start", "web"), (), None),
        (_event("container", "die", "db"), (), None),
        (_event("container", "die", "web", time_ns="soon"), (), None),
        (_event("container", "die", "web", time_ns=None), (), None),
        ("[" * 100_000, (), None),
        ('{"Type": "container", "Action": "die", "timeNano": 7, "Actor": {"Attributes": []}}', (), None),
        ('{"Type": ["container"], "Action": {}, "timeNano": 7}', (), None),
    ],
)
def test_how_a_container_ended(event: str, after: tuple[Container, ...], told: tuple[str, int | None] | None) -> None:
    """By what was there before and afterwards; whatever is no event is passed over."""
    found = ended([event, event], [WEB], after)

    assert [(one.container, one.how, one.exit_code, one.time_ns) for one in found] == (
        [(WEB, *told, 7)] if told else []
    )


def test_when_it_is_back() -> None:
    """A restart takes its address away and gives it back before it runs: it answers again when it has started."""
    events = [
        _event("container", "kill", "web", 5), _event("network", "disconnect", "net", 6),
        _event("container", "die", "web", 7), _event("network", "connect", "net", 8),
        _event("container", "start", "web", 9),
    ]  # fmt: skip
    (found,) = ended(events, [WEB], [WEB])

    assert (found.how, found.time_ns, found.back_ns) == ("restarted", 7, 9)
