"""Questions to name servers."""

from analyzer.model.words import plural
from analyzer.report.words.ends import past_docker_proxy
from analyzer.report.words.sentence import Facts, Verb, Words, number, several, texts


def _questions(f: Facts) -> str:
    return plural(number(f, "questions"), "question")


SHOWN_NAMES = 4


def _asked(f: Facts) -> str:
    """Name what was asked for."""
    names = texts(f, "names")
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(names[:SHOWN_NAMES]) + more


def dns_failed(f: Facts) -> Words:
    """It answers that it cannot tell."""
    server, outcomes = f["server"], texts(f, "outcomes")
    if f.get("torn"):
        return Words(
            f"name server {server} answers NXDOMAIN for one type of {several(texts(f, 'torn'))}, and an address for "
            "another",
            "NXDOMAIN means that there is no such name at all: resolvers that believe it (musl, in Alpine) do not use "
            "the "
            f"address either. {_questions(f)} got it.{_resolver(f)}",
            f"name server {server} denies that it exists when asked for one type of address"
            if f.get("hurt", True)
            else "",
            verb=Verb.RESOLVE,
            remedy="Have that server answer NOERROR without records where it has none of that type; or ask another "
            "server."
            f"{_other_server(f)}",
        )
    if known := texts(f, "known_to"):
        return Words(
            f"name server {server} knows no such name: {_asked(f)}; {several(known)} does",
            f"{_questions(f)} got NXDOMAIN there, and {several(known)} answered somebody else with an address: a zone "
            f"that only that server has, of a company or a VPN.{_resolver(f)}",
            f"name server {server} does not know it, and {several(known)} does",
            verb=Verb.RESOLVE,
            remedy=f"Let the container ask {known[0]}: docker run --dns {known[0]}, dns in compose or daemon.json.",
        )
    if outcomes == ["NXDOMAIN"]:
        return Words(
            f"name server {server} knows no such name: {_asked(f)}",
            f"{_questions(f)} got NXDOMAIN. Search domains make such questions, too.{_resolver(f)}",
            f"name server {server} knows no such name" if f.get("nowhere") else "",
            verb=Verb.RESOLVE,
            remedy=f"If the name is right: does this server know it, or another one?{_other_server(f)}",
        )
    others = " It answers other questions." if f.get("answers_others") else ""
    if outcomes == ["REFUSED"]:
        return Words(
            f"name server {server} refused {_questions(f)}",
            f"Asked for {_asked(f)}.{others} REFUSED is policy: it does not answer for whoever asks, as one that "
            f"resolves only for its own networks.{_resolver(f)}",
            f"name server {server} answers REFUSED",
            verb=Verb.RESOLVE,
            remedy=f"Have it serve this host's network (allow-recursion in BIND, access-control in Unbound), or ask "
            f"another one.{_other_server(f)}",
        )
    return Words(
        f"name server {server} failed {_questions(f)}: {', '.join(outcomes)}",
        f"Asked for {_asked(f)}.{others}",
        f"name server {server} answers {' and '.join(outcomes)}",
        verb=Verb.RESOLVE,
        remedy="Ask the server by hand. SERVFAIL often comes from a server that this one asks in turn, or from DNSSEC; "
        "REFUSED says that it does not answer for whoever asks.",
    )


def _ring(f: Facts) -> Words:
    """Each asks the other one."""
    one, two = texts(f, "ring")
    return Words(
        f"{one} and {two} ask each other for {_asked(f)}: {_questions(f)}",
        "Each passes the question on to the other, so nobody ever answers, and one question becomes hundreds.",
        f"name servers {one} and {two} ask each other, in a circle",
        verb=Verb.RESOLVE,
        remedy=f"Let one of the two answer for that name, or ask somebody else: where one of {one} and {two} forwards "
        "to the other (Pi-hole: conditional forwarding, upstream servers), that other must not have it for its own "
        "name server (the router's DNS setting).",
    )


