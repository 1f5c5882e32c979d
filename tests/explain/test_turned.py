"""What a router turns round: whose packets these are, and that nobody calls them a contradiction."""

from pathlib import Path

from analyzer.explain.turned import turned, turned_connections
from tests.build import GATEWAY, UPLINK, tcp
from tests.explain.scene import HOST, Scene, frame, packet
from tests.explain.state import dumps

PUBLIC, SYN = "203.0.113.1", 2
ENTRY = (
    "ipv4 2 tcp 6 100 SYN_SENT src=172.17.0.2 dst={dst} sport=40000 dport=8080 [UNREPLIED] src={dst} dst={host} "
    "sport=8080 dport=40000 id=1\n"
)


def _asks(scene: Scene, ms: float, sport: int, *, back: bool) -> None:
    scene.ident += 1
    scene.out(ms, 6, tcp(sport, 8080, 1, 0, SYN), dst=PUBLIC, ident=scene.ident)
    if back:
        data = packet(HOST, HOST, 6, tcp(sport, 8080, 1, 0, SYN), ttl=62, ident=scene.ident)
        scene.see("wlan0", ms + 1, frame(GATEWAY, UPLINK, data))


def test_all_packets_of_a_connection_that_comes_back(tmp_path: Path) -> None:
    """In order of time, each once; one that does not come back is none of them."""
    scene = Scene(tmp_path, dumps=dumps())
    _asks(scene, 0, 40_000, back=True)
    _asks(scene, 1000, 40_000, back=True)
    _asks(scene, 2000, 40_001, back=False)
    case = scene.case()
    ((key, packets),) = turned(case).items()

    assert key == (f"{PUBLIC}:8080", f"{HOST}:8080")
    assert packets == sorted(set(packets)) == case.packets_of(int(case.connection[packets[0]])).tolist()
    assert turned_connections(case) == {int(case.connection[packets[0]])}


def test_conntrack_is_not_contradicted_by_what_somebody_else_translates(tmp_path: Path) -> None:
    """The router has changed the destination, not this host: conntrack knows nothing of that, and hides no client."""
    scene = Scene(tmp_path, dumps=dumps() | {"conntrack.txt": ENTRY.format(dst=PUBLIC, host=HOST)})
    _asks(scene, 0, 40_000, back=True)
    scene.out(9000, 17, b"\0" * 8, dst="1.1.1.1")

    assert {one.check for one in scene.findings()} == {"hairpin-at-router"}
