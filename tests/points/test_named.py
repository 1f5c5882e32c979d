"""Names of interfaces and files."""

import gzip
import shutil
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from analyzer import analyze
from analyzer.errors import SelectionError
from analyzer.model import Basis, Container, Hosts, HostState, Link, Piece, Point, Role, Route
from analyzer.points.named import name_points, role_of_name, stem
from analyzer.read.manifest import RecordedPoint
from analyzer.read.records import Damage, FileInfo, Interface, Source
from analyzer.read.spec import PointSpec, parse_point
from tests.build import enhanced, interface, option, section


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("docker0", Role.BRIDGE),
        ("br-49d3e2bc082b", Role.BRIDGE),
        ("br-appnet", Role.BRIDGE),
        ("docker_gwbridge", Role.BRIDGE),
        ("veth249828d", Role.VETH),
        ("veth-web", Role.VETH),
        ("2026-11-23_docker0", Role.BRIDGE),
        ("wlan0", Role.UPLINK),
        ("enp3s0", Role.UPLINK),
        ("host1.eno1", Role.UPLINK),
        ("eth0", Role.UNKNOWN),  # a container calls its own so as well
        ("lo", Role.LOOPBACK),
        ("vxlan0", Role.OVERLAY),
        ("capture", Role.UNKNOWN),
        ("loop", Role.UNKNOWN),
    ],
)
def test_roles_by_name(name: str, role: Role) -> None:
    """As Linux and Docker call their interfaces."""
    assert role_of_name(name) is role


@pytest.mark.parametrize("file", ["docker0.pcap", "docker0.pcapng.zst", "docker0.pcap.gz", "docker0.cap3"])
def test_endings_are_no_part_of_a_name(file: str) -> None:
    """Formats, compressions and rotation numbers."""
    assert stem(file) == "docker0"


def test_point_option() -> None:
    """Everything that may follow the name."""
    spec = parse_point("web=a=b.pcap,role=veth,host=h1,container=c1")

    assert (spec.name, spec.file, spec.role, spec.host, spec.container) == ("web", "a=b.pcap", Role.VETH, "h1", "c1")


@pytest.mark.parametrize("text", ["", "a", "=b", "a=", "a=b,role=king", "a=b,colour=red"])
def test_senseless_point_options(text: str) -> None:
    """Each is refused, with what would be right."""
    with pytest.raises(SelectionError, match="--point"):
        parse_point(text)


def test_an_interface_name_comes_before_the_files(tmp_path: Path) -> None:
    """Unless several files have the same one: then it is several containers' eth0."""
    for file, name in (("a", b"docker0"), ("b", b"eth0"), ("c", b"eth0")):
        data = section() + interface(1, options=option(2, name)) + enhanced(0, 1, file.encode() * 60)
        (tmp_path / f"{file}.pcapng").write_bytes(data)
    trace = analyze(sorted(tmp_path.glob("*.pcapng")))

    assert [point.name for point in trace.points] == ["docker0", "b", "c"]
    assert trace.points[0].role is Role.BRIDGE


def test_a_manifest_knows_captures_that_were_compressed_since(tmp_path: Path) -> None:
    """gzip gives a file another name; what the bundle says of it stays."""
    sample = Path(__file__).parents[2] / "sample_pcaps" / "bundle"
    shutil.copytree(sample, tmp_path / "bundle")
    for path in (tmp_path / "bundle").glob("*.pcap"):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()

    packed, plain = analyze([tmp_path / "bundle"]), analyze([sample])
    assert any(point.recorded_until_ns for point in plain.points)
    assert packed.points == [replace(point, file=f"{point.file}.gz") for point in plain.points]


ROLES = "container, veth, bridge, overlay, loopback, uplink, unknown"


def _info(name: str, *interfaces: Interface, frames: int = 0) -> FileInfo:
    return FileInfo(name, list(interfaces), frames=frames)


def _points(
    files: list[FileInfo],
    specs: list[PointSpec] | None = None,
    state: HostState | None = None,
    sources: list[Source] | None = None,
) -> list[Point]:
    """Name points: one of each file, if no sources are given, and no file was rotated."""
    where = sources or [Source(number, 0, 0) for number in range(len(files))]
    said = specs or [PointSpec(info.name) for info in files]
    return name_points(where, [[source.file] for source in where], files, said, Hosts.of(state or HostState()))


