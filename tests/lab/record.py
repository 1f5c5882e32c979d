"""Records scenarios from a real Docker Engine: ``python -m tests.lab.record [--into FOLDER] [NAME...]``."""

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.lab.bundle import NAME as BUNDLE
from tests.lab.bundle import record_bundle
from tests.lab.engine import Lab
from tests.lab.overlay import NAME as OVERLAY
from tests.lab.overlay import record_overlay
from tests.lab.recording import Recording
from tests.lab.scenarios import SCENARIOS, Scenario
from tests.lab.truth import write_expected
from tests.needs import missing_programs

SAMPLES = Path(__file__).parents[2] / "sample_pcaps"
QUIET_S = 2.0
"""Time for router solicitations and listener reports of new interfaces to pass."""


def record(lab: Lab, scenario: Scenario, folder: Path) -> None:
    """Record one scenario into *folder*."""
    for network in scenario.networks:
        lab.docker("network", "create", *network)
    for name, options in scenario.containers.items():
        lab.run_container(name, *options)
    try:
        scenario.setup(lab)
        time.sleep(QUIET_S)
        with Recording(lab, folder, scenario.points(lab), scenario.snap, promiscuous=scenario.promiscuous):
            scenario.act(lab)
        write_expected(folder)
        (folder / "README.md").write_text(_readme(scenario))
    finally:
        scenario.teardown(lab)
        for name in scenario.containers:
            lab.remove_container(name)
        lab.stop_servers()
        for network in scenario.networks:
            lab.docker("network", "rm", network[-1])


SPECIAL: dict[str, Callable[[Lab, Path], Path]] = {OVERLAY: record_overlay, BUNDLE: record_bundle}
"""Samples that no scenario describes, and what records each."""


def record_all(scenarios: Sequence[Scenario], into: Path, special: Sequence[str] = ()) -> None:
    """Record scenarios, each into a folder of its name; those that need another engine have one of their own."""
    for name in special:
        shutil.rmtree(into / name, ignore_errors=True)
        with Lab() as lab:
            print(f"recorded {SPECIAL[name](lab, into)}")
    for userland_proxy in (True, False):
        chosen = [scenario for scenario in scenarios if scenario.userland_proxy is userland_proxy]
        if not chosen:
            continue
        with Lab(userland_proxy=userland_proxy) as lab:
            for scenario in chosen:
                folder = into / scenario.name
                shutil.rmtree(folder, ignore_errors=True)
                record(lab, scenario, folder)
                print(f"recorded {folder}")


def _readme(scenario: Scenario) -> str:
    points = [f"veth-{name}" for name in scenario.captured] + [f"the end of {name}" for name in scenario.inside]
    points += [*scenario.bridges, "wlan0"]
    points = ["all interfaces at once"] if scenario.any else points
    return (
        f"# {scenario.name}\n\n{scenario.about}\n\n"
        f"Captured at {', '.join(points)}, on one host, with nanosecond times. `conntrack-events.txt` is what the "
        "kernel said while it ran, `expected.json` is made from it, `host/` is the host's state afterwards.\n\n"
        f"Record it again: `sudo python3 -m tests.lab.record {scenario.name}`\n"
    )


def main() -> int:
    """Record the scenarios named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="tests.lab.record", description=__doc__)
    parser.add_argument("names", nargs="*", help="scenarios; all if none is named")
    parser.add_argument("--into", type=Path, default=SAMPLES)
    arguments = parser.parse_args()
    known = {scenario.name: scenario for scenario in SCENARIOS}
    names = arguments.names or [*known, *SPECIAL]
    unknown = sorted(set(names) - {*known, *SPECIAL})
    if unknown:
        parser.error(f"unknown scenario {unknown[0]}; known are {', '.join([*known, *SPECIAL])}")
    if missing := missing_programs("live"):
        print(f"missing programs: {', '.join(missing)}", file=sys.stderr)
        return 1
    special = [name for name in names if name in SPECIAL]
    record_all([known[name] for name in names if name not in SPECIAL], arguments.into, special)
    return 0


if __name__ == "__main__":
    sys.exit(main())
