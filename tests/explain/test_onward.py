"""By which interface packets that come to nothing leave, or would leave."""

from pathlib import Path

import pytest

from analyzer.explain.onward import onward
from analyzer.model.finding import Symptom
from tests.build import tcp, udp
from tests.explain.scene import Scene
from tests.explain.state import dumps

SYN = tcp(40_000, 80, 1, 0, 2)


def _found(scene: Scene, dev: str, *kinds: Symptom) -> list[tuple[int, str, str]]:
    case = scene.case()
    return [(packet, out, way.route.text if way is not None else "")
            for packet, out, way in onward(case, lambda host, name: name == dev, *kinds)]  # fmt: skip


@pytest.mark.parametrize("until", ["docker0", "wlan0"], ids=["lost-before", "left"])
def test_where_it_left_or_would_have_left(tmp_path: Path, until: str) -> None:
    """With the route that sends it there; other interfaces are not asked for."""
    scene = Scene(tmp_path, dumps=dumps())
    scene.out(0, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    scene.back(5, 17, udp(2, 1, b"y"), src="9.9.9.9")
    scene.out(1000, 6, SYN, until=until)
    scene.out(9000, 17, udp(1, 2, b"z"), dst="9.9.9.9")
    scene.back(9005, 17, udp(2, 1, b"w"), src="9.9.9.9")
    kinds = (Symptom.LOST_INSIDE, Symptom.UNANSWERED)

    assert _found(scene, "wlan0", *kinds) == [(2, "wlan0", "default via 192.168.1.1 dev wlan0")]
    assert _found(scene, "docker0", *kinds) == []
    assert _found(scene, "wlan0", Symptom.REJECTED) == []