def _no_server_outside(f: Facts) -> Words:
    """They do not all fail at once."""
    servers, inside = several(texts(f, "servers")), texts(f, "answering")
    last = f["last"]
    passes = ", while other connections outwards are answered" if f.get("others_answered") else ""
    known = (
        f"Ask {inside[0]}, which answers here: docker run --dns {inside[0]}, dns in compose or daemon.json. Or have "
        f"port 53 opened at the router or firewall beyond {last}."
        if inside
        else f"Have port 53, UDP and TCP, opened at the router or firewall beyond {last}; or ask the name server that "
        "this network has for its machines (often the router)."
    )
    if outside := texts(f, "outside"):
        only = several(outside)
        return Words(
            f"{servers} left {_questions(f)} open, and {only} answers",
            f"Asked for {_asked(f)}; last seen at {last}. Servers that have nothing to do with each other do not fail "
            "at once: something between lets what is for port 53 pass to some alone, or these are no name servers.",
            f"none of {servers} answers, last seen at {last}, and {only} does",
            verb=Verb.RESOLVE,
            remedy=known,
        )
    return Words(
        f"no name server outside answers: {servers} left {_questions(f)} open",
        f"Asked for {_asked(f)}; last seen at {last}{passes}. Servers that have nothing to do with each other do not "
        "fail at once: something between drops what is for port 53.",
        f"something beyond {last} drops DNS: none of {servers} answers{passes}",
        verb=Verb.RESOLVE,
        remedy=known,
    )


def dns_unanswered(f: Facts) -> Words:
    """It does not answer, or late."""
    if f.get("servers"):
        return _no_server_outside(f)
    if f.get("ring"):
        return _ring(f)
    server = f["server"]
    if f.get("strangers"):
        strangers = texts(f, "strangers")
        if f.get("program"):
            return Words(
                f"answers to {_questions(f)} for {server} come from {', '.join(strangers)}",
                f"Asked for {_asked(f)}. Both are this host's addresses. {f['program']} takes questions at any of them "
                "by one socket, so the kernel chooses the source of its answers, by the route; a resolver takes "
                "answers only from the address that it asked.",
                f"{f['program']} on this host is asked at {server}, and answers from {several(strangers)}",
                verb=Verb.RESOLVE,
                remedy=past_docker_proxy(f, str(server))
                if f.get("proxied")
                else f"Let {f['program']} listen on {server} itself (dnsmasq: listen-address and bind-interfaces; "
                f"unbound: interface; named: listen-on), or ask {strangers[0]} (docker run --dns {strangers[0]}).",
            )
        return Words(
            f"answers to {_questions(f)} for {server} come from {', '.join(strangers)}",
            f"Asked for {_asked(f)}. A resolver takes answers only from the address that it asked, so these are lost: "
            "the server has several addresses and answers from another one, or its answers are not translated back.",
            f"{server} is asked, and {several(strangers)} answers",
            verb=Verb.RESOLVE,
            remedy=f"Find out who {strangers[0]} is. If it is the same server, let it answer from {server}, or ask it "
            f"directly (docker run --dns {strangers[0]}).",
        )
    if f.get("late"):
        return _late(f)
    if f.get("only_kind"):
        kind, other = f["only_kind"], several(texts(f, "other_kinds"))
        return Words(
            f"name server {server} answers {other}, and leaves {_questions(f)} for {kind} unanswered",
            f"Asked for {_asked(f)}; last seen at {f['last']}. Whoever asks for both waits for it each time, five "
            f"seconds and more, before it goes on with what it has (resolv.conf(5), timeout).{_resolver(f)}",
            remedy=f"Let that server answer {kind}, if only that there is none, or ask another one. Until then: "
            "options no-aaaa (glibc 2.36) or a shorter timeout in resolv.conf, by docker run --dns-option.",
        )
    if f.get("local_only"):
        name, asker = f["local_only"], f["asker"]
        return Words(
            f"{name} left {_questions(f)} of {asker} unanswered, and answers {f['served']}",
            f"Asked for {_asked(f)}. They got into {name}, whose name server keeps silent to those outside its own "
            "network: many do so unless they are told otherwise.",
            f"{name} answers its own network, {f['served']}, and keeps silent to others",
            verb=Verb.RESOLVE,
            remedy="Let its name server answer other networks: Pi-hole, Settings, DNS, permit all origins "
            "(FTLCONF_dns_listeningMode=all); dnsmasq without local-service; unbound access-control; named "
            "allow-query. Only where port 53 is not open to the world.",
        )
    answers = number(f, "answers")
    others = f"It answered {plural(answers, 'other')}." if answers else "It answered nothing at all."
    if f.get("alive") and not answers:
        others = "It answers what is not DNS: it is there, but no name server, or something between drops DNS."
    other = _other_server(f)
    return Words(
        f"name server {server} left {_questions(f)} unanswered",
        f"Asked for {_asked(f)}; last seen at {f['last']}. {others}{_resolver(f)}",
        f"name server {server} does not answer, last seen at {f['last']}",
        verb=Verb.RESOLVE,
        remedy=f"Try the server by hand: dig @{server} NAME.{other}" if other else None,
    )


