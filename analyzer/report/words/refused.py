"""Who refuses, and what is known of why."""

from analyzer.model.finding import Fact
from analyzer.report.words.published import published
from analyzer.report.words.sentence import Facts, Words, affected, packets, several, texts


def connection_refused(f: Facts) -> Words:
    """Somebody says no; or what only looks like it."""
    if (other := _looks_like_it(f)) is not None:
        return other
    container = f.get("container")
    where = f"{f['target']} (container {container})" if container else str(f["target"])
    more = f" and {f['more_ports']} more" if f.get("more_ports") else ""
    return Words(
        f"{where} refuses port {', '.join(texts(f, 'ports'))}{more}: {packets(f)}",
        f"{_known(f)} {affected(f)}",
        _why_refused(f, container),
        remedy=_for_refused(f),
    )


def _looks_like_it(f: Facts) -> Words | None:
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
    return None


def _known(f: Facts) -> str:
    """Say what is known of who listens there, and of whoever was refused."""
    strays, local = f.get("strays"), f.get("published_locally")
    if f.get("by_turns"):
        return "Between refusals, the same port was accepted."
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
        why = f"They reached this host, where nobody listens on that port: {published(f)[0]}."
    if f.get("router"):
        why = f"The RST comes from {f['router']} itself, this host's gateway: no router has counted its TTL down."
        if f.get("published_by"):
            why += (
                f" {f['published_by']} publishes that port here, so {f['target']} is probably the router's own public "
                "address: it forwards the port for those outside, and not for those inside (NAT loopback)."
            )
    if answering := texts(f, "answers_at"):
        why += f" The same server answers at port {several(answering)}, so the way to it is fine."
    if f.get("turned"):
        why += f" Whoever asked turned to {f['then_reached']} at once, and got through."
    why += " Later connections were accepted." if f.get("accepted_later") else ""
    why += f" Docker's health check calls {f['container']} unhealthy." if f.get("unhealthy") else ""
    why += f" Docker publishes it as {local}, which is for the host itself only." if local else ""
    if "." in str(f.get("short_name", "")):
        why += (
            f" {f['short_name']} was asked for with the search domain {f['domain']} behind it, where a wildcard seems "
            "to answer for any name: options ndots says how many dots keep a name from that (resolv.conf(5))."
        )
    elif f.get("short_name"):
        why += f" If a container called {f['short_name']} was meant, it is not known on this network, or does not run."
    return why


def _for_refused(f: Facts) -> str | None:
    if f.get("by_turns") and f.get("container"):
        return f"docker logs {f['container']} says why its program ends; until then, let clients try again."
    if f.get("by_turns"):
        return (
            f"Look behind {f['target']}: a load balancer, round-robin or a rule that shares connections out, with a "
            "server that is down and still among them."
        )
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
    if f.get("router"):
        return _for_router(f)
    if f.get("strays"):
        return "Have the server answer from where it was asked; for TFTP and the like, a conntrack helper."
    if f.get("publishes"):
        return published(f)[1]
    return _for_listening(f)


def _for_router(f: Facts) -> str:
    if f.get("published_by"):
        return (
            f"Ask for {f['published_by']} by its name on a network that both are on, or by this host's address: split "
            f"DNS, extra_hosts; or switch NAT loopback (hairpin NAT) on at {f['router']}."
        )
    return f"See on {f['router']}, the router, whether a rule of its own refuses, or a port forward is missing."


def _for_listening(f: Facts) -> str | None:
    if f.get("died") and not f.get("listens_on"):
        return (
            f"See why it ended: docker logs {f.get('container')}, its exit code, memory (OOM). A restart policy starts "
            "it again; let clients try again."
        )
    if f.get("only_at"):
        return _for_all(f)
    if f.get("listens_on") and f.get("container") and f.get("asked_outside"):
        there = texts(f, "listens_on")[0].partition("/")[0]
        return f"Publish the port that it listens on: -p {f['asked_outside']}:{there}; or let the program use this one."
    if f.get("listens_on") and f.get("maps_to"):
        there = texts(f, "listens_on")[0].partition("/")[0]
        return f"Publish the port that it listens on: -p {f['maps_to']}:{there}; or let the program use this one."
    if elsewhere := texts(f, "elsewhere"):
        if f.get("alias"):
            return (
                f"Give the name {f['alias']} to {elsewhere[0]} alone (networks: aliases: in the compose file), or ask "
                f"by names that only one has: {elsewhere[0]}."
            )
        if f.get("made_since"):
            return (
                f"Let it look the name up again: restart or reload it. A proxy that looks up once, as nginx does with "
                f"upstreams, needs resolver 127.0.0.11 valid=10s and the name in a variable. {_now_at(f)}"
            )
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
        return (
            f"If {there} was meant, ask for that. Else see in the log of {f.get('container') or f['target']} whether "
            "what shall listen here has started, or was only late: then let clients wait (compose: depends_on with "
            "condition service_healthy), or try again."
        )
    if f.get("nobody_at"):
        return "Start the program, or see in its log why it does not listen."
    return None


