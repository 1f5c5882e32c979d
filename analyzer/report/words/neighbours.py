"""Who does not answer ARP or NDP, and why not."""

from analyzer.model.words import plural
from analyzer.report.words.absent import WHY
from analyzer.report.words.sentence import Facts, Words, affected, number, several, texts


def arp_unanswered(f: Facts) -> Words:
    """Nobody answers for an address."""
    asked, where = f["asked"], f.get("where")
    who = f"{f['asker']} asked {plural(number(f, 'questions'), 'time')} at {where}. " if where else ""
    at = f" at {where}" if where else ""
    if f.get("foreign_source"):
        return Words(
            f"nobody answers for {asked}{at}",
            f"{who}SNAT gives packets this source, which the host does not have: nobody takes the answers. "
            f"{affected(f)}",
            f"SNAT gives it the source {asked}, which nobody{at} has",
            remedy=f"Take the SNAT rule away, or give the host the address {asked}.",
        )
    if f.get("why") in WHY:
        cause, said, remedy = WHY[str(f["why"])](f)
        return Words(f"nobody answers for {asked}{at}: {cause}", f"{who}{said} {affected(f)}", cause, remedy=remedy)
    said = (
        "Without the MAC address nothing can be sent to it: it does not exist there, is down, or is in another VLAN or "
        "subnet."
    )
    if shim := f.get("shim"):
        return Words(
            f"nobody answers for {asked}{at}: the host asks on {f['parent']}, and not by its macvlan {shim}",
            f"{who}A macvlan container and what its network lies on do not reach each other, by design. The host has "
            f"{shim} to reach it by, but its routes lead to {f['parent']}. {affected(f)}",
            f"the host's route leads to {f['parent']}, and not by its macvlan {shim}",
            remedy=f"Give the host a route to {asked} by {shim}.",
        )
    if f.get("macvlan"):
        return Words(
            f"nobody answers for {asked}{at}",
            f"{who}A macvlan or ipvlan container and its host's own interface do not reach each other, by design. "
            f"{affected(f)}",
            "a macvlan or ipvlan container and its host do not reach each other, by design",
            remedy="Give the host a macvlan interface of its own on the same parent, and a route to the container by "
            "it; or put the container on a bridge network as well.",
        )
    if f.get("own_address"):
        said = (
            "It is this host's own address: something keeps it from answering, such as rp_filter, arp_ignore, "
            "arptables, or with IPv6 a rule of INPUT."
        )
    of = texts(f, "resolver_of")
    if of:
        said += f" It is the name server of {several(of)}, by resolv.conf."
    return Words(
        f"nobody answers for {asked}{at}",
        f"{who}{said} {affected(f)}",
        f"nobody{at} answers {'NDP' if ':' in str(asked) else 'ARP'} for {asked}",
        remedy=f"Bring the name server {asked} back, or let {several(of)} ask another one: docker run --dns, dns in "
        "compose "
        "or daemon.json."
        if of
        else None,
    )


SAYS = {"arp-unanswered": arp_unanswered}
