"""Records an overlay network of two Docker hosts: a bundle for each."""

import time
from pathlib import Path

from tests.lab.commands import inside, run
from tests.lab.engine import UPLINK, Engine, Lab
from tests.lab.recording import Recording, Where

NAME = "overlay"
NETWORK = "ovnet"
SETTLE_S = 3.0
"""Time for the swarm to tell the other node about a new container."""
ABOUT = """# overlay

Two nodes of a swarm, 192.168.1.100 and 192.168.2.100, in two networks behind one gateway. c1 (10.30.0.11) on host1
pings c2 (10.30.0.12) on host2 and talks TCP and UDP to it, over an attachable overlay network: the inner packet goes
through c1's veth, the overlay's bridge, its VXLAN interface and the uplink, and the other way round on host2.

A folder is one host's bundle: `veth-c1` or `veth-c2`, `br0` and `vxlan0` in the overlay's network namespace, `wlan0`.
Both hosts have the same clock here, which gives tests the truth about clocks that they set wrong.

Record it again: `sudo python3 -m tests.lab.record overlay`
"""


def _points(engine: Engine, container: str) -> dict[str, Where]:
    overlay = engine.in_overlay(NETWORK)
    text = engine.exec(container, "ip", "-o", "link", "show", "eth0")
    veth = engine.link_name(run(*overlay, "ip", "-o", "link"), text.split("@if", 1)[1].split(":", 1)[0])
    return {
        f"veth-{container}": (overlay, veth),
        "br0": (overlay, "br0"),
        "vxlan0": (overlay, "vxlan0"),
        UPLINK: (inside(engine.namespace), UPLINK),
    }


def _act(lab: Lab) -> None:
    where = lab.in_container("c1")
    run(*where, "ping", "-c", "4", "-i", "0.3", "10.30.0.12")
    lab.talk(where, "tcp", "10.30.0.12", "80", "count=8", "size=600", "answer=600")
    lab.talk(where, "udp", "10.30.0.12", "53", "count=4")


def record_overlay(lab: Lab, into: Path) -> Path:
    """Record into ``into/overlay``; return that folder."""
    folder, other = into / NAME, lab.second()
    lab.docker("network", "create", "-d", "overlay", "--attachable", "--subnet", "10.30.0.0/24", NETWORK)
    lab.run_container("c1", "--network", NETWORK, "--ip", "10.30.0.11")
    other.run_container("c2", "--network", NETWORK, "--ip", "10.30.0.12")
    try:
        for service in (("tcp", "80"), ("udp", "53")):
            other.start_server(other.in_container("c2"), *service)
        time.sleep(SETTLE_S)
        with (
            Recording(lab, folder / "host1", _points(lab, "c1"), {}),
            Recording(other, folder / "host2", _points(other, "c2"), {}),
        ):
            _act(lab)
        (folder / "README.md").write_text(ABOUT)
    finally:
        other.stop_servers()
        other.remove_container("c2")
        lab.remove_container("c1")
    return folder