def _link(name: str, kind: str | None = None, master: str | None = None, **more: Any) -> Link:
    return Link(index=more.pop("index", 3), name=name, mac=None, kind=kind, master=master, **more)


def _route(dev: str, dst: str) -> Route:
    return Route(ip_network(dst), dev, None, 0, "main", f"{dst} dev {dev}")


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("ct", Role.CONTAINER), ("ct-web", Role.CONTAINER), ("container.web", Role.CONTAINER), ("act", Role.UNKNOWN),
        ("br-7", Role.UNKNOWN), ("br0", Role.BRIDGE), ("virbr1", Role.BRIDGE), ("bridge", Role.BRIDGE),
        ("xdocker0", Role.UNKNOWN), ("docker0x", Role.UNKNOWN), ("a_docker0-b", Role.BRIDGE), ("veth", Role.VETH),
        ("ov-001", Role.OVERLAY), ("vx-001000", Role.OVERLAY), ("overlay1", Role.OVERLAY), ("eth", Role.UNKNOWN),
        ("bond0", Role.UPLINK), ("uplink", Role.UPLINK), ("wan", Role.UPLINK), ("usb0", Role.UPLINK),
        ("em1", Role.UPLINK), ("wlp2s0", Role.UPLINK), ("ct_eth0", Role.CONTAINER), ("lo.eth0", Role.LOOPBACK),
        ("", Role.UNKNOWN),
        ("x" * 122 + ".eno1", Role.UPLINK), ("x" * 124 + ".eno1", Role.UNKNOWN),
    ],
)  # fmt: skip
def test_more_roles_by_name(name: str, role: Role) -> None:
    """A whole word between dots, dashes and underscores; the way out of a container decides between several."""
    assert role_of_name(name) is role


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("a.b.pcap", "a.b"), ("A.PCAPNG.GZ", "A"), ("a.dmp.xz.bz2", "a"), ("a.gz", "a"), ("a.pcap12", "a"),
        (".pcap", ".pcap"), ("a.txt", "a.txt"), ("pcap", "pcap"), ("", ""),
    ],
)  # fmt: skip
def test_more_endings(file: str, expected: str) -> None:
    """All of them go, whatever their case; a name never becomes empty."""
    assert stem(file) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a", "--point a: needs NAME=FILE[,role=ROLE][,host=HOST][,container=CONTAINER]"),
        ("a=b,z=1,colour=red", "--point a=b,z=1,colour=red: unknown 'colour'; known are role, host, container"),
        (
            "a=b,role=king",
            f"--point a=b,role=king: unknown role 'king'; known are {ROLES}",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_point_option(text: str, problem: str) -> None:
    """It is told together with what would be right."""
    with pytest.raises(SelectionError) as error:
        parse_point(text)

    assert str(error.value) == problem


def test_a_point_option_without_anything_else() -> None:
    """Nothing but name and file is known; values may have equals signs, and be empty."""
    assert parse_point("a=b") == PointSpec("b", "a")
    assert parse_point("a=b,host=x=y,container=") == PointSpec("b", "a", None, "x=y", "")


def test_a_plain_capture() -> None:
    """All that its file tells, and nothing else."""
    (point,) = _points([_info("docker0.pcap", Interface(1, 262_144))])

    assert point == Point(0, "docker0", "docker0.pcap", None, Role.BRIDGE, Basis.INFERRED, 1)


@pytest.mark.parametrize(
    ("snap_len", "expected"), [(0, None), (1, 1), (65_534, 65_534), (65_535, None), (262_144, None)]
)
def test_snap_lengths_that_cut(snap_len: int, expected: int | None) -> None:
    """Those that a packet can be longer than."""
    (point,) = _points([_info("a.pcap", Interface(113, snap_len))])

    assert (point.snap_len, point.link_type) == (expected, 113)


def test_everything_that_is_known_of_a_point() -> None:
    """What the user said comes before the manifest, and the manifest before the file."""
    recorded = RecordedPoint(
        "web", "x.pcap", "eth0", Role.CONTAINER, "c9", "mynet", "vanished", 8, 5, "what a bridge forwards"
    )
    info = FileInfo("x.pcap", [Interface(1, 96, dropped=2)], [(0, "of a section"), (3, "of a frame"), (0, "two")])
    spec = PointSpec("d/x.pcap", None, Role.CONTAINER, "h1", "c1", recorded, "port 53", (5, 9))
    (point,) = _points([info], [spec])

    assert point == Point(
        0, "web", "x.pcap", "eth0", Role.CONTAINER, Basis.STATED, 1, "h1", "c1", Basis.STATED, "mynet",
        snap_len=96, filter="port 53", dropped=5, unseen="what a bridge forwards", recorded_from_ns=5,
        recorded_until_ns=9, ended="vanished", comments=("of a section", "two"),
    )  # fmt: skip


def test_a_damaged_file_was_recorded_until_nobody_knows() -> None:
    """Its beginning is known nevertheless; damage of one piece is enough."""
    files = [_info("x.pcap", Interface(1, 0), frames=4), _info("x.pcap1", Interface(1, 0), frames=5)]
    files[1].damage = Damage(5, "record cut")
    specs = [PointSpec(info.name, recorded_ns=(5, 9)) for info in files]
    (first,) = name_points([Source(0, 0, 0)], [[0, 1]], files, specs, Hosts.of(HostState()))
    (alone,) = name_points([Source(0, 0, 0)], [[0]], files, specs, Hosts.of(HostState()))

    assert (first.recorded_from_ns, first.recorded_until_ns) == (5, None)
    assert (alone.recorded_from_ns, alone.recorded_until_ns) == (5, 9)
    assert (first.name, first.pieces, alone.pieces) == ("x", (Piece("x.pcap", 4), Piece("x.pcap1", 5)), None)


@pytest.mark.parametrize(("drops", "expected"), [((None, None), None), ((None, 0), 0), ((3, 4), 7), ((3, None), 3)])
def test_drops_of_all_pieces_together(drops: tuple[int | None, ...], expected: int | None) -> None:
    """As far as they say; a piece that lacks the interface says nothing."""
    files = [_info(f"x.pcap{n}", Interface(1, 0), Interface(1, 0, dropped=d)) for n, d in enumerate(drops)]
    files.append(_info("x.pcap9", Interface(1, 0, dropped=50)))
    specs = [PointSpec(info.name) for info in files]
    (point,) = name_points([Source(0, 1, 0)], [[0, 1, 2]], files, specs, Hosts.of(HostState()))

    assert point.dropped == expected


@pytest.mark.parametrize(
    ("spec", "interface", "name"),
    [
        (PointSpec("x"), None, "x"),
        (PointSpec("x"), "eth0", "eth0"),
        (PointSpec("x"), "any", "x"),
        (PointSpec("x", "mine"), "eth0", "mine"),
        (PointSpec("x", recorded=RecordedPoint("web", "x", "eth0", Role.CONTAINER)), "eth0", "web"),
        (PointSpec("x", "mine", recorded=RecordedPoint("web", "x", "eth0", Role.CONTAINER)), "eth0", "mine"),
        (PointSpec("x", host="h1"), "eth0", "eth0"),
    ],
)
def test_the_name_of_a_point(spec: PointSpec, interface: str | None, name: str) -> None:
    """The user's, the manifest's, the interface's, the file's; ``any`` is no interface."""
    (point,) = _points([_info("x.pcap", Interface(1, 0, interface))], [spec])

    assert (point.name, point.interface) == (
        name, interface or (spec.recorded.interface if spec.recorded is not None else None)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["d.pcap", "d.cap", "d.dmp"], ["d", "d-2", "d-3"]),
        (["d.pcap", "d-2.pcap", "d.cap"], ["d", "d-2", "d-3"]),
        (["d-2.pcap", "d.pcap", "d.cap", "d.dmp"], ["d-2", "d", "d-3", "d-4"]),
    ],
)
def test_names_are_unique(files: list[str], names: list[str]) -> None:
    """Later ones have a number that nobody has."""
    assert [point.name for point in _points([_info(file, Interface(1, 0)) for file in files])] == names


