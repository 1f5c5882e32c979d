"""What the ends do: refuse, keep silent, do not read."""

from analyzer.model.finding import Fact
from analyzer.model.words import plural
from analyzer.report.words.sentence import Facts, Verb, Words, affected, number, packets, several, texts

DELIVERED, LEFT_HOST = "delivered", "left-host"
BEHIND = {
    DELIVERED: "They arrived; the receiver drops them: its own firewall, or its queue is full (ss -ltn).",
    LEFT_HOST: "They left this host: something beyond it drops them, or the answers.",
}
UNKNOWN = "What became of them behind that point was not captured."


def connection_refused(f: Facts) -> Words:
    """Somebody says no; or what only looks like it."""
    if f.get("too_late"):
        return Words(
            f"{packets(f, 'answer')} came when nobody waited any more",
            "The asker had closed its port: it had its answer already, from another try, or had given up. "
            f"{affected(f)}",
            remedy="Nothing to do, unless answers are slow.",
        )
    if f.get("probes"):
        return Words(
            f"{packets(f, 'probe')} of a traceroute reached the end",
            f"Nobody listens on such ports, which is how traceroute knows. {affected(f)}",
            remedy="Nothing to do.",
        )
    if f.get("reset_for"):
        target = f["reset_for"]
        return Words(
            f"this host itself resets connections to {target}: {packets(f)}",
            "The RST has a MAC of this host and a TTL that no router counted down, so it is no answer of "
            f"{target}. {affected(f)}",
            "this host itself resets the connection",
            remedy="Look for a rule with REJECT --reject-with tcp-reset, or a proxy that takes such connections.",
        )
    container = f.get("container")
    where = f"{f['target']} (container {container})" if container else str(f["target"])
    more = f" and {f['more_ports']} more" if f.get("more_ports") else ""
    strays, local = f.get("strays"), f.get("published_locally")
    why = (
        "They answer a container, but come from another address or port than it asked, which NAT does not know."
        if strays
        else "They reached it, and nobody listens there, or only on another address, such as 127.0.0.1."
    )
    if f.get("nobody_at"):
        listens = ", ".join(texts(f, "listens_on")) or "nothing"
        why = f"They reached it, and nobody listens on {f['nobody_at']} there; what listens: {listens}."
    if f.get("only_at"):
        only = " and ".join(texts(f, "only_at"))
        why = f"They reached it, and {f.get('program') or 'what listens'} listens only on {only}."
    if f.get("listens_now"):
        why = f"They reached it, and nobody listened there yet: {f['listens_now']} does by now."
    if f.get("publishes"):
        why = f"They reached this host, where nobody listens on that port: {_published(f)[0]}."
    why += " Later connections were accepted." if f.get("accepted_later") else ""
    why += f" Docker publishes it as {local}, which is for the host itself only." if local else ""
    cause = _why_refused(f, container)
    if "." in str(f.get("short_name", "")):
        why += (
            f" {f['short_name']} was asked for with the search domain {f['domain']} behind it, where a wildcard seems "
            "to answer for any name: options ndots says how many dots keep a name from that (resolv.conf(5))."
        )
    elif f.get("short_name"):
        why += f" If a container called {f['short_name']} was meant, it is not known on this network, or does not run."
    return Words(
        f"{where} refuses port {', '.join(texts(f, 'ports'))}{more}: {packets(f)}",
        f"{why} {affected(f)}",
        cause,
        remedy=_for_refused(f),
    )


def _for_refused(f: Facts) -> str | None:
    if f.get("listens_now"):
        return "Let the client wait, or try again: compose has depends_on with condition service_healthy for it."
    if "." in str(f.get("short_name", "")):
        return (
            f"Take the search domain {f['domain']} away, or set options ndots:1 (docker run --dns-option ndots:1, "
            "--dns-search .); or ask with a dot behind the name."
        )
    if f.get("sent_by_rule"):
        return (
            "Limit the rule to what it was meant for (-i INTERFACE, -d ADDRESS, -m addrtype --dst-type LOCAL), or "
            "delete it; or start what shall listen there."
        )
    if f.get("strays"):
        return "Have the server answer from where it was asked; for TFTP and the like, a conntrack helper."
    if f.get("publishes"):
        return _published(f)[1]
    if f.get("only_at"):
        return f"Let {f.get('program') or 'the program'} listen on 0.0.0.0 or ::, or on the address that is asked."
    if f.get("listens_on") and f.get("container") and f.get("asked_outside"):
        there = texts(f, "listens_on")[0].partition("/")[0]
        return f"Publish the port that it listens on: -p {f['asked_outside']}:{there}; or let the program use this one."
    if elsewhere := texts(f, "elsewhere"):
        if not f.get("listens_on"):
            return (
                f"Start the program in {f.get('container') or f['target']} (docker logs says why it does not run), "
                "or take "
                f"it out of what clients ask: {several(elsewhere)} has it. If that one was meant, ask by its name."
            )
        return f"If {elsewhere[0]} was meant: ask by its name, for addresses change when containers are made again."
    if f.get("listens_on") and not f.get("container"):
        return f"Start on {f['target']} what shall listen on {f['nobody_at']}, or ask another port or machine."
    if f.get("listens_on"):
        there = texts(f, "listens_on")[0].partition(" ")[0]
        return f"Ask for {there}, or publish that port; or let the program use this one."
    if f.get("nobody_at"):
        return "Start the program, or see in its log why it does not listen."
    return None


