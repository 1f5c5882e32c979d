"""A queue that somebody set up to limit an interface was full, and dropped."""

from collections.abc import Iterator
from functools import partial
from shlex import quote

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.inside import within
from analyzer.explain.told import Facts, Told
from analyzer.model import Basis, HostState, Queue, Severity
from analyzer.model.finding import Symptom
from analyzer.model.host import LIMITS


def causes(case: Case) -> Iterator[Cause]:
    """Give each that dropped something while captures ran, on the host and in containers."""
    for host in case.hosts.states:
        for place, state in (("", host), *host.inside.items()):
            for queue in state.queues:
                went = state.counted(f"qdisc.{queue.dev}.drops") or 0
                if queue.kind in LIMITS and went > 0:
                    packets = _lost(case, queue.dev) if not place else []
                    tell, key = partial(_tell, case, host, place, queue, went), (host.name, place, queue.dev)
                    yield Cause(packets, tell, Basis.STATED, key, went=went, most=went)


def _lost(case: Case, dev: str) -> list[int]:
    """Return the packets that went no further, and whose next point would have been an interface."""
    names = {point.name for point in case.context.points if (point.interface or point.name) == dev}
    found = case.with_symptom(Symptom.LOST_INSIDE, Symptom.LOST_BEYOND, Symptom.UNANSWERED, Symptom.IGNORED)
    return [packet for packet in found.tolist() if names & set(case.tracer.outcome(packet).onward)]


def _tell(case: Case, host: HostState, place: str, queue: Queue, went: int, _: list[int]) -> Told:
    command = f"tc qdisc del dev {quote(queue.dev)} root"
    points = [p for p in case.context.points if (p.interface or p.name) == queue.dev and p.host == host.name]
    facts: Facts = {
        "dev": queue.dev, "kind": queue.kind, "dropped": went, "place": place,
        "leads_to": next((p.container for p in points if p.container), None) or "",
        "commands": [within(place, command) if place else command],
    }  # fmt: skip
    if queue.rate is not None:
        facts["rate"] = queue.rate
    folder = f"containers/{place}/" if place else ""
    return Told(facts, proof=(f"{folder}tc-qdisc.json: {queue.kind} on {queue.dev}, drops went up by {went}",))


HYPOTHESIS = Hypothesis(
    "queue-drops",
    Severity.ERROR,
    "tc-qdisc.json before and after",
    "A queue that limits an interface (tbf, netem, htb and the like) dropped packets.",
    "Raise the limit, or take it away: tc qdisc.",
    causes,
    Specific.SETTING,
)
