"""Rules of firewalls, and policies of their chains, that stop packets."""

import re

from analyzer.report.words import programs
from analyzer.report.words.sentence import Facts, Verb, Words, affected, offered, packets, several, texts

QUEUE = re.compile(r"-j NFQUEUE(?: --queue-num (\d+))?")
NO_PROGRAM = "made by hand, or by a program that is not known"


def stopped(f: Facts, explanation: str, cause: str, remedy: str | None) -> Words:
    """Say how many packets, or answers to them, were dropped or rejected."""
    what = f"answers to {packets(f)}" if f.get("of_answer") else packets(f)
    verb = "rejected" if f.get("rejected") else "dropped"
    detail = f"{what} {verb}: {f['cause']}"
    return Words(detail, f"{explanation} {affected(f)}", cause, remedy=remedy)


def _place(f: Facts) -> str:
    by = f"made by {f['owner']}" if f.get("owner") else NO_PROGRAM
    return f"rule {f['number']} of chain {f['chain']}, {by}"


def _acts(f: Facts) -> str:
    """Say which rule or policy it is, as the end of the first sentence."""
    does = "rejects" if f.get("rejected") else "drops"
    if f.get("policy_of"):
        return f"no rule of {f['policy_of']} accepts it, and its policy is DROP"
    if not f.get("chain"):
        return str(f["cause"])
    gone = ", which is gone now," if f.get("past") else ""
    what = "the host's answer" if f.get("of_answer") else "it"
    service = f"Service {f['service']}" if f.get("service") else "the Service"
    unserved = {"none": f": {service} has no endpoints", "local": f": {service} has no endpoint on this node",
                "port": f": no Service has port {f.get('to_port')} at {f.get('to')}"}  # fmt: skip
    why = unserved.get(str(f.get("endpoints")), "")
    return f"rule {f['number']} of {f['chain']}{gone} {does} {what}{why}"


def filtered_by_rule(f: Facts) -> Words:
    """A rule or policy of this host, or a firewall elsewhere."""
    if f.get("prohibited_by"):
        source = f["prohibited_by"]
        return Words(
            f"a firewall at {source} prohibits {packets(f)}",
            f"It answered that they are administratively prohibited. {affected(f)}",
            f"a firewall at {source} prohibits it",
            remedy=f"Ask whoever runs {source} to let this traffic pass.",
        )
    where = f"It is {_place(f)}. " if f.get("chain") else ""
    if "packets" not in f:
        who, what = several(texts(f, "who")), several(texts(f, "what"))
        by_hand = f"What {f['owner']} makes has to be changed there." if f.get("owner") else None
        return Words(f"{who} cannot reach {what}: {f['cause']}",
                     f"{where}The recorded rules, run in the kernel's order, stop such packets there.",
                     _acts(f), remedy=by_hand)  # fmt: skip
    if f.get("past"):
        said = f"{where}It was there before the captures ran, and is not any more: the dump from then stops them."
        remedy = "See who adds and removes rules: a firewall that reloads, fail2ban, a deployment."
        return stopped(f, said, _acts(f), remedy)
    said = f"{where}The recorded rules, run in the kernel's order, stop these packets there and nowhere before."
    if f.get("sent_by"):
        said += f" They had been sent on by “{f['sent_by']}”, so they were meant to get in."
    return next(words for told in (_rightly, _by_special, _near_miss, _plainly) if (words := told(f, said)) is not None)


def _rightly(f: Facts, said: str) -> Words | None:
    """What rules are for."""
    if f.get("strays"):
        return stopped(f, f"{said} They are the last of connections from before the captures.", _acts(f),
                       "Nothing to do: that is what such a rule is for.")  # fmt: skip
    if f.get("strangers"):
        return stopped(f, said, _acts(f), "Nothing to do, unless they should get in: then let just them pass.")
    return None


def _queued(f: Facts, said: str, number: str) -> Words:
    """Given to a program that is not there."""
    return stopped(
        f,
        f"{said} What nobody reads there, the kernel drops.",
        f"rule {f['number']} of {f['chain']} gives it to queue {number}, which no program reads",
        f"Start the program that reads queue {number} (an IPS, a filter), or give the rule --queue-bypass, by which "
        "packets pass while none runs; or delete the rule.",
    )


def _by_special(f: Facts, said: str) -> Words | None:
    """Limits, sets, and what is against spoofed sources."""
    if limit := _limit(f):
        remedy = "Raise it in the rule, for all whom it meets, or leave these out before it."
        return stopped(f, said, f"{_acts(f)}: it is a limit, {limit}", remedy)
    if f.get("chain") and (queue := QUEUE.search(str(f["cause"]))):
        return _queued(f, said, queue[1] or "0")
    if f.get("element") or f.get("lacks"):
        return _by_set(f, said)
    if f.get("list"):
        told = f"{said} What stands in set {f['list']} passes before it, and {f['not_in']} does not."
        remedy = f"If {f['list']} is meant for those outside, let the rule ask for the interface they come by; or:"
        return stopped(f, told, f"{_acts(f)}, for set {f['list']} does not have {f['not_in']}", offered(f, remedy))
    if f.get("expects"):
        old, new = f["expects"], f["leaves_by"]
        told = f"{said} It lets pass what leaves by {old}, and this host has no such interface: these leave by {new}."
        remedy = f"If {new} is the tunnel now, let the rule name it. Nothing else: that is what a kill switch is for."
        return stopped(f, told, f"{_acts(f)}; it accepts {old}, and they leave by {new}", offered(f, remedy))
    if f.get("spoofed"):
        return stopped(
            f, f"{said} It drops by the source alone, {f['spoofed']}, which containers have, too.", _acts(f),
            f"Against spoofed sources from outside, let it ask for the way in as well: -i {f['uplink']}. It stops all "
            "containers otherwise; an exception for one of them leaves the others where they are.",
        )  # fmt: skip
    return None


