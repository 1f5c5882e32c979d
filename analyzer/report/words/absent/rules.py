"""Rules that drop the question or the answer, or send packets to nobody."""

from analyzer.report.words.absent.said import Said
from analyzer.report.words.sentence import Facts, texts


def _rule(f: Facts) -> Said:
    return (
        f"rule {f['number']} of {f['chain']} drops frames",
        f"Rules of the families arp, bridge and netdev see ARP; this one counted meanwhile: “{f['rule']}”.",
        "Delete the rule, or let ARP pass before it.",
    )


def _answers_lost(f: Facts) -> Said:
    rules = texts(f, "rules")
    between = f"{f['answered_at']} and {f['where']}"
    cause = f"answers come to {f['answered_at']}, and are lost before {f['where']}"
    if not rules:
        return cause, f"They are dropped on the bridge between {between}.", "nft list ruleset, ebtables -L: who drops?"
    what = f"a rule drops the answers, “{rules[0]}”" if len(rules) == 1 else f"one of {len(rules)} rules drops answers"
    return (
        what,
        f"They are seen at {f['answered_at']} and not at {f['where']}; rules of the families bridge, arp and netdev "
        "that drop there: " + "; ".join(rules) + ". They have no counter that would tell.",
        "Correct the rule, or delete it: what it expects, the answers are not. nft -a list ruleset shows its handle.",
    )


def _dnat(f: Facts) -> Said:
    return (
        f"rule {f['number']} of {f['chain']} sends it to {f['asked']}, which no container has",
        f"It is “{f['rule']}”: it was made for a container that is gone, or has another address now.",
        "Delete the rule; restarting Docker makes its own rules anew.",
    )


def _choice(f: Facts) -> Said:
    return (
        f"{f['asked']} is one of those to which a rule of {f['chain']} sends it by turns, and no container has it",
        f"It is “{f['rule']}”: it was made for a container that is gone, or has another address now.",
        f"Take {f['asked']} out of the rule's map, or put the address there that the container has now.",
    )


def _within_bridge(f: Facts) -> Said:
    by = f" What {f['owner']} makes has to be changed there." if f.get("owner") else ""
    return (
        f"NDP does not pass from port to port: {f['cause']}",
        "NDP is ICMPv6; with bridge-nf-call-ip6tables = 1 the kernel shows IP's rules also what a bridge passes on.",
        f"Let neighbour-solicitation and neighbour-advertisement pass FORWARD within the bridge.{by}",
    )


def _untold(f: Facts) -> Said:
    return (
        f"no node can tell this one where it is: {f['cause']}",
        f"By gossip (TCP and UDP port 7946) nodes tell who has an address of {f['network']}; VXLAN asks nobody else.",
        "Let TCP and UDP port 7946 pass between the nodes, both ways.",
    )


WHY = {"answers-lost": _answers_lost, "choice": _choice, "dnat": _dnat, "rule": _rule,
       "untold": _untold, "within-bridge": _within_bridge}  # fmt: skip
