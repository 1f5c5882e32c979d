"""What somebody says of a capture with --point."""

import pytest

from analyzer.errors import SelectionError
from analyzer.model import Role
from analyzer.read.spec import PointSpec, parse_point


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("up=a.pcap", PointSpec("a.pcap", "up")),
        ("up=a.pcap,role=uplink", PointSpec("a.pcap", "up", Role.UPLINK)),
        ("v=dir/a=b.pcap,container=web,role=veth,host=h1", PointSpec("dir/a=b.pcap", "v", Role.VETH, "h1", "web")),
        ("v=a.pcap,container=a=b", PointSpec("a.pcap", "v", None, None, "a=b")),
        ("v=a.pcap,role=unknown", PointSpec("a.pcap", "v", Role.UNKNOWN)),
    ],
)
def test_a_point_has_a_name_a_file_and_what_else_is_known(text: str, spec: PointSpec) -> None:
    """In any order behind the file; only the first sign of equality parts name and value."""
    assert parse_point(text) == spec


@pytest.mark.parametrize("text", ["", "a.pcap", "=a.pcap", "up=", "up=,role=uplink", ",role=uplink"])
def test_a_point_without_a_name_or_a_file_is_refused(text: str) -> None:
    """The form that is needed is told."""
    with pytest.raises(SelectionError, match="needs NAME=FILE"):
        parse_point(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("up=a.pcap,rule=uplink", "unknown 'rule'; known are role, host, container"),
        ("up=a.pcap,z=1,y=2,x=3,b=4", "unknown 'b'"),
        ("up=a.pcap,", "unknown ''"),
        ("up=a.pcap,role=king", "unknown role 'king'; known are container, veth, bridge, overlay, loopback, uplink"),
        ("up=a.pcap,role=UPLINK", "unknown role 'UPLINK'"),
        ("up=a.pcap,role=", "unknown role ''"),
    ],
)
def test_what_a_point_cannot_have_is_named(text: str, why: str) -> None:
    """With what is known instead."""
    with pytest.raises(SelectionError, match=why):
        parse_point(text)
