"""How a model's dataclass becomes JSON: one walk over its types serves the values and the JSON Schema.

An absent value is left out. Enums are their text, addresses and MACs are text as Linux prints them, times are ns.
"""

import types
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Union, get_args, get_origin, get_type_hints

from analyzer.model import Mac, mac_text


@cache
def hints(kind: type) -> dict[str, Any]:
    """Return the field names and types of a dataclass, in order."""
    types_of = get_type_hints(kind)
    return {field.name: types_of[field.name] for field in fields(kind)}


@cache
def _mac_fields(kind: type) -> frozenset[str]:
    return frozenset(name for name, hint in hints(kind).items() if hint is Mac or Mac in get_args(hint))


def to_json(value: Any) -> Any:
    """Return what ``json.dumps`` takes for a model value."""
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value)
        macs = _mac_fields(kind)
        found: dict[str, Any] = {}
        for name in hints(kind):
            item = getattr(value, name)
            if item is not None:
                found[name] = mac_text(item) if name in macs else to_json(item)
        return found
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, IPv4Address | IPv6Address):
        return str(value)
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    return value


def schema_of(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a type; dataclasses are put in *definitions*."""
    if is_dataclass(hint):
        return {"$ref": f"#/$defs/{_define(hint, definitions)}"}  # type: ignore[arg-type]
    if hint is Mac:
        return {"type": "string", "pattern": "^([0-9a-f]{2}:){5}[0-9a-f]{2}$"}
    if hint is IPv4Address or hint is IPv6Address:
        return {"type": "string", "format": "ipv4" if hint is IPv4Address else "ipv6"}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"type": "string", "enum": [member.value for member in hint]}
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (tuple, list):
        return {"type": "array", "items": schema_of(arguments[0], definitions)}
    if origin in (Union, types.UnionType):
        options = [schema_of(a, definitions) for a in arguments if a is not type(None)]
        return options[0] if len(options) == 1 else {"anyOf": options}
    raise TypeError(f"no JSON Schema for {hint}")


_PLAIN: dict[Any, str] = {int: "integer", str: "string", bool: "boolean", float: "number"}


def _define(kind: type, definitions: dict[str, Any]) -> str:
    if kind.__name__ not in definitions:
        definitions[kind.__name__] = {}  # before its fields: types may refer to each other
        required = [name for name, hint in hints(kind).items() if type(None) not in get_args(hint)]
        definitions[kind.__name__] = {
            "type": "object",
            "description": (kind.__doc__ or "").strip().split("\n", 1)[0],
            "properties": {name: schema_of(hint, definitions) for name, hint in hints(kind).items()},
            "required": required,
            "additionalProperties": False,
        }
    return kind.__name__
