"""Neighbours, networks and ways."""

from analyzer.model.words import plural
from analyzer.report.words.sentence import Facts, Verb, Words, affected, number, packets, several, texts


def subnet_overlap(f: Facts) -> Words:
    """The same addresses twice."""
    if f.get("public"):
        network, subnet = f["network"], f["subnet"]
        return Words(
            f"network {network} has taken {subnet}, which are public addresses, and {f['public']} with them",
            f"The host looks for {f['public']} in that network, where no container has it. {affected(f)}",
            f"network {network} has taken its addresses, {subnet}",
            remedy=f"Give network {network} private addresses: docker network create --subnet, or "
            "default-address-pools in daemon.json.",
        )
    if f.get("nobody"):
        network, subnet, ip = f["network"], f["subnet"], f["nobody"]
        return Words(
            f"{ip} falls into {subnet}, which network {network} has, and no container has it",
            f"So the host routes it to {network}'s bridge, and Docker lets nobody in there from other networks. If "
            f"{ip} is a machine elsewhere, in the office or behind a VPN, {network} hides it. {affected(f)}",
            f"network {network} has taken {subnet}, and no container there has {ip}",
            remedy=f"If {ip} is a machine elsewhere, give network {network} other addresses and make it again (subnet "
            "in the compose file, default-address-pools in daemon.json). If a container was meant, it is gone or has "
            "another address: ask by its name.",
        )
    if f.get("behind"):
        ip, network = f["address"], f["network"]
        questions = plural(number(f, "questions"), "question")
        return Words(
            f"{ip} is behind {f['behind']}, and network {network} has its addresses: {f['subnet']}",
            f"{questions} for it at {f['asked_at']} found nobody: whoever is in {network}, and this host, look for "
            f"{ip} in that network, where no container has it.",
            f"it is behind {f['behind']}, but network {network} has the same addresses",
        )
    vain = ", ".join(texts(f, "vain"))
    asked = (
        f"No container has {vain}, which was asked for at {f['vain_at']} in vain: it belongs to the other one."
        if vain
        else ""
    )
    said = (
        "Two networks have the same addresses. The kernel sends to the one with the longer prefix, or the lower "
        "metric; the other one cannot be reached from here."
    )
    network, subnet = f["network"], f["subnet"]
    detail = f"network {network} {subnet} overlaps with what is behind {f.get('behind_route')}"
    cause = f"network {network} has the same addresses as what is behind {f.get('behind_route')}"
    if f.get("other_network"):
        other = f["other_network"]
        detail = f"networks {network} and {other} overlap: {subnet}, {f['other_subnet']}"
        cause = f"networks {network} and {other} have the same addresses"
    if f.get("wide") and not vain and not f.get("packets"):
        said = f"The network's route is the more specific one: of {f.get('behind_route')}'s addresses it hides its own."
        remedy = f"Nothing to do, unless somebody behind {f.get('behind_route')} has an address of {f['subnet']}."
        return Words(detail, said, cause, remedy=remedy)
    acts = f"What goes there is stopped by {f['acts_by']}. " if f.get("acts_by") else ""
    told = f"{asked} {acts}{affected(f)}".strip()
    return Words(detail, f"{said} {told}", cause)


def asymmetric_path(f: Facts) -> Words:
    """One way by one uplink, back by another."""
    connections = plural(number(f, "count"), "connection")
    by = f.get("rule") or f.get("route")
    why = f" Answers are routed by “{by}”." if by else ""
    acts = f": “{by}” sends them there" if by else ""
    return Words(
        f"{connections}: one way by {f['out']}, back by {f['back']}",
        "Routers and firewalls that keep state, and rp_filter, see half of the connection on each way and may drop it."
        f"{why} {affected(f)}",
        "" if f.get("works") else f"questions come by {f['out']}, and answers leave by {f['back']}{acts}",
        remedy=(
            "Let answers go back the way that questions came. A rule by source (ip rule from) does not: routes are "
            "chosen while the container's own address stands there. Mark connections: iptables -t mangle -A PREROUTING "
            f"-i {f['out']} -m conntrack --ctstate NEW -j CONNMARK --set-mark 1; iptables -t mangle -A PREROUTING ! "
            f"-i {f['out']} -j CONNMARK --restore-mark; ip rule add fwmark 1 table {f.get('table') or 'N'}, with "
            f"{f['out']}'s default route, and its network's own, in it."
        )
        if not f.get("works")
        else "Nothing to do, as long as it works.",
    )


