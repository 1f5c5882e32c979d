"""What the ends do: refuse, keep silent, do not read."""

from analyzer.model.words import plural
from analyzer.report.words.sentence import Facts, Verb, Words, affected, number, offered, packets, several, texts

DELIVERED, LEFT_HOST = "delivered", "left-host"
BEHIND = {
    DELIVERED: "They arrived; the receiver drops them: its own firewall, or its queue is full (ss -ltn).",
    LEFT_HOST: "They left this host: something beyond it drops them, or the answers.",
}
UNKNOWN = "What became of them behind that point was not captured."


def syn_unanswered(f: Facts) -> Words:
    """Nobody says anything."""
    target = f.get("target") or f"{f.get('targets', 0):,} destinations"
    last, end = f["last"], str(f["end"])
    why = BEHIND.get(end, UNKNOWN)
    cause = {
        DELIVERED: f"its SYNs get to {last}, and nobody answers",
        LEFT_HOST: f"its SYNs leave by {last}, and nothing comes back",
    }.get(end, f"not known where, there is no capture beyond {last}")
    remedy = None
    if end == DELIVERED:
        remedy = "Look in the receiver: is its queue full (ss -ltn), do its own rules drop (nft list ruleset)?"
    if others := texts(f, "answers_at"):
        ports = several(others)
        why = f"They left this host, and the same server answers at port {ports}: somebody beyond drops just these."
        cause = f"something beyond {last} drops that port, for the same server answers at {ports}"
        remedy = (
            "Nothing on this host does it. Networks of providers often block port 25 and others: ask for it to be "
            "opened, or use another port of the service (587 or 465 for mail)."
        )
    if f.get("answers_here"):
        why = (
            "They left this host, and other connections of the same client to the same port were answered: of several "
            "servers behind that address one takes nothing, or somebody limits how many there may be."
        )
        cause = f"nothing comes back beyond {last}, while others to the same port are answered"
        remedy = (
            f"Nothing on this host does it. Look behind {target}: a load balancer, round-robin or anycast with a "
            "server that is down and still in it; or a limit of connections there."
        )
    if f.get("by_default") or f.get("dead_hop") or f.get("dead_ttl") or f.get("ecn"):
        why, cause, remedy = _way_out(f)
    if f.get("answers_udp"):
        why = "The same name server answered by UDP, cut short (TC): resolvers then ask again by TCP (RFC 7766)."
        cause = f"something beyond {last} drops DNS by TCP, and its answer by UDP did not fit"
        remedy = (
            f"Have TCP port 53 opened towards {target} at the firewall or router beyond {last}; or ask another name "
            "server."
        )
    if f.get("waiting"):
        program = f.get("program") or "the program there"
        why = f"{f['waiting']} connections wait to be accepted, and {f['room']} may: {program} does not accept them."
        cause = f"{program} does not accept connections, its queue is full ({f['waiting']} of {f['room']})"
        remedy = (
            f"See what {program} waits for: it hangs, or is too slow. A longer queue (net.core.somaxconn) only waits."
        )
    if f.get("into"):
        remedy = "Set the sender's default route to its network's gateway: ip route in the sender shows it."
        why = (
            f"They went into container {f['into']}, whose address {f['address']} is not: the sender has it for its "
            "gateway. See ip route in the sender."
        )
        cause = f"its SYNs go to container {f['into']}, which is not {f['address']}"
    return Words(
        f"no answer from {target}: {packets(f, 'SYN')}, last seen at {last}",
        f"{why} {affected(f)}",
        cause,
        verb=Verb.REACH if end == DELIVERED else Verb.ANSWER,
        remedy=remedy,
    )


