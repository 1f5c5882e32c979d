"""Records a busy Docker host, for the benchmark: a container, docker0 and the uplink, of real traffic."""

import subprocess
from pathlib import Path

from tests.lab.engine import SERVERS4, UPLINK, Lab
from tests.lab.recording import Recording

CLIENTS, MESSAGES = 8, 8_000
"""Of each some ten frames, at three points."""


def record_busy(folder: Path) -> list[Path]:
    """Let a container talk to outside servers; return the captures of three points."""
    peers = Path(__file__).parents[1] / "lab" / "peers.py"
    with Lab() as lab:
        lab.run_container("c1")
        host = ("ip", "netns", "exec", lab.namespace)
        points = {"veth-c1": (host, lab.host_veth("c1")), "docker0": (host, "docker0"), UPLINK: (host, UPLINK)}
        with Recording(lab, folder, points, {}):
            talk = [
                *lab.in_container("c1"),
                "python3",
                str(peers),
                "talk",
                "tcp",
                SERVERS4[1],
                "7",
                f"count={MESSAGES}",
            ]
            clients = [subprocess.Popen([*talk, f"size={size}"]) for size in range(100, 1400, 1300 // CLIENTS)]
            ended = [client.wait() for client in clients]
            if any(ended):
                raise SystemExit("a client failed")
    return [folder / f"{name}.pcap" for name in points]
