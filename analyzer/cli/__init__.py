"""The command line: options to pipeline to exit code.

Exit codes: 0 done, 1 a ``--fail-on`` condition met, 2 usage, 3 input unreadable (all of it, or what was named), 4
partial: limited, or damaged under --strict, 5 output cannot be written, 6 not enough memory, 70 a mistake of hoptrace
itself, 130 interrupted; ``capture`` ends with that of the command it ran.
"""

import io
import os
import signal
import sys
import threading
from pathlib import Path

import click

from analyzer import __version__
from analyzer.cli.analyze import analyze, demo
from analyzer.cli.anonymise import anonymise
from analyzer.cli.base import Group
from analyzer.cli.capture import capture
from analyzer.cli.checks import checks
from analyzer.cli.complete import completion
from analyzer.cli.doctor import doctor
from analyzer.cli.fields import fields
from analyzer.cli.mcp import mcp
from analyzer.cli.open import open_
from analyzer.cli.replay import replay, shell
from analyzer.cli.show import show
from analyzer.process import suit_columns

EXIT_TERMINATED = 128 + signal.SIGTERM


def _terminated(*_: object) -> None:
    """End in good order: nothing half-written stays, and no capture goes on."""
    sys.exit(EXIT_TERMINATED)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="hoptrace")
def main() -> None:
    """Follow packets through a Docker host: which frames are the same packet, hop by hop."""
    suit_columns()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminated)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the shell, as in `>&-`
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - for as long as the program runs
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no arrows still gets its report


for command in (analyze, capture, show, open_, replay, shell, doctor, checks, fields, anonymise, mcp, completion, demo):
    main.add_command(command)
