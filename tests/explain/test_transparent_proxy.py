"""A rule gives connections to others to a socket of this host, and nobody answers."""

from pathlib import Path

import pytest

from analyzer.model import Basis, Severity
from tests.build import BRIDGE, C1, tcp, udp
from tests.explain.scene import INSIDE, SERVER, Scene, frame, packet
from tests.explain.state import dumps, routes, rules

HYPOTHESIS = "transparent-proxy"
MANGLE = """*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -i docker0 -p tcp -m tcp --dport 80 -j TPROXY --on-port 3129 --on-ip 0.0.0.0 --tproxy-mark 0x1/0x1
COMMIT
"""
LISTENS = 'tcp LISTEN 0 128 0.0.0.0:3129 0.0.0.0:* users:(("squid",pid=7,fd=3)) ino:1 sk:1\n'
SYN = 2


def _scene(folder: Path, *, marked: bool = True, listens: bool = True, calls: int = 0) -> Scene:
    """Record a host that takes port 80 for a proxy of its own, if its table for the mark leads to itself."""
    state = dumps(iptables_save=MANGLE + rules(),
                  sysctl=f"net.ipv4.ip_forward = 1\nnet.bridge.bridge-nf-call-iptables = {calls}\n")  # fmt: skip
    state["ss.txt"] = LISTENS if listens else ""
    state["ip-rule.json"] = [
        {"priority": 0, "src": "all", "table": "local"},
        *([{"priority": 100, "src": "all", "fwmark": "0x1", "table": "100"}] if marked else []),
        {"priority": 32766, "src": "all", "table": "main"},
    ]
    state["ip-route.json"] = [*routes(), {"type": "local", "dst": "default", "dev": "lo", "table": "100"}]
    scene = Scene(folder, dumps=state)
    for ms in (0, 1000, 3000):
        scene.ident += 1
        data = packet(INSIDE, SERVER, 6, tcp(4000, 80, 1, 0, SYN), ident=scene.ident)
        for place, point in enumerate(("veth-c2", "docker0")):
            scene.see(point, ms + place * 0.02, frame(C1, BRIDGE, data))
    scene.out(9000, 17, udp(7, 7, b"x"), dst="9.9.9.9")
    return scene


@pytest.mark.parametrize(
    ("listens", "calls", "cause", "remedy"),
    [
        (False, 0, "where nobody listens", "Start the proxy"),
        (True, 0, "where squid does not answer", "proxy's log"),
        (True, 1, "and br_netfilter on docker0 loses that on the way", "REDIRECT --to-ports"),
    ],
    ids=["nobody", "silent", "lost-on-the-bridge"],
)
def test_who_takes_it_and_does_not_answer(tmp_path: Path, listens: bool, calls: int, cause: str, remedy: str) -> None:
    """The rule, its port, whoever listens there, and what a bridge does to it."""
    (found,) = _scene(tmp_path, listens=listens, calls=calls).findings(HYPOTHESIS)

    assert (found.severity, found.basis) == (Severity.ERROR, Basis.STATED)
    assert found.cause.startswith("rule 1 of PREROUTING gives it to port 3129 of this host")
    assert found.cause.endswith(cause)
    assert remedy in found.remedy
    assert (found.commands == ("sysctl -w net.bridge.bridge-nf-call-iptables=0",)) == bool(calls)


def test_a_mark_without_a_table_takes_nothing(tmp_path: Path) -> None:
    """Then the host forwards what the rule marked."""
    assert _scene(tmp_path, marked=False).findings(HYPOTHESIS) == []
