"""A journey in prose, step by step, as one would teach it: what each part of the host does with the packet, and why.

Takes a journey and the points, gives sentences with the addresses and times of this very capture. Only what the
journey holds is told; where a claim is inferred, the sentence says so.
"""

from collections.abc import Iterator, Mapping

from analyzer.model import (
    Address,
    ArpStep,
    Basis,
    Direction,
    Disposition,
    FdbStep,
    FilterStep,
    Hop,
    IpvlanStep,
    Journey,
    MacvlanStep,
    NatStep,
    OwnRouteStep,
    Point,
    ProxyStep,
    Role,
    RouteStep,
    Step,
    TunnelStep,
    endpoint,
    mac_text,
)
from analyzer.model.rules import masquerades
from analyzer.report.units import duration

_INSIDE = (Role.VETH, Role.CONTAINER)
_ENDINGS = {
    Disposition.DELIVERED: "It has arrived: {}.",
    Disposition.LEFT_HOST: "That is the last this host sees of it: {}.",
    Disposition.REJECTED: "Here its way ends, and the sender is told: {}.",
    Disposition.DROPPED: "Here its way ends: {}.",
    Disposition.LOST: "Here it disappears: {}.",
    Disposition.NOT_OBSERVABLE: "What became of it these captures cannot tell: {}.",
}


def lesson(journey: Journey, points: Mapping[str, Point]) -> Iterator[str]:
    """Give the journey's sentences, in order; *points* are by name."""
    yield _begin(journey, points)
    for number, hop in enumerate((*journey.hops, None)):
        for step in journey.steps:
            if step.at_hop == number:
                yield _step(step, journey, points)
        if hop is not None:
            yield _seen(journey, number, hop, points)
    yield _ENDINGS[journey.disposition].format(journey.reason)
    if journey.answered_by is not None:
        took, again = journey.reply_latency_ns, journey.sent_again_ns
        if took is not None and again is not None and again <= took:
            yield f"Nothing came for {duration(again)}, so it was sent again."
            took -= again
        after = f" after {duration(took)}" if took is not None else ""
        yield f"The answer is J{journey.answered_by}; it is back where this one began{after}."
    elif journey.rejected_by is not None:
        yield f"The message that tells the sender is J{journey.rejected_by}."


def _begin(journey: Journey, points: Mapping[str, Point]) -> str:
    first = journey.hops[0]
    point = points[first.point]
    who = _who(point, first.src)
    what = f"{_article(journey.summary)} {journey.summary}"
    target = f" for {endpoint(first.dst, first.dport)}" if first.dst is not None and journey.protocol != "arp" else ""
    if journey.direction is Direction.REPLY:
        answered = f"answers J{journey.answers} with " if journey.answers is not None else "sends back "
        return f"{who} {answered}{what}{target}."
    again = f", once more after J{journey.retransmission_of}" if journey.retransmission_of is not None else ""
    return f"{who} sends {what}{target}{again}."


def _who(point: Point, src: Address | None) -> str:
    sender = f", {src}," if src is not None else ""
    if point.role in _INSIDE:
        return f"{f'Container {point.container}' if point.container else f'The container behind {point.name}'}{sender}"
    if point.role is Role.UPLINK:
        return f"From beyond {point.name}, {src}" if src is not None else f"Somebody beyond {point.name}"
    return f"{src}, first seen at {point.name}," if src is not None else f"Somebody at {point.name}"


def _article(summary: str) -> str:
    return "an" if summary[:1] in "AEIOU" else "a"


