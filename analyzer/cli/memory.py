"""The options that say how much memory an analysis may take, and where the rest goes."""

import re

import click

from analyzer.cli.base import Command

SIZE = re.compile(r"(\d{1,9})\s*([KMGT]?)(?:I?B)?", re.IGNORECASE)
POWERS = {"": 20, "K": 10, "M": 20, "G": 30, "T": 40}
"""Of 2; a number alone means MiB."""
LEAST_MEMORY = 128 << 20


def _bytes(_ctx: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    """Read a size such as 2GiB, 512M, or 512."""
    if text is None:
        return None
    found = SIZE.fullmatch(text.strip())
    if found is None:
        raise click.BadParameter(f"{text}: not a size; 2GiB is one, or 512MiB")
    size = int(found[1]) << POWERS[found[2].upper()]
    if size < LEAST_MEMORY:
        raise click.BadParameter(f"{text}: at least {LEAST_MEMORY >> 20}MiB are needed")
    return size


def memory_options(command: Command) -> Command:
    """Add what says how much memory there is, and where what does not fit goes."""
    for option in (
        click.option(
            "--work-dir",
            type=click.Path(exists=True, file_okay=False, writable=True),
            metavar="DIR",
            help="Where tables that do not fit into memory lie meanwhile.  [default: where temporary files are]",
        ),
        click.option(
            "--memory",
            callback=_bytes,
            metavar="SIZE",
            help="Memory that it may take, e.g. 2GiB; the rest goes to disk.  [default: 512MiB, and 10 times what "
            "captures have beyond 64MiB, but half of what is free]",
        ),
    ):
        command = option(command)
    return command
