"""
Reads the events of ``retis collect``, as far as they tell drops: JSON, one event or one series of them a line.

What identifies a packet there is its ``skb-tracking`` (the head of its buffer, and when that was seen first); where it
passed are ``net:netif_receive_skb`` and ``net:net_dev_start_xmit``. Times are of CLOCK_MONOTONIC; the first event says
how far that is from the hour. Fields are as retis 1.6 and before have them (``skb``), and as later ones have (``dev``,
``packet``).
"""

from collections.abc import Iterable, Iterator

from msgspec import MsgspecError, Struct, field
from msgspec.json import Decoder

from analyzer.model.drop import Drop, Sighting

FILE = "retis.data"
MOST, MOST_ALIVE = 100_000, 65_536
"""Drops that are kept, and packets on their way at once."""
LONGEST_WAY = 8
ETHERNET = 14
RECEIVED, SENT, DROPPED = "net:netif_receive_skb", "net:net_dev_start_xmit", "skb:kfree_skb"
FREEING = ("kfree_skb", "sk_skb_reason_drop", "__kfree_skb", "bpf_")
"""Functions that a stack begins with, whoever drops."""


class _Span(Struct):
    sec: int = 0
    nsec: int = 0


class _Common(Struct):
    timestamp: int = 0


class _Startup(Struct):
    clock_monotonic_offset: _Span = field(default_factory=_Span)


class _Kernel(Struct):
    symbol: str = ""
    stack_trace: list[str] | None = None


class _Skb(Struct):
    dev_name: str = ""
    l3_len: int = 0


class _Dev(Struct):
    name: str = ""


class _Packet(Struct):
    len: int = 0
    """With the link header."""


class _Why(Struct):
    drop_reason: str
    subsys: str | None = None


class _Tracking(Struct):
    orig_head: int
    timestamp: int


class Event(Struct, rename={"why": "skb-drop", "tracking": "skb-tracking"}):
    """What is read of an event."""

    common: _Common = field(default_factory=_Common)
    startup: _Startup | None = None
    kernel: _Kernel | None = None
    skb: _Skb | None = None
    dev: _Dev | None = None
    packet: _Packet | None = None
    why: _Why | None = None
    tracking: _Tracking | None = None


def parse_retis(lines: Iterable[str]) -> tuple[Drop, ...]:
    """Return the drops that it tells, the first 100,000; lines that are none are passed over."""
    found: list[Drop] = []
    ways: dict[tuple[int, int], tuple[Sighting, ...]] = {}
    begun_ns = 0
    for event in _events(lines):
        if event.startup is not None:
            begun_ns = event.startup.clock_monotonic_offset.sec * 10**9 + event.startup.clock_monotonic_offset.nsec
        if event.kernel is None or len(found) >= MOST:
            continue
        time_ns = begun_ns + event.common.timestamp
        which = (event.tracking.orig_head, event.tracking.timestamp) if event.tracking is not None else None
        seen = _sighting(event, time_ns)
        if event.kernel.symbol in {RECEIVED, SENT} and which is not None and seen is not None:
            ways[which] = (*ways.pop(which, ()), seen)[-LONGEST_WAY:]
            if len(ways) > MOST_ALIVE:
                del ways[next(iter(ways))]
        elif event.kernel.symbol == DROPPED and event.why is not None:
            way = ways.pop(which, ()) if which is not None else ()
            # What came from nowhere that was traced was last at the device that it is of.
            way = way or ((seen,) if seen is not None else ())
            if way:
                found.append(Drop(time_ns, _reason(event.why), _function(event.kernel), way, FILE))
    return tuple(found)


def _events(lines: Iterable[str]) -> Iterator[Event]:
    decoder = Decoder(Event | list[Event])
    for line in lines:
        try:
            told = decoder.decode(line)
        except (MsgspecError, RecursionError):
            continue
        yield from told if isinstance(told, list) else (told,)


def _sighting(event: Event, time_ns: int) -> Sighting | None:
    """Return where the packet was then."""
    interface = (event.dev.name if event.dev is not None else "") or (
        event.skb.dev_name if event.skb is not None else ""
    )
    whole = event.packet.len if event.packet is not None else 0
    whole = whole or (event.skb.l3_len + ETHERNET if event.skb is not None and event.skb.l3_len else 0)
    if not interface or whole < ETHERNET:
        return None
    received = event.kernel is not None and event.kernel.symbol != SENT
    return Sighting(interface, whole - ETHERNET if received else whole, time_ns, received)


def _reason(why: _Why) -> str:
    return f"{why.subsys}/{why.drop_reason}" if why.subsys else why.drop_reason


def _function(kernel: _Kernel) -> str:
    """Return what dropped it: the first function of the stack, if that was traced, that does not drop for others."""
    names = (line.partition("+")[0] for line in kernel.stack_trace or ())
    return next((name for name in names if not name.startswith(FREEING)), DROPPED)
