"""Packets that a host does not pass on."""

from pathlib import Path

import pytest

from tests.build import tcp, udp
from tests.explain.scene import Scene
from tests.explain.state import dumps, rules

HYPOTHESIS = "forwarding-disabled"
FIRST = "iptables -t filter -I FORWARD"


@pytest.mark.parametrize(
    ("sysctl", "forward", "remedy", "helps"),
    [
        ("net.ipv4.ip_forward = 0\n", "",
         ("sysctl -w net.ipv4.ip_forward=1",), True),
        ("net.ipv4.ip_forward = 1\nnet.ipv4.conf.docker0.forwarding = 0\n", "",
         ("sysctl -w net.ipv4.conf.docker0.forwarding=1",), True),
        ("net.ipv4.ip_forward = 0\n", "-A FORWARD -j DROP\n",
         ("sysctl -w net.ipv4.ip_forward=1", f"{FIRST} -s 172.17.0.2 -d 8.8.8.8 -p tcp --dport 80 -j ACCEPT",
          f"{FIRST} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"), True),
    ],
    ids=["all", "interface", "both"],
)  # fmt: skip
def test_the_setting_that_is_off(
    tmp_path: Path, sysctl: str, forward: str, remedy: tuple[str, ...], helps: bool
) -> None:
    """Of the way in, or of all; what comes then is tried."""
    scene = Scene(tmp_path, dumps=dumps(sysctl=sysctl, iptables_save=rules(forward=forward)))
    scene.out(0, 6, tcp(40_000, 80, 1, 0, 2), until="docker0")
    scene.out(9000, 17, udp(1, 2, b"x"), dst="9.9.9.9")
    scene.back(9001, 17, udp(2, 1, b"y"), src="9.9.9.9")
    (finding,) = scene.findings(HYPOTHESIS)

    assert finding.commands == remedy
    assert (finding.tried is not None) is helps
    assert finding.explanation.startswith("They are for somebody else than this host, and where they came in it does ")
