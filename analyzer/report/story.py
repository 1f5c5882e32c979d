"""A journey as lines that read like the textbook: the hops, and between them why each led to the next.

Gives (style, text) pieces; whoever prints them decides what a style looks like. All text is made safe here.
"""

from collections.abc import Iterator
from itertools import pairwise

from analyzer.model import (
    Address,
    ArpStep,
    Basis,
    Disposition,
    FdbStep,
    FilterStep,
    Hop,
    IpvlanStep,
    Journey,
    Mac,
    MacvlanStep,
    NatStep,
    OwnRouteStep,
    ProxyStep,
    RouteStep,
    Step,
    TunnelStep,
    endpoint,
    mac_text,
)
from analyzer.model.rules import masquerades
from analyzer.model.words import plural
from analyzer.report.answer import WORDS
from analyzer.report.safe import safe
from analyzer.report.units import duration, since

Piece = tuple[str, str]
Line = list[Piece]


def tell(journey: Journey, start_ns: int, *, full: bool = False) -> Iterator[Line]:
    """
    Tell a journey.

    Args:
        journey: to tell.
        start_ns: time that the hops' times are relative to.
        full: with IP ids, lengths, and for every step its basis and what the host's dumps say of it.
    """
    yield title(journey)
    width = max(len(safe(hop.point)) for hop in journey.hops)
    steps = list(journey.steps)
    for number, hop in enumerate((*journey.hops, None)):
        for step in steps:
            if step.at_hop == number:
                text = explain(step)
                if full:
                    text += f"  [{step.basis}]"
                yield [("rule", "    │ "), (f"step.{step.kind}", safe(text))]
                for detail in stated(step) if full else ():
                    yield [("rule", "    │   "), ("dim", safe(detail))]
        if hop is not None:
            yield _hop(hop, width, start_ns, full=full)
    yield _ending(journey)


def title(journey: Journey) -> Line:
    """Name a journey, and what it belongs to."""
    first = journey.hops[0]
    line = [("id", f"J{journey.id} "), ("summary", safe(journey.summary))]
    if journey.says is not None:
        line.append(("summary", f": {safe(journey.says)}"))
    if first.src is not None and journey.protocol not in ("arp",):
        line.append(("", f"  {endpoint(first.src, first.sport)} → {endpoint(first.dst, first.dport)}"))
    if journey.connection is not None:
        line.append(("dim", f"  connection C{journey.connection}, {journey.direction}"))
    if journey.retransmission_of is not None:
        line.append(("warn", f"  sent again after J{journey.retransmission_of}"))
    if journey.error_about is not None:
        line.append(("warn", f"  about J{journey.error_about}"))
    if journey.ambiguous:
        others = ", ".join(f"J{other}" for other in journey.candidates or ())
        line.append(("warn", f"  ambiguous: equal packets at the same time{f' as {others}' if others else ''}"))
    return line


def _hop(hop: Hop, width: int, start_ns: int, *, full: bool) -> Line:
    changed = {rewrite.field for rewrite in hop.rewrites}
    frames = _numbers(hop.frames)
    line = [
        ("rule", "    ● "),
        ("point", f"{safe(hop.point):<{width}}"),
        ("dim", f"  #{frames:<4} {since(hop.time_ns, start_ns)}  "),
    ]
    if hop.src is not None:
        line.append(("changed" if {"src", "sport"} & changed else "", endpoint(hop.src, hop.sport)))
        line.append(("", " → "))
        line.append(("changed" if {"dst", "dport"} & changed else "", endpoint(hop.dst, hop.dport)))
    if hop.ttl is not None:
        line.append(("changed" if "ttl" in changed else "dim", f"  ttl {hop.ttl}"))
    if hop.icmp_id is not None and (full or "icmp_id" in changed):
        line.append(("changed" if "icmp_id" in changed else "dim", f"  id {hop.icmp_id}"))
    if hop.vlan is not None:
        line.append(("dim", f"  vlan {hop.vlan}"))
    if hop.eth_src is not None and hop.eth_dst is not None:
        style = "changed" if {"eth_src", "eth_dst"} & changed else "dim"
        line.append((style, f"  {mac_text(hop.eth_src)} → {mac_text(hop.eth_dst)}"))
    if full:
        identity = f", ip id 0x{hop.ip_id:04x}" if hop.ip_id is not None else ""
        line.append(("dim", f"  {hop.length} bytes{identity}"))
    if len(hop.frames) > 1 or "frames" in changed:
        line.append(("changed", f"  {plural(len(hop.frames), 'frame')}, {hop.length} bytes"))
    if hop.latency_ns is not None:
        line.append(("dim", f"  then {duration(hop.latency_ns)}{doubt(hop)}"))
    return line


