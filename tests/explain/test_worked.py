"""What captures show to work, by name."""

from pathlib import Path

from analyzer import analyze
from analyzer.report.answer import answer, reaches
from tests.build import tcp, udp
from tests.explain.scene import Scene
from tests.explain.state import dumps

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"


def test_the_bundled_sample() -> None:
    """Both connections, with the time to the first answer."""
    told = analyze([SAMPLES / "seed"]).worked

    assert [(one.who, one.what, one.protocol, one.answered, one.tries, one.packets) for one in told] == [
        ("c3", "8.8.8.8:80", "tcp", 1, 1, 12),
        ("c3", "8.8.8.8", "icmp", 1, 1, 6),
    ]
    assert told[1].first_answer_ns == 251_225


def test_what_has_no_answer_did_not_work(tmp_path: Path) -> None:
    """Connections between the same ends are counted together."""
    scene = Scene(tmp_path, dumps=dumps())
    for number in range(3):
        scene.out(number * 10, 6, tcp(40_000 + number, 80, 1, 0, 2))
        if number:
            scene.back(number * 10 + 1, 6, tcp(80, 40_000 + number, 9, 2, 0x12))
    scene.out(50, 17, udp(5000, 9, b"x"))
    (told,) = analyze([scene.write()]).worked

    assert (told.answered, told.tries, told.packets, told.connections) == (2, 3, 5, (1, 2))


def test_somebody_with_a_name_stands_first() -> None:
    """Others are counted."""
    told = analyze([SAMPLES / "docker-proxy"])

    assert reaches(told.worked) == "c1 reaches 192.168.1.100:8080 (TCP), and 3 more get answers"
    assert answer(told.content()).endswith(": all 176 packets went their way")


def test_whose_addresses_are() -> None:
    """Containers, the host, the gateway."""
    parties = {
        str(one.address): (one.name, one.kind) for one in analyze([SAMPLES / "seed"]).content(decisions=True).parties
    }

    assert parties["172.17.0.4"] == ("c3", "container")
    assert parties["192.168.1.100"] == ("wlan0", "host")
    assert parties["192.168.1.1"] == ("gateway", "gateway")
