"""DNS messages (RFC 1035). A message that was cut still has its question."""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dpkt

PORT = 53
HEADER = 12
TRUNCATED = 0x0200
MOST_LABELS = 128
MOST_RECORDS = 8
MOST_QUESTIONS, MOST_ANSWERS, LONGEST_NAME = 32, 200, 256
RESERVED = 0x7840
"""Operations other than a query, and the bit that must be zero."""
TYPES = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 65: "HTTPS",
         255: "ANY"}  # fmt: skip
RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")
_FAILURES = (ValueError, IndexError, KeyError, TypeError, struct.error, RecursionError)
"""What dpkt raises on messages that contradict themselves, beside errors of its own."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a message says."""

    id: int
    response: bool
    outcome: str
    """RCODE by its name."""
    name: str
    kind: str
    """Of the question: ``A``, ..."""
    records: tuple[str, ...]
    """Answers: addresses and names; empty where the message was cut."""
    answers: int = 0
    """How many there are, by the header."""
    truncated: bool = False
    """It did not fit (TC)."""


def parse(data: bytes) -> Message | None:
    """Read a message; None if it has no question, or is none."""
    if len(data) < HEADER:
        return None
    number, flags, questions, answers = struct.unpack_from(">HHHH", data)
    found = _question(data) if questions == 1 else None
    if found is None:
        return None
    name, kind = found
    rcode = flags & 0xF
    outcome = RCODES[rcode] if rcode < len(RCODES) else f"RCODE {rcode}"
    response = bool(flags >> 15)
    records = _records(data) if response else ()
    truncated = bool(flags & TRUNCATED)
    return Message(number, response, outcome, name, TYPES.get(kind, str(kind)), records, answers, truncated)


def is_message(data: bytes) -> bool:
    """Tell a message by its first bytes: nothing reserved in its header, and a first name of a type that is known."""
    if len(data) < HEADER:
        return False
    _, flags, questions, *records = struct.unpack_from(">6H", data)
    if flags & RESERVED or flags & 0xF >= len(RCODES) or questions > MOST_QUESTIONS or sum(records) > MOST_ANSWERS:
        return False
    found = _question(data) if questions or (records[0] and flags >> 15) else None
    return found is not None and found[1] in TYPES and len(found[0]) < LONGEST_NAME


def _question(data: bytes) -> tuple[str, int] | None:
    """Return name and type of the first question, or record; its name is never compressed."""
    labels: list[str] = []
    place = HEADER
    while place < len(data) and len(labels) < MOST_LABELS:
        length = data[place]
        if length == 0 and place + 5 <= len(data):
            return ".".join(labels) or ".", int.from_bytes(data[place + 1 : place + 3], "big")
        if not 0 < length < 64:
            return None
        labels.append(data[place + 1 : place + 1 + length].decode("utf-8", "replace"))
        place += 1 + length
    return None


def _records(data: bytes) -> tuple[str, ...]:
    import dpkt  # noqa: PLC0415 - slow to import, and seldom needed

    try:
        answers = dpkt.dns.DNS(data).an[:MOST_RECORDS]
        return tuple(text for text in map(_record, answers) if text)
    except (dpkt.Error, *_FAILURES):
        return ()


def _record(record: "dpkt.dns.DNS.RR") -> str:
    if record.type == 1 and len(record.rdata) == 4:
        return str(IPv4Address(record.rdata))
    if record.type == 28 and len(record.rdata) == 16:
        return str(IPv6Address(record.rdata))
    name = {2: "nsname", 5: "cname", 12: "ptrname", 15: "mxname"}.get(record.type)
    return str(getattr(record, name)) if name is not None else TYPES.get(record.type, str(record.type))