def test_points_of_several_hosts() -> None:
    """Names say whose they are, where the user did not give them."""
    files = [_info(f"{n}.pcap", Interface(1, 0)) for n in range(4)]
    specs = [PointSpec("0", host="h1"), PointSpec("1", host="h2"), PointSpec("2", "mine", host="h2"), PointSpec("3")]

    assert [point.name for point in _points(files, specs)] == ["h1:0", "h2:1", "mine", "3"]


def test_several_interfaces_of_one_file() -> None:
    """By their own names; where those do not do, by the file's with theirs, or with their numbers."""
    named = _info("x.pcapng", Interface(1, 0, "docker0"), Interface(1, 0, "eno1"), Interface(1, 0))
    other = _info("y.pcapng", Interface(1, 0, "eno1"))
    sources = [Source(0, 0, 0), Source(0, 1, 0), Source(0, 2, 0), Source(1, 0, 0)]
    points = _points([named, other], sources=sources)

    assert [point.name for point in points] == ["docker0", "x:eno1", "x:2", "y"]
    assert [point.interface for point in points] == ["docker0", "eno1", None, "eno1"]
    assert [point.role for point in points] == [Role.BRIDGE, Role.UPLINK, Role.UNKNOWN, Role.UPLINK]


def test_the_files_name_tells_nothing_of_one_of_several_interfaces() -> None:
    """Only of the one that it is of."""
    several = [Source(0, 0, 0), Source(0, 1, 0)]
    info = _info("veth-web.pcapng", Interface(1, 0, "one"), Interface(1, 0, "two"))

    assert [point.role for point in _points([info], sources=several)] == [Role.UNKNOWN, Role.UNKNOWN]
    assert [point.role for point in _points([info], sources=several[:1])] == [Role.VETH]


