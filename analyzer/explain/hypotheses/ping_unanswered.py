"""A container does not answer pings that came to it."""

from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Crowd, Hypothesis, Specific
from analyzer.explain.inside import receiver
from analyzer.explain.symptoms import pings_in_vain
from analyzer.explain.told import Told
from analyzer.model import Basis, Severity
from analyzer.state.sysctl import sysctl, sysctl_line

IGNORES = "net.ipv4.icmp_echo_ignore_all"


def causes(case: Case) -> Iterator[Cause]:
    """Give each that keeps silent, and why, if its kernel was told to."""
    silent: dict[str, list[int]] = {}
    for packet in pings_in_vain(case).tolist():
        silent.setdefault(str(case.context.dst(int(case.last_row[packet]))), []).append(packet)
    for target, packets in silent.items():
        of = receiver(case, packets[0])
        ignores = of is not None and of.packet.version == 4 and sysctl(of.state, IGNORES) == 1
        if of is not None and ignores:
            proof = (f"containers/{of.container.name}/{sysctl_line(of.state, IGNORES)}",)
            tell = partial(_tell, case, target, proof)
            yield Cause(packets, tell, Basis.STATED, (target, ignores), specific=Specific.SETTING)
        else:
            yield Cause(packets, partial(_tell, case, target, ()), key=(target, False))


def _tell(case: Case, target: str, proof: tuple[str, ...], packets: list[int]) -> Told:
    last = case.context.point(int(case.last_row[packets[0]])).name
    return Told({"target": target, "last": last, "setting": IGNORES if proof else ""}, proof=proof)


HYPOTHESIS = Hypothesis(
    "ping-unanswered",
    Severity.ERROR,
    "captures (containers/NAME/: sysctl.txt)",
    "Pings came to a container, and nothing came back.",
    "Look in the container: do its own rules drop them, has it a way back (ip route), is it paused?",
    causes,
    Specific.SILENCE,
    crowd=Crowd("target", "targets"),
)
