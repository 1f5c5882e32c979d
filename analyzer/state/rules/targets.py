"""Targets of iptables' rules to statements: what a rule does, or that nobody here follows it.

What each does is what ``iptables-extensions(8)`` says and net/netfilter/xt_*.c do. Targets that continue
(XT_CONTINUE) and change nothing that a rule can ask for are no statement at all.
"""

from collections.abc import Callable
from ipaddress import ip_address

from analyzer.model import Address
from analyzer.model.question import Bits, Constant, Expression, Field, Missing, Of, OneOf, Opaque, Plus
from analyzer.model.rules import (
    Decide,
    InZone,
    NatTarget,
    Return,
    Statement,
    Translate,
    Unfollowed,
    Untrack,
    Verdict,
    Write,
)
from analyzer.state.rules.names import DSCP
from analyzer.state.rules.options import Option

WORD = 0xFFFF_FFFF
_WITHOUT_EFFECT = """
    LOG NFLOG ULOG TCPMSS TRACE AUDIT CHECKSUM CLASSIFY ECN SECMARK CONNSECMARK RATEEST SET LED TCPOPTSTRIP TEE
    IDLETIMER
"""
WITHOUT_EFFECT = frozenset(_WITHOUT_EFFECT.split())
"""Targets after which the next rule is asked, and nothing has changed that one could ask for."""
Options = tuple[Option, ...]


def statements(target: str, options: Options) -> tuple[Statement, ...]:
    """Return what a target that is no chain does."""
    if not target or target in WITHOUT_EFFECT:
        return ()
    found = _SIMPLE.get(target)
    if found is not None:
        return (found,)
    maker = _TARGETS.get(target)
    if maker is None:
        missing = Missing.USERSPACE if target in ("NFQUEUE", "QUEUE") else Missing.TARGET
        return (Unfollowed(f"target {target}", missing),)
    try:
        return maker({option.name: option.value for option in options})
    except (ValueError, LookupError):
        words = " ".join(option.text for option in options)
        return (Unfollowed(f"{target} {words}"[:80], Missing.VALUE),)


_SIMPLE: dict[str, Statement] = {
    "ACCEPT": Decide(Verdict.ACCEPT), "DROP": Decide(Verdict.DROP), "REJECT": Decide(Verdict.REJECT),
    "RETURN": Return(), "NOTRACK": Untrack(),
}  # fmt: skip
Told = dict[str, str]


def _mark(told: Told, field: Field = Field.MARK) -> tuple[Statement, ...]:
    """Do as xt_mark does: clear the bits of the mask, then flip those of the value."""
    for name in ("--set-xmark", "--set-mark"):
        if name in told:
            value, _, mask = told[name].partition("/")
            bits = int(mask or "0xffffffff", 0)
            flip = int(value, 0)
            if name == "--set-mark":  # xt_mark turns it into --set-xmark value/(value | mask)
                bits |= flip
            return (Write(field, Bits(Of(field), ~bits & WORD, flip), lenient=True),)
    raise ValueError(str(told))


def _connmark(told: Told) -> tuple[Statement, ...]:
    """
    Set, save or restore the connection's mark (xt_connmark.c).

    Saved: ``ctmark = (ctmark & ~ctmask) ^ (nfmark & nfmask)``; restored the other way round.
    """
    if "--save-mark" not in told and "--restore-mark" not in told:
        return _mark(told, Field.CT_MARK)
    of_packet, of_connection = (int(told.get(name, "0xffffffff"), 0) for name in ("--nfmask", "--ctmask"))
    field, source = Field.CT_MARK, Field.MARK
    kept, taken = of_connection, of_packet
    if "--restore-mark" in told:
        field, source, kept, taken = source, field, taken, kept
    if kept != WORD:  # what is kept and what is taken would have to be put together
        return (Write(field, Opaque("CONNMARK with masks", Missing.FIELD), lenient=True),)
    return (Write(field, Bits(Of(source), taken), lenient=True),)