def doubt(hop: Hop) -> str:
    """Say how much longer or shorter it may have taken to the next hop."""
    return f" ± {duration(hop.latency_uncertainty_ns)}" if hop.latency_uncertainty_ns is not None else ""


def legs(there: Journey, back: Journey) -> str:
    """Say what a question took to where it was seen last, what passed until its answer was seen, and the way back."""
    first, turned, returned, last = there.hops[0], there.hops[-1], back.hops[0], back.hops[-1]
    times = [hop.time_ns for hop in (first, turned, returned, last)]
    named = f"round trip of J{there.id} and J{back.id}"
    if times != sorted(times):
        return f"{named}: the times of its points do not tell what each leg took"
    out, beyond, home = (duration(later - earlier) for earlier, later in pairwise(times))
    where = f"beyond {turned.point}" if turned.point == returned.point else f"{turned.point} → {returned.point}"
    return (
        f"{named}, {duration(times[-1] - times[0])}: there {out} ({first.point} → {turned.point}), {where} {beyond}, "
        f"back {home} ({returned.point} → {last.point})"
    )


def _numbers(frames: tuple[int, ...]) -> str:
    """Print frame numbers, consecutive ones as a range."""
    if len(frames) > 1 and frames == tuple(range(frames[0], frames[0] + len(frames))):
        return f"{frames[0]}-{frames[-1]}"
    return ",".join(str(frame) for frame in frames)


def explain(step: Step) -> str:
    """Say a step in one sentence."""
    if isinstance(step, OwnRouteStep):
        return _explain_own_route(step)
    if isinstance(step, ArpStep):
        return _explain_arp(step)
    if isinstance(step, FdbStep):
        return _explain_fdb(step)
    if isinstance(step, MacvlanStep | IpvlanStep):
        return _explain_parent(step)
    if isinstance(step, RouteStep):
        return _explain_route(step)
    if isinstance(step, TunnelStep):
        return _explain_tunnel(step)
    if isinstance(step, ProxyStep):
        who = "a user-mode network, such as pasta" if step.user_mode else "a process of the host, such as docker-proxy"
        return f"proxy: {step.program or f'{who},'} takes these bytes, and sends them on in C{step.connection}"
    if isinstance(step, FilterStep):
        return f"stopped: {step.cause}" + (f", which counted {plural(step.counted, 'packet')}" if step.counted else "")
    return _explain_nat(step)


def stated(step: Step) -> list[str]:
    """Return what dumps say of a step, beside what frames show."""
    if isinstance(step, OwnRouteStep | RouteStep):
        why = [f"chosen as {step.why}"] if step.why is not None else []
        if isinstance(step, OwnRouteStep):
            return why
        return why + ([f"neighbour entry “{step.neighbour}”"] if step.neighbour is not None else [])
    if isinstance(step, FdbStep) and step.entry is not None:
        return [f"FDB entry “{step.entry}”"]
    return []


def _explain_own_route(step: OwnRouteStep) -> str:
    to = f"by {step.gateway}" if step.gateway is not None else "straight over its own link"
    how = f", by its “{step.route}”" if step.route is not None else ", as the MAC shows"
    return f"route: {step.container or 'the sender'} sends it {to}{how}"


def _explain_arp(step: ArpStep) -> str:
    exchange = step.exchange
    answer = mac_text(exchange.answer_mac) if exchange.answer_mac is not None else "nobody"
    took = duration(exchange.latency_ns) if exchange.latency_ns is not None else "?"
    again = f", asked {exchange.requests} times" if exchange.requests > 1 else ""
    return (
        f"{exchange.protocol.upper()}: it waited while {_asker(exchange.asker_ip, exchange.asker)} asked "
        f"who has {exchange.asked_ip}; {answer} answered after {took} "
        f"(frames {exchange.request_frame}, {exchange.reply_frame} at {exchange.point}{again})"
    )


