"""What containers' own namespaces do."""

from analyzer.model.words import plural
from analyzer.report.words import programs
from analyzer.report.words.sentence import Facts, Verb, Words, affected, number, offered, packets, several, texts


def stopped_in_container(f: Facts) -> Words:
    """Its rules, its routes, its addresses."""
    name, text = f["container"], str(f["inside"])
    cause = _cause(f, str(name), text)
    what = f"{packets(f)} got into {name}"
    if f.get("out"):
        networks = f" ({', '.join(texts(f, 'networks'))})" if f.get("networks") else ""
        return Words(
            f"{what}, which answers by {f['out']}{networks}, not by {f['came_by']}",
            "Its routes send the answers another way than the questions came: there nobody knows the connection, or "
            f"source validation drops it. {affected(f)}",
            cause,
            remedy=f"Reach {name} on the network of its default route, or give it a route back by {f['came_by']}: "
            "ip rule add from ITS-ADDRESS with a table of its own, or, since Docker 28, docker network connect "
            f"--gw-priority.{_route_back(f)}",
        )
    does = "rejects" if f.get("rejected") else "stops"
    whom = "its answers" if f.get("of_answer") else "what came"
    return Words(
        f"{what}, which {does} {whom}: {text}",
        f"That is in the container's own network namespace, not on the host. {affected(f)}",
        cause,
        remedy=programs.told(f) if f.get("owner") else offered(f, _in_its_namespace(f)),
    )


def _in_its_namespace(f: Facts) -> str:
    """A VPN's container keeps everybody out on purpose: its own settings make the exceptions."""
    if not texts(f, "tunnels"):
        return "In the container's namespace:"
    return (
        f"{f['container']} is a VPN's container ({', '.join(texts(f, 'tunnels'))}), and this may be its kill switch. "
        "Its own settings let others in (gluetun: FIREWALL_INPUT_PORTS, and FIREWALL_OUTBOUND_SUBNETS for those who "
        "ask); what is added in its namespace is gone when it starts again:"
    )


def _route_back(f: Facts) -> str:
    """Offer the way back to the askers alone: a VPN's container keeps its default route."""
    if not f.get("gateway") or f.get("networks"):
        return ""
    return (
        f" Where all shall leave by {f['out']} but answers to {f['asker']}'s network, in its namespace: ip route add "
        f"THAT-NETWORK via {f['gateway']} (gluetun: FIREWALL_OUTBOUND_SUBNETS)."
    )


def _cause(f: Facts, name: str, text: str) -> str:
    does = "rejects" if f.get("rejected") else "drops"
    whom = "its answers" if f.get("of_answer") else "it"
    if f.get("policy_of"):
        return f"inside {name} no rule of {f['policy_of']} accepts {whom}, and its policy is DROP"
    if f.get("chain"):
        return f"rule {f['number']} of {f['chain']} inside {name} {does} {whom}"
    if f.get("out"):
        return f"{name} sends its answers out by {f['out']}, another network"
    if f.get("of_answer"):
        return f"{name} has no way back: {text}"
    return f"inside {name}, {text}"


def container_ended(f: Facts) -> Words:
    """How it ended, and what that means for its clients."""
    name, how = f["container"], str(f["how"])
    code = number(f, "exit_code")
    killed = f"was killed by signal {code - 128}" if 128 < code < 192 else f"ended with exit code {code}"
    did = {
        "exited": killed, "removed": f"{killed} and removed", "restarted": f"{killed} and started again",
        "disconnected": f"was taken from network {f['network']}",
    }[how]  # fmt: skip
    again = "Let clients connect again, with keepalives or a user timeout so that they notice sooner (TCP_USER_TIMEOUT)"
    why = "" if how in ("disconnected", "restarted") else f"See docker logs {name}, and who stopped it. "
    return Words(
        f"{name} {did} while it was recorded: {packets(f)} after that found nobody",
        "A container that is killed or loses its network says no goodbye: no FIN and no RST comes, so its clients send "
        f"again until they give up. {affected(f)}",
        f"container {name} {did} meanwhile",
        verb=Verb.KEEP if texts(f, "connections") else Verb.REACH,
        remedy=f"{why}{again}; ask by name, for the address may be another one now.",
    )