def _resolver(f: Facts) -> str:
    return f" {f['resolv_conf']}'s resolv.conf names this server." if f.get("resolv_conf") else ""


def _other_server(f: Facts) -> str:
    if answering := texts(f, "answering"):
        return f" {answering[0]} does answer: leave {f['server']} out of the name servers (--dns, dns in daemon.json)."
    others = texts(f, "hosts_servers")
    return f" The host itself asks {' and '.join(others)}: docker run --dns {others[0]} does, too." if others else ""


def _late(f: Facts) -> Words:
    took, again = number(f, "took_s"), f.get("asked_again_s")
    slow = f"took up to {took:.1f} s for {_questions(f)}"
    lost = f"answered {_questions(f)} only when asked again, up to {took:.1f} s later"
    if again is None:
        why = "Resolvers ask again, or give up, meanwhile."
    else:
        rest = took - number(f, "asked_again_s")
        why = (
            f"Nothing came for {again:.1f} s; the answer to what was asked then took {rest:.3f} s: a question or an "
            "answer was lost, the server is not slow."
        )
    return Words(f"name server {f['server']} {slow if again is None else lost}", f"Asked for {_asked(f)}. {why}")


def embedded_dns_failed(f: Facts) -> Words:
    """Docker's own server."""
    return Words(
        f"Docker's name server failed {_questions(f)}",
        f"127.0.0.11 could not answer {_asked(f)}. Names of containers it knows itself; all others it passes on to "
        "the servers of the host's resolv.conf or of --dns, which did not answer, or failed.",
        "Docker's name server 127.0.0.11 fails, or whom it asks in turn",
        verb=Verb.RESOLVE,
    )


def dns_conntrack_race(f: Facts) -> Words:
    """Two questions at once."""
    return Words(
        f"{plural(number(f, 'packets'), 'DNS question')} lost in the host beside a twin from the same port",
        f"A and AAAA were asked at once from one socket, and one of them went no further: {_asked(f)}. Both race for "
        "one conntrack entry, and the second one is dropped; the resolver then waits for its timeout.",
        "A and AAAA race for one conntrack entry, and one is dropped",
        verb=Verb.RESOLVE,
    )


def container_name_unknown(f: Facts) -> Words:
    """A container's name that is in no DNS."""
    asker, wanted = texts(f, "who")[0], f["wanted"]
    own = ", ".join(texts(f, "own_networks")) or "no network that dumps name"
    asked = ", ".join(texts(f, "servers"))
    return Words(
        f"{asker} asks {asked} for container {wanted}, whose name is in no DNS there",
        f"{_asked(f)}: the answer is {f['outcome_of']}. {asker} is on {own}, {wanted} on "
        f"{', '.join(texts(f, 'networks'))}; Docker tells names only to containers on one and the same network, other "
        "than the default bridge.",
        "they share no network on which Docker tells names",
        verb=Verb.RESOLVE,
        remedy="Put both on one network of their own, NET.",
    )


def no_address(f: Facts) -> Words:
    """An answer that leads nowhere."""
    server, asked = f["server"], several(texts(f, "asked_names"))
    if f["kind"] == "none":
        return Words(
            f"name server {server} knows {asked}, and has no address for it",
            f"{_questions(f)} got NOERROR without any address.{_resolver(f)}",
            f"name server {server} knows the name, and gives no address for it",
            verb=Verb.RESOLVE,
            remedy=f"Is the name complete, and does this server have the zone's addresses?{_other_server(f)}",
        )
    given = several(texts(f, "given"))
    return Words(
        f"name server {server} answers {given} for {asked}",
        f"That is nobody's address, or the asker's own: blocklists (Pi-hole, AdGuard Home, a company's filter) answer "
        f"so.{_resolver(f)}",
        f"name server {server} answers {given}, as blocklists do",
        verb=Verb.RESOLVE,
        remedy=f"If the name is wanted: allow it there, or ask another server.{_other_server(f)}",
    )


SAYS = {
    "no-address-for-name": no_address,
    "dns-failed": dns_failed,
    "dns-unanswered": dns_unanswered,
    "embedded-dns-failed": embedded_dns_failed,
    "dns-conntrack-race": dns_conntrack_race,
    "container-name-unknown": container_name_unknown,
}
