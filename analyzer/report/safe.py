"""Makes text from the wire, from files and from dumps harmless for a terminal."""

import unicodedata

_UNSAFE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories: control, format (bidirectional overrides), surrogates, private, unassigned, separators."""


def safe(text: object) -> str:
    """Escape every character that could move a cursor, change colours or reorder a line."""
    plain = str(text)
    if plain.isprintable():  # then it has none of them
        return plain
    return "".join(_escaped(c) if unicodedata.category(c) in _UNSAFE else c for c in plain)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
