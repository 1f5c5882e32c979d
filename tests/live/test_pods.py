"""hoptrace capture on a node with pods, which CNI's real plugins made: who they are, and what is recorded of them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.model import Disposition
from analyzer.read.manifest import read_manifest
from tests.lab.engine import UPLINK
from tests.lab.hosts.cni import CniLab
from tests.live.recorder import Recorder

pytestmark = [pytest.mark.live, pytest.mark.cni]


@pytest.fixture(scope="module")
def lab() -> Iterator[CniLab]:
    """A node with two pods."""
    with CniLab() as lab:
        lab.run_container("c1")
        lab.run_container("web")
        yield lab


def _capture(lab: CniLab, *arguments: str, code: int = 0) -> str:
    path = f"{lab.programs}:{os.environ['PATH']}"
    ended, out, err = Recorder(lab, "--engine", "crictl", *arguments, path=path).end()
    assert ended == code, err
    return out + err


@pytest.mark.parametrize("name", ["c1", "default/c1", "c1-main"])
def test_a_ping_of_a_pod(lab: CniLab, tmp_path: Path, name: str) -> None:
    """By its name, its namespace's, or that of a container in it: the way, the names, and the rule that masks it."""
    lab.forget_neighbours()
    _capture(lab, "-c", name, "-o", str(tmp_path / "b"), "--", *lab.in_container("c1"), "ping", "-c", "2", "8.8.8.8")
    manifest, trace = read_manifest(tmp_path / "b"), analyze([tmp_path / "b"])
    assert manifest is not None
    pings = [one for one in trace.journeys() if one.summary.startswith("ICMP echo request")]
    (change,) = next(c for c in map(trace.connection, range(len(trace.connections))) if c.protocol == "icmp").nat

    assert manifest.versions["crictl"] == "containerd 1.7.24"
    assert {("veth-c1", "c1"), ("cni0", None), (UPLINK, None)} <= {(one.name, one.container) for one in manifest.points}
    assert [one.disposition for one in pings] == [Disposition.LEFT_HOST] * 2
    assert "-j MASQUERADE" in (change.rule or "")
    assert (trace.findings, trace.hosts.everywhere.engine) == ((), "crictl")
    assert "secret" not in (tmp_path / "b" / "host" / "crictl-inspect.json").read_text()
    assert (tmp_path / "b" / "host" / "containers" / "web" / "ip-addr.json").is_file()


def test_a_pod_that_is_not_there(lab: CniLab, tmp_path: Path) -> None:
    """Said, and nothing is recorded."""
    assert "no container nobody" in _capture(lab, "-c", "nobody", "-o", str(tmp_path / "b"), code=2)
