"""Why nobody answers for an address: what the recorded state has of whose it is, and of the way to it."""

from analyzer.explain.absent.asked import Asked, Why
from analyzer.explain.absent.ports import asker_off, asking, beside_parent, not_proxied, owner
from analyzer.explain.absent.routes import gateway, no_carrier, of_host, on_link, way_out, wide
from analyzer.explain.absent.rules import answered, rules, untold, within_bridge
from analyzer.explain.absent.whose import nobody, own
from analyzer.explain.case import Case
from analyzer.model import ArpExchange, HostState

__all__ = ["Why", "no_carrier", "of_host", "why"]

REASONS = (
    rules,
    answered,
    within_bridge,
    untold,
    asking,
    asker_off,
    beside_parent,
    not_proxied,
    owner,
    own,
    way_out,
    gateway,
    on_link,
    wide,
    nobody,
)
"""From the owner's end to the asker's: the first one that is found is told."""


def why(case: Case, host: HostState, question: ArpExchange) -> Why | None:
    """Return the first reason that is found; None if nothing is known."""
    asked = Asked(case, host, question)
    return next((one for reason in REASONS for one in reason(asked)), None)
