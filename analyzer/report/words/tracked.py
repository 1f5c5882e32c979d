"""Sentences about connection tracking: entries that are old, wrong, forgotten, or too many."""

from analyzer.report.words.sentence import Facts, Verb, Words, affected, number, offered, packets


def stale_conntrack(f: Facts) -> Words:
    """An entry that outlived its rules, or was made before they were asked."""
    if f.get("settled_at"):
        return _settled(f)
    what = "left untranslated, and today's rules would masquerade them"
    if f.get("today"):
        what = f"went to {f['old']}, and today's rules would send them to {f['today']}"
    return Words(
        f"{packets(f)} {what}",
        "nat rules are asked for a connection's first packet only. This one's entry is older than the rules, and every "
        f"packet keeps it alive. {affected(f)}",
        f"a conntrack entry that is older than the rule keeps it at {f['old']}, today it would be {f['today']}"
        if f.get("without")
        else f"an old conntrack entry sends it to {f['old']}, today it would be {f['today']}"
        if f.get("today")
        else "an old conntrack entry leaves it untranslated",
        verb=Verb.ANSWER,
        remedy=offered(f, "Delete the entry; the next packet makes a new one."),
    )


def _settled(f: Facts) -> Words:
    bridge, where = f["settled_at"], f["where"]
    asked = f"“{f['rule']}”" if f.get("rule") else "the rule that would translate it"
    return Words(
        f"{packets(f)} left by {where} untranslated",
        f"iptables sees what bridge {bridge} passes on (br_netfilter). conntrack settles there, where no rule of nat "
        f"fits, that the connection is not translated; so {asked} is not asked any more when it leaves. {affected(f)}",
        f"conntrack settles at bridge {bridge} that it is not translated, before it is routed",
        verb=Verb.ANSWER,
        remedy=offered(f, "Give what passes that bridge a conntrack zone of its own. It holds for new connections:"),
    )


def conntrack_invalid_reset(f: Facts) -> Words:
    """The host resets what it does not know."""
    timeout = "net.netfilter.nf_conntrack_tcp_timeout_established"
    idle = f.get("idle_s")
    if f.get("zone_rule"):
        return Words(
            f"{packets(f, 'RST')} sent by the host itself at {f['where']}, in containers' connections",
            "The rule puts what comes in by that interface into a conntrack zone of its own; answers come in by "
            f"another one, are looked for in zone 0, and nobody knows them there. {affected(f)}",
            f"a rule puts only one direction into a conntrack zone: “{f['zone_rule']}”",
            verb=Verb.KEEP,
            remedy=offered(
                f, "Delete the rule; or put both directions into the zone, with --zone-orig for the one that begins, "
                "or a second rule for what comes back:",
            ),
        )  # fmt: skip
    why = (
        f"after {idle} s of silence, when conntrack had forgotten the connection. It was"
        if idle is not None
        else "that conntrack takes for INVALID, e.g. out of the window, or whose entry somebody deleted. It was"
    )
    cause = (
        f"after {idle} s of silence conntrack had forgotten it"
        if idle is not None
        else "conntrack calls its answers INVALID"
    )
    return Words(
        f"{packets(f, 'RST')} sent by the host itself at {f['where']}, in containers' connections",
        f"An answer came {why} not translated back, the host took it for itself, and reset a connection that it does "
        f"not know. {affected(f)}",
        f"the host itself resets it, {cause}",
        verb=Verb.KEEP,
        remedy=f"TCP keepalive, more often than {timeout} says, or a larger {timeout}." if idle is not None else None,
    )


def conntrack_contradiction(f: Facts) -> Words:
    """Frames and dump disagree."""
    return Words(
        f"conntrack and frames disagree about {f['connection']}",
        f"The frames show replies as {f['replies']}; the conntrack entry says {f['entry']}. The frames stand; the "
        "entry is of another time, another host or another zone.",
    )


def conntrack_full(f: Facts) -> Words:
    """No room for new connections."""
    most = number(f, "limit")
    held = f", {f['held']:,} of them of {f['holder']}" if f.get("holder") else ""
    return Words(
        f"conntrack holds {f['entries']:,} of {most:,} entries{held}",
        "When the table is full, the kernel drops the first packet of every new connection, and logs 'nf_conntrack: "
        "table full'.",
        f"conntrack is full, {f['entries']:,} of {most:,} entries{held}" if number(f, "packets") else "",
        verb=Verb.OPEN,
        remedy=f"Raise the limit, and see what {f['holder']} does with so many connections (conntrack -L -s)."
        if held
        else "Raise the limit, and look who holds so many entries (conntrack -L).",
    )


def conntrack_timeout(f: Facts) -> Words:
    """Forgotten."""
    timeout, pause = f["timeout_s"], number(f, "pause_s")
    return Words(
        f"{packets(f)} after a pause of {pause:.0f} s, and conntrack forgets after {timeout}",
        f"{f['setting']} is {timeout}: what comes later belongs to no connection that conntrack knows, so it is not "
        f"translated, or dropped as invalid. {affected(f)}",
        f"it was silent for {pause:.0f} s, and conntrack forgets connections after {timeout}",
        verb=Verb.KEEP,
        remedy=f"Let the program send keepalives more often than every {timeout} s, or raise {f['setting']}.",
    )


SAYS = {
    "conntrack-timeout": conntrack_timeout,
    "stale-conntrack": stale_conntrack,
    "conntrack-invalid-reset": conntrack_invalid_reset,
    "conntrack-contradiction": conntrack_contradiction,
    "conntrack-full": conntrack_full,
}