def _way_out(f: Facts) -> tuple[str, str, str]:
    """The wrong default route, or a TTL that gives hosts behind this one away."""
    last = f["last"]
    if f.get("by_default"):
        first, other, mine = f["by_default"], f["other_default"], f["other_dev"]
        why = f"All of it left by “{first}”, which comes before “{other}” by its metric, and no answer came by {last}."
        remedy = (
            f"See why {f['gateway']} passes nothing on. If {mine} is the way out, give the route by {last} a larger "
            "metric than that one has, in what made it (NetworkManager: ipv4.route-metric, never-default; netplan: "
            f"dhcp4-overrides), or take it away: ip route del {first}"
        )
        return why, f"the default route by {last} comes first, and nothing comes back by {last}", remedy
    if f.get("dead_hop"):
        hop, route = f["dead_hop"], "the default route" if f["to"] == "default" else f"the route to {f['to']}"
        why = (
            f"The kernel shares connections out among the {f['hops']} next hops of {route}. {hop} has a MAC, and "
            "nothing that goes by it is answered; what goes by the others is."
        )
        advice = offered(f, f"See why {hop} passes nothing on. Until it does, take it out of the route:") or ""
        return why, f"{hop}, one of {f['hops']} next hops of {route}, passes nothing on", advice
    if f.get("ecn"):
        why = (
            "They offer ECN (the flags ECE and CWR, RFC 3168), and of the same servers those without it are answered: "
            "some firewalls drop SYNs with these flags."
        )
        remedy = (
            "Ask for it at the firewall beyond; or let the sender do without: sysctl -w net.ipv4.tcp_ecn=0 in its "
            "namespace (docker run --sysctl net.ipv4.tcp_ecn=0), or net.ipv4.tcp_ecn_fallback=1, which tries again "
            "without."
        )
        return why, f"something beyond {last} drops SYNs that offer ECN; those without are answered", remedy
    live, dead = f["live_ttl"], f["dead_ttl"]
    why = (
        f"Of the same servers, packets that leave with TTL {live}, this host's own, are answered, none with {dead}, "
        "which this host has counted down."
    )
    remedy = (
        "A provider that forbids tethering does that, or a router that wants to be the last one. With its leave: "
        f"iptables -t mangle -A POSTROUTING -o {last} -j TTL --ttl-set {live}"
    )
    return why, f"something beyond {last} drops TTL {dead}, what other machines send through this host", remedy


def zero_window(f: Facts) -> Words:
    """A full buffer."""
    closed = number(f, "closed_s")
    name = f.get("name") or f["receiver"]
    return Words(
        f"{name} takes no more data: window 0 for {closed:.1f} s",
        f"Its receive buffer is full, for the program there does not read. {affected(f)}",
        f"{name} takes no more data, its window is 0 for {closed:.1f} s" if f.get("stuck") else "",
        verb=Verb.USE,
        remedy=f"Look at the program in {name}, not at the network: it hangs, is blocked, or too slow (docker logs, "
        "docker stats, docker top)."
        if f.get("stuck")
        else None,
    )


def past_docker_proxy(f: Facts, asked: str) -> str:
    """Say how to reach a container's UDP port other than by docker-proxy, which answers from another address."""
    who, inner, outside = f["proxied"], f["inner_port"], str(f["port"]).partition("/")[0]
    return (
        f"Ask {who} by its name on a network that both are on, port {inner}; or publish it on that address alone: "
        f'-p {asked}:{outside}:{inner}/udp; or switch docker-proxy off ("userland-proxy": false in daemon.json).'
    )


def answered_from_elsewhere(f: Facts) -> Words:
    """Asked here, answered there."""
    asked, other = f["asked_at"], f["other"]
    fits = "has the right ports, and acknowledges the very SYN" if f.get("granted") else "goes to the port that asked"
    if f.get("proxied"):
        who, outside = f["proxied"], str(f["port"])
        return Words(
            f"{asked} is asked, and {other} answers at {f['where']}",
            f"The answer {fits}, but comes from {other}. docker-proxy serves {who}'s published port {outside} on all "
            f"addresses with one socket, so the kernel chooses the source of its answers by the route. {affected(f)}",
            f"docker-proxy answers from {other}, and nobody takes that for an answer",
            remedy=past_docker_proxy(f, str(asked)),
        )
    return Words(
        f"{asked} is asked, and {other} answers at {f['where']}",
        f"The answer {fits}, but comes from {other}: the client, and "
        f"conntrack, take it for somebody else's. So somebody on the way translated the question ({asked} to {other}) "
        f"and does not see the answers, or the server answers from another address of its own. {affected(f)}",
        f"{other} answers in its place, and nobody takes that for an answer",
        remedy=f"Ask {other} directly, or let answers go back by whoever translates {asked}: at a router, hairpin NAT "
        "that masquerades the client as well; at a load balancer, its own way back; at the server, its source address.",
    )


