"""hoptrace capture on a host with a real Podman: which engine has a container, and what is recorded of it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.model import Disposition, Role
from analyzer.read.manifest import read_manifest
from analyzer.state.load import load_host
from tests.lab.engine import UPLINK
from tests.lab.hosts.podman import PodmanLab
from tests.live.recorder import Recorder

pytestmark = [pytest.mark.live, pytest.mark.podman]


@pytest.fixture(scope="module")
def lab() -> Iterator[PodmanLab]:
    """A host with a container on Podman's own network, and one on another that publishes a port."""
    with PodmanLab() as lab:
        lab.docker("network", "create", "--disable-dns", "--subnet", "10.20.0.0/24", "appnet")
        lab.run_container("c1")
        lab.run_container("web", "--network", "appnet", "-p", "8080:80")
        yield lab


def _capture(lab: PodmanLab, *arguments: str, code: int = 0) -> str:
    path = f"{lab.programs}:{os.environ['PATH']}"
    ended, out, err = Recorder(lab, *arguments, path=path).end()
    assert ended == code, err
    return out + err


def test_a_ping(lab: PodmanLab, tmp_path: Path) -> None:
    """The engine is found by itself; the way, the names and the masquerade are told, and nobody is accused."""
    lab.forget_neighbours()
    _capture(lab, "-c", "c1", "-o", str(tmp_path / "b"), "--", *lab.in_container("c1"), "ping", "-c", "2", "8.8.8.8")
    manifest, trace, host = read_manifest(tmp_path / "b"), analyze([tmp_path / "b"]), load_host(tmp_path / "b" / "host")
    assert manifest is not None
    pings = [one for one in trace.journeys() if one.summary.startswith("ICMP echo request")]
    (change,) = next(c for c in map(trace.connection, range(len(trace.connections))) if c.protocol == "icmp").nat

    assert {("veth-c1", Role.VETH, "c1"), (UPLINK, Role.UPLINK, None)} <= {
        (one.name, one.role, one.container) for one in manifest.points
    }
    assert "podman" in manifest.versions
    assert [one.disposition for one in pings] == [Disposition.LEFT_HOST] * 2
    assert (change.kind, change.rule is not None) == ("SNAT", True)
    assert trace.findings == ()
    assert ({one.name for one in host.containers}, {one.engine for one in host.networks}) == ({"c1", "web"}, {"podman"})


def test_all_and_networks(lab: PodmanLab, tmp_path: Path) -> None:
    """What can be said of Docker's containers, too."""
    _capture(lab, "--network", "appnet", "-o", str(tmp_path / "n"), "-a", "duration:1", "--no-analyze")
    _capture(lab, "--all", "--engine", "podman", "-o", str(tmp_path / "a"), "-a", "duration:1", "--no-analyze")
    of_network, of_all = read_manifest(tmp_path / "n"), read_manifest(tmp_path / "a")

    assert of_network is not None
    assert of_all is not None
    assert {one.container for one in of_network.points} >= {"web", None} - {"c1"}
    assert {one.container for one in of_all.points} >= {"web", "c1"}


def test_nobody_of_that_name(lab: PodmanLab, tmp_path: Path) -> None:
    """Said as with Docker; nothing is made."""
    told = _capture(lab, "-c", "nobody", "-o", str(tmp_path / "b"), code=2)

    assert "no container nobody on this host" in told
    assert not (tmp_path / "b").exists()
