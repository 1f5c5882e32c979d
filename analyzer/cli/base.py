"""What all commands share: how errors end, and the options that say what is analysed."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.talk import Command, complain, habit, no_command, remark
from analyzer.errors import HoptraceError, LimitError, OutputError, SchemaError, SelectionError, ToolError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from analyzer.model import Finding
    from analyzer.run import Prepared

SLOWLY = (
    "nothing is compiled here, so reading captures takes 30 µs a frame instead of one: apt-get install gcc "
    "python3-dev, and install hoptrace once more"
)
EXIT_FINDINGS, EXIT_USAGE, EXIT_UNREADABLE, EXIT_PARTIAL, EXIT_UNWRITABLE, EXIT_MEMORY = 1, 2, 3, 4, 5, 6
EXIT_CRASHED, EXIT_INTERRUPTED = 70, 130
"""70 is EX_SOFTWARE of sysexits.h."""
ENDS = (
    (SelectionError, EXIT_USAGE), (OutputError, EXIT_UNWRITABLE), (LimitError, EXIT_MEMORY),
    (SchemaError, EXIT_CRASHED), (HoptraceError, EXIT_UNREADABLE),
)  # fmt: skip
"""The exit code of each error, the first that fits."""
TRACEBACK = "HOPTRACE_TRACEBACK"
NAMESPACES = "the recorded host is built in its network namespaces"


def need_linux(what: str, otherwise: str, target: str | None = None) -> None:
    """
    Say of what only Linux can do that it cannot be done here; what is done on a *target*, by ssh, every Unix can.

    Raises:
        ToolError: it cannot.
    """
    if sys.platform == "win32" or (sys.platform != "linux" and target is None):
        raise ToolError(f"{what} needs Linux: {otherwise}")


class Group(click.Group):
    """Commands whose errors are one line on stderr and an exit code."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; say what may be meant instead of one that is not there."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            ctx.fail(no_command(args[0], self.list_commands(ctx)))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()  # what cannot be written is told here, not by the interpreter when it ends
        except MemoryError:
            complain("there is not enough memory: give a part of the captures, or a smaller --memory")
            ctx.exit(EXIT_MEMORY)
        except HoptraceError as error:
            more = ": --memory allows more" if isinstance(error, LimitError) else ""
            for line in (f"{error}{more}", *getattr(error, "others", ())):
                complain(line)
            ctx.exit(next(code for kind, code in ENDS if isinstance(error, kind)))
        except BrokenPipeError:
            _write_no_more()
            ctx.exit(0)
        except OSError as error:
            _write_no_more()
            complain(f"output cannot be written: {error.strerror or error}")
            ctx.exit(EXIT_UNWRITABLE)
        except (KeyboardInterrupt, click.Abort):
            complain("interrupted")
            ctx.exit(EXIT_INTERRUPTED)
        except click.NoSuchOption as error:
            here = habit(error.option_name)
            if here is None:
                raise
            raise click.NoSuchOption(error.option_name, f"{error.message} Here: {here}.", ctx=error.ctx) from None
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:
            if os.environ.get(TRACEBACK):
                raise
            place = _place(error)
            complain(f"this is a mistake of hoptrace, not yours: {type(error).__name__}: {error}, at {place}")
            complain(f"please report it, with the bundle if you can; {TRACEBACK}=1 shows all of it")
            ctx.exit(EXIT_CRASHED)


def _place(error: BaseException) -> str:
    """Return file and line where an error was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return (
        f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else "an unknown place"
    )


def _write_no_more() -> None:
    """Let what is still in stdout's buffer go nowhere: the interpreter would fail to write it once more."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def input_options(command: Command) -> Command:
    """Add the options that say what is analysed."""
    command = click.option(
        "--point",
        "points",
        multiple=True,
        metavar="NAME=FILE[,role=ROLE][,host=H][,container=C]",
        help="Say what a capture file is. Roles: container, veth, bridge, overlay, loopback, uplink.",
    )(command)
    command = click.option(
        "--unpack-limit",
        type=click.IntRange(1),
        metavar="MIB",
        help="Most that a packed bundle may have, unpacked.  [default: 8192]",
    )(command)
    return click.option("--host", type=click.Path(), help="Folder of dumps of the host's state.")(command)


def find(
    paths: tuple[str, ...], host: str | None, points: tuple[str, ...], unpack_limit: int | None
) -> "AbstractContextManager[Prepared]":
    """Find the inputs of a command."""
    from analyzer.kernel import compiled  # noqa: PLC0415
    from analyzer.read.spec import parse_point  # noqa: PLC0415
    from analyzer.run import prepare  # noqa: PLC0415

    if compiled is None:
        remark(SLOWLY)
    most = unpack_limit << 20 if unpack_limit is not None else None
    return prepare(paths, host, [parse_point(text) for text in points], most_unpacked=most)


def examples(*lines: str) -> str:
    """Return the end of a command's help, which click is to leave as it is."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


payload_option = click.option(
    "--payload/--no-payload",
    default=True,
    help="Look into payloads: names that are asked for, first lines; --no-payload: nothing of them is told.  "
    "[default: yes]",
)


def fail_on_option(command: Command) -> Command:
    """Add the option that makes findings count."""
    return click.option(
        "--fail-on",
        type=click.Choice(("error", "warning")),
        help="Exit with 1 if there is such a finding, or a worse one.",
    )(command)


def exit_on(severity: str | None, findings: Iterable["Finding"]) -> None:
    """End with the exit code for findings, if there are any that count."""
    from analyzer.model.finding import Severity, reaches  # noqa: PLC0415

    if severity is not None and reaches(findings, Severity(severity)):
        sys.exit(EXIT_FINDINGS)
