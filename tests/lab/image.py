"""The image of hoptrace, built and used with the lab's engine: what it captures is analysed."""

import sys
import tempfile
from pathlib import Path

from analyzer import analyze
from tests.lab.engine import Lab

BASE, IMAGE = "hoptrace/base:1", "hoptrace/hoptrace:1"


def main(context: str, base: str) -> None:
    """Build it of a *context* and the archive of a *base*, and capture a container's ping with the documented line."""
    with Lab() as engine, tempfile.TemporaryDirectory() as out:
        engine.docker("import", base, BASE)
        build = ("build", "--quiet", "--network", "none", "--build-arg", f"BASE={BASE}", "--build-arg", "FETCH=no")
        engine.docker(*build, "--tag", IMAGE, context)
        size = int(engine.docker("image", "inspect", "--format", "{{.Size}}", IMAGE))
        print(f"{IMAGE}: {size >> 20} MiB", flush=True)
        engine.run_container("web")
        socket = engine.socket.removeprefix("unix://")
        engine.docker(
            "run", "--rm", "--net", "host", "--pid", "host", "--privileged", "-v", f"{socket}:/var/run/docker.sock",
            "-v", f"{out}:/work", IMAGE, "capture", "-c", "web", "-o", "trouble.tar.zst", "--no-analyze", "--",
            "docker", "exec", "web", "ping", "-c", "2", "8.8.8.8",
        )  # fmt: skip
        trace = analyze([Path(out) / "trouble.tar.zst"])
        state = trace.hosts.everywhere
        print(trace, *(f"{point.name} {point.role.value}" for point in trace.points), sep="\n", flush=True)
        kinds = {change.kind for number in range(len(trace.connections)) for change in trace.connection(number).nat}
        assert kinds == {"SNAT"}, kinds
        assert [one.name for one in state.containers if one.name == "web"], "docker inspect is missing"
        assert not [one for one in state.problems if "not recorded" in one], state.problems


if __name__ == "__main__":
    main(*sys.argv[1:])
