"""hoptrace follows packets through a Docker host: which frames are the same packet, hop by hop.

>>> trace = analyze("sample_pcaps/seed")
>>> trace
<Trace of seed: 3 points, 61 frames, 23 journeys, 2 connections>
>>> print(trace["J3"].disposition, trace["C0"].original)
left-host 172.17.0.4 → 8.8.8.8 id 55275
>>> len(trace.filter("icmp"))
6
>>> [hop.point for hop in trace["J3"].hops]
['veth-c3', 'docker0', 'wlan0']
>>> trace.connections_readable()["protocol"].tolist()
['ICMP', 'TCP']
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