def _seen(journey: Journey, number: int, hop: Hop, points: Mapping[str, Point]) -> str:
    point = points[hop.point]
    frames = f"frame {hop.frames[0]}" if len(hop.frames) == 1 else f"frames {hop.frames[0]} to {hop.frames[-1]}"
    macs = ""
    if hop.eth_src is not None and hop.eth_dst is not None:
        macs = f", from MAC {mac_text(hop.eth_src)} to {mac_text(hop.eth_dst)}"
    where = {
        Role.VETH: f"{hop.point}, the host's end of the container's cable",
        Role.CONTAINER: f"{hop.point}, the container's own interface",
        Role.BRIDGE: f"the bridge {hop.point}",
        Role.UPLINK: f"the uplink {hop.point}",
        Role.OVERLAY: f"{hop.point}, in the overlay network",
        Role.LOOPBACK: f"the loopback interface {hop.point}",
    }.get(point.role, hop.point)
    before = journey.hops[number - 1] if number else None
    took = f" {duration(before.latency_ns)} later" if before is not None and before.latency_ns else ""
    length = f", {hop.length} bytes" if number == 0 else ""
    return f"It is seen{took} at {where} ({frames}{macs}{length})."


def _step(step: Step, journey: Journey, points: Mapping[str, Point]) -> str:
    if isinstance(step, OwnRouteStep):
        return _own_route(step)
    if isinstance(step, ArpStep):
        return _resolution(step)
    if isinstance(step, FdbStep):
        return _bridge(step)
    if isinstance(step, MacvlanStep | IpvlanStep):
        return _parent(step)
    if isinstance(step, RouteStep):
        return _route(step)
    if isinstance(step, NatStep):
        return _nat(step, journey)
    if isinstance(step, TunnelStep):
        return _tunnel(step)
    if isinstance(step, FilterStep):
        return _filter(step)
    return _proxy(step)


def _own_route(step: OwnRouteStep) -> str:
    found = f", and finds “{step.route}”" if step.route is not None else "; what it found, the destination MAC shows"
    asked = f"{step.container or 'The sender'} looks into its own routes first{found}"
    if step.gateway is None:
        return f"{asked}: the destination is on its own link."
    return (
        f"{asked}: the destination is not on its link, so the frame goes to the gateway {step.gateway}, while the "
        "packet in it keeps its destination."
    )


def _resolution(step: ArpStep) -> str:
    exchange = step.exchange
    protocol = "ARP" if exchange.protocol == "arp" else "neighbour discovery"
    asker = str(exchange.asker_ip) if exchange.asker_ip is not None else mac_text(exchange.asker)
    answer = mac_text(exchange.answer_mac) if exchange.answer_mac is not None else "nobody"
    took = f"After {duration(exchange.latency_ns)} " if exchange.latency_ns is not None else "Then "
    again = f" It has to ask {exchange.requests} times." if exchange.requests > 1 else ""
    return (
        f"A frame needs a destination MAC, and {asker} does not know that of {exchange.asked_ip} yet. It asks "
        f"everybody on the link by {protocol}, “who has {exchange.asked_ip}?”, and the packet waits.{again} "
        f"{took}{answer} answers (frames {exchange.request_frame} and {exchange.reply_frame} at {exchange.point})."
    )


def _parent(step: MacvlanStep | IpvlanStep) -> str:
    """Tell what a macvlan or ipvlan interface is."""
    if isinstance(step, MacvlanStep):
        return (
            f"{step.container} has no veth and no bridge: its interface is a macvlan on {step.parent}, with a MAC of "
            f"its own, as if it were plugged into the same switch. {step.parent} takes frames for both; the host's "
            "routes and rules are not asked, and by design the host itself cannot talk to it this way."
        )
    if step.mode in ("l3", "l3s"):
        return (
            f"{step.container} has no veth and no bridge: its interface is an ipvlan on {step.parent} in {step.mode} "
            f"mode. It has {step.parent}'s MAC and asks nobody by ARP: the host's routes send its packets on."
        )
    return (
        f"{step.container} has no veth and no bridge: its interface is an ipvlan on {step.parent}. Both have one MAC, "
        f"so {step.parent} tells by the IP address which of them a frame is for."
    )