def duplicate_address(f: Facts) -> Words:
    """One address, several machines."""
    if f.get("containers"):
        return Words(
            f"{' and '.join(texts(f, 'containers'))} have one MAC in network {f['network']}",
            "The bridge learns a MAC at the port where it was last seen, so frames for one of the two arrive at the "
            f"other. {affected(f)}",
            f"{' and '.join(texts(f, 'containers'))} have one MAC, and frames for one arrive at the other"
            if f.get("packets")
            else "",
            remedy="Start one of them without --mac-address, or with another one.",
        )
    named, machines = texts(f, "owners"), number(f, "machines")
    owners = ", ".join(named) + (f" and {machines - len(named):,} more" if machines > len(named) else "")
    return Words(
        f"{f['address']} belongs to {machines:,} machines",
        f"{owners} all answer for it. Who is asked sends to the one whose answer came last, so connections break off "
        f"and hang. {affected(f)}",
        f"{f['taker']} answers for {f['address']}, too, and got it instead" if f.get("taker") else "",
        remedy=f"Docker gave it to {f['owner']}: give the other one another address, or take it away there."
        if f.get("owner")
        else None,
    )


def mac_moved(f: Facts) -> Words:
    """A MAC at another port, or an address with another MAC."""
    if f.get("mac"):
        often = number(f, "moves") > 1
        return Words(
            f"{f['mac']} moved from {f['from_point']} to {f['to_point']}" + (" and on" if often else ""),
            "A bridge sends to the port by which a MAC's frames came in last. "
            + ("A MAC that keeps moving is a loop, or two machines have it." if often else "A container moved there."),
        )
    return Words(
        f"{f['address']} moved from {f['from_mac']} to {f['to_mac']}",
        "Whoever still has the old MAC in its neighbour table sends to nobody until the entry is refreshed.",
    )


def sent_to_dead_link(f: Facts) -> Words:
    """Down, and by which rule."""
    dev = f["dev"]
    by = f"rule “{f['rule']}” (table {f['table']})" if f.get("rule") else f"the route “{f.get('route', '')}”"
    take = "take the routing rule, or what marks the packets, away" if f.get("rule") else "take the route away"
    return Words(
        f"{packets(f)} sent to {dev}, which is down or has no carrier",
        f"By {by} the host sends them there, and the interface takes nothing: a VPN that is not connected, a cable "
        "that "
        f"is out. {affected(f)}",
        f"{by} sends it to {dev}, which is down",
        remedy=f"Bring {dev}, or the VPN behind it, up again; or {take}.",
    )


def hairpin_at_router(f: Facts) -> Words:
    """There and back."""
    return Words(
        f"the router sends what is for {f['asked_as']} back to {f['to']}, with the host's own address as its source",
        f"It leaves by {f['where']} masqueraded as the host, and comes back from the router for {f['to']}: from the "
        "host, "
        "to the host. The kernel drops that as martian. The router translates who is asked, and not who asks (no NAT "
        f"loopback, or hairpin NAT). {affected(f)}",
        f"the router turns it round to {f['to']} without masquerading it, so the host drops it as its own",
        remedy=f"Ask for {f['to']}, or the container by its name, instead of {f['asked_as']} (split DNS); or switch "
        "NAT "
        "loopback on at the router. Nothing on this host has to change.",
    )


def fragments_lost(f: Facts) -> Words:
    """Only in pieces."""
    return Words(
        f"{packets(f)} for {f['server']} in fragments got no answer; up to {f['fits']} bytes, in one packet, did",
        f"They were last seen at {f['last']}, in fragments. Firewalls, NAT and networks of providers often drop those. "
        f"{affected(f)}",
        f"what is sent in fragments vanishes beyond {f['last']}, and what fits into one packet is answered",
        verb=Verb.ANSWER,
        remedy="Send no more in one datagram than a packet takes, 1,400 bytes or so: a smaller EDNS buffer (1232) "
        "for DNS, TCP "
        "instead of "
        "UDP; or let whoever drops fragments on the way pass them.",
    )