def _near_miss(f: Facts, said: str) -> Words | None:
    """A rule that means the port before DNAT."""
    if not f.get("near_miss"):
        return None
    said += (
        f" A rule before it would let them in, “{f['near_miss']}”, but asks for port {f['asked_port']}: that is what "
        f"was asked for; after DNAT they are for port {f['inner_port']}."
    )
    cause = f"{_acts(f)}, for “{f['near_miss']}” asks for the port before DNAT"
    if f.get("owner") == programs.UFW:
        return stopped(f, said, cause, programs.told(f))
    return stopped(
        f, said, cause,
        f"Let that rule ask for what was asked: -m conntrack --ctorigdstport {f['asked_port']} --ctdir ORIGINAL "
        f"instead of --dport; or for the container's port, --dport {f['inner_port']}.",
    )  # fmt: skip


def _plainly(f: Facts, said: str) -> Words:
    """An exception, or what its program is told."""
    deletes = any(" -D " in command or "delete rule" in command for command in texts(f, "commands"))
    advice = "Delete the rule, if nobody needs it." if deletes else "Let just this pass before the rule:"
    if f.get("policy_of"):
        advice = "Accept just this, before the policy decides."
        advice += _whole(f)
    owned = f.get("owner") and f.get("chain") != "DOCKER-USER"
    if owned and not f.get("commands"):
        return stopped(f, said, _acts(f), programs.told(f))
    return stopped(f, said, _acts(f), offered(f, advice))


def _whole(f: Facts) -> str:
    """Offer the networks as a whole; another base chain's acceptance leaves Docker's own rules as they are."""
    bridges = texts(f, "bridges")
    if not bridges or f.get("owner"):
        return ""
    if whole := texts(f, "whole"):
        decided = "" if f.get("unmanaged") else " What passes there is for Docker's own rules to decide."
        return f" For whole networks: {'; '.join(whole)}.{decided} For this alone:"
    return f" For whole networks, accept what comes in by {several(bridges)}, and established answers."


def _by_set(f: Facts, said: str) -> Words:
    """A set has what it should not, or lacks what it should have."""
    if f.get("lacks"):
        return stopped(
            f, f"{said} Others get in by set {f['set']}, which does not have {f['lacks']}.",
            f"set {f['set']} of {f['policy_of']} lacks {f['lacks']}, and its policy is DROP",
            offered(f, "Add the interface to the set, here and in the file that is loaded (/etc/nftables.conf):"),
        )  # fmt: skip
    owner = f.get("owner")
    keeper = f"{owner} keeps the list" if owner else "If a program keeps the list"
    return stopped(
        f, f"{said} Set {f['set']} has {f['element']}.", f"{_acts(f)}, for set {f['set']} has {f['element']}",
        offered(f, f"Take it out, if it was listed wrongly. {keeper}{':' if owner else ','} take it off there as well, "
                "or put it on its list of exceptions, else it comes back."),
    )  # fmt: skip


LIMITS = {"recent": "hitcount", "hashlimit": "hashlimit-(?:upto|above)", "connlimit": "connlimit-(?:upto|above)",
          "limit": "limit"}  # fmt: skip
"""By match, the option that sets its limit (iptables-extensions(8))."""


def _limit(f: Facts) -> str:
    """Return the limit that a rule sets, as it stands there."""
    rule = str(f.get("cause", ""))
    for match, option in LIMITS.items():
        found = re.search(rf"-m {match} .*?(--{option}\S*\s+\S+)", rule)
        if found:
            return found.group(1).rstrip("”")
    return ""


def docker_rules_gone(f: Facts) -> Words:
    """Somebody flushed them."""
    tables = " and ".join(f"*{name}" for name in texts(f, "tables"))
    if f.get("makes_rules") is False:
        return Words(
            f"Docker was told to make no rules in {tables}: {packets(f)} came to nothing",
            'daemon.json has "iptables": false, so containers are neither masqueraded nor let through, and no port is '
            f"published, unless somebody else makes rules for that; nobody did. {affected(f)}",
            'Docker was told to make no rules ("iptables": false)',
            verb=Verb.USE,
            remedy='Take "iptables": false out of daemon.json, and systemctl restart docker (containers stop, unless '
            "live-restore is on); where rules shall be somebody else's, he has to masquerade, forward and publish.",
        )
    maybe = (
        "" if f.get("makes_rules") else '; or the daemon was told to make none ("iptables": false), and nobody else did'
    )
    return Words(
        f"Docker's rules are gone from {tables}: {packets(f)} came to nothing",
        "Docker makes them when it starts, and with each network and container. Something flushed or replaced them "
        "since: a firewall that loads its own rules (nft -f with flush ruleset, iptables-restore, a reload), "
        f"iptables -F by hand{maybe}. {affected(f)}",
        f"Docker's rules are gone from {tables}",
        verb=Verb.USE,
        remedy="systemctl restart docker: it makes its rules again (containers stop, unless live-restore is on). Let "
        "whatever flushed them load its rules before Docker starts, and without a flush of what is not its own (in "
        "nftables: flush table inet filter instead of flush ruleset).",
    )


SAYS = {"filtered-by-rule": filtered_by_rule, "docker-rules-gone": docker_rules_gone}
