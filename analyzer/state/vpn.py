"""Reads ``wg show`` (wg(8)), ``ip xfrm policy`` and ``ip xfrm state`` (ip-xfrm(8))."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from ipaddress import ip_address, ip_network

from analyzer.model import Address, IpsecPolicy, IpsecState, Peer
from analyzer.model.engine import Prefix

_NEVER = ("(none)", "")
_UNITS = {"year": 31_536_000, "day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
_SELECTOR = re.compile(r"^src (\S+) dst (\S+)\s*(.*)$")
_STATE = re.compile(r"^src (\S+) dst (\S+)$")
_TEMPLATE = re.compile(r"\btmpl src \S+ dst (\S+)\s+proto (\w+)((?:(?!\btmpl\b).)*)")
_USE = "level use"
"""What a template says that is followed only where there is a state for it."""
_SOCKET = "socket"
"""How the policies of single sockets are listed, in place of a direction."""


def parse_peers(lines: Iterable[str]) -> tuple[Peer, ...]:
    """Return the peers of all interfaces; one without a line that says so has had no handshake."""
    found: list[Peer] = []
    dev, fields = "", dict[str, str]()
    for line in (*lines, "interface: "):
        word, _, value = line.strip().partition(": ")
        if word.rstrip(":") in ("interface", "peer"):
            if "peer" in fields and dev:
                found += _peer(dev, fields)
            dev, fields = (value, {}) if word.startswith("interface") else (dev, {"peer": value})
        else:
            fields[word] = value
    return tuple(found)


def _peer(dev: str, fields: dict[str, str]) -> Iterator[Peer]:
    allowed = fields.get("allowed ips", "")
    with suppress(ValueError):
        prefixes = tuple(ip_network(text, strict=False) for text in allowed.split(", ") if text not in _NEVER)
        age = _seconds(fields["latest handshake"]) if "latest handshake" in fields else None
        yield Peer(dev, fields["peer"], _endpoint(fields.get("endpoint", "")), prefixes, age)


def _seconds(text: str) -> int:
    """Read ``1 hour, 2 minutes, 3 seconds ago``; what is no such text is of just now."""
    return sum(int(count) * _UNITS[unit] for count, unit in re.findall(r"(\d+) (year|day|hour|minute|second)", text))


def _endpoint(text: str) -> tuple[Address, int] | None:
    if text in _NEVER:
        return None
    host, _, port = text.rpartition(":")
    return ip_address(host.strip("[]").partition("%")[0]), int(port)


def parse_policies(lines: Iterable[str]) -> tuple[IpsecPolicy, ...]:
    """Return the policies, the one that counts first before others; those of single sockets are left out."""
    found = (policy for block in _blocks(lines) for policy in _policy(block))
    return tuple(sorted(found, key=lambda policy: policy.priority))


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """Give the lines of each entry: what belongs to it is indented."""
    block: list[str] = []
    for line in lines:
        if not line[:1].isspace() and block:
            yield block
            block = []
        if line.strip():
            block.append(line.strip())
    if block:
        yield block


def _policy(block: list[str]) -> Iterator[IpsecPolicy]:
    selector, text = _SELECTOR.match(block[0]), " ".join(block[1:])
    direction = re.search(r"\bdir (\w+)", text)
    if selector is None or direction is None or text.startswith(_SOCKET):
        return
    priority = re.search(r"\bpriority (\d+)", text)
    with suppress(ValueError):
        yield IpsecPolicy(
            direction=direction[1],
            src=_prefix(selector[1]),
            dst=_prefix(selector[2]),
            blocks="action block" in text,
            wants=tuple((protocol, _end(end)) for end, protocol, rest in _TEMPLATE.findall(text) if _USE not in rest),
            priority=int(priority[1]) if priority is not None else 0,
            whole=not _rest(selector[3]) and not re.search(r"\b(mark|if_id|offload)\b", text),
            text=f"src {selector[1]} dst {selector[2]} dir {direction[1]}",
        )


def _rest(text: str) -> str:
    """Return what a selector asks for beside addresses; ``uid 0`` is everybody (ip -s)."""
    return re.sub(r"\buid 0\b", "", text).strip()


def _end(text: str) -> Address | None:
    """Return a tunnel's far end; that of transport mode is whoever the packet is for."""
    end = ip_address(text)
    return None if end.is_unspecified else end


def _prefix(text: str) -> Prefix:
    return ip_network(text, strict=False)


def parse_states(lines: Iterable[str]) -> tuple[IpsecState, ...]:
    """Return what keys there are for; what a daemon is still asked for (SPI 0) is none."""
    found: list[IpsecState] = []
    for block in _blocks(lines):
        ends = _STATE.match(block[0])
        what = re.search(r"\bproto (\w+) spi (0x[0-9a-f]+)", " ".join(block[1:]))
        if ends is not None and what is not None and int(what[2], 16):
            with suppress(ValueError):
                found.append(IpsecState(what[1], ip_address(ends[1]), ip_address(ends[2])))
    return tuple(found)
