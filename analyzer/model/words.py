"""Words that models are told with."""


def plural(count: int, word: str) -> str:
    """Return a count with its word, e.g. ``3 points``."""
    return f"{count:,} {word}" + ("" if count == 1 else "s")
