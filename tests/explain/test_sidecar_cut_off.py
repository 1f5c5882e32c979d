"""Containers that were left in the namespace that another one had before."""

from pathlib import Path
from typing import Any

import pytest

from analyzer.explain.doctor import examine
from analyzer.model import Finding
from analyzer.report.words import worded
from analyzer.state.load import load_host
from tests.build import C1, C2, tcp
from tests.explain.scene import INSIDE, SERVER, Scene
from tests.explain.state import container, dumps

HYPOTHESIS = "sidecar-cut-off"
SYN, RST_ACK = 0x02, 0x14
OWNER, LATER, EARLIER = "ab" * 32, "2026-02-03T04:05:07Z", "2026-02-03T04:05:06Z"
LO = {"ifindex": 1, "ifname": "lo", "flags": ["LOOPBACK", "UP"], "operstate": "UNKNOWN"}
ETH0 = {"ifindex": 2, "ifname": "eth0", "address": C2, "operstate": "UP", "addr_info": [{"local": "172.17.0.3"}]}
LISTENS = 'tcp LISTEN 0 128 0.0.0.0:9000 0.0.0.0:* users:(("python3",pid=9,fd=3))\n'
WEB = "172.17.0.3"


def _scene(
    folder: Path, *, owner: str | None = "web", links: list[object] | None = None, status: str = "running",
    service: str | None = None, made: str = EARLIER, listens: str = LISTENS,
) -> Scene:  # fmt: skip
    """Return a host with c2 and web, and a sidecar in whose own namespace there are only these links."""
    web: dict[str, Any] = {**container("web", WEB, C2), "Id": OWNER, "Created": made}  # type: ignore[dict-item]
    side = {
        "Name": "/side", "Id": "cd" * 32, "Created": EARLIER, "State": {"Status": status},
        "HostConfig": {"NetworkMode": f"container:{OWNER if owner else 'ef' * 32}"},
        "NetworkSettings": {"Networks": {}},
        "Config": {"Labels": {} if service is None else {"com.docker.compose.service": service}},
    }  # fmt: skip
    scene = Scene(folder, dumps=dumps(docker_inspect=[container("c2", INSIDE, C1), web, side]))
    inside = {"ip-addr.json": [LO] if links is None else links, "ss.txt": listens}
    scene.dumps |= {f"containers/side/{name}": value for name, value in inside.items()}
    return scene


def _refused(scene: Scene, port: int = 9000) -> list[Finding]:
    """Let c2 ask web for the sidecar's port, where nobody listens."""
    for number, flags in ((1, SYN), (2, RST_ACK)):
        ends = (40_000, port) if flags == SYN else (port, 40_000)
        body = tcp(*ends, number, 2, flags)
        way = {"src": INSIDE, "dst": WEB} if flags == SYN else {"src": WEB, "dst": INSIDE}
        scene.out(number, 6, body, **way, masked=None, until="veth-c2", mac=C1 if flags == SYN else C2)  # type: ignore[arg-type]
    scene.out(9000, 17, b"\0" * 8, dst=SERVER)
    return scene.findings(HYPOTHESIS)


def test_what_is_asked_of_it_in_vain_is_its(tmp_path: Path) -> None:
    """It listens, where nobody comes."""
    (finding,) = _refused(_scene(tmp_path))

    assert finding.title.startswith("c2 cannot reach web:9000 (TCP): side, which serves that port, is left without")
    assert finding.commands == ("docker restart side",)


@pytest.mark.parametrize(
    ("fields", "port", "packets"),
    [
        ({}, 9001, None),
        ({"listens": ""}, 9000, None),
        ({"owner": None}, 9000, None),
        ({"owner": None, "made": LATER}, 9000, 1),
    ],
    ids=["another-port", "listens-nowhere", "another-place", "took-its-place"],
)
def test_other_refusals_are_not_its(tmp_path: Path, fields: dict[str, Any], port: int, packets: int | None) -> None:
    """That it has no network is told all the same."""
    (finding,) = _refused(_scene(tmp_path, **fields), port)

    assert finding.facts.get("packets") == packets


@pytest.mark.parametrize(
    ("fields", "commands"),
    [
        ({}, ("docker restart side",)),
        ({"owner": None, "service": "side-service"}, ("docker compose up -d --force-recreate side-service",)),
        ({"owner": None}, ()),
    ],
    ids=["restarted", "compose", "made-anew"],
)
def test_the_state_alone_tells(tmp_path: Path, fields: dict[str, Any], commands: tuple[str, ...]) -> None:
    """Who names a container that is gone must be made anew; restarting it would fail."""
    _scene(tmp_path, **fields).write()
    (finding,) = (one for one in worded(examine(load_host(tmp_path / "host"))) if one.check == HYPOTHESIS)

    assert finding.title.startswith("side has no network any more")
    assert finding.commands == commands


@pytest.mark.parametrize(
    "fields",
    [{"links": [LO, ETH0]}, {"links": []}, {"status": "exited"}],
    ids=["in-place", "not-recorded", "ended"],
)
def test_of_whom_nothing_is_said(tmp_path: Path, fields: dict[str, Any]) -> None:
    """Who has an interface, of whom that is not known, and who does not run."""
    assert not _refused(_scene(tmp_path, **fields))