def _for_all(f: Facts) -> str:
    """Somebody listens, for others."""
    program = f.get("program") or "the program"
    if texts(f, "only_at") == ["IPv4"]:
        return (
            f"Let {program} listen on ::, which takes IPv4 as well unless told otherwise; or let clients ask by IPv4."
        )
    if f.get("container"):
        return f"Let {program} listen on 0.0.0.0 or ::, or on the address that is asked."
    return (
        f"Let {program} listen on {f['target']} as well. On 0.0.0.0 or :: whoever reaches this host may use it, unless "
        "its firewall keeps them out."
    )


def _now_at(f: Facts) -> str:
    """Say where those are that may have been meant."""
    now = [f"{name} is {ip} now" for name, ip in zip(texts(f, "made_since"), texts(f, "now_at"), strict=True)]
    return f"{', '.join(now)}."


def _why_refused(f: Facts, container: Fact | None) -> str:
    """Say who refuses, and what is known of why: the end of the first sentence."""
    if f.get("short_name"):
        name = f["short_name"]
        return f"{name} was completed to {name}.{f['domain']} by a search domain, and {f['target']} there refuses"
    if f.get("strays"):
        return ""
    if f.get("by_turns"):
        if container:
            return f"{container} refuses at times, and accepts between: its program stops and starts again"
        return f"one of several behind {f['target']} refuses, and others accept"
    if f.get("sent_by_rule"):
        return f"a rule sends it to {f['target']}, where nobody listens: “{f['sent_by_rule']}”"
    if f.get("router"):
        more = f", which forwards {f['published_by']}'s port only from outside" if f.get("published_by") else ""
        return f"the router {f['router']} itself refuses{more}"
    if f.get("publishes"):
        return published(f)[0]
    if f.get("listens_now"):
        return f"{container or f['target']} refuses, for {f['listens_now']} did not listen there yet"
    return _who_listens(f, container)


def _who_listens(f: Facts, container: Fact | None) -> str:
    if f.get("only_at"):
        return f"{f.get('program') or 'what listens there'} listens only on {' and '.join(texts(f, 'only_at'))}"
    if f.get("listens_on") and f.get("asked_outside"):
        return f"{container or f['target']} refuses, it listens on {several(texts(f, 'listens_on'))}"
    if f.get("listens_on") and f.get("maps_to"):
        listens = several(texts(f, "listens_on"))
        return f"{container or f['target']}, which publishes it as port {f['maps_to']}, listens on {listens} instead"
    if f.get("died"):
        return f"the program in {container or f['target']} has ended: it reset a connection, and nobody listens since"
    if (elsewhere := texts(f, "elsewhere")) and f.get("alias"):
        other = elsewhere[0]
        return f"name {f['alias']} is of {container or f['target']} and {other} alike, and only {other} has that port"
    if elsewhere and (since := texts(f, "made_since")):
        had = since[0] if len(since) == 1 else "another container"
        return f"it asks the address that {had} had before; {container or f['target']} has it now"
    if elsewhere:
        return f"nothing listens there in {container or f['target']}, but in {several(elsewhere)}"
    if f.get("listens_on"):
        return f"{container or f['target']} refuses, it listens on {several(texts(f, 'listens_on'))}"
    if answering := texts(f, "answers_at"):
        return f"{f['target']} refuses that port, and answers at {several(answering)}"
    if local := f.get("published_locally"):
        return f"Docker publishes it as {local}, for the host itself only"
    return f"{container or f['target']} refuses, nothing listens there"


SAYS = {"connection-refused": connection_refused}
