"""Why an address does not answer ARP or NDP: what the host and the engine know of it."""

from analyzer.report.words.absent import ports, routes, rules, whose

__all__ = ["WHY"]

WHY = {**ports.WHY, **routes.WHY, **rules.WHY, **whose.WHY}
"""By the fact ``why`` (analyzer/explain/absent), what makes its words."""
