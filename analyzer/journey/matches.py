"""Which journeys a field or a protocol is true for: for any of their hops, so both sides of a translation find it.

All gives and takes (packets,) bool.
"""

import operator
from collections.abc import Callable, Iterable
from functools import cached_property
from ipaddress import ip_network

import numpy as np

from analyzer.decode import offsets as o
from analyzer.journey.build import Tracer
from analyzer.link.identity import has
from analyzer.model import Disposition
from analyzer.model.journey import CODES
from analyzer.model.overview import NameQuery
from analyzer.packet.context import Context
from analyzer.packet.text import PROTOCOLS
from analyzer.schema import Array, Layer
from analyzer.state.iproute import mac

COMPARE: dict[str, Callable[[Array, int], Array]] = {
    "==": operator.eq, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip
CONTAINS = "contains"
LAYERS = {"arp": Layer.ARP, "ip": Layer.IPV4, "ipv6": Layer.IPV6, "vlan": Layer.VLAN}
SPOKEN = {"dhcp": "DHCP", "http": "HTTP", "ntp": "NTP", "quic": "QUIC", "ssh": "SSH", "tls": "TLS"}
"""By protocol, how what a payload says begins."""
NUMBERS = {name: number for number, name in PROTOCOLS.items()}
ENDS = {"addr": ("src", "dst"), "src": ("src",), "dst": ("dst",)}
PORTS = {"port": ("sport", "dport"), "srcport": ("sport",), "dstport": ("dport",)}
MACS = {"addr": ("eth_src", "eth_dst"), "src": ("eth_src",), "dst": ("eth_dst",)}
FLAGS = {"syn": o.SYN, "ack": o.ACK, "fin": o.FIN, "reset": o.RST, "push": 0x08}
MASK64 = (1 << 64) - 1


class Matches:
    """The packets of an analysis, or of a part of it, and what is known of them."""

    def __init__(
        self,
        context: Context,
        tracer: Tracer,
        names: Callable[[], list[NameQuery]],
        says: Callable[[], dict[int, str]] = dict,
    ) -> None:
        """
        Look at *context*.

        *names* gives questions to name servers, *says* what payloads say, by the numbers that packets have there.
        """
        self._context, self._tracer, self._ask_names, self._says = context, tracer, names, says

    def protocol(self, name: str) -> Array | None:
        """Tell which have a protocol; None if it is none."""
        frames = self._context.frames
        if name == "dns":
            return self._numbered([number for number, _ in self._names])
        if name in SPOKEN:
            told = (packet for packet, text in self._says().items() if text.startswith(SPOKEN[name]))
            return self._numbered(told)
        if name in LAYERS:
            return self._any(has(frames["layers"], LAYERS[name]))
        if name in NUMBERS:
            return self._any(has(frames["layers"], Layer.IPV4 | Layer.IPV6) & (frames["proto"] == NUMBERS[name]))
        return None

    def switch(self, field: str) -> Array:
        """Tell for which a field of two values is true."""
        if field == "tcp.analysis.retransmission":
            return self._tracer.answers.retransmission_of >= 0
        frames, flag = self._context.frames, FLAGS[field.rpartition(".")[2]]
        return self._any(has(frames["layers"], Layer.TCP) & (frames["tcp_flags"] & flag != 0))

    def test(self, field: str, sign: str, value: str) -> Array:
        """
        Tell for which a field compares with a value.

        Raises:
            ValueError: the field cannot have that value.
        """
        context, frames = self._context, self._context.frames
        layer, _, part = field.partition(".")
        if layer in ("ip", "ipv6"):
            return self._any(self._in_network(value, ENDS[part]))
        if layer == "eth":
            wanted = mac(value)
            if wanted is None:
                raise ValueError(value)
            return self._any(self._either(MACS[part], wanted))
        if layer == "dns":
            return self._numbered(number for number, of in self._names if _text(sign, value)(_of_name(of, field)))
        if field == "says":
            fits = _text(sign, value)
            return self._numbered(packet for packet, text in self._says().items() if fits(text))
        if field in ("point", "container", "service"):
            return self._any(self._at(field, _text(sign, value)))
        if field == "connection":
            of_packet = context.connection_id(context.hops["connection"][context.packet_start[:-1]])
            return np.asarray(COMPARE[sign](of_packet, int(value.lstrip("Cc"))))
        if field == "verdict":
            return np.asarray(self._tracer.ends == CODES[Disposition(value)])
        compare = COMPARE[sign]
        if field == "frame.number":
            return self._any(compare(frames["frame"], int(value)))
        if field == "tcp.len":
            return self._any(has(frames["layers"], Layer.TCP) & compare(frames["payload_len"], int(value)))
        of_layer = frames["proto"] == (o.PROTO_TCP if layer == "tcp" else o.PROTO_UDP)
        return self._any(of_layer & self._either(PORTS[part], int(value), compare))

    @cached_property
    def _names(self) -> list[tuple[int, NameQuery]]:
        """Packets that are questions to name servers or their answers, with what was asked."""
        found = [(one.journey, one) for one in self._ask_names()]
        return found + [(one.answer, one) for _, one in found if one.answer is not None]

    def _at(self, field: str, fits: Callable[[str], bool]) -> Array:
        """Tell which frames were seen at a point, or are of a container by its end, its interface or its address."""
        frames, points = self._context.frames, self._context.points
        if field == "point":
            return np.isin(frames["point"], [point.id for point in points if fits(point.name)])
        containers = self._context.hosts.everywhere.containers
        fitting = [one for one in containers if fits((one.name if field == "container" else one.service) or "")]
        names = {one.name for one in fitting}
        own = [point.id for point in points
               if point.container is not None and (point.container in names
                                                   or (field == "container" and fits(point.container)))]  # fmt: skip
        found = np.isin(frames["point"], own)
        for address in {address for one in fitting for address in one.addresses}:
            found = found | self._in_network(str(address), ENDS["addr"])
        return found

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

    def _numbered(self, packets: Iterable[int]) -> Array:
        found = np.zeros(self._context.packets, bool)
        found[list(packets)] = True
        return found

    def _any(self, rows: Array) -> Array:
        """Tell the packets of which any frame is in *rows*."""
        if not self._context.packets:
            return np.zeros(0, bool)
        found: Array = np.logical_or.reduceat(rows[self._context.hops["row"]], self._context.packet_start[:-1])
        return found


def _text(sign: str, value: str) -> Callable[[str], bool]:
    """Return what a text has to be; names of hosts and types are written in any case."""
    if sign == CONTAINS:
        return lambda text: value.lower() in text.lower()
    return lambda text: text == value


def _of_name(query: NameQuery, field: str) -> str:
    """Return what a question to a name server has of a field."""
    if field == "dns.qry.name":
        return query.name
    return query.kind if field == "dns.qry.type" else query.outcome or ""
