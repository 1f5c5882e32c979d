"""The command, run as ``hoptrace`` or as ``python -m analyzer``."""

import sys


def run() -> None:
    """Run the command; whoever interrupts it while it is still being imported gets one line, too."""
    try:
        from analyzer.cli import main  # noqa: PLC0415

        main(prog_name="hoptrace")
    except KeyboardInterrupt:
        sys.stderr.write("hoptrace: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    run()
