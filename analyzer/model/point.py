"""Capture points: where frames were recorded."""

from dataclasses import dataclass
from enum import StrEnum

from analyzer.model.basis import Basis


class Role(StrEnum):
    """What an interface is on a Docker host; the order is the way out of a container."""

    CONTAINER = "container"
    """The container's own end, e.g. its ``eth0``."""
    VETH = "veth"
    """The host's end of a container's veth pair."""
    BRIDGE = "bridge"
    """``docker0``, ``br-<network id>`` or ``docker_gwbridge``."""
    OVERLAY = "overlay"
    """A VXLAN device, or the bridge in an overlay network's namespace."""
    LOOPBACK = "loopback"
    UPLINK = "uplink"
    """The way out of the host."""
    UNKNOWN = "unknown"


OUTWARD_ORDER: dict[Role, int] = {role: rank for rank, role in enumerate(Role)}
"""Rank of a role on a container's way out; it only breaks ties that times and TTLs leave."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of a capture that was rotated."""

    file: str
    frames: int
    """How many it holds; frame numbers go on in the next piece."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How far a host's clock is ahead of the first host's. All times of its frames are told by the first one's."""

    offset_ns: int
    """At the time where it is known best."""
    drift_ppb: int
    """Nanoseconds that it gains in a second."""
    uncertainty_ns: int | None
    """The offset is as much more or less at the most; None if traffic went one way only, which bounds one side."""
    rough: bool = False
    """Nothing tells which way packets went: times were brought together, and are wrong by what packets take."""


@dataclass(frozen=True, slots=True)
class Point:
    """One interface, in one network namespace, on one host, as one capture saw it."""

    id: int
    name: str
    """Unique in one analysis; what reports and JSON refer to."""
    file: str
    """Base name of the file; of the first one, if it was rotated."""
    interface: str | None
    role: Role
    role_basis: Basis
    link_type: int
    """The number of a ``LINKTYPE_`` in the registry of tcpdump.org."""
    host: str | None = None
    container: str | None = None
    container_basis: Basis | None = None
    network: str | None = None
    """Name of the Docker network the interface belongs to."""
    frames: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    snap_len: int | None = None
    """Longest record the capture would keep, in bytes; None if nothing was to be cut."""
    filter: str | None = None
    """What it was to record only, as tcpdump takes it (pcap-filter(7)); None if everything, or if nobody says."""
    dropped: int | None = None
    """Frames that the kernel dropped before the capture, where the file says so."""
    uncounted: bool | None = None
    """A recorded capture that did not end in good order: it may have missed some, so its absence proves nothing."""
    unseen: str | None = None
    """What passes there and cannot be seen there, as a manifest or frames say; None if all can, or if nobody says."""
    recorded_from_ns: int | None = None
    """Since when it was surely recording, where a manifest says so."""
    recorded_until_ns: int | None = None
    ended: str | None = None
    """Why the capture ended before the others, e.g. ``vanished`` with its interface."""
    comments: tuple[str, ...] = ()
    pieces: tuple[Piece, ...] | None = None
    """The files of a rotated capture, in order."""
    clock: Clock | None = None
    """What was subtracted from the times of its frames; None on the first host."""

    @property
    def span_ns(self) -> tuple[int, int] | None:
        """From when to when it was surely recording: the manifest says so, or there are frames; None if neither."""
        begins = [time for time in (self.first_ns, self.recorded_from_ns) if time is not None]
        ends = [time for time in (self.last_ns, self.recorded_until_ns) if time is not None]
        return (min(begins), max(ends)) if begins and ends else None

    def covers(self, time_ns: int) -> bool:
        """Tell whether it was recording at a time."""
        span = self.span_ns
        return span is not None and span[0] <= time_ns <= span[1]
