"""For whom stopped packets were, by the rules that would have translated them."""

from ipaddress import ip_address
from pathlib import Path

from analyzer.explain.aimed import aimed
from tests.build import GATEWAY, UPLINK, tcp
from tests.explain.scene import HOST, Scene, frame, packet
from tests.explain.state import NAT, dumps, rules

CLIENT = "203.0.113.9"
DNAT = "-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.3:80\n"


def test_only_what_is_translated_and_stopped(tmp_path: Path) -> None:
    """What is for the host itself, or passes, is not looked at."""
    drops = "-A FORWARD -p tcp -m tcp --dport 80 -j DROP\n"
    scene = Scene(tmp_path, dumps=dumps(iptables_save=rules(nat=f"{DNAT}{NAT}", forward=drops)))
    for number, port in enumerate((8080, 22)):
        body = tcp(40_000 + number, port, 1, 0, 2)
        scene.see("wlan0", number, frame(GATEWAY, UPLINK, packet(CLIENT, HOST, 6, body, ident=number)))
    scene.out(2, 6, tcp(50_000, 80, 1, 0, 2), until="docker0")
    scene.out(9000, 17, b"\0" * 8, dst="1.1.1.1")

    assert aimed(scene.case()) == {0: ip_address("172.17.0.3")}
