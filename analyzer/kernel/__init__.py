"""What is compiled: finding records, and decoding frames; None where that could not be, and others do it slowly."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    compiled: ModuleType | None
try:
    from analyzer.kernel import compiled
except ImportError:
    compiled = None