def neighbour_stale(f: Facts) -> Words:
    """Sent to a MAC that is not the receiver's."""
    if f.get("sender"):
        return Words(
            f"{f['sender']} sends {packets(f)} to {f['sent_to']}, which nobody has",
            "No frame comes from that MAC, and neither the host nor a container has it: the sender's neighbour entry, "
            f"for its gateway as it seems, is wrong. {affected(f)}",
            f"it sends to {f['sent_to']}, which nobody has",
            remedy="ip neigh in the container shows the entry; ip neigh del it, and see who made it permanent.",
        )
    if f.get("at_port"):
        name, port, mac = f["container"], f["at_port"], f["sent_to"]
        return Words(
            f"the bridge sends what is for {mac} to {port}, and {name}, whose MAC it is, is at {f['port']}",
            f"An entry of the bridge's table says so: a static one, or one that was learnt from somebody else's "
            "frames. "
            f"{affected(f)}",
            f"the bridge has its MAC {mac} at {port}, not at {f['port']}",
            remedy="Delete the entry, and see who made it:",
        )
    ip = f["address"]
    if f.get("arrived_at"):
        link, peer = f["arrived_at"], f["peer"]
        return Words(
            f"{packets(f)} came out of {link} for {f['sent_to']}, which {link} does not have",
            f"{link} has {f['has']}, so the kernel takes them for somebody else's, and drops them. {peer} has an old "
            f"neighbour entry for this node. {affected(f)}",
            f"{peer} sends to {f['sent_to']}, which {link} here does not have",
            remedy=f"On {peer}: renew the neighbour and FDB entries for this node, so that they have {f['has']} (of "
            "flannel: restart flanneld there).",
        )
    if f.get("prefix"):
        return Words(
            f"{packets(f)} for {f['prefix']} go to {f['sent_to']}, and frames of that node come from {f['has']}",
            f"By the permanent neighbour entry for {ip} on {f['dev']} they go to a MAC that the other node does not "
            f"have any more: its kernel takes them for somebody else's. {affected(f)}",
            f"the neighbour entry for {ip} on {f['dev']} has {f['sent_to']}, and that node has {f['has']} now",
            remedy="Whatever wrote the entry has to renew it (of flannel: restart flanneld on both nodes). By hand:",
        )
    return Words(
        f"{packets(f)} for {ip} went to {f['sent_to']}, which is not its MAC",
        f"{ip} has {f['has']}. Whoever sent them has an old or wrong neighbour entry, and does not ask again while it "
        f"holds. {affected(f)}",
        f"packets for {ip} go to {f['sent_to']}, which is not its MAC",
        remedy=f"Take the entry for {ip} out where they were sent (ip neigh del), so that it is asked for anew.",
    )


METADATA = ("169.254.169.254", "fd00:ec2::254")
"""Where clouds tell a machine about itself (EC2, GCE, Azure, OpenStack)."""


