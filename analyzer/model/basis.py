"""How hoptrace knows what it says."""

from enum import StrEnum


class Basis(StrEnum):
    """Where a claim comes from, strongest first."""

    CONFIRMED = "confirmed"
    """A kernel was asked, in a host that was built again from its dumps."""
    OBSERVED = "observed"
    """Stands in a captured frame."""
    STATED = "stated"
    """Stands in a dump of the host's state, or was given by the user."""
    INFERRED = "inferred"
    """Follows from frames, but no single frame or dump says it."""


SUREST = (Basis.CONFIRMED, Basis.STATED, Basis.OBSERVED, Basis.INFERRED)
"""As causes: what a dump states of why is surer than what frames show of where."""
