"""What the ends do: refuse, keep silent, do not read."""

from analyzer.model.words import plural
from analyzer.report.words.sentence import Facts, Verb, Words, affected, number, packets, several, texts

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
    if f.get("by_default") or f.get("dead_ttl"):
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


def wrong_protocol(f: Facts) -> Words:
    """They do not understand each other."""
    name, server, many = f["name"], f["server"], plural(number(f, "count"), "connection")
    if f["kind"] == "tls":
        return Words(
            f"TLS is spoken to {server}, which answers in plain HTTP: {many}",
            "The client begins with a ClientHello (RFC 8446), and the server answers HTTP/1: it is reached, and has "
            f"no TLS at that port. Clients call that “wrong version number”. {affected(f)}",
            f"it speaks TLS to a port of {name} that speaks plain HTTP",
            verb=Verb.USE,
            remedy="Use http:// for this port, or the port at which the server speaks TLS; or end TLS in a proxy.",
        )
    return Words(
        f"plain HTTP is spoken to {server}, which speaks TLS: {many}",
        f"The client begins with a request of HTTP/1, and the server answers that it wants TLS. {affected(f)}",
        f"it speaks plain HTTP to a port of {name} that speaks TLS",
        verb=Verb.USE,
        remedy="Use https:// for this port, or the server's port for plain HTTP. Behind a proxy: proxy_pass https://...",
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


def reset_on_the_way(f: Facts) -> Words:
    """Not the server."""
    shut, served = texts(f, "shut_names"), texts(f, "served_names")
    who = "the next hop" if f.get("next_hop") else "somebody on the way"
    if shut:
        passes = f", while {several(served)} passes" if served else ""
        return Words(
            f"{packets(f)} at {f['where']} reset connections in the name of {f['server']}: TLS for {several(shut)}",
            f"They have a TTL of {f['ttl']}, and all else from there {f['others_ttl']}: {who} sent them, right after "
            f"the ClientHello, so by the name in it{passes}. {affected(f)}",
            f"{who} resets TLS for {several(shut)}{passes}, not {f['server']} itself",
            verb=Verb.USE,
            remedy=f"A content filter shuts {several(shut)} out: ask whoever runs the network beyond this host to let "
            "it pass; nothing on this host or at the server helps.",
        )
    return Words(
        f"{packets(f)} at {f['where']} reset connections in the name of {f['server']}",
        f"They have a TTL of {f['ttl']}, and all else from there {f['others_ttl']}: somebody on the way sent them, "
        f"right after the client's first data, so by its content. {affected(f)}",
        f"somebody on the way resets it after its first data, not {f['server']} itself",
        verb=Verb.USE,
        remedy="Ask whoever runs the network beyond this host about content filters; nothing on this host resets it.",
    )


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


def answered_from_elsewhere(f: Facts) -> Words:
    """Asked here, answered there."""
    asked, other = f["asked_at"], f["other"]
    fits = "has the right ports, and acknowledges the very SYN" if f.get("granted") else "goes to the port that asked"
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
    if f["kind"] == "rested":
        return Words(
            f"after {pause} of silence nothing that is sent to {peer} is answered any more",
            f"Before that it was answered, and it goes on leaving by {where}: a firewall, NAT or load balancer beyond "
            f"this host probably forgets connections that are idle for so long, or {peer} is gone. {affected(f)}",
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


def request_unanswered(f: Facts) -> Words:
    """It takes connections, and says nothing."""
    name, server, kind = f["name"], f["server"], f["kind"]
    many = plural(number(f, "count"), "connection")
    wait = number(f, "longest_s")
    if f.get("masked_by"):
        does = "resets it" if kind == "reset" else "closes it" if kind == "closed" else "does not answer"
        return Words(
            f"{server} {does}: {many}",
            f"A rule translates what stays on the bridge, which br_netfilter shows to iptables: “{f['masked_by']}”. So "
            f"the server sees {f['seen_as']}, for whom it may have no entry, instead of its client. {affected(f)}",
            f"it comes to {name} as {f['seen_as']}, for a rule masquerades inside the bridge, and {name} {does}",
            verb=Verb.USE,
            remedy="Limit the rule to what leaves: -o and the uplink's name, or ! -o and the bridge's, as Docker's own "
            "rules have it. Then see in the log of the server whether it takes its client.",
        )
    log = f"See the log of {name}: " if not str(name)[:1].isdigit() else f"See the log of what listens at {server}: "
    if kind == "closed":
        when = "after the first request" if f.get("asked") else "at once"
        return Words(
            f"{server} closed {many} {when}, without a word",
            f"The network did its part: the program there took the connection and closed it (FIN). {affected(f)}",
            f"{name} takes the connection and closes it {when}, without a word",
            verb=Verb.USE,
            remedy=f"{log}an allow-list, a limit of connections, another protocol (TLS) than the client's, or a proxy "
            "whose own server is down.",
        )
    if kind == "reset":
        return Words(
            f"{server} reset {many} after the first request",
            f"The RST has the TTL of all else from there, so it is the server's own: the program crashed, or closed "
            f"the connection with data unread. {affected(f)}",
            f"{name} itself resets the connection after the first request",
            verb=Verb.USE,
            remedy=f"{log}a crash, another protocol (TLS) than the client's, or a limit.",
        )
    if f.get("waiting"):
        program = f.get("program") or "the program there"
        return Words(
            f"{server} took {many} and did not answer for {wait:.1f} s",
            f"The kernel of {name} takes connections and acknowledges requests, and {program} does not accept them: "
            f"{f['waiting']} waited when the recording ended. {affected(f)}",
            f"{program} in {name} does not accept connections, {f['waiting']} wait",
            verb=Verb.USE,
            remedy=f"See what {program} waits for: it hangs, has too few workers, or no file descriptors left (ulimit "
            f"-n). {log.removesuffix(': ')}.",
        )
    return Words(
        f"{server} took {many} and did not answer for {wait:.1f} s",
        f"Its kernel acknowledged the request, and its program sent nothing: it hangs, waits for something else, or "
        f"expects more than the client sent. {affected(f)}",
        f"{name} takes the request and does not answer for {wait:.1f} s",
        verb=Verb.USE,
        remedy=f"{log}what it waits for (a database, a name server, a lock), and docker top, docker stats.",
    )


SAYS = {
    "wrong-protocol": wrong_protocol,
    "connection-goes-silent": goes_silent,
    "request-unanswered": request_unanswered,
    "answered-from-elsewhere": answered_from_elsewhere,
    "reset-after-idle": reset_after_idle,
    "syn-unanswered": syn_unanswered,
    "reset-on-the-way": reset_on_the_way,
    "zero-window": zero_window,
}
