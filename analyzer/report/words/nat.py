"""Translations: missing, stale, clashing, or just worth knowing."""

from analyzer.model.words import plural
from analyzer.report.words.sentence import Facts, Verb, Words, affected, number, offered, packets, texts


def masquerade_missing(f: Facts) -> Words:
    """Nothing translates what leaves."""
    if "packets" not in f:
        return Words(
            f"nothing masquerades network {f['network']}",
            "No rule of the nat table translates what this network's containers send out, so it leaves with a private "
            "source address: whoever gets it cannot answer.",
            remedy="Docker adds the rule itself when it starts (systemctl restart docker); by hand:",
        )
    where, source = f["where"], f["as_address"]
    cause = f"its packets leave by {where} as {source}, untranslated"
    if f.get("untracked_by"):
        return Words(
            f"{packets(f)} left as {source} by {where}, untranslated: a rule takes them out of connection tracking",
            f"What is not tracked is not translated, so no answer finds its way back. {affected(f)}",
            f"{cause}, for a rule takes them out of connection tracking",
            verb=Verb.ANSWER,
            remedy=offered(f, "Delete the rule that takes them out of connection tracking."),
        )
    if f.get("calico"):
        return Words(
            f"{packets(f)} left by {where} as {source}, untranslated",
            "Nobody outside knows a way back to a pod's address. Calico translates what leaves its IP pools where a "
            f"pool has natOutgoing; cali-nat-outgoing has no rule for {source}. {affected(f)}",
            cause,
            verb=Verb.ANSWER,
            remedy="natOutgoing: true in the pods' IPPool (calicoctl patch ippool NAME -p "
            '\'{"spec": {"natOutgoing": true}}\'): what goes from pod to pod stays untranslated then, as it must. Or '
            "routes to the pods' ranges outside.",
        )
    if f.get("other_networks"):
        name, others = f["container"], " or ".join(texts(f, "other_networks"))
        return Words(
            f"{packets(f)} left by {where} as {source}, untranslated",
            f"{name} has its default route by network {f['network']}, which was made not to masquerade. {affected(f)}",
            f"its default route is by network {f['network']}, which does not masquerade",
            verb=Verb.ANSWER,
            remedy=f"Let the default route of {name} be by {others} (docker network connect --gw-priority 1, since "
            f"Docker 28), or do not connect it to {f['network']}; if that network shall reach out, make it with "
            "masquerading.",
        )
    if f.get("no_rules"):
        return Words(
            f"{packets(f)} left by {where} as {source}, untranslated",
            'daemon.json has "iptables": false, so Docker makes no rules, and nobody else made this one. '
            + affected(f),
            'Docker was told to make no rules ("iptables": false)',
            verb=Verb.ANSWER,
            remedy=offered(
                f,
                'Take "iptables": false out of daemon.json, and systemctl restart docker; or make the rules yourself:',
            ),
        )
    if f.get("made_without"):
        return Words(
            f"{packets(f)} left by {where} as {source}, untranslated",
            f"Network {f['made_without']} was made with com.docker.network.bridge.enable_ip_masquerade=false, so "
            f"Docker adds no rule that translates, however often it starts. {affected(f)}",
            f"network {f['made_without']} was made with enable_ip_masquerade=false",
            verb=Verb.ANSWER,
            remedy=offered(
                f,
                "Make the network anew without that option (docker compose down, then up), or, if a router beyond was "
                "to route the network, give it the route. By hand, until the next start of the host:",
            ),
        )
    known = "No rule of table nat translates them. " if f.get("known") else ""
    if f.get("public"):
        return Words(
            f"{packets(f)} left by {where} as {source}, and no answer came",
            f"{f['public']} is no private network, and nothing translates it: whoever is outside needs a route to it "
            f"by this host. {affected(f)}",
            f"outside there may be no way back to {f['public']}",
            verb=Verb.ANSWER,
            remedy=f"On the router outside: ip route add {f['public']} via {f['host_address']}. Where that cannot be, "
            "translate it, as is usual for private networks.",
        )
    if f.get("zone"):
        zone = f["zone"]
        return Words(
            f"{packets(f)} left by {where} as {source}, untranslated",
            f"Nobody outside knows a way back to a container's address, so no answer comes. {known}{where} is in "
            f"firewalld's zone {zone}, which does not masquerade. {affected(f)}",
            cause,
            verb=Verb.ANSWER,
            remedy=offered(
                f,
                f"firewall-cmd --permanent --zone={zone} --add-masquerade && firewall-cmd --reload, for all that "
                f"leaves by {where}; by hand, until firewalld loads its rules again:",
            ),
        )
    if f.get("near"):
        known = f"No rule of table nat translates them; “{f['near']}” nearly does: {f['near_why']}. "
    own = (
        'Docker makes rules for IPv6 where daemon.json has "ip6tables": true, which it has by itself since Docker 27 '
        "(before, with experimental: true). By hand; flows that go on need a new conntrack entry, too:"
        if ":" in str(source)
        else "Docker adds the rule itself when it starts (systemctl restart docker). By hand; flows that go on need a "
        "new conntrack entry as well:"
    )
    return Words(
        f"{packets(f)} left by {where} as {source}, untranslated",
        f"Nobody outside knows a way back to a container's address, so no answer comes. {known}{affected(f)}",
        cause,
        verb=Verb.ANSWER,
        remedy=offered(f, own),
    )


