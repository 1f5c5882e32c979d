"""Packets that went missing, and where."""

from analyzer.model.words import plural
from analyzer.report.words.sentence import Facts, Words, affected, number, packets, texts


def loss_inside_host(f: Facts) -> Words:
    """Inside."""
    if f.get("too_long"):
        return _too_long(f)
    if f.get("no_dumps"):
        why = "Without dumps of the host's state nothing can be said about why."
    elif f.get("broken"):
        why = " ".join(f"{text}, as ip-addr.json has it." for text in texts(f, "broken"))
    elif f.get("undecided"):
        rule = f", of rule “{f['rule']}”" if f.get("rule") else ""
        why = f"The recorded rules do not decide: {f['undecided']}{rule}."
    else:
        why = "No recorded rule, route or setting stops them: a queue may be full, or a rule came and went meanwhile."
    if f.get("counter"):
        why = f"{f['counter']} went up by just as many: {f['meaning']}. {why}"
    return Words(
        f"{packets(f)} lost inside the host: {f['lost']}",
        f"{why} {affected(f)}",
        f"lost inside this host, between {f['last']} and {' or '.join(texts(f, 'onward'))}",
        remedy=f"Look there first: {f['helps']}." if f.get("helps") else None,
    )


def _too_long(f: Facts) -> Words:
    port, takes = texts(f, "too_long")
    return Words(
        f"{packets(f)} of {f['length']} bytes lost before {port}, which takes {takes}",
        "A bridge gives nothing to a port that is longer than that takes, and tells nobody, for it is no router "
        f"(is_skb_forwardable() of net/core/dev.c). {affected(f)}",
        f"its packets of {f['length']} bytes are too long for {port}, which takes {takes}",
        remedy=f"Give all that is on one bridge one MTU: {takes} to those that send more, or as much to {port}, if "
        "what carries it has room. Smaller TCP segments alone (TCPMSS) leave pings and datagrams lost.",
    )


def loss_beyond_host(f: Facts) -> Words:
    """Beyond."""
    if f.get("between"):
        one, other = texts(f, "between")
        return Words(
            f"{packets(f)} lost between {one} and {other}",
            f"They were {f['lost']}: neither host lost them. {affected(f)}",
            f"lost between {one} and {other}",
            remedy=f"Look at what is between {one} and {other}: switches, cables, a firewall, a tunnel's MTU.",
        )
    peer, where = f.get("peer") or f"{f.get('peers', 0):,} peers", f["where"]
    if f.get("at_once"):
        return Words(
            f"{packets(f)} towards {peer}, or their answers, lost beyond {where}, all of them when many were sent",
            f"They left by {where}. Of the same clients' datagrams some were lost that more than {f['at_once']} others "
            f"had come before within a second; where fewer had, each was answered: somebody limits them. {affected(f)}",
            f"somebody beyond {where} lets only some of them pass when many are sent at once",
            remedy=f"Send fewer at once, or have the limit raised: of {peer} (name servers limit answers, RRL), of a "
            "firewall or a provider on the way.",
        )
    if f.get("towards"):
        return Words(
            f"{packets(f)} towards {peer}, or their answers, lost beyond {where}",
            f"They left by {where} and were not answered in time, or were sent again: it was not this host. "
            f"{affected(f)}",
            f"lost beyond {where}, or their answers",
        )
    return Words(
        f"{packets(f)} from {peer} lost before {where}",
        f"They came to {where} only after what follows them, sent again: the originals never reached this host. "
        f"{affected(f)}",
        f"lost before {where}",
    )


def high_latency_hop(f: Facts) -> Words:
    """Slow."""
    held = (
        f"The queue {f['queue']} on {f['dev']} holds them back: somebody set it up."
        if f.get("queue")
        else "Inside a host forwarding takes microseconds: they wait in a queue, for a rate limit, or for a program "
        "(NFQUEUE)."
    )
    remedy = "Take the queue away, if nobody needs it:" if f.get("queue") else None
    if flaps := number(f, "flaps"):
        held = (
            f"The carrier of {f['to_point']} went and came {flaps} times meanwhile: packets wait until its neighbours "
            "are found again, or are lost."
        )
        remedy = (
            f"Look at what {f['to_point']} is connected to: cable, plug, the switch's port, Wi-Fi reception, the "
            "driver (dmesg)."
        )
    crossings = number(f, "crossings")
    who = f"half of {plural(crossings, 'packet')} take" if crossings > 1 else "one packet takes"
    least = f"{number(f, 'median_ms'):.0f}"
    if few := number(f, "held"):
        who, least = f"{few:,} of {plural(crossings, 'packet')} take", "500"
    return Words(
        f"from {f['from_point']} to {f['to_point']} {who} {least} ms and more",
        f"The slowest took {number(f, 'most_ms'):.0f} ms. {held}",
        remedy=remedy,
    )


def queue_drops(f: Facts) -> Words:
    """A limit."""
    rate = f", which lets {number(f, 'rate') * 8 / 1000:,.0f} kbit/s pass," if f.get("rate") else ""
    where = f"{f['dev']} of {f['place']}" if f.get("place") else str(f["dev"])
    leads = f", the way to {f['leads_to']}" if f.get("leads_to") else ""
    return Words(
        f"the queue {f['kind']} on {where}{rate} dropped {plural(number(f, 'dropped'), 'packet')}{leads}",
        "Somebody set it up to limit this interface. What it drops looks like loss on the way, and what it holds back "
        "like a slow one; neither the other end nor the network beyond is at fault.",
        remedy="Raise the limit, or take it away, if nobody needs it:",
    )


SAYS = {
    "queue-drops": queue_drops,
    "loss-inside-host": loss_inside_host,
    "loss-beyond-host": loss_beyond_host,
    "high-latency-hop": high_latency_hop,
}
