"""A container's own network namespace drops or rejects what comes to it, or lets no answer out."""

import re
from collections.abc import Iterator
from functools import partial

import numpy as np

from analyzer.decode.offsets import PROTO_UDP
from analyzer.explain.case import Case
from analyzer.explain.firewalls import passage
from analyzer.explain.fixes import ip_version
from analyzer.explain.hypothesis import Cause, Hypothesis, Specific
from analyzer.explain.inside import Receiver, elsewhere, gateway_of, mended, receiver
from analyzer.explain.symptoms import refused, unanswered
from analyzer.explain.told import Facts, Told
from analyzer.model import Basis, Disposition, HostState, Severity
from analyzer.model.finding import Symptom
from analyzer.packet.stops import Cause as Stop
from analyzer.packet.stops import moved
from analyzer.schema import Int64
from analyzer.state.rules.owner import owner

MOST = 5_000
"""Packets of one client to one port that are looked at; the first ones."""
TUNNEL = re.compile(r"-o ((?:tun|wg|ppp)\d+)\b")
"""What VPNs call theirs."""


def causes(case: Case) -> Iterator[Cause]:
    """Give each thing in a container that stops packets, or the answers to them."""
    found: dict[tuple[str, str, bool], tuple[Receiver, Stop | None, list[int]]] = {}
    for packet in _candidates(case):
        of = receiver(case, packet)
        if of is None:
            continue
        stop, of_answer, text = _stop(of)
        if text:
            key = of.container.name, text, of_answer
            found.setdefault(key, (of, stop, []))[2].append(packet)
    for key, (of, stop, packets) in found.items():
        _, text, of_answer = key
        went = _went(of, stop) if stop is not None else None
        tell = partial(_tell, case, of, stop, text, of_answer)
        about = sorted({*packets, *_asked_elsewhere(case, of)})
        yield Cause(about, tell, Basis.STATED, key, went=went, also=case.troubled(packets))


def _asked_elsewhere(case: Case, of: Receiver) -> Iterator[int]:
    """Give questions for neighbours that name an address of another network: answers look there for their next hop."""
    asked = (one for one in case.exchanges if one.answer_mac is None and one.asker_ip == of.packet.dst)
    for one in asked:
        network = case.point_named(one.point).network
        if network is not None and network != of.container.network:
            yield case.asking[one.point, one.request_frame]


def _candidates(case: Case) -> list[int]:
    """Return the packets that came to somebody and got no answer, or a refusal."""
    silent = unanswered(case)
    rejected = np.concatenate([refused(case), case.tracer.ended(Disposition.REJECTED)])
    told = np.concatenate([silent, rejected, _one_way(case), _answered_astray(case)])
    found: list[int] = case.few_packets(np.unique(told).astype(np.int64), MOST).tolist()
    return found


def _answered_astray(case: Case) -> Int64:
    """Return first packets whose answers get lost, or are not heard, having left by another MAC than they came to."""
    lost = case.with_symptom(Symptom.LOST_BEYOND, Symptom.LOST_INSIDE, Symptom.STOPPED)
    answers = case.connection[lost[case.reply[lost] & (case.connection[lost] >= 0)]]
    numbers = np.union1d(answers, case.handshakes.unheard())
    found = []
    for number in case.few_connections(numbers, MOST).tolist():
        ways = [case.packets_of(number, reply=reply) for reply in (False, True)]
        if all(len(packets) for packets in ways):
            asked, answer = (int(packets[0]) for packets in ways)
            context, came, left = case.context, int(case.last_row[asked]), int(case.first_row[answer])
            if context.value("eth_dst", came) != context.value("eth_src", left):
                found.append(asked)
    return np.array(found, np.int64)


def _one_way(case: Case) -> Int64:
    """Return the datagrams of connections that have no answer at all."""
    answered = np.unique(case.connection[case.reply])
    datagrams = (case.first("proto") == PROTO_UDP) & (case.connection >= 0)
    return np.flatnonzero(datagrams & ~np.isin(case.connection, answered))


def _stop(of: Receiver) -> tuple[Stop | None, bool, str]:
    """Return what stops a packet or its answer, whether it is the answer, and that in a few words."""
    if of.lost_address:
        return None, False, f"it has not the address {of.packet.dst}"
    stopped = of.stops()
    if stopped is not None:
        return stopped[0], stopped[1], stopped[0].text
    if (out := of.answers_by) is not None:
        return None, True, f"its answers leave by {out}"
    return None, False, ""


def _went(of: Receiver, stop: Stop) -> int:
    return (moved(of.state, stop.rule) or 0) if stop.rule is not None and stop.rule.counts else 0


def _tell(case: Case, of: Receiver, stop: Stop | None, text: str, of_answer: bool, packets: list[int]) -> Told:
    name = of.container.name
    facts: Facts = {"container": name, "inside": text, "of_answer": of_answer}
    if stop is None:
        if out := of.answers_by:
            facts |= {"out": out, "came_by": of.link.name, "networks": sorted(elsewhere(of, case))}
            gateway = gateway_of(case, of.container, ip_version(case, packets[0]))
            facts |= {"asker": str(of.packet.src), "gateway": str(gateway)} if gateway is not None else {}
        proof = tuple(f"ip-route.json: {route.text}" for route in of.state.routes if route.dev == of.answers_by)
        return Told(facts, proof=tuple(f"containers/{name}/{line}" for line in proof[:2]))
    if stop.rule is not None:
        facts |= {"chain": stop.rule.chain, "number": stop.rule.number or 0}
        if (by := owner(stop.rule, of.state)) is not None:
            facts |= {"owner": by, **passage(case, packets[0], case.host_of(packets[0]))}
    if stop.policy is not None:
        facts |= {"policy_of": " ".join(stop.policy), "tunnels": _tunnels(of.state)}
    facts["rejected"] = stop.disposition is Disposition.REJECTED
    commands, helps = mended(case, packets[0], of, stop, of_answer=of_answer)
    if commands:
        facts |= {"commands": commands, "outcome": "helps" if helps else "not-enough"}
    return Told(
        facts,
        proof=tuple(f"containers/{name}/{line}" for line in stop.proof),
        tried=f"{name} then takes and answers it" if helps else None,
    )


def _tunnels(state: HostState) -> list[str]:
    """Return the tunnels of a container, or those that its rules let out by: they are there while its VPN runs."""
    links = [link.name for link in state.links if link.tunnel]
    rules = (TUNNEL.search(rule.text) for table in state.tables for rule in table.rules())
    return links or list(dict.fromkeys(found[1] for found in rules if found is not None))


HYPOTHESIS = Hypothesis(
    "stopped-in-container",
    Severity.ERROR,
    "captures, containers/NAME/ (iptables-save.txt, nft-ruleset.json, ip-route.json, ip-addr.json)",
    "What came to a container is dropped or rejected by its own rules, or its own routes let no answer out.",
    "Look inside: nsenter -t PID -n, then iptables -L -v, ip route, ip addr.",
    causes,
    Specific.SETTING,
    asks="iptables-save -c, ip route and ip addr in the container's namespace",
)