def _asker(ip: Address | None, mac: Mac) -> str:
    return str(ip) if ip is not None else mac_text(mac)


def _explain_fdb(step: FdbStep) -> str:
    if step.flooded:
        return f"bridge: flooded from {step.from_point} to {step.to_point}, like every broadcast"
    if step.local:
        return f"bridge: {mac_text(step.mac)} is the bridge's own MAC, so up to the host's IP stack"
    if step.copied:
        return f"bridge: {step.to_point} takes a copy of what it forwards, because capturing makes it promiscuous"
    if step.learnt_point is not None:
        learnt = f"learnt on {step.learnt_point} from frame {step.learnt_frame}"
        return f"bridge: forwarded by MAC, {mac_text(step.mac)} was {learnt}"
    return f"bridge: forwarded by MAC {mac_text(step.mac)}"


def _explain_parent(step: MacvlanStep | IpvlanStep) -> str:
    mode = f", mode {step.mode}" if step.mode is not None else ""
    lies = f"{step.kind}: {step.container}'s interface lies on {step.parent}{mode}"
    if isinstance(step, MacvlanStep):
        return f"{lies}; {'out' if step.outward else 'in'} by its own MAC, no bridge and no rule of the host is asked"
    if step.mode in ("l3", "l3s"):
        asked = "its rules, too" if step.mode == "l3s" else "not its rules"
        return f"{lies}: no ARP, the host's routes send it {'on' if step.outward else 'in'}; {asked}"
    return f"{lies}; {'out' if step.outward else 'in'} by the MAC that both have, no bridge and no rule is asked"


def _explain_route(step: RouteStep) -> str:
    text = f"route: forwarded, ttl {step.ttl_before} → {step.ttl_after}"
    if step.next_hop_mac is not None:
        known = f"{step.next_hop_ip} is " if step.next_hop_ip is not None else ""
        text += f", next hop {known}{mac_text(step.next_hop_mac)}"
    if step.route is not None:
        text += f", by “{step.route}”"
    return text


def _explain_nat(step: NatStep) -> str:
    name = "MASQUERADE" if masquerades(step.rule) else step.nat
    if step.reverse:
        return f"NAT: {name} undone on the way back, {step.field} {step.before} → {step.after}"
    rule = f", by “{step.rule}”" if step.rule is not None else ""
    return f"NAT: {name}, {step.field} {step.before} → {step.after}{rule}"


def _explain_tunnel(step: TunnelStep) -> str:
    ends = f"{step.src} → {step.dst}, VNI {step.vni}"
    if step.action == "encapsulated":
        outer = f"{endpoint(step.src, step.sport)} → {endpoint(step.dst, step.dport)}"
        return f"tunnel: put into VXLAN, {outer}, VNI {step.vni}"
    return (
        f"tunnel: carried by the network between, {ends}"
        if step.action == "carried"
        else f"tunnel: out of VXLAN, {ends}"
    )


def answered(journey: Journey) -> str:
    """Say when an answer came; the time that a lost packet cost is told apart from the one that its answer took."""
    by, took, again = f"answered by J{journey.answered_by}", journey.reply_latency_ns, journey.sent_again_ns
    if took is None:
        return by
    if again is None or again > took:
        return f"{by} after {duration(took)}"
    return f"retransmitted after {duration(again)}, {by} {duration(took - again)} after that"


def _ending(journey: Journey) -> Line:
    good = journey.disposition in (Disposition.DELIVERED, Disposition.LEFT_HOST)
    style = "good" if good else "unsure" if journey.disposition is Disposition.NOT_OBSERVABLE else "bad"
    line = [("rule", "    ╰ "), (style, WORDS[journey.disposition])]
    line.append(("dim", f": {safe(journey.reason)}"))
    if journey.basis is Basis.INFERRED:
        line.append(("dim", " (inferred)"))
    if journey.rejected_by is not None:
        line.append(("", f"; the error is J{journey.rejected_by}"))
    if journey.answered_by is not None:
        line.append(("", f"; {answered(journey)}"))
    if journey.answers is not None:
        line.append(("", f"; answers J{journey.answers}"))
    return line
