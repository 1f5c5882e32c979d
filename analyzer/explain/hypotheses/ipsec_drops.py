"""An IPsec policy drops packets: it blocks them, or wants them encrypted by keys that nobody has."""

from collections.abc import Iterator
from functools import partial

from analyzer.explain.case import Case
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.stopped import severity
from analyzer.explain.told import Facts, Told
from analyzer.model import Address, Disposition, HostState, IpsecPolicy, Severity
from analyzer.model.finding import Symptom
from analyzer.model.journey import CODES

MOST = 2_000
"""Packets of one client to one port that are compared with policies."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each policy that drops what was lost on its way through a host."""
    found: dict[tuple[str | None, str], tuple[IpsecPolicy, list[int]]] = {}
    if not any(host.ipsec for host in case.hosts.states):
        return
    # Where the way out has no capture, nobody can say that a packet was lost before it; only no answer comes.
    lost = case.with_symptom(Symptom.LOST_INSIDE, Symptom.UNANSWERED)
    lost = lost[case.tracer.ends[lost] != CODES[Disposition.LEFT_HOST]]
    for packet in case.few_packets(lost, MOST).tolist():
        row, host = int(case.last_row[packet]), case.host_of(packet)
        src, dst = case.context.src(row), case.context.dst(row)
        policy = _policy(host, src, dst) if src is not None and dst is not None else None
        if policy is not None and dst is not None and _drops(host, policy, dst):
            found.setdefault((host.name, policy.text), (policy, []))[1].append(packet)
    for (name, text), (policy, packets) in found.items():
        yield Cause(packets, partial(_tell, case, policy), key=(name or "", text))


def _policy(host: HostState, src: Address, dst: Address) -> IpsecPolicy | None:
    """Return the policy for what is sent (net/xfrm/xfrm_policy.c); None if there is none, or it asks for more."""
    fits = (one for one in host.ipsec if one.direction == "out" and one.src.version == src.version
            and src in one.src and dst in one.dst)  # fmt: skip
    policy = next(fits, None)
    return policy if policy is not None and policy.whole else None


def _drops(host: HostState, policy: IpsecPolicy, dst: Address) -> bool:
    """Tell whether it blocks, or wants a state that is not there; transport mode's is one with whoever it is for."""
    there = {(state.protocol, state.dst) for state in host.ipsec_states}
    return policy.blocks or any((protocol, end or dst) not in there for protocol, end in policy.wants)


def _tell(case: Case, policy: IpsecPolicy, packets: list[int]) -> Told:
    facts: Facts = {"policy": policy.text, "blocks": policy.blocks}
    facts["last"] = case.context.point(int(case.last_row[packets[0]])).name
    proof = [f"xfrm-policy.txt: {policy.text}{' action block' if policy.blocks else ''}"]
    if policy.wants and not policy.blocks:
        protocol, end = policy.wants[0]
        facts |= {"protocol": protocol.upper(), "end": str(end or case.context.dst(int(case.last_row[packets[0]])))}
        proof.append(f"xfrm-state.txt: none of {protocol} to {facts['end']}")
    return Told(facts, proof=tuple(proof), severity=severity(case, packets, Severity.ERROR))


HYPOTHESIS = Hypothesis(
    "ipsec-drops",
    Severity.ERROR,
    "captures, xfrm-policy.txt, xfrm-state.txt",
    "An IPsec policy blocks packets, or wants them encrypted while there are no keys for that.",
    "Bring the tunnel up (swanctl --list-sas, ip xfrm state), or take the policy away if nobody needs it any more.",
    causes,
    Specific.SETTING,
)
