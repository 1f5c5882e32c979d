"""The stages in order: the one package that sees them all, and the Python API behind ``analyzer``."""

from analyzer.decode.moving import ShorterFramesError
from analyzer.pipeline.moving import MovingTrace
from analyzer.pipeline.part import Part
from analyzer.pipeline.prepare import Prepared, prepare
from analyzer.pipeline.trace import Trace
from analyzer.pipeline.whole import analyze, analyze_whole

__all__ = ["MovingTrace", "Part", "Prepared", "ShorterFramesError", "Trace", "analyze", "analyze_whole", "prepare"]
