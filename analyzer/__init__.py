"""hoptrace follows packets through a Docker host: which frames are the same packet, hop by hop.

>>> trace = analyze(["veth-c3.pcap", "docker0.pcap", "wlan0.pcap"])
>>> trace.connections, trace.hops, trace.frames
>>> for journey in trace: ...
>>> trace["J3"], trace.filter("verdict == dropped").to_html("dropped.html")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.run import Trace, analyze

__version__ = "0.1.0"
__all__ = ["Trace", "__version__", "analyze"]


def __getattr__(name: str) -> Any:
    """Import all of it, and with it NumPy, only when it is used: ``hoptrace --help`` is quick without."""
    if name in ("Trace", "analyze"):
        from analyzer import run  # noqa: PLC0415

        return getattr(run, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