def ping_unanswered(f: Facts) -> Words:
    """Nobody answers."""
    who = texts(f, "what")[0] if texts(f, "what") else str(f["target"])
    if f.get("setting"):
        return Words(
            f"{who} ignores {packets(f, 'ping')}: {f['setting']} is 1 in it",
            f"Its kernel was told not to answer pings; other traffic tells more. {affected(f)}",
            f"its kernel ignores pings, {f['setting']} is 1",
        )
    return Words(
        f"{who} does not answer {packets(f, 'ping')}, last seen at {f['last']}",
        f"They got there. {affected(f)}",
        f"pings get to {f['last']}, and nothing comes back",
    )


def nothing_left(f: Facts) -> Words:
    """What was sent, and where it ended."""
    name = texts(f, "who")[0]
    count = plural(number(f, "count"), "packet")
    if f["why"] == "rule":
        said = f"rule {f['number']} of {f['chain']} inside {name} stopped {count} that it sent"
        return _unsent(f, said, f"It is “{f['rule']}”, in the container's own network namespace.")
    if f["why"] == "policy":
        said = f"the policy of {f['policy_of']} inside {name}, DROP, stopped {count} that it sent"
        return _unsent(f, said, "No rule before accepts them. That is in the container's own network namespace.")
    if f["why"] == "resolver":
        servers, others = ", ".join(texts(f, "servers")), texts(f, "hosts_servers")
        there = f" {others[0]}, which the host asks," if others else " a server that it reaches,"
        return Words(
            f"{name} asks itself for names: its resolv.conf names {servers}, where nobody listens",
            f"{plural(number(f, 'count'), 'question')} met a closed port. That is a stub of the host's, copied into "
            "the "
            "container, where 127.0.0.0/8 is the container itself.",
            remedy=f"Give it{there} with docker run --dns, or dns in daemon.json; or let the host's /etc/resolv.conf "
            "be "
            "the one with the real servers (/run/systemd/resolve/resolv.conf).",
        )
    if f["why"] == "itself":
        tries = plural(number(f, "count"), "connection")
        return _unsent(
            f,
            f"{name} refused {tries} itself: it asks for localhost, or for its own address",
            "In a container, localhost is the container, not the host; nobody listens there on that port.",
            f"Ask for the other container by its name{_such(f)}, or for the host as "
            "host.docker.internal (docker run --add-host "
            "host.docker.internal:host-gateway).",
        )
    if f["why"] == "unknown":
        return Words(
            f"{name} sent nothing at all while “{f['ran']}” ran",
            "Nothing in its own network namespace is known to have kept anything back. A program that fails before it "
            "sends, that asks localhost or the container's own address, or that finds its answer in a cache or in "
            "/etc/hosts looks like this.",
            remedy="Run it by hand, with its output: strace -f -e trace=network shows what it asks for.",
        )
    if internal := texts(f, "internal"):
        return _unsent(
            f, f"{name} has no route for {count} that it wanted to send: network {several(internal)} is internal",
            "They never left it. An internal network leads nowhere by design.",
            f"If {name} shall reach out: docker network connect NETWORK {name}, with one that is not internal.",
        )  # fmt: skip
    return _unsent(f, f"{name} has no route for {count} that it wanted to send{_lack(f)}", "They never left it.")


def _such(f: Facts) -> str:
    others = texts(f, "others")
    return f", such as {several(others)}" if others else ""


def _lack(f: Facts) -> str:
    for fact, one, several_ in (
        ("down", "is down", "are down"),
        ("without_address", "has no address", "have no address"),
    ):
        if found := texts(f, fact):
            return f": {', '.join(found)} {one if len(found) == 1 else several_}"
    return "" if f.get("default") else ": it has no default route"


def _unsent(f: Facts, detail: str, explanation: str, remedy: str | None = None) -> Words:
    nothing = " It sent nothing else." if f.get("silent") else " Other packets of it did leave."
    return Words(detail, explanation + nothing, remedy=remedy or offered(f, "In the container's namespace:"))


def dropped_by_kernel(f: Facts) -> Words:
    """In the kernel's words."""
    there = f"behind {f['last']}" if f["beyond"] == f["last"] else f"behind {f['last']}, at {f['beyond']}"
    return Words(
        f"{packets(f)} dropped by the kernel {there}: {f['reason']} in {f['function']}",
        f"{str(f['meaning']).capitalize()}. The kernel said so itself when it happened. {affected(f)}",
        f"the kernel drops it {there}: {f['meaning']}",
        remedy=str(f["helps"]) or None,
    )


