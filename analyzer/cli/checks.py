"""The command that lists what is looked for: hoptrace checks."""

import click

from analyzer.errors import SelectionError


@click.command()
@click.argument("names", nargs=-1, metavar="[CHECK]...")
@click.option("--rules", is_flag=True, help="List what of iptables' and nftables' rules is evaluated instead.")
def checks(names: tuple[str, ...], *, rules: bool) -> None:
    """List and explain the checks, all of them or those that are named: when each speaks, and what it needs."""
    if rules:
        _print_rules()
        return
    from analyzer.explain.hypotheses import HYPOTHESES  # noqa: PLC0415
    from analyzer.report import terminal  # noqa: PLC0415

    known = {one.name: one.explained for one in HYPOTHESES}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SelectionError(f"no check {unknown[0]}; hoptrace checks lists them")
    terminal.print_checks(terminal.console(), [known[name] for name in names or sorted(known)])


def _print_rules() -> None:
    from analyzer.report import terminal  # noqa: PLC0415
    from analyzer.state.rules import catalogue  # noqa: PLC0415

    out = terminal.console()
    for title, rows in (
        ("What of rules is evaluated", catalogue.evaluated()),
        ("Why something cannot be decided", catalogue.undecidable()),
        ("What stops a packet, and where the kernel decides it", catalogue.causes()),
    ):
        terminal.print_rows(out, title, rows)
