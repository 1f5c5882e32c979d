"""Packets that are too long, or broken."""

from analyzer.model.words import plural
from analyzer.report.words.sentence import Facts, Verb, Words, affected, number, packets, several, texts


def mtu_exceeded(f: Facts) -> Words:
    """A link takes less, and says so."""
    if "cause" in f:
        said = "They are longer than the link that they have to leave by takes."
        verb = "rejected" if f.get("rejected") else "dropped"
        return Words(
            f"{packets(f)} {verb}: {f['cause']}", f"{said} {affected(f)}", f"{f['cause']}", verb=Verb.REACH
        )  # fmt: skip
    source, mtu = f["told_by"], number(f, "mtu")
    fits = f"at most {mtu} bytes fit" if mtu else "the link takes less"
    adapts = f.get("adapts")
    says = (
        "TCP sends shorter segments from then on: path MTU discovery works, at the price of a round trip."
        if adapts
        else f"{'It is' if f.get('packets') == 1 else 'They are'} gone, and the sender was told so."
    )
    size = mtu or 1400
    kind = "ICMPv6 packet too big (type 2)" if ":" in str(source) else "ICMP fragmentation needed (type 3, code 4)"
    many = plural(number(f, "long"), "packet")
    if f.get("rule") or f.get("policy_of"):
        policy = f"the policy DROP of {f.get('policy_of')}"
        acts = f"rule {f['number']} of {f['chain']}" if f.get("rule") else policy
        rule = f" It is “{f['rule']}”." if f.get("rule") else ""
        return Words(
            f"{many} of up to {f['longest']} bytes: {source} says {fits}, and {acts} drops that answer",
            f"{source} sends {kind}; it comes to {f['heard_at']}, and this host stops it, so the sender goes on as "
            f"before.{rule} {affected(f)}",
            f"{source} says {fits}, and {acts} drops that answer",
            verb=Verb.SEND,
            remedy=f"Let ICMP errors of known connections pass before it (RFC 4890 asks for that), or give the network "
            f"an MTU of {size}:",
        )
    if f.get("heard_at"):
        return Words(
            f"{many} of up to {f['longest']} bytes: {source} says {fits}, and the sender never hears it",
            f"The errors come to {f['heard_at']}, and no container gets them: something on this host stops {kind}, as "
            "a "
            f"firewall does that drops ICMP. {affected(f)}",
            f"{source} says at most {mtu} bytes fit, and this host stops that answer behind {f['heard_at']}",
            verb=Verb.SEND,
            remedy=f"Let {kind} pass to containers: -m conntrack --ctstate RELATED -j ACCEPT before what drops it "
            "(iptables-save, ip6tables-save: which rule counted?). Or give the network that MTU.",
        )
    return Words(
        f"{many} of up to {f['longest']} bytes: {source} says {fits}",
        f"{says} {affected(f)}",
        "" if adapts or not mtu else f"{source} says no more fits",
        verb=Verb.SEND,
        remedy=f'"mtu": {size} in daemon.json, or --opt com.docker.network.driver.mtu={size} for the network, so that '
        "containers know the smallest link from the start.",
    )


def vanishing(f: Facts) -> Words:
    """Long packets vanish."""
    if f.get("missing"):
        return Words(
            f"{number(f, 'missing'):,} bytes that were sent to this host never came to {f['where']}",
            "Later segments of their senders count on them. Short segments of the same connections did come, and not "
            "one long one: they are too long for a link on their way, and nobody tells the senders. "
            f"{affected(f)}",
            f"long segments of the answer never come to {f['where']}, probably too long for a link on their way",
            verb=Verb.USE,
            remedy="Offer smaller segments: iptables -t mangle -I FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS "
            "--set-mss 1360 (the link's MTU less 40), or give the network a smaller MTU. Have whoever runs the router "
            "let ICMP fragmentation needed and packet too big pass.",
        )
    return Words(
        f"packets of {f['least']} bytes and more vanish behind {f['last']}, up to {f['fits']} bytes were answered",
        f"{packets(f)} got no answer, however often they were sent, and no ICMP error said that they are too long: a "
        f"firewall drops it, or a tunnel is in the way. {affected(f)}",
        f"they vanish beyond {f['last']}, probably too long for a link there",
        verb=Verb.SEND,
    )


def bad_checksum(f: Facts) -> Words:
    """The packet's own."""
    return _wrong(f, "TCP, UDP or ICMP")


def vxlan_checksum(f: Facts) -> Words:
    """That of the packet around it."""
    return _wrong(f, "outer UDP")


def _wrong(f: Facts, what: str) -> Words:
    return Words(
        f"{packets(f)} with a wrong checksum from {f['where']} on",
        f"Their {what} checksum does not fit their bytes, so receivers drop them. {affected(f)}",
        f"its packets have a wrong {what} checksum from {f['where']} on",
        verb=Verb.ANSWER,
    )


def vxlan_unanswered(f: Facts) -> Words:
    """One way only."""
    peer, port, last = f["peer"], f["port"], f["last"]
    if f.get("kept_out"):
        return Words(
            f"{packets(f)} came in by {last} in VXLAN packets, which this host keeps out: {f['kept_out']}",
            f"What another node of the overlay network sends comes as UDP to port {port} of this host, and is stopped "
            f"before it is unpacked. {affected(f)}",
            f"this host keeps VXLAN out, {f['kept_out']}",
            remedy=f"Let UDP port {port} from {peer} in, before that: iptables -I INPUT -s {peer} -p udp --dport "
            f"{port} -j ACCEPT, or by the firewall's own program. Swarm needs TCP 2377, TCP and UDP 7946 as well.",
        )
    if f.get("network"):
        return Words(
            f"{packets(f)} left by {last} in VXLAN packets to {peer}, which is no host of network {f['network']}",
            f"The network's hosts are {several(texts(f, 'peers'))}, as Docker has it here; its own table sends what is "
            f"for {f['mac']} to {peer} all the same: a host that had the container before, or an entry that nobody "
            f"took back. {affected(f)}",
            f"network {f['network']} sends it to {peer}, which is none of its hosts",
            verb=Verb.ANSWER,
            remedy="Swarm tells where containers are by TCP and UDP port 7946: let both pass between all hosts. Then "
            "docker service update --force, or docker network disconnect and connect of the container that is asked, "
            "tells anew where it is.",
        )
    alive = f" {peer} answers other packets, so it is there." if f.get("others_answered") else ""
    return Words(
        f"{packets(f)} left by {last} in VXLAN packets to {peer}, and none came back from it",
        f"Not one VXLAN packet came from {peer} while this was captured.{alive} Something between drops UDP port "
        f"{port}, or the other host does. {affected(f)}",
        f"UDP port {port} to {peer} is not let through: none of its VXLAN packets gets an answer",
        verb=Verb.ANSWER,
        remedy=f"Let UDP port {port} pass between {f['own']} and {peer}, both ways: host firewalls (iptables, ufw, "
        "firewalld) on both, security groups of the cloud, routers between. Swarm needs TCP 2377, TCP and UDP 7946 as "
        f"well; tcpdump -ni any udp port {port} on {peer} shows whether they come.",
    )


SAYS = {
    "vxlan-unanswered": vxlan_unanswered,
    "mtu-exceeded": mtu_exceeded,
    "mtu-blackhole": vanishing,
    "vxlan-mtu": vanishing,
    "bad-checksum": bad_checksum,
    "vxlan-checksum": vxlan_checksum,
}
