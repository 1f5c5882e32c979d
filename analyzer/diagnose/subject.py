"""What checks look at."""

from dataclasses import dataclass

from analyzer.capture.records import FileInfo
from analyzer.correlate.stated import Contradiction
from analyzer.trace.build import Tracer
from analyzer.trace.context import Context


@dataclass(frozen=True, slots=True)
class Subject:
    """All that is known when checks run."""

    context: Context
    tracer: Tracer
    files: list[FileInfo]
    contradictions: list[Contradiction]
