"""What an analysis begins with: captures, and the dumps of one host or of several."""

import gzip
import shutil
from ipaddress import ip_address
from pathlib import Path

import pytest

from analyzer.errors import InputError
from analyzer.model import ConntrackEntry, FlowTuple, HostState, Role
from analyzer.read.manifest import Manifest, RecordedPoint, write_manifest
from analyzer.read.spec import PointSpec
from analyzer.run.prepare import prepare, stated_entries

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
SEED, BUNDLE = SAMPLES / "seed", SAMPLES / "bundle"


def _state(*paths: Path, host: Path | None = None) -> HostState:
    with prepare(paths, host) as prepared:
        (state,) = prepared.hosts.states
        return state


def test_captures_are_counted_by_their_beginnings() -> None:
    """Bytes are those that are stored, and the estimate is near."""
    files = [SEED / name for name in ("docker0.pcap", "wlan0.pcap")]
    with prepare(files) as prepared:
        assert prepared.stored == sum(file.stat().st_size for file in files)
        assert len(prepared.captures()) == 2
        assert 20 <= prepared.expected_frames() <= 100


def test_dumps_of_another_folder_take_the_place_of_a_bundles_own(tmp_path: Path) -> None:
    """They are the first host's; what conntrack told meanwhile is still beside the captures."""
    (tmp_path / "dumps").mkdir()
    shutil.copy(BUNDLE / "host" / "ip-addr.json", tmp_path / "dumps")
    own, other = _state(BUNDLE), _state(BUNDLE, host=tmp_path / "dumps")

    assert (bool(own.routes), bool(other.routes), bool(other.links)) == (True, False, True)
    assert any(entry.first_ns is not None for entry in other.conntrack)


def test_dumps_are_of_the_host_that_a_point_names() -> None:
    """Where nobody names one, of the only one."""
    path = str(BUNDLE / "wlan0.pcap")
    for host in ("h1", None):
        with prepare([path], BUNDLE / "host", [PointSpec(path, "up", Role.UPLINK, host)]) as told:
            assert [state.name for state in told.hosts.states] == [host]


def test_captures_alone_have_no_host() -> None:
    """What no dump told is not there; a folder that is not there is an error."""
    with prepare([SEED / "wlan0.pcap"]) as prepared:
        assert prepared.hosts.states == ()
    with pytest.raises(InputError, match="nowhere"), prepare([SEED], "nowhere"):
        pass


@pytest.mark.parametrize(
    ("stopped_ns", "problems", "told"),
    [
        (2, (), []),
        (2, ("no docker",), ["not recorded: no docker"]),
        (None, ("no docker",), ["x: the recording has no end: hoptrace was killed", "not recorded: no docker"]),
    ],
)
def test_what_a_recording_lacks_is_told_of_its_host(
    tmp_path: Path, stopped_ns: int | None, problems: tuple[str, ...], told: list[str]
) -> None:
    """That it has no end comes first, then what could not be recorded, then what cannot be read."""
    (tmp_path / "x" / "host").mkdir(parents=True)
    shutil.copy(SEED / "wlan0.pcap", tmp_path / "x")
    (tmp_path / "x" / "host" / "ip-addr.json").write_text("[")
    write_manifest(tmp_path / "x", Manifest(1, stopped_ns, "host", 0, command=("ping", "x"), problems=problems))
    state = _state(tmp_path / "x")

    assert list(state.problems[:-1]) == told
    assert state.problems[-1].startswith("ip-addr.json")
    assert state.ran == ("ping", "x")


def test_a_capture_that_is_missing_is_told(tmp_path: Path) -> None:
    """What the manifest names and nobody finds was not recorded, or not carried along; compressed, it is there."""
    (tmp_path / "x" / "host").mkdir(parents=True)
    shutil.copy(SEED / "wlan0.pcap", tmp_path / "x")
    (tmp_path / "x" / "veth.pcap.gz").write_bytes(gzip.compress((SEED / "veth-c3.pcap").read_bytes()))
    points = tuple(
        RecordedPoint(name, f"{name}.pcap", name, role)
        for name, role in (("docker0", Role.BRIDGE), ("veth", Role.VETH), ("wlan0", Role.UPLINK))
    )
    write_manifest(tmp_path / "x", Manifest(1, 2, "host", 0, points=points))

    assert _state(tmp_path / "x").problems == ("x: no capture of docker0, which the manifest names",)


def test_several_bundles_are_several_hosts(tmp_path: Path) -> None:
    """By the names of their folders."""
    for name in ("one", "two"):
        shutil.copytree(SEED, tmp_path / name)
    with prepare([tmp_path / "one", tmp_path / "two"]) as prepared:
        assert prepared.hosts.by_name.keys() == {"one", "two"}
        assert all(state.routes for state in prepared.hosts.states)


@pytest.mark.parametrize(
    ("flow", "proto", "ports"),
    [
        (FlowTuple("tcp", ip_address("10.0.0.1"), ip_address("10.0.0.2"), 5, 80), 6, (5, 80)),
        (FlowTuple("icmp", ip_address("10.0.0.1"), ip_address("10.0.0.2"), icmp_type=8, icmp_id=7), 1, (7, 7)),
        (FlowTuple("xyz", ip_address("10.0.0.1"), ip_address("10.0.0.2")), 0, (0, 0)),
    ],
)
def test_entries_of_conntrack_become_integers(flow: FlowTuple, proto: int, ports: tuple[int, int]) -> None:
    """An echo's identifier stands in place of both ports; each tuple keeps its own sides."""
    (found,) = stated_entries(HostState(conntrack=(ConntrackEntry(flow, flow.reversed(), 1, 3, 4),)))
    one, two = 0x0A000001, 0x0A000002

    assert (found.version, found.proto, found.first_ns, found.last_ns) == (4, proto, 3, 4)
    assert found.original == ((0, one, ports[0]), (0, two, ports[1]))
    assert found.reply == ((0, two, ports[1]), (0, one, ports[0]))


def test_an_address_of_ipv6_has_two_halves() -> None:
    """The upper one first."""
    flow = FlowTuple("udp", ip_address("2001:db8::1"), ip_address("::2"), 1, 2)
    (found,) = stated_entries(HostState(conntrack=(ConntrackEntry(flow, flow.reversed(), None),)))

    assert (found.version, found.proto) == (6, 17)
    assert found.original == ((0x20010DB800000000, 1, 1), (0, 2, 2))
