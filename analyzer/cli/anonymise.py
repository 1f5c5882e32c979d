"""The command that makes a bundle fit to be shown: hoptrace anonymise."""

from pathlib import Path

import click

from analyzer.cli import complete
from analyzer.cli.base import examples
from analyzer.cli.talk import remark, talking
from analyzer.errors import InputError

SHORTEST_KEY, LONGEST_KEY = 16, 1 << 16


@click.command(
    epilog=examples(
        "hoptrace anonymise trouble/ -o public.tar.zst",
        "head -c 32 /dev/urandom > key; hoptrace anonymise monday/ -o monday.tar.zst --key-file key",
    )
)
@click.argument("paths", nargs=-1, required=True, metavar="BUNDLE...", shell_complete=complete.files)
@click.option("-o", "--output", required=True, metavar="OUT", help="A new folder, or a file that ends in .tar.zst.")
@click.option(
    "--key-file", metavar="FILE",
    help="What all replacements depend on, 16 bytes at least: bundles made with one key go together. Without it nobody "
    "can tell afterwards what stood for what.",
)  # fmt: skip
@click.option("--unpack-limit", type=click.IntRange(1), metavar="MIB", default=8192, show_default=True,
              help="Most that a packed bundle may have, unpacked.")  # fmt: skip
@talking
def anonymise(paths: tuple[str, ...], output: str, key_file: str | None, unpack_limit: int) -> None:
    """
    Write a bundle anew so that it can be shown: to colleagues, with a question, in a public report.

    Addresses, MACs, names and payloads are replaced, in captures and dumps alike; what is in one subnet stays in one,
    and what is analysed of it is the same, names aside. Times, ports, lengths, and words that mean the same on every
    host stay. Environment, commands, mounts and labels of containers are left out, and so is what nobody reads.
    """
    from analyzer.anonymise.bundle import anonymise as write  # noqa: PLC0415

    made = write(paths, Path(output), _key(key_file), unpack_limit << 20)
    for problem in made.problems:
        remark(problem)
    left_out = f"; left out: {', '.join(sorted(set(made.left_out)))}" if made.left_out else ""
    remark(f"{output}: {made.captures} captures, {made.dumps} dumps{left_out}")


def _key(path: str | None) -> bytes | None:
    if path is None:
        return None
    try:
        with Path(path).open("rb") as file:
            key = file.read(LONGEST_KEY)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    if len(key) < SHORTEST_KEY:
        raise InputError(f"{path}: a key of {len(key)} bytes, needed are {SHORTEST_KEY}")
    return key