def reset_after_idle(f: Facts) -> Words:
    """How long it was silent."""
    server, many = f["server"], plural(number(f, "resets"), "connection")
    least, most = number(f, "least_s"), number(f, "most_s")
    pause = f"{least:.1f} s" if round(least, 1) == round(most, 1) else f"{least:.1f} to {most:.1f} s"
    who = (
        "The RSTs look like the server's own"
        if f.get("same_ttl")
        else "The RSTs have another TTL than all else from the server, so something on the way sends them"
    )
    had = "It had closed what was idle (FIN), and the client used it all the same."
    return Words(
        f"{server} reset {many} at the first request after {pause} of silence",
        f"{had if f.get('closed') else f'{who}: it had closed or forgotten what was idle.'} {affected(f)}"
        + (" The client tried again, and got through." if f.get("tried_again") else ""),
        f"it is reset when it is used again after {pause} of silence",
        verb=Verb.KEEP,
        remedy=f"Let the client close what was idle for {least:.1f} s, or send keepalives more often (SO_KEEPALIVE, "
        "net.ipv4.tcp_keepalive_time); or raise the idle limit of the server, or of what is between.",
    )


def goes_silent(f: Facts) -> Words:
    """Somebody between has forgotten it, or lets only SYNs pass."""
    least, most = number(f, "least_s"), number(f, "most_s")
    pause = f"{least:.1f} s" if round(least, 1) == round(most, 1) else f"{least:.1f} to {most:.1f} s"
    peer, where = f["peer"], f["where"]
    gone = "" if f.get("alive") else f", or {peer} is gone"
    if f["kind"] == "rested":
        return Words(
            f"after {pause} of silence nothing that is sent to {peer} is answered any more",
            f"Before that it was answered, and it goes on leaving by {where}: a firewall, NAT or load balancer beyond "
            f"this host probably forgets connections that are idle for so long{gone}. {affected(f)}",
            f"after {pause} of silence nothing is answered any more, as if forgotten beyond {where}",
            verb=Verb.KEEP,
            remedy=f"Send keepalives more often than the limit, which is shorter than {least:.1f} s: SO_KEEPALIVE with "
            "TCP_KEEPIDLE in the program, or net.ipv4.tcp_keepalive_time by docker run --sysctl for programs that ask "
            "for them; or have the idle limit raised where it is.",
        )
    if f["kind"] == "opened":
        return Words(
            f"after the handshake nothing that is sent to {peer} is answered",
            f"SYNs and their answers pass, and what comes then leaves by {where} again and again: somebody beyond "
            f"drops it by what it is, or all but SYNs; or {peer} never got the end of the handshake. {affected(f)}",
            f"after the handshake nothing is answered, dropped beyond {where}",
            verb=Verb.USE,
            remedy="Look for a firewall beyond this host that inspects contents or keeps state, and sees only one way "
            f"of the connection; and at {peer}, whether it gets what leaves here.",
        )
    return Words(
        f"from one moment on nothing that is sent to {peer} is answered any more",
        f"Until then it was answered, and it goes on leaving by {where}: {peer} or the way to it is gone, or somebody "
        f"beyond has begun to drop it. {affected(f)}",
        f"from one moment on nothing is answered any more, lost beyond {where}",
        verb=Verb.KEEP,
        remedy=f"See whether {peer} still runs, and whether the way to it changed: mtr {peer}.",
    )


SAYS = {
    "connection-goes-silent": goes_silent,
    "answered-from-elsewhere": answered_from_elsewhere,
    "reset-after-idle": reset_after_idle,
    "syn-unanswered": syn_unanswered,
    "zero-window": zero_window,
}
