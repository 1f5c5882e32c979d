"""The list of what a selection may ask."""

import json

from click.testing import CliRunner

from analyzer.cli import main
from analyzer.journey.fields import FIELDS, OPERATORS, PROTOCOLS


def test_all_of_it_is_listed() -> None:
    """As text and as JSON."""
    text, told = (CliRunner().invoke(main, ["fields", *words]).stdout for words in ((), ("--json",)))

    assert all(f"{name} == {one.example}" in text for name, one in FIELDS.items())
    assert all(word in text for word in (*PROTOCOLS, *OPERATORS))
    assert json.loads(told)["fields"]["point"] == {
        "kind": "text", "meaning": "capture point that saw it", "example": "docker0"
    }  # fmt: skip