def routed_network_unreachable(f: Facts) -> Words:
    """Nobody outside knows a routed network."""
    by = f.get("host_address") or "this host"
    return Words(
        f"{packets(f)} left by {f['where']} as {f['as_address']}, and no answer came",
        f"Network {f['network']} is routed: its containers keep their addresses, on purpose. Whoever is outside needs "
        f"a route to {f['subnet']} by {by}. {affected(f)}",
        f"network {f['network']} is routed, and outside there may be no way back to {f['subnet']}",
        verb=Verb.ANSWER,
        remedy=f"On the router outside: ip route add {f['subnet']} via {by}.",
    )


def untranslated_source_leak(f: Facts) -> Words:
    """INVALID packets leave."""
    return Words(
        f"{packets(f)} of no known connection left as {f['as_address']}",
        "Rules translate new connections from there. These packets begin none, and conntrack has no entry for them "
        f"(timed out, flushed, or out of the window), so they pass as INVALID and untranslated. {affected(f)}",
    )


def published_port_not_translated(f: Facts) -> Words:
    """A published port without its rule."""
    port, container = f["port"], f["container"]
    restart = "systemctl restart docker, so that it adds its rules again; see whether a firewall flushes the nat table."
    if f.get("nobody_asked"):
        return Words(
            f"published port {port} of {container} is not translated",
            "Docker publishes this port, but no DNAT rule sends what comes in for it to the container. If docker-proxy "
            "runs it still answers, slowly and as if every client were the host; if not, nobody does.",
            remedy=restart,
        )
    relayed = "docker-proxy relays it, slowly and as if the host were the client. " if f.get("relayed") else ""
    rule = "".join(texts(f, "commands"))
    return Words(
        f"published port {port} of {container} is not translated",
        f"{plural(number(f, 'packets'), 'connection')} came for it from outside, and no DNAT rule sends it on. "
        f"{relayed}{affected(f)}",
        "" if relayed else f"no DNAT rule sends published port {port} on to {container}",
        verb=Verb.USE,
        remedy=f"{restart} The rule, by hand:" if rule else None,
    )


def published_port_shadowed(f: Facts) -> Words:
    """Whose rule comes first."""
    if f.get("before"):
        return Words(
            f"rule {f['number']} of {f['chain']} takes port {f['port']} of {f['container']}: {packets(f)}",
            f"It is “{f['rule']}”, and what it names is no container of this host any more: nobody took its rules "
            f"away. The rule for {f['container']}, “{f['before']}”, is never asked. {affected(f)}",
            f"a rule that is left over sends that port elsewhere, before that for {f['container']}",
            remedy=offered(f, "Delete the rule, and what else is left of it (CNI: the plugin's DEL never ran):"),
        )
    return Words(
        f"rule {f['number']} of {f['chain']} takes port {f['port']} of {f['container']}: {packets(f)}",
        f"It is “{f['rule']}”, and comes before Docker's own rule for {f['container']}. What it names is no "
        "container of "
        f"this host: it is left over, of another engine (CNI, k3s) or of a container that is gone. {affected(f)}",
        f"rule {f['number']} of {f['chain']} sends that port elsewhere, before Docker's rule for {f['container']}",
        remedy=offered(f, "Delete the rule, or have whoever made it do that, or publish another port."),
    )


def nat_clash(f: Facts) -> Words:
    """No free port."""
    return Words(
        f"{packets(f)} lost where SNAT had no free port",
        "Connections to one server need a source port each. When all that the rule may use are taken, the entry cannot "
        f"be made and the packet is dropped. {affected(f)}",
        "SNAT has no free port left for it",
    )


def nat_port_rewritten(f: Facts) -> Words:
    """Other source ports."""
    return Words(
        f"{plural(number(f, 'rewritten'), 'connection')} got another source port from SNAT",
        f"E.g. {f['example']} left from port {f['port']}: another connection to the same server had its port, or the "
        "rule chooses ports. Servers and firewalls see another port than the container used.",
    )


def docker_proxy_in_path(f: Facts) -> Words:
    """A process in between."""
    return Words(
        f"docker-proxy relays {f['port']} to {f['inner']}",
        f"{plural(number(f, 'relayed'), 'connection')}: the container sees {f['client']} as the client, and every byte "
        "goes through a process.",
    )


