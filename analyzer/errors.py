"""Every exception hoptrace raises on purpose.

::

    HoptraceError                 one line for a person; never a traceback
    +-- InputError                a file that gives nothing: what, where, needed, found
    |   +-- UnknownFormatError    neither pcap nor pcapng, after decompression
    +-- LimitError                captures would take more memory than they may
    +-- OutputError               a report or a bundle cannot be written: what, where, why
    +-- SelectionError            a selection, point or journey that cannot be understood or found
    +-- SchemaError               a table breaks its contract: a bug in hoptrace, not in the input
    +-- ToolError                 an outside program (tshark) is missing or failed

A damaged packet is data, not an exception, and so is the damage of a file that gave at least one frame.
"""

from collections.abc import Sequence


class HoptraceError(Exception):
    """Base of all errors a caller may want to catch."""


class InputError(HoptraceError):
    """A file cannot be used at all; *others* says the same of further files."""

    def __init__(self, message: str, others: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.others = tuple(others)


class UnknownFormatError(InputError):
    """A file is neither pcap nor pcapng."""


class LimitError(HoptraceError):
    """Captures would take more memory than they may; a part of them can be read."""


class OutputError(HoptraceError):
    """A report or a bundle cannot be written."""


class SelectionError(HoptraceError):
    """What was asked for cannot be understood, or is not there."""


class SchemaError(HoptraceError):
    """A table does not have the columns, types or order that its schema promises."""


class ToolError(HoptraceError):
    """An outside program is missing or failed."""
