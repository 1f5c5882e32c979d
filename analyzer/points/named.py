"""Which point is a file? What the user said, the interface's name, and the file's name tell; traffic tells later.

Takes where frames come from, gives Points. What was not told is left unknown here.
"""

import re
from collections import Counter
from collections.abc import Sequence

from analyzer.model import Basis, Hosts, HostState, Piece, Point, Role
from analyzer.read.pieces import without_rotation
from analyzer.read.records import LINKTYPE_LINUX_SLL, FileInfo, Source
from analyzer.read.spec import PointSpec

NO_SNAP = 65_535
"""Snap lengths from here on cut nothing that an interface carries; tcpdump's old and new defaults are larger."""

LONGEST_NAME = 128
"""Characters of a name that are looked at; interfaces have at most 15 (IFNAMSIZ), file names some more."""

_ROLES: tuple[tuple[Role, str], ...] = (
    (Role.CONTAINER, r"ct|container"),
    (Role.LOOPBACK, r"lo"),
    (Role.BRIDGE, r"docker0|docker_gwbridge|br-?[0-9a-f]{12}|br-?[a-z]\w*|br\d+|virbr\d+|bridge\d*"),
    (Role.VETH, r"veth\w*"),
    (Role.OVERLAY, r"vxlan\w*|vx-\w+|ov-\w+|overlay\w*"),
    (Role.UPLINK, r"wlan\d+|wlp\w+|wlx\w+|en[opsx]\w+|em\d+|bond\d+|uplink|wan\d*|wwan\d+|usb\d+"),
)
_PATTERNS = [(role, re.compile(rf"(?:^|[._-])(?:{pattern})(?=$|[._-])")) for role, pattern in _ROLES]
_KERNEL_VETH = re.compile(r"^veth[0-9a-f]{7}$")
_CONTAINER_OF = re.compile(r"(?:^|[._])(?:veth|ct|container)[-_]([A-Za-z0-9][\w.-]*)$")
ANY = "any"
"""The pseudo-device of libpcap that captures on all interfaces."""
_SUFFIXES = re.compile(r"(\.(pcap|pcapng|cap|dmp|gz|zst|xz|bz2))+\d*$", re.IGNORECASE)


def role_of_name(name: str) -> Role:
    """Tell a role by the way Linux and Docker name interfaces."""
    for role, pattern in _PATTERNS:
        if pattern.search(name[:LONGEST_NAME]):
            return role
    return Role.UNKNOWN


def may_have_several(point: Point) -> bool:
    """Tell whether a point may be all interfaces of a host: LINUX_SLL, and no word of which interface it was."""
    return point.link_type == LINKTYPE_LINUX_SLL and point.interface in (None, ANY)


def stem(file: str) -> str:
    """Return a file's name without the endings of captures and compression."""
    return _SUFFIXES.sub("", file) or file


