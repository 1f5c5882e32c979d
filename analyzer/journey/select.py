"""Selections in the manner of Wireshark's display filters: ``-Y 'ip.addr == 8.8.8.8 && tcp.port == 80'``.

A selection picks journeys after correlation. A test is true for a journey if any of its hops passes it, so both
addresses of a translated packet find it; ``&&``, ``||`` and ``!`` then combine journeys, not frames.
"""

import operator
import re
from collections.abc import Callable
from ipaddress import ip_network

import numpy as np

from analyzer.decode import offsets as o
from analyzer.errors import SelectionError
from analyzer.journey.build import Tracer
from analyzer.link.identity import has
from analyzer.model import Disposition
from analyzer.model.journey import CODES
from analyzer.packet.context import Context
from analyzer.packet.text import PROTOCOLS
from analyzer.schema import Array, Layer
from analyzer.state.iproute import mac

_TOKEN = re.compile(r"\s*(==|!=|<=|>=|<|>|&&|\|\||[!()]|\"[^\"]*\"|[^\s()!=<>&|\"]+)")
_WORDS = {"and": "&&", "or": "||", "not": "!", "eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">="}
COMPARE: dict[str, Callable[[Array, int], Array]] = {
    "==": operator.eq, "!=": operator.eq, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip
"""By operator; what is unequal is all that no hop is equal to."""
_NUMBERS = {name: number for number, name in PROTOCOLS.items()}

ADDRESSES = {"addr": ("src", "dst"), "src": ("src",), "dst": ("dst",)}
PORTS = {"port": ("sport", "dport"), "srcport": ("sport",), "dstport": ("dport",)}
MACS = {"addr": ("eth_src", "eth_dst"), "src": ("eth_src",), "dst": ("eth_dst",)}
FIELDS = (
    "ip.addr ip.src ip.dst ipv6.addr ipv6.src ipv6.dst tcp.port tcp.srcport tcp.dstport udp.port udp.srcport "
    "udp.dstport tcp.flags.syn tcp.flags.ack tcp.flags.fin tcp.flags.reset tcp.flags.push tcp.len "
    "tcp.analysis.retransmission eth.addr eth.src eth.dst frame.number point container connection verdict"
)
FLAGS = {"syn": o.SYN, "ack": o.ACK, "fin": o.FIN, "reset": o.RST, "push": 0x08}
RETRANSMISSION = "tcp.analysis.retransmission"


def select(context: Context, tracer: Tracer, text: str) -> list[int]:
    """
    Return the journeys that *text* picks, in order.

    Raises:
        SelectionError: *text* cannot be understood.
    """
    try:
        chosen = _Parser(context, tracer, text).parse()
    except RecursionError:
        raise SelectionError("-Y: nested too deeply") from None
    found: list[int] = np.flatnonzero(chosen).tolist()
    return found


class _Parser:
    """Recursive descent; every part gives (packets,) bool."""

    def __init__(self, context: Context, tracer: Tracer, text: str) -> None:
        self._context = context
        self._tracer = tracer
        self._text = text
        self._tokens = [_WORDS.get(token, token) for token in self._split(text)]

    def _split(self, text: str) -> list[str]:
        tokens: list[str] = []
        place = 0
        while place < len(text.rstrip()):
            found = _TOKEN.match(text, place)
            if found is None:
                raise SelectionError(f"-Y {text}: not understood from {text[place:].strip()!r} on")
            tokens.append(found[1])
            place = found.end()
        return tokens

    def parse(self) -> Array:
        result = self._or()
        if self._tokens:
            raise SelectionError(f"-Y {self._text}: unexpected {self._tokens[0]!r}")
        return result

    def _next(self) -> str:
        if not self._tokens:
            raise SelectionError(f"-Y {self._text}: ends too early")
        return self._tokens.pop(0)

    def _or(self) -> Array:
        result = self._and()
        while self._tokens[:1] == ["||"]:
            self._tokens.pop(0)
            result = result | self._and()
        return result

    def _and(self) -> Array:
        result = self._not()
        while self._tokens[:1] == ["&&"]:
            self._tokens.pop(0)
            result = result & self._not()
        return result

    def _not(self) -> Array:
        token = self._next()
        if token == "!":
            return ~self._not()
        if token == "(":
            result = self._or()
            if self._next() != ")":
                raise SelectionError(f"-Y {self._text}: a ) is missing")
            return result
        if not self._tokens or self._tokens[0] not in COMPARE:
            return self._protocol(token)
        sign = self._next()
        matched = self._test(token.lower(), self._next().strip('"'), sign)
        return ~matched if sign == "!=" else matched

    def _protocol(self, name: str) -> Array:
        frames, lower = self._context.frames, name.lower()
        bits = {"arp": Layer.ARP, "ip": Layer.IPV4, "ipv6": Layer.IPV6, "vlan": Layer.VLAN}
        if lower in bits:
            return self._any(has(frames["layers"], bits[lower]))
        if lower in _NUMBERS:
            routed = has(frames["layers"], Layer.IPV4 | Layer.IPV6)
            return self._any(routed & (frames["proto"] == _NUMBERS[lower]))
        if lower.startswith("tcp.flags.") and lower[10:] in FLAGS:
            return self._flag(lower[10:])
        if lower == RETRANSMISSION:
            return self._sent_again()
        raise SelectionError(f"-Y {self._text}: unknown {name!r}; known are protocols and {FIELDS}")

    def _flag(self, name: str) -> Array:
        return self._any(
            has(self._context.frames["layers"], Layer.TCP) & (self._context.frames["tcp_flags"] & FLAGS[name] != 0)
        )

    def _sent_again(self) -> Array:
        return self._tracer.answers.retransmission_of >= 0

    def _test(self, field: str, value: str, sign: str) -> Array:
        context, frames = self._context, self._context.frames
        layer, _, part = field.partition(".")
        compare = COMPARE[sign]
        try:
            if (field.startswith("tcp.flags.") and field[10:] in FLAGS) or field == RETRANSMISSION:
                found = self._flag(field[10:]) if field != RETRANSMISSION else self._sent_again()
                return found if _switch(value) else ~found
            if field == "tcp.len":
                return self._any(has(frames["layers"], Layer.TCP) & compare(frames["payload_len"], int(value)))
            if sign not in ("==", "!=") and field != "frame.number" and part not in PORTS:
                raise SelectionError(f"-Y {self._text}: {field} has no order")
            if layer in ("ip", "ipv6") and part in ADDRESSES:
                return self._any(self._in_network(value, ADDRESSES[part]))
            if layer in ("tcp", "udp") and part in PORTS:
                of_layer = frames["proto"] == (o.PROTO_TCP if layer == "tcp" else o.PROTO_UDP)
                return self._any(of_layer & self._either(PORTS[part], int(value), compare))
            if layer == "eth" and part in MACS:
                wanted = mac(value)
                if wanted is None:
                    raise ValueError(value)
                return self._any(self._either(MACS[part], wanted))
            if field == "frame.number":
                return self._any(compare(frames["frame"], int(value)))
            if field in ("point", "container"):
                chosen = [p.id for p in context.points if value == (p.name if field == "point" else p.container)]
                return self._any(np.isin(frames["point"], chosen))
            if field == "connection":
                of_packet = context.connection_id(context.hops["connection"][context.packet_start[:-1]])
                connection: Array = of_packet == int(value.lstrip("Cc"))
                return connection
            if field == "verdict":
                wanted_end = Disposition(value)
                return np.asarray(self._tracer.ends == CODES[wanted_end])
        except ValueError:
            raise SelectionError(f"-Y {self._text}: {field} cannot be {value!r}") from None
        raise SelectionError(f"-Y {self._text}: unknown field {field!r}; known are {FIELDS}")

    def _either(
        self, columns: tuple[str, ...], value: int, compare: Callable[[Array, int], Array] = operator.eq
    ) -> Array:
        found: Array = np.logical_or.reduce([compare(self._context.frames[column], value) for column in columns])
        return found

    def _in_network(self, text: str, columns: tuple[str, ...]) -> Array:
        network, frames = ip_network(text, strict=False), self._context.frames
        version = has(frames["layers"], Layer.IPV6) if network.version == 6 else ~has(frames["layers"], Layer.IPV6)
        mask, wanted = int(network.netmask), int(network.network_address)
        halves: tuple[tuple[str, Callable[[int], int]], ...] = (("_hi", lambda x: x >> 64), ("", lambda x: x & MASK64))
        matches = [
            np.logical_and.reduce(
                [frames[column + end] & np.uint64(half(mask)) == np.uint64(half(wanted)) for end, half in halves]
            )
            for column in columns
        ]
        found: Array = version & np.logical_or.reduce(matches)
        return found & has(frames["layers"], Layer.IPV4 | Layer.IPV6 | Layer.ARP)

    def _any(self, rows: Array) -> Array:
        """Tell the packets of which any frame is in *rows*."""
        if not self._context.packets:
            return np.zeros(0, bool)
        found: Array = np.logical_or.reduceat(rows[self._context.hops["row"]], self._context.packet_start[:-1])
        return found


def _switch(value: str) -> bool:
    """Read 0 or 1, False or True."""
    if value.lower() not in ("0", "1", "false", "true"):
        raise ValueError(value)
    return value.lower() in ("1", "true")


MASK64 = (1 << 64) - 1
