"""Packets that source validation drops."""

from pathlib import Path

import pytest

from tests.build import tcp, udp
from tests.explain.scene import Scene
from tests.explain.state import dumps, routes

HYPOTHESIS = "reverse-path-filtered"
ALL, DOCKER0 = "net.ipv4.conf.all.rp_filter", "net.ipv4.conf.docker0.rp_filter"


@pytest.mark.parametrize(
    ("sysctl", "source", "remedy", "helps"),
    [
        ({ALL: 1}, "10.9.9.9", (f"sysctl -w {ALL}=2",), True),
        ({ALL: 1, DOCKER0: 1}, "10.9.9.9",
         (f"sysctl -w {ALL}=2 {DOCKER0}=2",), True),
        ({ALL: 0, DOCKER0: 1}, "10.9.9.9",
         (f"sysctl -w {DOCKER0}=2",), True),
        ({ALL: 2}, None, (), False),
    ],
    ids=["all", "both", "interface", "loose"],
)  # fmt: skip
def test_the_settings_that_make_it_so(
    tmp_path: Path, sysctl: dict[str, int], source: str | None, remedy: tuple[str, ...], helps: bool
) -> None:
    """Loose is enough where there is a way back by another interface; without any, only a route helps."""
    text = "".join(f"{name} = {value}\n" for name, value in sysctl.items())
    way = routes() if source else [{"dst": "8.8.8.0/24", "gateway": "192.168.1.1", "dev": "wlan0"}]
    scene = Scene(tmp_path, dumps=dumps(sysctl=text, ip_route=way))
    del scene.dumps["docker-inspect.json"]  # whose address it is, nobody knows
    scene.out(0, 6, tcp(40_000, 80, 1, 0, 2), src=source or "10.9.9.9", until="docker0")
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    scene.back(9001, 17, udp(2, 1, b"y"), src="9.9.9.9")
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.commands == remedy
    assert (finding.tried is not None) is helps
    assert finding.explanation.startswith("Strict source validation drops what comes in by another interface ")