def test_devices_of_a_cooked_capture() -> None:
    """Their numbers are those of the host's interfaces; one that is not known has its number."""
    state = HostState(links=(_link("docker0", "bridge", index=3), _link("eno1", index=2)))
    sources = [Source(0, 0, 3), Source(0, 0, 2), Source(0, 0, 7)]
    points = _points([_info("any.pcap", Interface(276, 0, "any"))], state=state, sources=sources)

    assert [(p.name, p.interface) for p in points] == [("docker0", "docker0"), ("eno1", "eno1"), ("if7", "if7")]
    assert [(p.role, p.role_basis) for p in points] == [
        (Role.BRIDGE, Basis.STATED),
        (Role.UPLINK, Basis.INFERRED),
        (Role.UNKNOWN, Basis.INFERRED),
    ]


@pytest.mark.parametrize(
    ("link", "role", "basis"),
    [
        (_link("eno1", "bridge"), Role.BRIDGE, Basis.STATED),
        (_link("eno1", loopback=True), Role.LOOPBACK, Basis.STATED),
        (_link("eno1", "vxlan"), Role.OVERLAY, Basis.STATED),
        (_link("eno1", "veth", "docker0"), Role.VETH, Basis.STATED),
        (_link("eno1", "veth"), Role.UPLINK, Basis.INFERRED),
        (_link("eno1", None, "docker0"), Role.UPLINK, Basis.INFERRED),
        (_link("eno1"), Role.UPLINK, Basis.INFERRED),
        (_link("other", "bridge"), Role.UPLINK, Basis.INFERRED),
    ],
)
@pytest.mark.parametrize("where", ["interface", "file", "name"])
def test_roles_that_the_host_states(link: Link, role: Role, basis: Basis, where: str) -> None:
    """By the kind of the interface, whether it is named in the file, by its name or by the user."""
    info = _info(
        "x.pcap" if where != "file" else "eno1.pcap", Interface(1, 0, "eno1" if where == "interface" else None)
    )
    spec = PointSpec("x", "eno1" if where == "name" else None)
    (point,) = _points([info], [spec], HostState(links=(link,)))

    assert (point.role, point.role_basis) == (role, basis)


