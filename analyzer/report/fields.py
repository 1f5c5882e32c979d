"""How a model's dataclass becomes JSON: one walk over its types serves the values and the JSON Schema.

An absent value is left out. Enums are their text, addresses and MACs are text as Linux prints them, times are ns.
"""

import json
import types
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache, partial
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Union, get_args, get_origin, get_type_hints

from analyzer.model import Mac, mac_text


@cache
def hints(kind: type) -> dict[str, Any]:
    """Return the field names and types of a dataclass, in order."""
    types_of = get_type_hints(kind)
    return {field.name: types_of[field.name] for field in fields(kind)}


@cache
def _plan(kind: type) -> tuple[tuple[str, Callable[[Any], Any] | None], ...]:
    """Return for each field of a dataclass what makes JSON of it, None for what is JSON already."""
    found: list[tuple[str, Callable[[Any], Any] | None]] = []
    for name, hint in hints(kind).items():
        options = [one for one in (get_args(hint) or (hint,)) if one is not type(None)]
        if Mac in options:
            found.append((name, mac_text))
        else:
            found.append((name, None if set(options) <= set(_PLAIN) else to_json))
    return tuple(found)


_TEXT = (IPv4Address, IPv6Address)


def text_of(value: Any) -> str:
    """Return a model value as JSON on one line."""
    return json.dumps(to_json(value), ensure_ascii=True)


def to_json(value: Any) -> Any:
    """Return what ``json.dumps`` takes for a model value."""
    kind: type = type(value)
    return _converter(kind)(value)


@cache
def _converter(kind: type) -> Callable[[Any], Any]:
    """Return what makes JSON of values of a type."""
    if is_dataclass(kind):
        return partial(_of_dataclass, _plan(kind))
    if issubclass(kind, Enum):
        return _of_enum
    if issubclass(kind, _TEXT):
        return str
    if issubclass(kind, tuple | list):
        return _of_list
    return _of_dict if issubclass(kind, dict) else _as_it_is


def _of_dataclass(plan: tuple[tuple[str, Callable[[Any], Any] | None], ...], value: Any) -> dict[str, Any]:
    found = {}
    for name, convert in plan:
        item = getattr(value, name)
        if item is not None:
            found[name] = item if convert is None else convert(item)
    return found


def _of_enum(value: Enum) -> Any:
    return value.value


def _of_list(value: Iterable[Any]) -> list[Any]:
    return [to_json(item) for item in value]


def _of_dict(value: dict[str, Any]) -> dict[str, Any]:
    return {name: to_json(item) for name, item in value.items()}


def _as_it_is(value: Any) -> Any:
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
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(arguments[1], definitions)}
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
