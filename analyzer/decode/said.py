"""What a payload's first bytes say, in the words that people know: ``HTTP GET /``, ``TLS ClientHello example.com``.

Takes what frames keep of it, which may be cut; gives a few words, or nothing. What is not sure is not said.
"""

import re

from analyzer.decode.dns import PORT as DNS
from analyzer.decode.dns import parse
from analyzer.decode.offsets import PROTO_TCP, PROTO_UDP
from analyzer.decode.tls import hello, record

HTTP = re.compile(rb"((?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE) [\x21-\x7e]{1,80})|"
                  rb"HTTP/1\.[01] (\d{3}(?: [\x20-\x7e]{1,40})?)\r?\n")  # fmt: skip
"""RFC 9112, section 3 and 4: a request's first line as far as its target, or a status line."""
HTTP2 = b"PRI * HTTP/2.0\r\n"
SSH = re.compile(rb"SSH-2\.0-([\x21-\x7e]{1,40})")
BANNERS = {21: "FTP", 25: "SMTP", 110: "POP3", 143: "IMAP", 587: "SMTP"}
"""Ports at which a server speaks first, in lines."""
LINE = re.compile(rb"([\x20-\x7e]{3,60})\r?\n")
REDIS = re.compile(rb"\*\d{1,3}\r\n\$\d{1,3}\r\n([A-Za-z]{2,12})\r\n")
"""RESP: an array of bulk strings, of which the first is the command."""
POSTGRES = {196_608: "Postgres startup", 80_877_103: "Postgres SSLRequest", 80_877_102: "Postgres cancel"}
"""By the code behind the length (protocol-message-formats): 3.0, and special requests."""
MYSQL = re.compile(rb"...\x00\x0a([\x21-\x7e]{3,40})\x00", re.DOTALL)
"""HandshakeV10: a packet of sequence 0, with the server's version."""
DHCP_KINDS = ("", "discover", "offer", "request", "decline", "ack", "nak", "release", "inform")
"""RFC 2132, section 9.6."""
NTP_MODES = {3: "client", 4: "server"}
"""RFC 5905, figure 10."""
MDNS, LLMNR, NTP, HTTPS, DHCP = 5353, 5355, 123, 443, (67, 68)
PORTS = {PROTO_UDP: (DNS, MDNS, LLMNR, NTP, HTTPS, *DHCP)}
"""Of datagrams that may say something; of TCP it is the first bytes that each side sends."""


def said(data: bytes, protocol: int, sport: int, dport: int) -> str | None:
    """Return what a TCP connection's first bytes, or a datagram, say; None if that is not known."""
    if protocol == PROTO_TCP:
        return _dns(data[2:]) if DNS in (sport, dport) else _stream(data, sport)
    if protocol != PROTO_UDP:
        return None
    ports = {sport, dport}
    if ports & {DNS, MDNS, LLMNR}:
        told = _dns(data)
        return told.replace("DNS", "mDNS", 1) if told is not None and MDNS in ports else told
    if ports <= set(DHCP) and len(data) > 240:
        return _dhcp(data)
    if NTP in ports and len(data) >= 48 and (mode := NTP_MODES.get(data[0] & 7)) is not None:
        return f"NTP {mode}"
    return "QUIC Initial" if HTTPS in ports and is_quic(data) else None


def _dns(data: bytes) -> str | None:
    message = parse(data)
    if message is None:
        return None
    if not message.response:
        return f"DNS {message.kind}? {message.name}"
    if not message.records:
        return f"DNS {message.outcome}, {message.kind} {message.name}"
    more = f" and {message.answers - 1} more" if message.answers > 1 else ""
    return f"DNS {message.records[0]}{more}"


def _stream(data: bytes, sport: int) -> str | None:
    if (found := HTTP.match(data)) is not None:
        return f"HTTP {(found[1] or found[2]).decode('ascii').strip()}"
    if data.startswith(HTTP2):
        return "HTTP/2 preface"
    if (kind := record(data)) is not None:
        return f"TLS {kind}{hello(data)}"
    if (found := SSH.match(data)) is not None:
        return f"SSH {found[1].decode('ascii')}"
    if (found := REDIS.match(data)) is not None:
        return f"Redis {found[1].decode('ascii').upper()}"
    if len(data) >= 8 and (told := POSTGRES.get(int.from_bytes(data[4:8]))) is not None:
        return told
    if (found := MYSQL.match(data)) is not None:
        return f"MySQL {found[1].decode('ascii')}"
    if sport in BANNERS and (found := LINE.match(data)) is not None:
        return f"{BANNERS[sport]} {found[1].decode('ascii').strip()}"
    return None


def _dhcp(data: bytes) -> str | None:
    import dpkt  # noqa: PLC0415 - slow to import, and seldom needed

    try:
        options = dict(dpkt.dhcp.DHCP(data).opts)
    except (dpkt.Error, ValueError, IndexError, TypeError):
        return None
    kind = options.get(dpkt.dhcp.DHCP_OPT_MSGTYPE, b"\0")[:1]
    return f"DHCP {DHCP_KINDS[kind[0]]}" if kind and 0 < kind[0] < len(DHCP_KINDS) else None


def is_quic(data: bytes) -> bool:
    """RFC 9000, section 17.2: a long header of version 1 or 2 (RFC 9369), whose type is Initial."""
    if len(data) < 7 or data[0] & 0xC0 != 0xC0:
        return False
    version, kind = int.from_bytes(data[1:5]), data[0] >> 4 & 3
    return (version, kind) in ((1, 0), (0x6B33_43CF, 1))
