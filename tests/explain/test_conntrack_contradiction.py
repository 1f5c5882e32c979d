"""Frames and conntrack's table that tell two translations of one connection."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analyzer.explain.hypotheses.conntrack_contradiction import causes
from analyzer.model import Basis, Severity
from analyzer.packet.context import Share
from tests.build import udp
from tests.explain.scene import HOST, INSIDE, SERVER, Scene
from tests.explain.state import dumps

HYPOTHESIS = "conntrack-contradiction"
PORT = 40_000
ENTRY = "udp 17 29 src=172.17.0.2 dst=8.8.8.8 sport={port} dport=7 src=8.8.8.8 dst={to} sport=7 dport={out} mark=0\n"


def _scene(folder: Path, *entries: tuple[int, str]) -> Scene:
    """Let the container ask by three ports, each answered; entries are of a port, and of whom it went out as."""
    table = "".join(ENTRY.format(port=port, to=to, out=port) for port, to in entries)
    scene = Scene(folder, dumps=dumps() | {"conntrack.txt": table})
    for number in range(3):
        scene.out(number * 100, 17, udp(PORT + number, 7, b"ask"))
        scene.back(number * 100 + 5, 17, udp(7, PORT + number, b"tell"))
    return scene


@pytest.mark.parametrize(
    ("to", "told"), [(HOST, 0), ("192.168.1.99", 1), (INSIDE, 1)], ids=["same", "another-host", "not-translated"]
)
def test_an_entry_that_says_otherwise_is_told(tmp_path: Path, to: str, told: int) -> None:
    """Its own translation beside that of the frames; one that says the same is none of it."""
    found = _scene(tmp_path, (PORT, to)).findings(HYPOTHESIS)

    assert len(found) == told
    for finding in found:
        assert (finding.severity, finding.basis) == (Severity.WARNING, Basis.OBSERVED)
        assert finding.facts["connection"] == f"{INSIDE}:{PORT} → {SERVER}:7"
        assert finding.facts["replies"] == f"{SERVER}:7 → {HOST}:{PORT}"
        assert finding.facts["entry"] == f"{SERVER}:7 → {to}:{PORT}"


def test_an_entry_of_another_connection_contradicts_nothing(tmp_path: Path) -> None:
    """Nobody saw packets of it."""
    assert _scene(tmp_path, (PORT + 9, "192.168.1.99")).findings(HYPOTHESIS) == []


def test_each_connection_is_told_by_its_own_entry(tmp_path: Path) -> None:
    """With the frames of its first packet, one for each point of its way."""
    scene = _scene(tmp_path, (PORT, HOST), (PORT + 1, "192.168.1.98"), (PORT + 2, "192.168.1.99"))
    found = {str(finding.facts["entry"]): finding.evidence for finding in scene.findings(HYPOTHESIS)}

    assert {entry: [str(one) for one in shown] for entry, shown in found.items()} == {
        f"{SERVER}:7 → 192.168.1.98:{PORT + 1}": ["veth-c2 #3", "docker0 #3", "wlan0 #3"],
        f"{SERVER}:7 → 192.168.1.99:{PORT + 2}": ["veth-c2 #5", "docker0 #5", "wlan0 #5"],
    }


def test_it_explains_no_packet(tmp_path: Path) -> None:
    """The traffic goes its way: nothing is taken from another cause."""
    (cause,) = causes(_scene(tmp_path, (PORT, "192.168.1.99")).case())

    assert list(cause.packets) == []


def test_what_another_part_tells_is_left_to_it(tmp_path: Path) -> None:
    """Only connections that begin in this part are told, under the packet's number among all."""
    scene = _scene(tmp_path, (PORT, "192.168.1.98"), (PORT + 2, "192.168.1.99"))
    case = scene.case()
    share = Share(mine=np.arange(6) >= 3, numbers=np.arange(6) + 100)
    part = replace(case, context=replace(case.context, share=share))

    assert [cause.key for cause in causes(case)] == [(0, 0), (4, 1)]
    assert [cause.key for cause in causes(part)] == [(104, 1)]