def _bridge(step: FdbStep) -> str:
    mac = mac_text(step.mac)
    if step.flooded:
        return f"{mac} is a group address, so the bridge floods the frame from {step.from_point} to all its ports."
    if step.local:
        return (
            f"The bridge looks at the destination MAC: {mac} is its own. The frame is meant for the host itself, so "
            "the bridge does not pass it to another port but hands it up to the host's IP stack."
        )
    if step.copied:
        return (
            f"The bridge forwards the frame to another port. {step.to_point} itself sees a copy only because a capture "
            "makes it promiscuous."
        )
    if step.learnt_point is not None:
        return (
            f"The bridge forwards by MAC alone: {mac} is behind {step.learnt_point}, as it learnt when frame "
            f"{step.learnt_frame} came in there. Addresses and TTL stay as they are."
        )
    return f"The bridge forwards the frame by its destination MAC, {mac}, to {step.to_point}."


def _route(step: RouteStep) -> str:
    chosen = f"finds “{step.route}”" if step.route is not None else "finds a way"
    why = f" ({step.why})" if step.why is not None else ""
    hop = ""
    if step.next_hop_mac is not None:
        known = f"{step.next_hop_ip}, whose MAC is " if step.next_hop_ip is not None else "MAC "
        hop = f" The next hop is {known}{mac_text(step.next_hop_mac)}."
    return (
        f"The host looks up a route for the destination, {chosen}{why}, and forwards the packet to {step.to_point}. As "
        f"every router does, it lowers the TTL, from {step.ttl_before} to {step.ttl_after}, and puts the packet into a "
        f"new frame with its own MAC as the source.{hop}"
    )


def _nat(step: NatStep, journey: Journey) -> str:
    ends = {"src": "source", "dst": "destination"}[step.field[:3]] if step.field[:3] in ("src", "dst") else step.field
    change = f"{ends} {step.before} becomes {step.after}"
    connection = f"C{journey.connection}" if journey.connection is not None else "its connection"
    if step.reverse:
        return (
            f"conntrack knows this packet: it belongs to {connection}, in the other direction. So what was translated "
            f"on the way there is put back: {change}. No rule is asked for that."
        )
    rule = f" The rule that decides is “{step.rule}”." if step.rule is not None else ""
    if step.nat == "SNAT":
        masquerade = masquerades(step.rule)
        name = "masquerades" if masquerade else "translates the source (SNAT)"
        why = " Outside, nobody knows a way back to the address before, but one to the host." if masquerade else ""
        return (
            f"Just before the packet leaves, in POSTROUTING, netfilter {name}: {change}.{why}{rule} "
            "conntrack notes both tuples, so that answers find their way back."
        )
    return (
        f"Before any route is chosen, in PREROUTING, netfilter translates the destination (DNAT): {change}.{rule} "
        f"conntrack notes both tuples, so that answers seem to come from where they were sent to."
    )


def _tunnel(step: TunnelStep) -> str:
    ends = f"from {step.src} to {step.dst}, network {step.vni}"
    if step.action == "encapsulated":
        return (
            f"The receiver is on another host of the overlay network. So the whole frame becomes the payload of a UDP "
            f"datagram (VXLAN) {ends}, port {step.dport}."
        )
    if step.action == "carried":
        return f"The network between the hosts sees only the outer packet, {ends}."
    return f"The other host takes the outer headers off again (VXLAN {ends}), and the frame goes on as it was."


def _filter(step: FilterStep) -> str:
    counted = f" It counted {step.counted:,} such packets." if step.counted else ""
    told = "and tells the sender so" if step.verdict == "reject" else "and tells nobody"
    if step.rule is not None:
        return (
            f"netfilter runs the packet through its rules, and one of them fits: “{step.rule}” in table {step.table}. "
            f"So the host does not pass it on, {told}.{counted}"
        )
    return f"The host does not pass it on, {told}: {step.cause}.{counted}"


def _proxy(step: ProxyStep) -> str:
    who = f"{step.program}, a process of the host," if step.program else "a process of the host, as docker-proxy,"
    if step.user_mode:
        who = f"{step.program or 'a program such as pasta'}, which is this container's network,"
    return (
        f"Here the packet itself ends: {who} reads its bytes and writes them to a connection of its own, "
        f"C{step.connection}{' (inferred)' if step.basis is Basis.INFERRED else ''}."
    )