def ports_exhausted(f: Facts) -> Words:
    """None left."""
    name = texts(f, "who")[0]
    used, count = number(f, "used"), number(f, "count")
    return Words(
        f"{name} has {count} local ports, and {used} of them are in use towards {f['server']}",
        "What it wants to open beyond that fails in the container itself, with EADDRNOTAVAIL (cannot assign requested "
        "address): it never becomes a packet. A port stays in use for a minute after it was closed (TIME_WAIT).",
        remedy=offered(f, "Use connections again, by keep-alive or a pool; or give it more ports:"),
    )


def container_paused(f: Facts) -> Words:
    """Frozen."""
    name = f["container"]
    return Words(
        f"{name} is paused: {packets(f)} to it got no data back",
        f"Its processes are frozen. The kernel still takes connections for it and answers pings, so it looks alive. "
        f"{affected(f)}",
        f"{name} is paused",
        verb=Verb.USE,
    )


def ndp_proxy_missing(f: Facts) -> Words:
    """Who shall answer."""
    name, address = f["container"], f["address"]
    return Words(
        f"{f['asker'] or 'a router'} asks at {f['where']} for {address}, and nobody answers",
        f"It is {name}'s address, out of the LAN's own prefix: the router takes it for a neighbour, and the host does "
        f"not answer for it. {affected(f)}",
        f"the router asks the LAN for {address}, and the host does not answer for it (proxy_ndp)",
        verb=Verb.ANSWER,
        remedy="Answer for it, or let ndppd do so; or have a prefix of its own routed to this host.",
    )


def no_ipv6_for_name(f: Facts) -> Words:
    """Nothing to connect from."""
    who, names = texts(f, "who")[0], several(texts(f, "names"))
    return Words(
        f"{who} has no IPv6, and {names} has no IPv4 address",
        "The name was resolved; connecting fails in the container at once, without a packet.",
    )


def off_the_bridge(f: Facts) -> Words:
    """Its cable hangs in the air."""
    name, port, bridge = f["container"], f["port"], f["bridge"]
    at = f"is a port of {f['master']}, not of" if f.get("master") else "is no port of"
    return Words(
        f"{port}, which leads to {name}, {at} {bridge}",
        f"Docker made it a port of {bridge}, of network {f['network']}; something took it out: NetworkManager, "
        f"systemd-networkd, a hand. {affected(f)}",
        f"{port}, which leads to {name}, {at} {bridge}",
        remedy=f"Put it back, or restart {name}; and let whoever manages interfaces leave veth* alone.",
    )


def sidecar_cut_off(f: Facts) -> Words:
    """Left behind in an empty room."""
    name, owner = f["container"], f.get("owner")
    anew = f"{owner} was started again" if owner else "the container whose network it shared is gone"
    have = f"{name} has no network any more: {anew}"
    asked = f": {packets(f)} found nobody" if f.get("packets") else ""
    remedy = (
        f"Restart {name}, so that it joins {owner} as it is now. In compose, depends_on with restart: true does that "
        "by itself."
        if owner
        else f"Make {name} anew, beside the container that took the other's place: its network mode names one that is "
        "gone by its ID, so a restart does not help."
    )
    return Words(
        f"{have}{asked}",
        f"It runs in the network namespace that the other one had before, where there is nothing but loopback; what "
        f"it listens on, nobody reaches. {affected(f)}".rstrip(),
        f"{name}, which serves that port, is left without a network, for {anew}",
        remedy=remedy,
    )


SAYS = {
    "sidecar-cut-off": sidecar_cut_off,
    "veth-off-the-bridge": off_the_bridge,
    "container-ended": container_ended,
    "ndp-proxy-missing": ndp_proxy_missing,
    "no-ipv6-for-name": no_ipv6_for_name,
    "container-paused": container_paused,
    "dropped-by-kernel": dropped_by_kernel,
    "nothing-left": nothing_left,
    "stopped-in-container": stopped_in_container,
    "ping-unanswered": ping_unanswered,
    "ports-exhausted": ports_exhausted,
}
