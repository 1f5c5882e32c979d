"""The stages in order: the one package that sees them all, and the Python API behind ``analyzer``."""

from analyzer.run.prepare import Prepared, prepare
from analyzer.run.trace import Trace
from analyzer.run.whole import Means, analyze, analyze_whole, estimate

__all__ = ["Means", "Prepared", "Trace", "analyze", "analyze_whole", "estimate", "prepare"]
