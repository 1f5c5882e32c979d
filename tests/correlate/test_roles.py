"""Points whose names tell nothing: traffic does."""

import shutil
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.capture.points import PointSpec
from analyzer.model import Basis, Role

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
FAULTS = Path(__file__).parents[1] / "faults"
TRUE_ROLES = {"veth": Role.VETH, "dock": Role.BRIDGE, "br-a": Role.BRIDGE, "br-v": Role.BRIDGE, "wlan": Role.UPLINK}


@pytest.mark.parametrize("sample", ["seed", "published-port", "same-bridge", "user-network", "ipv6"])
@pytest.mark.parametrize("backwards", [False, True])
def test_roles_from_traffic_alone(tmp_path: Path, sample: str, backwards: bool) -> None:
    """Files called x0, x1, ...; only a point that recorded nothing stays unknown."""
    originals = sorted((SAMPLES / sample).glob("*.pcap"), reverse=backwards)
    for number, original in enumerate(originals):
        shutil.copy(original, tmp_path / f"x{number}.pcap")
    trace = analyze(sorted(tmp_path.glob("*.pcap")))

    for point in trace.points:
        true = TRUE_ROLES[originals[int(point.name[1:])].name[:4]]
        assert point.role is (true if point.frames else Role.UNKNOWN)
        assert point.role_basis is Basis.INFERRED


def test_what_the_user_says_stands() -> None:
    """--point gives name, role, host and container, and is stated."""
    file = str(SAMPLES / "seed" / "veth-c3.pcap")
    spec = PointSpec(file, "inside", Role.CONTAINER, "host1", "web")
    (point,) = analyze([], points=[spec]).points

    assert (point.name, point.role, point.host, point.container) == ("inside", Role.CONTAINER, "host1", "web")
    assert (point.role_basis, point.container_basis) == (Basis.STATED, Basis.STATED)


def test_a_flooded_question_makes_no_home() -> None:
    """A port that one broadcast alone left by is not the port of who asked."""
    trace = analyze([str(FAULTS / "native-jump.user.mixed.tar.zst")])

    asked = {point.name: point.container for point in trace.points if point.role is Role.VETH}
    assert asked == {"veth-app": "app", "veth-c1": "c1", "veth-db": "db", "veth2670c11": None}
