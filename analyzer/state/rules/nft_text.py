"""A rule of nftables in words, about as ``nft`` prints it, without counters; from the JSON of libnftables-json(5)."""

from typing import Any

Json = Any
QUALIFIED = ("mark", "l4proto", "nfproto", "protocol", "priority", "length", "pkttype", "cpu")
"""Keys that ``nft`` says with ``meta`` in front."""


def rule_text(statements: list[Json], comment: str = "") -> str:
    """Say all statements, and the comment behind them."""
    noted = [f'comment "{comment}"'] if comment else []
    return " ".join([*filter(None, map(statement_text, statements)), *noted])


def statement_text(statement: Json) -> str:
    """Say one statement."""
    (kind, told), *_ = statement.items()
    if kind == "match":
        return match_text(told)
    if kind in ("jump", "goto"):
        return f"{kind} {told['target']}"
    if kind in ("dnat", "snat", "redirect"):
        told = told or {}
        port = f":{side(told['port'])}" if "port" in told else ""
        return f"{kind} to {side(told.get('addr', ''))}{port}"
    if kind == "vmap":
        return f"{side(told['key'])} vmap {side(told['data'])}"
    if kind == "mangle":
        return f"{side(told['key'])} set {side(told['value'])}"
    if kind == "reject" and isinstance(told, dict):
        return f"reject with {told.get('type', '')} {told.get('expr', '')}".rstrip()
    if kind == "limit" and isinstance(told, dict):
        over = "over " if told.get("inv") else ""
        unit = "" if told.get("rate_unit", "packets") == "packets" else f" {told['rate_unit']}"
        return f"limit rate {over}{told.get('rate')}{unit}/{told.get('per')}"
    return "" if kind == "counter" else str(kind)


def match_text(told: Json) -> str:
    """Say what a match asks."""
    left, asked = told["left"], told.get("op", "==")
    masked = isinstance(left, dict) and "&" in left and asked == "=="
    op = "" if asked in ("==", "in") and not masked else f"{asked} "
    return f"{side(left)} {op}{side(told['right'])}"


def side(told: Json) -> str:
    """Say one side of a match."""
    if isinstance(told, list):
        return ",".join(side(one) for one in told)
    if not isinstance(told, dict):
        return str(told)
    (kind, inner), *_ = told.items()
    if kind == "payload":
        return f"{inner.get('protocol', '@')} {inner.get('field', '')}"
    if kind == "meta":
        return f"meta {inner['key']}" if inner["key"] in QUALIFIED else str(inner["key"])
    if kind == "ct":
        return f"ct {inner['dir']} {inner['key']}" if "dir" in inner else f"ct {inner['key']}"
    if kind == "fib":
        flags = inner.get("flags") or []
        return f"fib {' . '.join([flags] if isinstance(flags, str) else flags)} {inner.get('result', '')}"
    if kind == "prefix":
        return f"{inner['addr']}/{inner['len']}"
    if kind == "range":
        return f"{inner[0]}-{inner[1]}"
    if kind == "set":
        return "{ " + ", ".join(side(one) for one in inner) + " }"
    if kind == "map":
        return f"{side(inner['key'])} map {side(inner['data'])}"
    if kind == "elem":
        return side(inner.get("val", ""))
    joints = {"&": " & ", "|": "|", "^": " ^ ", "concat": " . "}
    return joints[kind].join(side(one) for one in inner) if kind in joints else str(kind)
