"""Names of interfaces and files."""

import gzip
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.capture.points import parse_point, role_of_name, stem
from analyzer.errors import SelectionError
from analyzer.model import Role
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
