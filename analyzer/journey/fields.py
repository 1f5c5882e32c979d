"""What a selection may ask of a journey: fields and protocols, with the names that Wireshark has for them."""

from dataclasses import dataclass

from analyzer.model import Disposition


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that can be asked."""

    kind: str
    """Of its values: ``address``, ``number``, ``switch``, ``MAC``, ``text``, ``name`` of a few."""
    meaning: str
    example: str
    """A value that it can have, as it is written in a selection."""


def _both(name: str, kind: str, what: str, example: str, ends: tuple[str, str, str]) -> dict[str, Field]:
    """Return the fields of both ends, and of either."""
    either, first, second = ends
    return {
        f"{name}.{either}": Field(kind, f"{what} of either end", example),
        f"{name}.{first}": Field(kind, f"{what} of the sender", example),
        f"{name}.{second}": Field(kind, f"{what} of the receiver", example),
    }


_ENDS, _PORTS = ("addr", "src", "dst"), ("port", "srcport", "dstport")
FIELDS: dict[str, Field] = {
    **_both("ip", "address", "IPv4 address, or all of a prefix,", "172.17.0.0/16", _ENDS),
    **_both("ipv6", "address", "IPv6 address, or all of a prefix,", "fd00::/8", _ENDS),
    **_both("tcp", "number", "TCP port", "80", _PORTS),
    **_both("udp", "number", "UDP port", "53", _PORTS),
    **{
        f"tcp.flags.{name}": Field("switch", f"TCP's flag {name.upper()}", "1")
        for name in ("syn", "ack", "fin", "reset", "push")
    },
    "tcp.len": Field("number", "bytes that a TCP segment carries", "0"),
    "tcp.analysis.retransmission": Field("switch", "it was sent before", "true"),
    "dns.qry.name": Field("text", "name that is asked for, in questions and answers", "web"),
    "dns.qry.type": Field("text", "type of the question", "AAAA"),
    "dns.flags.rcode": Field("text", "how a question was answered", "NXDOMAIN"),
    "says": Field("text", "what its payload says, as journeys tell it", '"HTTP GET /"'),
    **_both("eth", "MAC", "MAC", "02:42:ac:11:00:02", _ENDS),
    "frame.number": Field("number", "frame's number in its file, from 1", "12"),
    "point": Field("text", "capture point that saw it", "docker0"),
    "container": Field("text", "container whose end, interface or address is on the way", "web"),
    "service": Field("text", "compose service of such a container", "web"),
    "connection": Field("number", "connection, as reports number them", "C0"),
    "verdict": Field("name", f"what became of it: {', '.join(Disposition)}", "lost"),
}
"""By name."""
PROTOCOLS = (
    "arp", "dhcp", "dns", "http", "icmp", "icmpv6", "igmp", "ip", "ipv6", "ntp", "quic", "sctp", "ssh", "tcp", "tls",
    "udp", "vlan",
)  # fmt: skip
"""What can be asked for by its name alone, as ``tcp``; others that IP carries as well, such as ``gre``."""
OPERATORS = {
    "==, eq": "equal; of an address, within that prefix",
    "!=, ne": "no hop is equal",
    "<, <=, >, >=": "smaller, greater; of numbers",
    "in {80, 443}": "equal to one of these",
    "contains": "of texts: has this in it",
    "&&, and": "both are true, perhaps of different hops",
    "||, or": "one of them is true",
    "!, not": "it is not true",
}
"""By how they are written: what they mean."""