def name_points(
    sources: Sequence[Source],
    pieces: Sequence[Sequence[int]],
    files: Sequence[FileInfo],
    specs: Sequence[PointSpec],
    hosts: Hosts,
) -> list[Point]:
    """Make a Point of every source, as far as names tell; *pieces* has the files of each, *specs* is by file."""
    points: list[Point] = []
    of_file = [hosts[spec.host] for spec in specs]
    names = [_device_name(s.device, of_file[s.file]) or files[s.file].interfaces[s.interface].name for s in sources]
    per_file = Counter(source.file for source in sources)
    said_by = Counter(names)
    taken: Counter[str] = Counter()
    several_hosts = len({specs[source.file].host for source in sources}) > 1
    for number, source in enumerate(sources):
        info, spec, host = files[source.file], specs[source.file], of_file[source.file]
        interface = info.interfaces[source.interface]
        device = _device_name(source.device, host)
        said = device or interface.name
        # The same interface name in several files is several containers' eth0: only the files tell them apart.
        alone = said is not None and said != ANY and said_by[said] == 1
        rotated = len(pieces[number]) > 1
        name = stem(without_rotation(info.name) if rotated else info.name)
        recorded_name = spec.recorded.name if spec.recorded is not None else None
        base = spec.name or recorded_name or (said if said is not None and alone else name)
        if base != said and per_file[source.file] > 1:
            base = f"{base}:{said or source.interface}"
        role, basis = _role(spec, said, name if per_file[source.file] == 1 else "", base, host)
        recorded, whole = spec.recorded, all(files[file].damage is None for file in pieces[number])
        container = spec.container or (_container_of_name(base, role, host) if recorded is None else None)
        if several_hosts and spec.host is not None and spec.name is None:
            base = f"{spec.host}:{base}"
        points.append(
            Point(
                id=number,
                name=_unique(base, taken),
                file=info.name,
                interface=said or (recorded.interface if recorded is not None else None),
                role=role,
                role_basis=basis,
                link_type=interface.link_type,
                host=spec.host,
                container=container,
                container_basis=(Basis.STATED if spec.container else Basis.INFERRED) if container else None,
                snap_len=interface.snap_len if 0 < interface.snap_len < NO_SNAP else None,
                network=recorded.network if recorded is not None else None,
                filter=spec.filter or None,
                dropped=_dropped(source, pieces[number], files) if recorded is None else recorded.dropped,
                uncounted=True if recorded is not None and recorded.dropped is None else None,
                unseen=recorded.unseen if recorded is not None else None,
                recorded_from_ns=spec.recorded_ns[0] if spec.recorded_ns is not None else None,
                # What a damaged file lost was recorded, and is not there to be seen.
                recorded_until_ns=spec.recorded_ns[1] if spec.recorded_ns is not None and whole else None,
                ended=recorded.ended if recorded is not None else None,
                comments=tuple(comment for frame, comment in info.comments if frame == 0),
                pieces=tuple(Piece(files[f].name, files[f].frames) for f in pieces[number]) if rotated else None,
            )
        )
    return points


def _dropped(source: Source, pieces: Sequence[int], files: Sequence[FileInfo]) -> int | None:
    """Return what the kernel dropped in all pieces together, None if no file says."""
    interfaces = [files[file].interfaces for file in pieces]
    counts = [found[source.interface].dropped for found in interfaces if source.interface < len(found)]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _device_name(device: int, host: HostState) -> str | None:
    if not device:
        return None
    return next((link.name for link in host.links if link.index == device), f"if{device}")


def _role(spec: PointSpec, said: str | None, file: str, base: str, host: HostState) -> tuple[Role, Basis]:
    if spec.role is not None:
        return spec.role, Basis.STATED
    link = host.link(said or base) or host.link(file)
    if link is not None:
        if link.kind == "bridge":
            return Role.BRIDGE, Basis.STATED
        if link.loopback:
            return Role.LOOPBACK, Basis.STATED
        if link.kind == "vxlan":
            return Role.OVERLAY, Basis.STATED
        if link.kind == "veth" and link.master:
            return Role.VETH, Basis.STATED
        if any(route.dev == link.name and route.dst.prefixlen == 0 for route in host.routes):
            return Role.UPLINK, Basis.STATED
    for name in (said, base, file):
        role = role_of_name(name) if name else Role.UNKNOWN
        if role is not Role.UNKNOWN:
            return role, Basis.INFERRED
    return Role.UNKNOWN, Basis.INFERRED


def _container_of_name(name: str, role: Role, host: HostState) -> str | None:
    """Read the container from names like ``veth-web`` or ``ct-web``; the kernel's own veth names tell nothing."""
    found = _CONTAINER_OF.search(name) if len(name) <= LONGEST_NAME else None
    if role not in (Role.VETH, Role.CONTAINER) or found is None or _KERNEL_VETH.match(name):
        return None
    known = {container.name for container in host.containers}
    return found[1] if not known or found[1] in known else None


def _unique(name: str, taken: Counter[str]) -> str:
    candidate = name
    while candidate in taken:
        taken[name] += 1
        candidate = f"{name}-{taken[name]}"
    taken[candidate] += 1
    return candidate