def _why_refused(f: Facts, container: Fact | None) -> str:
    """Say who refuses, and what is known of why: the end of the first sentence."""
    if f.get("short_name"):
        name = f["short_name"]
        return f"{name} was completed to {name}.{f['domain']} by a search domain, and {f['target']} there refuses"
    if f.get("strays"):
        return ""
    if f.get("sent_by_rule"):
        return f"a rule sends it to {f['target']}, where nobody listens: “{f['sent_by_rule']}”"
    if f.get("publishes"):
        return _published(f)[0]
    if f.get("listens_now"):
        return f"{container or f['target']} refuses, for {f['listens_now']} did not listen there yet"
    if f.get("only_at"):
        return f"{f.get('program') or 'what listens there'} listens only on {' and '.join(texts(f, 'only_at'))}"
    if f.get("listens_on") and f.get("asked_outside"):
        return f"{container or f['target']} refuses, it listens on {several(texts(f, 'listens_on'))}"
    if elsewhere := texts(f, "elsewhere"):
        return f"nothing listens there in {container or f['target']}, but in {several(elsewhere)}"
    if f.get("listens_on"):
        return f"{container or f['target']} refuses, it listens on {several(texts(f, 'listens_on'))}"
    if local := f.get("published_locally"):
        return f"Docker publishes it as {local}, for the host itself only"
    return f"{container or f['target']} refuses, nothing listens there"


def _published(f: Facts) -> tuple[str, str]:
    """Say how a container publishes what comes near, and what helps."""
    who, text = f["publisher"], str(f["port_text"])
    outside, inside = text.partition("->")[::2]
    return {
        "not-running": (f"{who}, which publishes that port, does not run ({f.get('status')})",
                        f"docker logs {who} says why; docker start {who}."),
        "no-proxy": (f"docker-proxy for {text} of {who} does not run",
                     f"docker restart {who} starts it again. Until then, ask {who} on a network that both are on."),
        "host-network": (f"{who} is on the host's network, where publishing {text} does nothing",
                         f"Ask for its program's own port, {inside.partition('/')[0]}, or give it a network."),
        "internal": (f"{who} is on network {f.get('network')}, which is internal: it publishes nothing",
                     "docker network connect a network with a way out."),
        "other-address": (f"{who} publishes it as {text}, at that address alone",
                          (f"Ask for {who} on a network that both are on, port {inside.partition('/')[0]}; or publish "
                          "it "
                           "at the address that is asked, too. Without an address all the world may reach it.")),
        "other-version": (f"{who} publishes it as {text}, for that IP version alone",
                          "Ask by the other IP version, or publish for both."),
        "other-protocol": (f"{who} publishes it as {text}, which is another protocol",
                           f"Publish it for the protocol that is asked: -p .../{'udp' if 'tcp' in inside else 'tcp'}."),
        "inside-port": (f"that is {who}'s own port, which it publishes as {text}",
                        f"From outside, ask for port {outside.rpartition(':')[2]}."),
    }[str(f["publishes"])]  # fmt: skip


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


def reset_on_the_way(f: Facts) -> Words:
    """Not the server."""
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
    return Words(
        f"{f['receiver']} takes no more data: window 0 for {closed:.1f} s",
        f"Its receive buffer is full, for the program there does not read. {affected(f)}",
    )


def answered_from_elsewhere(f: Facts) -> Words:
    """Asked here, answered there."""
    asked, other = f["asked_at"], f["other"]
    return Words(
        f"{asked} is asked, and {other} answers at {f['where']}",
        f"The answer has the right ports, and acknowledges the very SYN, but comes from {other}: the client, and "
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
    return Words(
        f"{server} reset {many} at the first request after {pause} of silence",
        f"{who}: it had closed or forgotten what was idle. {affected(f)}"
        + (" The client tried again, and got through." if f.get("tried_again") else ""),
        f"it is reset when it is used again after {pause} of silence",
        verb=Verb.KEEP,
        remedy=f"Let the client close what was idle for {least:.1f} s, or send keepalives more often (SO_KEEPALIVE, "
        "net.ipv4.tcp_keepalive_time); or raise the idle limit of the server, or of what is between.",
    )


SAYS = {
    "answered-from-elsewhere": answered_from_elsewhere,
    "connection-refused": connection_refused,
    "reset-after-idle": reset_after_idle,
    "syn-unanswered": syn_unanswered,
    "reset-on-the-way": reset_on_the_way,
    "zero-window": zero_window,
}
