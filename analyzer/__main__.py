"""The command, run as ``hoptrace`` or as ``python -m analyzer``."""

import signal
import sys
from types import FrameType


class InterruptedByUser(KeyboardInterrupt):
    """
    Ctrl-C.

    A plain KeyboardInterrupt that passes through ``exec()`` of a text, as dataclasses and imports have it, lets CPython
    kill itself by SIGINT in the end, although it was caught (Python/pythonrun.c, unhandled_keyboard_interrupt).
    """


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise InterruptedByUser


def run() -> None:
    """Run the command; whoever interrupts it while it is still being imported gets one line, too."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # and not ignored, as in a shell's background
        signal.signal(signal.SIGINT, _interrupted)
    try:
        from analyzer.cli import main  # noqa: PLC0415

        main(prog_name="hoptrace")
    except KeyboardInterrupt:
        sys.stderr.write("hoptrace: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    run()
