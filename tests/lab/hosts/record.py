"""Records hosts of other kinds: ``python -m tests.lab.hosts.record [NAME...]``, as root."""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from analyzer.record.pack import pack
from tests.lab.commands import LabError, inside, run
from tests.lab.engine import INTERNET
from tests.lab.hosts.cni import NODE_PORT, SERVICE, CniLab
from tests.lab.hosts.handmade import HandmadeLab, Rules, docker_28, docker_29
from tests.lab.hosts.podman import PodmanLab

RECORDED = Path(__file__).parents[2] / "hosts"
Made = PodmanLab | HandmadeLab | CniLab
PAGE = "busybox wget -T 2 -q -O /dev/null http://{}/"


@dataclass(frozen=True)
class Story:
    """What happens on each kind of host, and what is captured meanwhile."""

    name: str
    captured: tuple[str, ...]
    """Containers."""
    acts: tuple[tuple[str, str], ...]
    """Who does what: a container, or ``outside``."""
    before: Callable[[Made], None] = lambda lab: None
    """Breaks something."""


def _drop(lab: Made) -> None:
    """Let a rule of somebody's own drop what goes to 8.8.8.8."""
    if isinstance(lab, CniLab):
        words = ("iptables", "-I", "FORWARD", "-d", "8.8.8.8", "-j", "DROP")
    elif isinstance(lab, PodmanLab):
        words = ("nft", "insert", "rule", "inet", "netavark", "FORWARD", "ip", "daddr", "8.8.8.8", "drop")
    elif lab.version.startswith("29"):
        run(*inside(lab.namespace, "nft", "add table ip own; add chain ip own forward "
            "{ type filter hook forward priority 1; }"))  # fmt: skip
        words = ("nft", "add", "rule", "ip", "own", "forward", "ip", "daddr", "8.8.8.8", "counter", "drop")
    else:
        words = ("iptables", "-I", "DOCKER-USER", "-d", "8.8.8.8", "-j", "DROP")
    run(*inside(lab.namespace, *words))


STORIES = (
    Story("healthy", ("c1", "web"), (("c1", "ping -c 2 8.8.8.8"), ("outside", PAGE.format("192.168.1.100:8080")))),
    Story("across", ("app",), (("app", PAGE.format("192.168.1.100:8080")), ("app", "ping -c 1 8.8.8.8"))),
    Story("direct", ("app", "web"), (("app", PAGE.format("WEB:81")),)),
    Story("dropped", ("c1",), (("c1", "ping -c 2 -W 1 8.8.8.8"),), before=_drop),
)


@contextmanager
def podman() -> Iterator[Made]:
    """Give a host with Podman, and two networks."""
    with PodmanLab() as lab:
        lab.docker("network", "create", "--disable-dns", "--subnet", "10.20.0.0/24", "-o", "isolate=true", "appnet")
        lab.docker("network", "create", "--disable-dns", "--subnet", "10.21.0.0/24", "-o", "isolate=true", "webnet")
        lab.run_container("c1")
        lab.run_container("web", "--network", "webnet", "-p", "8080:80")
        lab.run_container("app", "--network", "appnet")
        yield lab


@contextmanager
def handmade(version: str, rules: Rules) -> Iterator[Made]:
    """Give a host with a Docker of some version."""
    with HandmadeLab(version, rules) as lab:
        lab.add_network("appnet", "br-appnet", "10.20.0.0/24")
        lab.run_container("c1")
        lab.run_container("web", "8080:80")
        lab.run_container("app", "appnet")
        lab.finish()
        yield lab


@contextmanager
def cni() -> Iterator[Made]:
    """Give a node with pods, and a service of two of them."""
    with CniLab() as lab:
        for name in ("c1", "web", "app"):
            lab.run_container(name)
        lab.serve_by("web", "app")
        lab.start_server(lab.in_container("app"), "http", "80")
        yield lab


KINDS = {
    "kubernetes": cni,
    "podman": podman,
    "docker-28": lambda: handmade("28.5.2", docker_28),
    "docker-29": lambda: handmade("29.0.1", docker_29),
}


def record(lab: Made, kind: str, story: Story, into: Path) -> None:
    """Let a story happen, and keep what ``hoptrace capture`` recorded of it."""
    story.before(lab)
    lab.forget_neighbours()
    web = lab.exec("web", "ip", "-4", "-o", "addr", "show", "eth0").split()[3].partition("/")[0]
    lines = [
        " ".join([*(inside(INTERNET) if who == "outside" else lab.in_container(who)), what.replace("WEB", web)])
        for who, what in story.acts
    ]
    published = "192.168.1.100:8080"
    if isinstance(lab, CniLab):
        outside = f"192.168.1.100:{NODE_PORT}"
        lines = [line.replace(published, outside if "ht-inet" in line else f"{SERVICE}:80") for line in lines]
    chosen = [word for name in story.captured for word in ("-c", name)]
    with tempfile.TemporaryDirectory(prefix="hoptrace-host-") as folder:
        bundle = Path(folder) / "bundle"
        command = [sys.executable, "-m", "analyzer", "capture", *chosen, "-o", str(bundle), "--no-analyze", "--"]
        done = subprocess.run(
            inside(lab.namespace, *command, "sh", "-c", f"{'; '.join(lines)}; true"),
            env={**os.environ, "PATH": f"{lab.programs}:{os.environ['PATH']}"}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise LabError(f"hoptrace capture: {done.stderr}")
        into.mkdir(exist_ok=True)
        pack(bundle, f"{kind}.{story.name}", into / f"{kind}.{story.name}.tar.zst")


def main() -> int:
    """Record the kinds named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="tests.lab.hosts.record", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *KINDS], help="kinds of hosts; all if none is named")
    parser.add_argument("--into", type=Path, default=RECORDED)
    arguments = parser.parse_args()
    for kind in arguments.names or KINDS:
        with KINDS[kind]() as lab:
            lab.start_server(lab.in_container("web"), "http", "80")
            for story in STORIES:
                record(lab, kind, story, arguments.into)
                print(f"recorded {kind}.{story.name}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
