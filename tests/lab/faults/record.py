"""Records faults on a real Docker Engine: ``python -m tests.lab.faults.record [CASE...]``, as root."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from analyzer.record.pack import pack
from tests.lab.commands import LabError, inside, run
from tests.lab.faults.cases import CASES, RECORDED, Case
from tests.lab.faults.world import OTHER, OVERLAY, World
from tests.needs import missing_programs

START_TIMEOUT_S = 30
SETTLE_S = 0.4
SWARM_S = 3
"""Time for a swarm to tell its nodes of each other's containers."""
WAITING = 'touch "$0/begun"; while [ ! -e "$0/enough" ]; do sleep 0.05; done'
"""What ``hoptrace capture`` runs: it says that captures are there, and waits until the fault has happened."""


def record(world: World, case: Case, into: Path) -> None:
    """Make one fault, record it, and undo it."""
    fault, net = case.fault, case.net
    if fault.third:
        world.run_on(net, "twin")
    try:
        fault.setup(world, net)
        world.forget_neighbours()
        fault.warm(world, net)
        with tempfile.TemporaryDirectory(prefix="hoptrace-fault-") as folder:
            bundle = _capture(world, case, Path(folder))
            if fault.spoil is not None:
                fault.spoil(bundle)
            into.mkdir(exist_ok=True)
            pack(bundle, case.name, into / f"{case.name}.tar.zst")
    finally:
        fault.teardown(world, net)
        world.quieten()
        if fault.third:
            world.remove_container("twin")


def _capture(world: World, case: Case, folder: Path) -> Path:
    bundle, net = folder / "bundle", case.net
    chosen = [net.client] if net is OVERLAY else [net.client, net.server]
    chosen += [OTHER[net].client] if case.mixed else []
    options = [word for name in chosen for word in ("-c", name)] + list(case.fault.capture)
    command = [sys.executable, "-m", "analyzer", "capture", *options, "-o", str(bundle), "--no-analyze"]
    process = subprocess.Popen(
        inside(world.namespace, *command, "--", "sh", "-c", WAITING, str(folder)),
        env={**os.environ, "DOCKER_HOST": world.socket}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + START_TIMEOUT_S
    while not (folder / "begun").exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise LabError(f"hoptrace capture: {process.communicate()[1]}")
        time.sleep(0.05)
    try:
        if case.mixed:
            world.background(world.in_container(OTHER[net].client), "odd.py", "slow", OTHER[net].remote, "7", "20")
        case.fault.act(world, net)
        time.sleep(SETTLE_S)
    finally:
        (folder / "enough").touch()
        _, told = process.communicate(timeout=60)
    if process.returncode:
        raise LabError(f"hoptrace capture: {told}")
    return bundle


def main() -> int:
    """Record the cases named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="tests.lab.faults.record", description=__doc__)
    parser.add_argument("names", nargs="*", help="cases, or beginnings of their names; all if none is named")
    parser.add_argument("--into", type=Path, default=RECORDED)
    arguments = parser.parse_args()
    if missing := missing_programs("live"):
        print(f"missing programs: {', '.join(missing)}", file=sys.stderr)
        return 1
    names = tuple(arguments.names) or ("",)
    chosen = [case for case in CASES if case.name.startswith(names)]
    failed = 0
    with World() as world:
        world.open()
        overlay = False
        for case in sorted(chosen, key=lambda case: case.net is OVERLAY):  # a swarm talks all the time
            if case.net is OVERLAY and not overlay:
                overlay = True
                world.overlay()
                time.sleep(SWARM_S)
            try:
                record(world, case, arguments.into)
                print(f"recorded {case.name}", flush=True)
            except (LabError, subprocess.TimeoutExpired) as error:
                failed += 1
                print(f"failed {case.name}: {error}", flush=True)
        with suppress(LabError):
            run("sysctl", "-qw", "net.netfilter.nf_conntrack_max=262144")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
