"""Of whom a finding is: containers, compose services, names that were asked for."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from analyzer.explain.case import Case
from analyzer.explain.parties import about
from analyzer.explain.questions import resolved
from analyzer.explain.told import PLAIN
from analyzer.model.finding import Fact
from analyzer.model.overview import NameQuery
from tests.build import C1, C2, tcp, udp
from tests.explain.scene import INSIDE, Scene
from tests.explain.state import container, dumps

OTHER = "172.17.0.3"


def _asked(scene: Scene, *senders: tuple[str, str, str], ports: int = 1) -> None:
    """Let containers open connections to servers outside, which answer the last one only."""
    for place, (src, mac, veth) in enumerate(senders):
        for number in range(ports):
            sport = 40_000 + place * 1000 + number
            scene.out(100 + place * 50 + number, 6, tcp(sport, 80 + number, 1, 0, 2), src=src, mac=mac, veth=veth)
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    scene.back(9001, 17, udp(2, 1, b"y"), src="9.9.9.9")


def _about(case: Case, packets: list[int]) -> dict[str, Fact]:
    """Return what sentences tell."""
    facts = about(case, packets)
    settled = ((name, fact if isinstance(fact, PLAIN) else fact.settled()) for name, fact in facts.items())
    return {name: fact for name, fact in settled if fact is not None}


ONE, TWO = (INSIDE, C1, "veth-c2"), (OTHER, C2, "veth-web")


def test_containers_and_ports(tmp_path: Path) -> None:
    """Who asked by its container's name, what was asked with its port; how many tries came to nothing."""
    scene = Scene(tmp_path, dumps=dumps())
    _asked(scene, ONE, ports=2)
    told = _about(scene.case(), [0, 1])

    assert (told["who"], told["what"], told["protocols"]) == (["c2"], ["8.8.8.8:80", "8.8.8.8:81"], ["TCP"])
    assert (told["tries"], told["failed"], told["packets"], told["of_packets"]) == (2, 2, 2, 2)
    assert (told["connections"], told["more_connections"]) == (
        ["172.17.0.2:40000 → 8.8.8.8:80", "172.17.0.2:40001 → 8.8.8.8:81"], 0,
    )  # fmt: skip


def test_an_answer_that_got_through(tmp_path: Path) -> None:
    """Is no failed try."""
    scene = Scene(tmp_path, dumps=dumps())
    _asked(scene, ONE)
    told = _about(scene.case(), [1])

    assert (told["what"], told["tries"], told["failed"]) == (["9.9.9.9:2"], 1, 0)


def test_of_no_connection(tmp_path: Path) -> None:
    """Only counted; and nothing is told of nothing."""
    scene = Scene(tmp_path, dumps=dumps())
    scene.see("veth-c2", 2, b"\xff" * 6 + b"\2" * 6 + b"\x88\xcc" + bytes(50))

    assert _about(scene.case(), [0]) == {"packets": 1}
    assert _about(scene.case(), []) == {}


@pytest.mark.parametrize(
    ("senders", "services", "who"),
    [
        ((ONE, TWO), ("web", "web"), ["service web, 2 containers"]),
        ((ONE,), ("web", "web"), ["c2"]),
        ((ONE, TWO), ("web", "db"), ["c2", "web"]),
        ((ONE, TWO), (None, None), ["c2", "web"]),
    ],
    ids=["all", "a-part", "several", "none"],
)
def test_a_service_whose_containers_fail_alike(
    tmp_path: Path, senders: tuple[tuple[str, str, str], ...], services: tuple[str | None, str | None], who: list[str]
) -> None:
    """It is named where it is all of them, two or more."""
    made = [container("c2", INSIDE, C1, service=services[0]), container("web", OTHER, C2, service=services[1])]
    scene = Scene(tmp_path, dumps=dumps(docker_inspect=made))
    _asked(scene, *senders)
    case = scene.case()
    syns = [packet for packet in range(case.context.packets) if case.first("dport")[packet] == 80]

    assert _about(case, syns)["who"] == who


def _query(name: str, *records: str, kind: str = "A") -> NameQuery:
    return NameQuery(name, kind, ip_address(INSIDE), ip_address("8.8.8.8"), 0, 0, records=records)


def test_names_of_addresses() -> None:
    """The one that was asked for; none where there are two, or the answer is no address."""
    found = resolved([
        _query("a.example.", "192.0.2.1"), _query("b.example", "x.example", "192.0.2.2"),
        _query("c.example", "192.0.2.3"), _query("d.example", "192.0.2.3"),
        _query("e.example", "2001:db8::1", kind="AAAA"), _query("f.example", "192.0.2.4", kind="PTR"),
    ])  # fmt: skip

    assert found == {
        ip_address("192.0.2.1"): "a.example", ip_address("192.0.2.2"): "b.example",
        ip_address("2001:db8::1"): "e.example",
    }  # fmt: skip
