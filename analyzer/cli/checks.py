"""The command that lists what is looked for: hoptrace checks."""

import click

from analyzer.errors import SelectionError


@click.command()
@click.argument("names", nargs=-1, metavar="[CHECK]...")
def checks(names: tuple[str, ...]) -> None:
    """List and explain the checks, all of them or those that are named: when each speaks, and what it needs."""
    from analyzer.diagnose import CHECKS  # noqa: PLC0415
    from analyzer.diagnose.host import ONLY_HERE  # noqa: PLC0415
    from analyzer.report import terminal  # noqa: PLC0415

    everything = [*(check.explained for check in CHECKS), *(words.explained for words in ONLY_HERE)]
    known = {one.name: one for one in everything}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SelectionError(f"no check {unknown[0]}; hoptrace checks lists them")
    terminal.print_checks(terminal.console(), [known[name] for name in names or sorted(known)])
