"""Times and counts as a person reads them."""

from datetime import UTC, datetime

_STEPS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"))


def duration(ns: int) -> str:
    """Return a duration with three digits, e.g. ``64.0 µs``."""
    for size, unit in _STEPS:
        value = abs(ns) / size
        if value >= 0.9995:  # what is rounded up to 1, too
            digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
            return f"{ns / size:.{digits}f} {unit}"
    return f"{ns} ns"


def since(ns: int, start_ns: int) -> str:
    """Return a time relative to the start of the analysis, to the ns: ``+0.467459721``."""
    sign, rest = ("-", start_ns - ns) if ns < start_ns else ("+", ns - start_ns)
    return f"{sign}{rest // 1_000_000_000}.{rest % 1_000_000_000:09d}"


def moment(ns: int) -> str:
    """Return an absolute time in UTC, to the ns."""
    seconds, below = divmod(ns, 1_000_000_000)
    try:
        text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{seconds}.{below:09d} s since 1970"
    return f"{text}.{below:09d} UTC"
