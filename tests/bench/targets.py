"""What hoptrace is to reach beside its peers, and whether it does: ratios of one run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.bench.peers import Took

Times = Mapping[str, Took]
MINE, REPORT, MERGECAP = (
    "hoptrace, packets and connections",
    "hoptrace analyze, terminal report",
    "mergecap -w /dev/null",
)


@dataclass(frozen=True, slots=True)
class Target:
    """A ratio, and where it should be."""

    name: str
    bound: float
    of: Callable[[Times], float]
    least: bool = False
    """It should be as much, not as little."""

    def told(self, times: Times) -> str:
        """Tell it, and whether it is reached."""
        found = self.of(times)
        reached = found >= self.bound if self.least else found <= self.bound
        sign = ">=" if self.least else "<="
        return f"{self.name:44}{found:8.2f}   {sign} {self.bound:<6g}{'reached' if reached else 'missed'}"


def _named(times: Times, start: str) -> Took:
    return next(took for name, took in times.items() if name.startswith(start))


TARGETS = (
    Target("wall time, x mergecap", 1.0, lambda t: t[MINE].wall / t[MERGECAP].wall),
    Target("processors' time, x mergecap", 1.5, lambda t: t[MINE].cpu / t[MERGECAP].cpu),
    Target("tshark's wall time, x hoptrace", 60, lambda t: _named(t, "tshark").wall / t[MINE].wall, least=True),
    Target("dpkt's wall time, x hoptrace", 25, lambda t: _named(t, "dpkt").wall / t[MINE].wall, least=True),
    Target("terminal report, x packets and connections", 2.0, lambda t: t[REPORT].wall / t[MINE].wall),
)
MOST_BYTES = 90
"""Of memory a frame, at the peak."""
MOST_GROWTH, MOST_PCAPNG = 1.1, 1.2
"""Of the time a frame, from the smallest captures to the largest, and in pcapng beside pcap."""
