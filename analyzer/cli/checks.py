"""The command that lists what is looked for: hoptrace checks."""

import json

import click

from analyzer.cli import complete
from analyzer.cli.base import examples
from analyzer.cli.talk import meant, paged, talking
from analyzer.errors import SelectionError


@click.command(epilog=examples("hoptrace checks", "hoptrace checks filtered-by-rule mtu-blackhole"))
@click.argument("names", nargs=-1, metavar="[CHECK]...", shell_complete=complete.checks)
@click.option("--rules", is_flag=True, help="List what of iptables' and nftables' rules is evaluated instead.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@talking
def checks(names: tuple[str, ...], *, rules: bool, as_json: bool) -> None:
    """List and explain the checks, all of them or those that are named: when each speaks, and what it needs."""
    if rules:
        _tell_rules(as_json=as_json)
        return
    from analyzer.explain.hypotheses import HYPOTHESES  # noqa: PLC0415
    from analyzer.report import terminal  # noqa: PLC0415
    from analyzer.report.fields import to_json  # noqa: PLC0415

    known = {one.name: one.explained for one in HYPOTHESES}
    for name in names:
        if name not in known:
            raise SelectionError(f"no check {name}; {meant(name, list(known)) or 'hoptrace checks lists them'}")
    listed = [known[name] for name in names or sorted(known)]
    if as_json:
        click.echo(json.dumps({"schema": "hoptrace-checks/1", "checks": to_json(listed)}, indent=1))
        return
    with paged() as out:
        terminal.print_checks(out, listed)


def _tell_rules(*, as_json: bool) -> None:
    from analyzer.report import terminal  # noqa: PLC0415
    from analyzer.state.rules import catalogue  # noqa: PLC0415

    told = (
        ("What of rules is evaluated", catalogue.evaluated()),
        ("Why something cannot be decided", catalogue.undecidable()),
        ("What stops a packet, and where the kernel decides it", catalogue.causes()),
    )
    if as_json:
        click.echo(json.dumps({title: dict(rows) for title, rows in told}, indent=1))
        return
    with paged() as out:
        for title, rows in told:
            terminal.print_rows(out, title, rows)