def ttl_exceeded(f: Facts) -> Words:
    """Loops, and probes."""
    if f.get("circling"):
        died = texts(f, "died_at")
        end = f"They died at {', '.join(died)}. " if died else ""
        return Words(
            f"{plural(number(f, 'circling'), 'packet')} went round in circles at {f['where']}",
            "The same packet passed there again and again, its TTL one lower each time: two routers send it to each "
            f"other. {end}{affected(f)}",
            f"its packets go round in circles at {f['where']}",
            remedy="Compare ip route get ADDRESS on this host with the routes of its gateway.",
        )
    young, here = bool(f.get("young")), bool(f.get("here"))
    if young:
        why, remedy = "They were sent with a low TTL, as traceroute does.", "Nothing to do."
    elif here:
        why = "This host itself ended them: a rule lowers their TTL, or they had come a long way."
        remedy = "Look for rules with -j TTL or -j HL in table mangle, and at the TTL that packets come with."
    else:
        why, remedy = (
            "There is a loop beyond this host.",
            "Look at the routes there and beyond: traceroute shows them.",
        )
    source = f"{f['ended_at']}" + (", this host" if here else "")
    if f.get("came_with"):
        ttl = f["came_with"]
        if f.get("sender") in METADATA:
            return Words(
                f"{packets(f, 'answer')} of the metadata service came with a TTL of {ttl}, and ended at {source}",
                f"{f['sender']} is the cloud's metadata service. It sends its answers with a TTL that ends on this "
                f"host, so that nothing behind it gets them: containers shall not, unless they are let. {affected(f)}",
                f"the metadata service sends answers with a TTL of {ttl}, which ends on this host",
                verb=Verb.ANSWER,
                remedy="If containers shall have it, raise its hop limit to 2 (aws ec2 "
                "modify-instance-metadata-options --http-put-response-hop-limit 2), or give that container the host's "
                "network; better, give it credentials of its own.",
            )
        return Words(
            f"{packets(f, 'answer')} came with a TTL of {ttl}, and ended at {source}",
            "The host itself could take them, but it has to count the TTL down to pass them on to a container. A "
            f"router on the way sets it so low, often to forbid sharing. {affected(f)}",
            f"answers come with a TTL of {ttl}, which ends on this host",
            verb=Verb.ANSWER,
            remedy="Raise it where it comes in: iptables -t mangle -A PREROUTING -i UPLINK -j TTL --ttl-set 64. Or ask "
            "whoever runs the router.",
        )
    return Words(
        f"the TTL of {packets(f)} ended at {source}",
        f"{why} {affected(f)}",
        "" if young else f"their TTL ended at {source}",
        verb=Verb.ANSWER,
        remedy=remedy,
    )


def multicast_stays(f: Facts) -> Words:
    """What looks for neighbours finds those of the bridge."""
    count = plural(number(f, "count"), "question")
    return Words(
        f"{f['container']} looks for services by {f['service']}, {count}, and gets no further than network "
        f"{f['network']}",
        "Multicast and broadcast reach whoever is on the same bridge; the host routes none of it to the LAN, and none "
        "of the LAN's to containers.",
        remedy=f"If {f['container']} is to find what is in the LAN: the host's network, a macvlan network, or a "
        "reflector on the host (avahi-daemon with enable-reflector for mDNS).",
    )


def dhcp_unanswered(f: Facts) -> Words:
    """Who asks for an address has none, and so nothing else."""
    asked = f"{several(texts(f, 'clients'))} asked {plural(number(f, 'count'), 'time')} by DHCP at {f['where']}"
    title, said = "nobody answers DHCP", "Without an answer there is no IPv4 address, and nobody is reached."
    remedy = "See whether its network's DHCP server runs and hears it: tcpdump -ni any port 67; or give it its address."
    if dev := f.get("nobody_listens"):
        title = "no DHCP server runs on this host"
        said += f" {dev} has an address of this host, and no program here listens on UDP port 67."
        remedy = f"Start what serves DHCP on {dev} (dnsmasq, by lxc-net, libvirt or incus), or give it its address."
    elif f.get("cause"):
        title = f"{f['program'] or 'the DHCP server'} does not hear it: {f['cause']}"
        said += (
            f" {f['program'] or 'Somebody'} listens on UDP port 67, and what comes in by {f['dev']} is stopped before."
        )
        remedy = f"Let UDP port 67 in by {f['dev']}, before that: what comes from 0.0.0.0 to 255.255.255.255, too."
    return Words(f"{asked}, and got no answer", said, title, verb=Verb.GET, remedy=remedy)


SAYS = {
    "dhcp-unanswered": dhcp_unanswered,
    "multicast-stays-inside": multicast_stays,
    "subnet-overlap": subnet_overlap,
    "asymmetric-path": asymmetric_path,
    "duplicate-address": duplicate_address,
    "mac-moved": mac_moved,
    "neighbour-stale": neighbour_stale,
    "sent-to-dead-link": sent_to_dead_link,
    "hairpin-at-router": hairpin_at_router,
    "fragments-lost": fragments_lost,
    "ttl-exceeded": ttl_exceeded,
}