def _ttl(told: Told) -> tuple[Statement, ...]:
    for name, value in told.items():
        if name.endswith("-set"):
            return (Write(Field.TTL, Constant(int(value))),)
        return (Write(Field.TTL, Plus(Of(Field.TTL), int(value) * (1 if name.endswith("-inc") else -1))),)
    raise ValueError("nothing to set")


def _dscp(told: Told) -> tuple[Statement, ...]:
    value = DSCP[told["--set-dscp-class"].lower()] if "--set-dscp-class" in told else int(told["--set-dscp"], 0)
    return (Write(Field.DSCP, Constant(value)),)


def _tos(told: Told) -> tuple[Statement, ...]:
    """TOS holds DSCP in its upper six bits (RFC 2474)."""
    value, slash, _ = told.get("--set-tos", "").partition("/")
    known = not slash and value.startswith("0x")
    return (Write(Field.DSCP, Constant(int(value, 0) >> 2) if known else Opaque("TOS", Missing.FIELD)),)


def _track(told: Told) -> tuple[Statement, ...]:
    if any(name.startswith("--zone-") for name in told):
        return (Unfollowed("target CT --zone", Missing.ZONE),)
    if "--zone" in told:
        return (InZone(),)
    return (Untrack(),) if "--notrack" in told else ()


def _proxy(told: Told) -> tuple[Statement, ...]:
    """Mark what a socket of this host takes, and ask no further rule (xt_TPROXY.c); without a socket it would drop."""
    value, _, mask = told.get("--tproxy-mark", "0/0").partition("/")
    bits = int(mask or "0xffffffff", 0)
    return (Write(Field.MARK, Bits(Of(Field.MARK), ~bits & WORD, int(value, 0)), lenient=True), Decide(Verdict.ACCEPT))


def _translate(kind: NatTarget) -> Callable[[Told], tuple[Statement, ...]]:
    def make(told: Told) -> tuple[Statement, ...]:
        to = told.get("--to-destination") or told.get("--to-source") or told.get("--to-ports")
        whole = f":{to}" if to and "--to-ports" in told else to
        address, port = ends(whole)
        # nf_nat_l4proto_unique_tuple(): a destination's port, or one that is given, does not change by chance.
        if port is None and kind.of_source and {"--random", "--random-fully"} & set(told):
            port = OneOf(1, 65_535)
        return (Translate(kind, address, port, to),)

    return make


def _netmap(told: Told) -> tuple[Statement, ...]:
    """NETMAP keeps the host's part of an address; which end it is, the hook decides: not followed."""
    return (Unfollowed(f"NETMAP {told.get('--to', '')}", Missing.TARGET),)


def ends(to: str | None) -> tuple[Expression | None, Expression | None]:
    """
    Read ``172.17.0.2:80``, ``[fd00::2]:80``, an address alone, ``:8080``, and ranges of both.

    Raises:
        ValueError: it is none of them.
    """
    if not to:
        return None, None
    host, port = to, ""
    if to.startswith("["):
        host, _, port = to[1:].partition("]")
        port = port.lstrip(":")
    elif to.count(":") == 1:
        host, _, port = to.partition(":")
    return _one(host, ip_address) if host else None, _one(port.partition("/")[0], int) if port else None


def _one(text: str, read: Callable[[str], int | Address]) -> Expression:
    low, dash, high = text.partition("-")
    return OneOf(read(low), read(high)) if dash and low != high else Constant(read(low))


_TARGETS: dict[str, Callable[[Told], tuple[Statement, ...]]] = {
    "MARK": _mark, "CONNMARK": _connmark, "TTL": _ttl, "HL": _ttl, "DSCP": _dscp, "TOS": _tos, "CT": _track,
    "NETMAP": _netmap, "TPROXY": _proxy, **{kind.value: _translate(kind) for kind in NatTarget},
}  # fmt: skip
KNOWN = (*_SIMPLE, *(name for name in _TARGETS if name != "NETMAP"))
"""Targets that are followed."""
