"""The options that say how much memory an analysis may take, and where the rest goes."""

import re
from dataclasses import dataclass, fields
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.talk import Command

if TYPE_CHECKING:
    from analyzer.run import Means, Prepared

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


class WorkDirectory(click.Path):
    """A folder that is there, or one of an object store."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Take URLs as they are; whether they can be written to, trying tells."""
        from analyzer.read.written import WRITABLE  # noqa: PLC0415

        return value if str(value).startswith(WRITABLE) else super().convert(value, param, ctx)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody says of that."""

    memory: int | None = None
    work_dir: str | None = None
    jobs: int = 1
    scheduler: str | None = None

    def means(self, prepared: "Prepared", parts: int | None = None) -> "Means":
        """Return what an analysis has to work with."""
        from analyzer.run import Means  # noqa: PLC0415
        from analyzer.run.budget import chosen  # noqa: PLC0415

        return Means(chosen(self.memory, prepared.stored), parts, self.work_dir, self.jobs, self.scheduler)


def memory_options(command: Command) -> Command:
    """Add what says how much memory there is, where what does not fit goes, and who shares the work, as *asked*."""

    @wraps(command)
    def options(*args: Any, **given: Any) -> Any:
        asked = Asked(*(given.pop(each.name) for each in fields(Asked)))
        return command(*args, asked=asked, **given)

    for option in (
        click.option(
            "--scheduler",
            metavar="ADDRESS",
            help="Let the workers of this Dask scheduler share the work, e.g. tcp://host:8786; all see the work "
            "directory. local: --jobs workers of this machine.",
        ),
        click.option(
            "--jobs",
            type=click.IntRange(1, 256),
            default=1,
            show_default=True,
            metavar="N",
            help="Processes that share the work; what they exchange lies on disk.",
        ),
        click.option(
            "--work-dir",
            type=WorkDirectory(exists=True, file_okay=False, writable=True),
            metavar="DIR",
            help="Where tables that do not fit into memory lie: a folder, or s3://BUCKET/FOLDER, which all workers of "
            "a cluster see.  [default: where temporary files are, on disk]",
        ),
        click.option(
            "--memory",
            callback=_bytes,
            metavar="SIZE",
            help="Memory that it may take, e.g. 2GiB; the rest goes to disk.  [default: 512MiB, and 10 times what "
            "captures have beyond 64MiB, but half of what is free]",
        ),
    ):
        options = option(options)
    return options