@pytest.mark.parametrize(
    ("routes", "role"),
    [
        ([("lan7", "0.0.0.0/0")], Role.UPLINK),
        ([("other", "0.0.0.0/0"), ("lan7", "::/0")], Role.UPLINK),
        ([("lan7", "10.0.0.0/8")], Role.UNKNOWN),
        ([("other", "0.0.0.0/0"), ("lan7", "10.0.0.0/8")], Role.UNKNOWN),
    ],
)
def test_the_way_out_by_routes(routes: list[tuple[str, str]], role: Role) -> None:
    """The interface of a default route is an uplink, whatever its name."""
    state = HostState(links=(_link("lan7"),), routes=tuple(_route(*route) for route in routes))
    (point,) = _points([_info("lan7.pcap", Interface(1, 0))], state=state)

    assert (point.role, point.role_basis) == (role, Basis.STATED if role is Role.UPLINK else Basis.INFERRED)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_that_the_user_gives(role: Role) -> None:
    """It stands against the host and all names."""
    state = HostState(links=(_link("docker0", "bridge"),))
    (point,) = _points([_info("docker0.pcap", Interface(1, 0))], [PointSpec("x", role=role)], state)

    assert (point.role, point.role_basis) == (role, Basis.STATED)


def test_the_interface_tells_a_role_before_the_files_name() -> None:
    """And a name that the user gives is between them."""
    roles = [
        _points([_info(file, Interface(1, 0, interface))], [PointSpec("x", name)])[0].role
        for file, interface, name in (
            ("veth-a.pcap", "docker0", "eno1"),
            ("veth-a.pcap", "x", "eno1"),
            ("veth-a.pcap", "x", "y"),
            ("z", None, None),
        )
    ]

    assert roles == [Role.BRIDGE, Role.UPLINK, Role.VETH, Role.UNKNOWN]


@pytest.mark.parametrize(
    ("file", "container"),
    [
        ("veth-web.pcap", "web"),
        ("ct-web.pcap", "web"),
        ("container_web-1.x.pcap", "web-1.x"),
        ("host1.veth-web.pcap", "web"),
        ("host1_ct_web.pcap", "web"),
        ("veth0123456.pcap", None),
        ("vethweb.pcap", None),
        ("veth-.pcap", None),
        ("veth-web-veth-api.pcap", "web-veth-api"),
        ("docker0.pcap", None),
        ("lo.pcap", None),
        ("veth-" + "x" * 123, "x" * 123),
        ("veth-" + "x" * 124, None),
    ],
)
def test_containers_by_name(file: str, container: str | None) -> None:
    """What follows ``veth-`` or ``ct-``; the kernel's own names tell nothing, and nobody reads very long ones."""
    (point,) = _points([_info(file, Interface(1, 0))])

    assert point.container == container
    assert point.container_basis is (None if container is None else Basis.INFERRED)


@pytest.mark.parametrize(("known", "container"), [((), "web"), (("web", "api"), "web"), (("api",), None)])
def test_containers_that_the_host_knows(known: tuple[str, ...], container: str | None) -> None:
    """A name that is no container's tells nothing, if the host told its containers."""
    containers = tuple(Container(name, "bridge", None, ()) for name in known)
    (point,) = _points([_info("veth-web.pcap", Interface(1, 0))], state=HostState(containers=containers))

    assert point.container == container


def test_only_a_containers_interface_has_a_container() -> None:
    """A bridge that is called like one, has none; what the user says, stands."""
    files = [_info("veth-web.pcap", Interface(1, 0))]

    assert _points(files, [PointSpec("x", role=Role.BRIDGE)])[0].container is None
    assert _points(files, [PointSpec("x", role=Role.CONTAINER)])[0].container == "web"
    stated = _points(files, [PointSpec("x", role=Role.BRIDGE, container="api")])[0]
    assert (stated.container, stated.container_basis) == ("api", Basis.STATED)


def test_a_rotated_capture_loses_its_number() -> None:
    """Only if it has several pieces: a date may be a name."""
    files = [_info("up_00003_20260131235959.pcapng", Interface(1, 0), frames=7), _info("up_00004", Interface(1, 0))]
    specs = [PointSpec(info.name) for info in files]
    names = [
        name_points([Source(0, 0, 0)], pieces, files, specs, Hosts.of(HostState()))[0].name
        for pieces in ([[0, 1]], [[0]])
    ]

    assert names == ["up", "up_00003_20260131235959"]
