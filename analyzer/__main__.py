"""``python -m analyzer`` is ``hoptrace``."""

from analyzer.cli import main

main(prog_name="hoptrace")
