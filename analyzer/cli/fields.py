"""The command that lists what a selection may ask: hoptrace fields."""

import json

import click

from analyzer.cli.base import examples
from analyzer.cli.talk import paged, talking


@click.command(epilog=examples("hoptrace fields", "hoptrace analyze trouble/ -Y 'dns.flags.rcode == NXDOMAIN'"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@talking
def fields(*, as_json: bool) -> None:
    """List what -Y may ask of journeys, and the page's filter as well: fields, protocols, operators."""
    from analyzer.journey.fields import FIELDS, OPERATORS, PROTOCOLS  # noqa: PLC0415

    if as_json:
        told = {
            name: {"kind": one.kind, "meaning": one.meaning, "example": one.example} for name, one in FIELDS.items()
        }
        click.echo(json.dumps({"fields": told, "protocols": PROTOCOLS, "operators": OPERATORS}, indent=1))
        return
    from analyzer.report import terminal  # noqa: PLC0415

    rows = [(f"{name} == {one.example}", f"{one.meaning} ({one.kind})") for name, one in FIELDS.items()]
    with paged() as out:
        terminal.print_rows(out, "Fields", rows)
        terminal.print_rows(out, "Protocols", [(", ".join(PROTOCOLS), "the packet has it")])
        terminal.print_rows(out, "Operators", list(OPERATORS.items()))
