"""Two captures of two machines: what is told of their clocks, and of what is missing between them."""

import json
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer import analyze
from analyzer.cli import main
from analyzer.model import Disposition
from analyzer.read.bundle import unpack
from analyzer.read.spec import PointSpec
from analyzer.run import Trace
from tests.rewrite import on_another_clock

FAULTS = Path(__file__).parents[1] / "faults"
CLIENT = {"healthy.user.mixed": "veth-app", "busy.bridge": "veth-c1", "lossy-internet.bridge": "veth-c1"}
CLOCKS = [(-50_000_000, 0.0), (422_000_000, 0.0), (422_000_000, 1e-4), (-50_000_000, -5e-5)]
"""How far the server's clock is ahead, in ns, and what it gains, in seconds a second."""


def _pair(recording: str, folder: Path, ahead_ns: int, drift: float, *, lossy: bool = False) -> tuple[str, str]:
    """Make a client's and a server's capture of a recording; each 17th frame does not come to the server."""
    with ExitStack() as stack:
        bundle, _ = unpack(str(FAULTS / f"{recording}.tar.zst"), stack)
        client = on_another_clock(bundle / f"{CLIENT[recording]}.pcap", folder / "client.pcap", ahead_ns=0)
        server = on_another_clock(
            bundle / "wlan0.pcap", folder / "server.pcap", ahead_ns=ahead_ns, drift=drift,
            keep=lambda number: not lossy or number % 17 != 0,
        )  # fmt: skip
    return client, server


def _of_two_hosts(client: str, server: str) -> Trace:
    return analyze([], points=[PointSpec(client, "client", host="a"), PointSpec(server, "server", host="b")])


@pytest.mark.parametrize("recording", sorted(CLIENT))
@pytest.mark.parametrize(("ahead_ns", "drift"), CLOCKS)
@pytest.mark.parametrize("lossy", [False, True])
def test_two_clocks_of_which_nobody_spoke(
    recording: str, ahead_ns: int, drift: float, lossy: bool, tmp_path: Path
) -> None:
    """That is the finding: no latency of half a second, nothing lost inside one host, no silent server."""
    trace = analyze(list(_pair(recording, tmp_path, ahead_ns, drift, lossy=lossy)))
    checks = {finding.check for finding in trace.findings}
    (told,) = [finding for finding in trace.findings if finding.check == "two-clocks"]

    assert told.title == f"client and server have two clocks, {abs(ahead_ns) / 1e9:.3f} s apart"
    assert "host=" in told.remedy
    assert checks <= {"two-clocks", "loss-beyond-host"}
    assert ("loss-beyond-host" in checks) == (recording == "lossy-internet.bridge")
    assert Disposition.LOST not in trace.dispositions()


@pytest.mark.parametrize("recording", sorted(CLIENT))
@pytest.mark.parametrize(("ahead_ns", "drift"), CLOCKS)
def test_two_hosts_as_stated(recording: str, ahead_ns: int, drift: float, tmp_path: Path) -> None:
    """The shift is told, with what it is sure to; all is as if there was one clock."""
    trace = _of_two_hosts(*_pair(recording, tmp_path, ahead_ns, drift))
    clock = trace.points[1].clock

    assert clock is not None
    assert clock.uncertainty_ns is not None
    assert abs(clock.drift_ppb - drift * 1e9) < 60_000
    assert clock.uncertainty_ns < 1_000_000
    # The drift counts from the first frame on; a recording takes some seconds.
    assert abs(clock.offset_ns - ahead_ns) <= clock.uncertainty_ns + abs(drift) * 30e9
    assert {finding.check for finding in trace.findings} <= {"loss-beyond-host"}
    assert Disposition.LOST not in trace.dispositions()


def test_losses_between_two_hosts(tmp_path: Path) -> None:
    """Neither host lost them."""
    trace = _of_two_hosts(*_pair("busy.bridge", tmp_path, 422_000_000, 1e-4, lossy=True))
    titles = [finding.detail for finding in trace.findings]

    assert "3 packets lost between a and b" in titles
    assert "inside the host" not in " ".join(titles)
    assert [(loss.last_point, loss.next_point, loss.packets) for loss in trace.losses] == [("client", "server", 3)]


def test_every_shift_is_told(tmp_path: Path) -> None:
    """In the terminal and in JSON, with its size and what it is sure to."""
    client, server = _pair("busy.bridge", tmp_path, -50_000_000, 0.0)
    said = ["--point", f"client={client},host=a", "--point", f"server={server},host=b"]
    text = CliRunner().invoke(main, ["analyze", *said]).output
    point = json.loads(CliRunner().invoke(main, ["analyze", *said, "--json"]).output)["points"][1]

    assert point["clock"]["offset_ns"] == pytest.approx(-50_000_000, abs=point["clock"]["uncertainty_ns"])
    assert "clock" in text
    assert "-50.0" in text or "50.0 ms" in text
