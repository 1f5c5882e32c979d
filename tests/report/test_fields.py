"""How model values become JSON, and the schema that is made of the same types."""

import json
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import jsonschema
import pytest

from analyzer.model import Basis, Evidence, Finding, Mac, Severity
from analyzer.model.finding import Fact
from analyzer.report.fields import schema_of, text_of, to_json


@dataclass(frozen=True)
class _Leaf:
    """A leaf: it may have others under it.

    More of it.
    """

    number: int
    mac: Mac | None = None
    ip: IPv4Address | IPv6Address | None = None
    under: "tuple[_Leaf, ...] | None" = None
    counted: dict[str, int] | None = None


def test_what_is_absent_is_left_out_and_what_is_zero_or_empty_stays() -> None:
    """None is no value; 0 and an empty list are."""
    assert to_json(_Leaf(0)) == {"number": 0}
    assert to_json(_Leaf(0, mac=Mac(0), under=())) == {"number": 0, "mac": "00:00:00:00:00:00", "under": []}


def test_macs_and_addresses_are_text_as_linux_prints_them() -> None:
    """A MAC is told from a number by its type alone."""
    leaf = _Leaf(0x0242_AC11_0002, Mac(0x0242_AC11_0002), IPv6Address("fd00:0::2"))

    assert to_json(leaf) == {"number": 0x0242_AC11_0002, "mac": "02:42:ac:11:00:02", "ip": "fd00::2"}


def test_values_are_told_at_every_depth() -> None:
    """Enums are their text, tuples are lists, dictionaries and dataclasses are walked through."""
    facts: dict[str, Fact] = {"who": ["a", "b"], "known": True}
    finding = Finding("x", Severity.ERROR, Basis.STATED, facts, evidence=(Evidence("docker0", 3), Evidence("lo")))
    told = to_json(finding)

    assert (told["severity"], told["basis"]) == ("error", "stated")
    assert type(told["severity"]) is str
    assert told["facts"] == {"who": ["a", "b"], "known": True}
    assert told["evidence"] == [{"point": "docker0", "frame": 3}, {"point": "lo"}]
    assert to_json(_Leaf(1, under=(_Leaf(2, counted={"a": 1}),)))["under"] == [{"number": 2, "counted": {"a": 1}}]


def test_a_value_is_one_line_of_ascii() -> None:
    """Whatever letters and line ends its texts have."""
    line = text_of(Evidence("é\n→"))

    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line) == {"point": "é\n→"}


def test_a_field_is_required_unless_it_may_be_absent() -> None:
    """A default does not make it optional, for it is always told; None does."""
    definitions: dict[str, Any] = {}

    assert schema_of(_Leaf, definitions) == {"$ref": "#/$defs/_Leaf"}
    assert definitions["_Leaf"]["required"] == ["number"]
    assert schema_of(Finding, definitions) == {"$ref": "#/$defs/Finding"}
    assert {"title", "evidence"} <= set(definitions["Finding"]["required"])
    assert "tried" not in definitions["Finding"]["required"]


def test_a_type_that_refers_to_itself_is_described_once() -> None:
    """By the first line of what is said of it; nothing but its fields may stand there."""
    definitions: dict[str, Any] = {}
    schema_of(_Leaf, definitions)

    assert list(definitions) == ["_Leaf"]
    assert definitions["_Leaf"]["description"] == "A leaf: it may have others under it."
    assert definitions["_Leaf"]["properties"]["under"] == {"type": "array", "items": {"$ref": "#/$defs/_Leaf"}}
    assert definitions["_Leaf"]["properties"]["counted"]["additionalProperties"] == {"type": "integer"}


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ({"number": 1, "mac": "02:42:ac:11:00:02", "ip": "::1", "under": [{"number": 2}]}, True),
        ({"number": "1"}, False),
        ({"number": 1, "mac": "02:42:AC:11:00:02"}, False),
        ({"number": 1, "mac": "02:42:ac:11:00:02:00"}, False),
        ({"number": 1, "under": [{}]}, False),
        ({"number": 1, "other": 1}, False),
        ({"number": 1, "ip": 4}, False),
        ({"number": 1, "counted": {"a": "1"}}, False),
    ],
)
def test_the_schema_takes_what_is_written_and_nothing_else(value: dict[str, Any], valid: bool) -> None:
    """Types, patterns, required fields and unknown ones, at every depth."""
    definitions: dict[str, Any] = {}
    schema = {**schema_of(_Leaf, definitions), "$defs": definitions}

    assert jsonschema.Draft202012Validator(schema).is_valid(value) is valid


def test_a_type_that_json_does_not_have_is_refused() -> None:
    """Rather than described as anything."""
    with pytest.raises(TypeError, match="no JSON Schema for"):
        schema_of(bytes, {})
