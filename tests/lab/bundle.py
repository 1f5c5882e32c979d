"""Records a bundle with ``hoptrace capture`` itself, on the lab's engine."""

import os
import subprocess
import sys
from pathlib import Path

from tests.lab.commands import LabError, inside
from tests.lab.engine import Lab
from tests.lab.truth import write_expected

NAME = "bundle"
ABOUT = """# bundle

What `hoptrace capture -c c1 -c web -o bundle -- COMMAND` leaves: captures at veth-c1, veth-web, docker0, wlan0 and
lo, the manifest, the host's state before and after, conntrack's and Docker's events. Meanwhile c1 pings 8.8.8.8 and
asks for a page of the published port 8080 by the host's address, which docker-proxy relays to web.

`expected.json` is made from conntrack's events. Record it again: `sudo python3 -m tests.lab.record bundle`
"""
SCRIPT = "ping -c 2 8.8.8.8 && wget -q -O /dev/null http://192.168.1.100:8080/"


def record_bundle(lab: Lab, into: Path) -> Path:
    """Record into ``into/bundle``; return that folder."""
    folder = into / NAME
    lab.run_container("c1")
    lab.run_container("web", "-p", "8080:80")
    try:
        lab.start_server(lab.in_container("web"), "http", "80")
        lab.forget_neighbours()
        command = [
            sys.executable,
            "-m",
            "analyzer",
            "capture",
            "-c",
            "c1",
            "-c",
            "web",
            "-o",
            str(folder),
            "--no-analyze",
        ]
        done = subprocess.run(
            inside(lab.namespace, *command, "--", "docker", "exec", "c1", "sh", "-c", SCRIPT),
            env={**os.environ, "DOCKER_HOST": lab.socket}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise LabError(f"hoptrace capture: {done.stderr}")
        write_expected(folder)
        (folder / "README.md").write_text(ABOUT)
    finally:
        lab.stop_servers()
        lab.remove_container("c1")
        lab.remove_container("web")
    return folder
