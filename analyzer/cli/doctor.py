"""The command that looks at a host's state: hoptrace doctor."""

import json
from pathlib import Path

import click

from analyzer.cli.base import examples, exit_on, fail_on_option, need_linux
from analyzer.cli.talk import paged, talking
from analyzer.errors import InputError

NEEDED = (
    "ip-addr.json", "ip-route.json", "iptables-save.txt", "sysctl.txt",
)  # fmt: skip
"""Dumps without which something is not looked at."""


@click.command(
    epilog=examples(
        "sudo hoptrace doctor", "hoptrace doctor --ssh root@dockerhost", "hoptrace doctor --host trouble/host --json"
    )
)
@click.option("--host", type=click.Path(), help="Folder of dumps; without it, this host is asked.")
@click.option("--ssh", "target", metavar="HOST", help="Ask HOST, by ssh.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@fail_on_option
@talking
def doctor(host: str | None, target: str | None, as_json: bool, fail_on: str | None) -> None:
    """Look for what is wrong with a Docker host, without captures."""
    from analyzer.explain.doctor import examine  # noqa: PLC0415
    from analyzer.read.scratch import scratch  # noqa: PLC0415
    from analyzer.record.collect import TIME_S, collect  # noqa: PLC0415
    from analyzer.record.machine import Deadline, Machine, Remote  # noqa: PLC0415
    from analyzer.report import terminal  # noqa: PLC0415
    from analyzer.report.fields import to_json  # noqa: PLC0415
    from analyzer.report.words import worded  # noqa: PLC0415
    from analyzer.state.load import load_host  # noqa: PLC0415

    problems: list[str] = []
    if host is not None:
        state, name = load_host(Path(host)), host
        if not set(state.files) - {"resolv.conf", "hosts"}:  # which any folder like /etc has
            hint = f"; {Path(host) / 'host'} is there" if (Path(host) / "host").is_dir() else ""
            raise InputError(f"{host}: no dump of a host's state is there, so nothing was looked at{hint}")
        problems = [f"{file}: not there" for file in (*NEEDED, *_of_engine(state.engine)) if file not in state.files]
    else:
        need_linux("doctor", "let it ask another host (--ssh HOST), or give what was recorded (--host DIR)", target)
        machine = Remote(target) if target is not None else Machine()
        machine.need("ip")
        name = machine.name
        with scratch() as folder:
            problems = collect(machine, folder / "host", Deadline(TIME_S))
            state = load_host(folder / "host")
    findings = worded(examine(state), state.engine)
    unknown = (*problems, *state.problems)
    if as_json:
        told = {"schema": "hoptrace-doctor/1", "host": name, "findings": to_json(findings), "not_known": unknown}
        click.echo(json.dumps(told, indent=1))
    else:
        with paged() as out:
            terminal.print_doctor(out, name, findings, unknown)
    exit_on(fail_on, findings)


def _of_engine(engine: str) -> list[str]:
    """Return what should be there of a container engine."""
    from analyzer.model.engine import NO_ENGINE  # noqa: PLC0415
    from analyzer.record.dumps import containers_of, networks_of  # noqa: PLC0415

    listed = (containers_of(engine), networks_of(engine)) if engine != NO_ENGINE else ()
    return [one[0] for one in listed if one is not None]