def transparent_proxy(f: Facts) -> Words:
    """A socket of the host in somebody's place."""
    if f.get("works"):
        return Words(
            f"this host answers in place of {f['address']}:{f['asked_port']}",
            "A transparent proxy on it takes the connection (TPROXY, or REDIRECT with the address kept), and opens its "
            "own: the server sees the host as its client, and what the client sees is the proxy's.",
        )
    number_, chain, port = f["number"], f["chain"], f["port"]
    rule = f"rule {number_} of {chain}" if number_ else f"a rule of {chain}"
    if not f.get("program"):
        return Words(
            f"{rule} gives {packets(f)} to port {port} of this host, where nobody listens",
            f"It is “{f['rule']}”: a transparent proxy is meant. {affected(f)}",
            f"{rule} gives it to port {port} of this host, where nobody listens",
            remedy="Start the proxy, or delete the rule and the routing rule for its mark.",
        )
    if f.get("bridge"):
        return Words(
            f"{rule} gives {packets(f)} to port {port} of this host, and they do not get there",
            f"{f['program']} listens there. {f['setting']} is 1, so the rule is asked while the packet is still on "
            f"{f['bridge']}; the socket that it finds is forgotten when the packet goes up to IP, and only its mark "
            f"stays. {affected(f)}",
            f"{rule} gives it to port {port} of this host, and br_netfilter on {f['bridge']} loses that on the way",
            remedy="REDIRECT --to-ports instead of TPROXY; or take rules off bridges, where nothing else needs them "
            "there (Docker's isolation within a network does):",
        )
    return Words(
        f"{rule} gives {packets(f)} to port {port} of this host, and {f['program']} does not answer",
        f"It is “{f['rule']}”: a transparent proxy. It has to listen with IP_TRANSPARENT, and the rule's mark needs "
        f"a routing rule to a table with “local default dev lo”. {affected(f)}",
        f"{rule} gives it to port {port} of this host, where {f['program']} does not answer",
        remedy="Look at the proxy's log, at ip rule and ip route show table of the mark's table.",
    )


def client_address_hidden(f: Facts) -> Words:
    """Both ends are translated."""
    return Words(
        f"{plural(number(f, 'hidden'), 'connection')} to {f['server']} came as {f['mask']}",
        f"E.g. the client {f['client']}: DNAT sends it to the container, and SNAT hides it there.",
        remedy="kube-proxy masks what comes in by a node port, so that answers pass this node: where the client's "
        "address is needed, externalTrafficPolicy: Local of the service."
        if f.get("by_kube_proxy")
        else None,
    )


def hairpin_broken(f: Facts) -> Words:
    """No way back to the neighbour that asked."""
    if f.get("port"):
        inside = f" Inside the container 127.0.0.1:{f['inside']} is the same." if f.get("inside") else ""
        return Words(
            f"{packets(f)} for {f['asked']} kept at {f['port']}",
            "A rule sends them back to the container that sent them, and is asked on the bridge already "
            "(br_netfilter); a bridge gives nothing back to the port that it came by, unless that is in hairpin mode. "
            f"{affected(f)}",
            f"it is sent back to itself, and its bridge port {f['port']} is not in hairpin mode",
            verb=Verb.USE,
            remedy=offered(f, f"Set it; the engine or plugin that makes the port should (CNI: hairpinMode).{inside}"),
        )
    if f.get("caught"):
        narrow = "the address of this host that it is meant for (-d), or " if f.get("catches_all") else ""
        return Words(
            f"{packets(f)} for {f['asked']}, which is elsewhere, sent back by a rule of this host",
            f"“{f['caught']}” translates whatever comes by, also what goes out: clients of others get another server's "
            f"answers, and {'the container itself its own packets, which it drops' if f.get('itself') else 'none'}. "
            f"{affected(f)}",
            f"a rule takes it for its own, though it goes elsewhere: “{f['caught']}”",
            verb=Verb.USE,
            remedy=f"Let the rule ask for {narrow}the interface that it comes in by (-i).",
        )
    why = (
        "The container reaches itself, and gets packets from its own address, which it drops as martians. "
        if f.get("itself")
        else "Answers go straight over the bridge, with the container's own address, and the client, who asked another "
        "one, resets the connection. "
    )
    cause = (
        "it reaches itself, and drops what comes from its own address"
        if f.get("itself")
        else "the answers come straight over the bridge, from an address that it did not ask"
    )
    remedy = (
        "Inside the container use 127.0.0.1; or masquerade what goes back to it, as dockerd does with "
        '"userland-proxy": false.'
        if f.get("itself")
        else None
    )
    return Words(
        f"{packets(f)} of connections to {f['asked']} from beside its container: no way back",
        why + affected(f),
        cause,
        verb=Verb.USE,
        remedy=remedy,
    )


SAYS = {
    "published-port-shadowed": published_port_shadowed,
    "masquerade-missing": masquerade_missing,
    "routed-network-unreachable": routed_network_unreachable,
    "untranslated-source-leak": untranslated_source_leak,
    "published-port-not-translated": published_port_not_translated,
    "nat-clash": nat_clash,
    "nat-port-rewritten": nat_port_rewritten,
    "docker-proxy-in-path": docker_proxy_in_path,
    "transparent-proxy": transparent_proxy,
    "client-address-hidden": client_address_hidden,
    "hairpin-broken": hairpin_broken,
}
