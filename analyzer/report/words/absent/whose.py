"""Whose address it is: the host's own, or nobody's."""

from analyzer.report.words.absent.said import Said
from analyzer.report.words.sentence import Facts, several, texts


def _own_down(f: Facts) -> Said:
    return f"{f['link']}, which has it, is down", "It is an address of this host.", "Set the interface up."


def _arp_ignore(f: Facts) -> Said:
    return (
        f"{f['setting']} keeps this host from answering",
        "It is an address of this host, whose kernel was told not to answer ARP for it.",
        "Set it back to 0.",
    )


def _unheard(f: Facts) -> Said:
    return (
        f"this host does not hear the question: {f['cause']}",
        "It is an address of this host. NDP is ICMPv6, and has to pass INPUT as all else that is for the host.",
        "Let NDP pass, and what path MTU needs, as RFC 4890 asks for; pings may stay shut out:",
    )


def _filtered(f: Facts) -> Said:
    return (
        f"rp_filter keeps this host from answering at {f['link']}, for its way back to {f['asker']} is {f['other']}",
        (
            f"It is an address of this host. Both interfaces lead to {f['asker']}, and the routes name one of them: "
            "with rp_filter 1 the host takes nothing that comes in by the other one, not even ARP."
        ),
        (
            f"Answer by the interface that was asked (ip rule from the address of {f['link']} to a table with its "
            "route), or plug the host into that network once; or loosen it:"
        ),
    )


def _inhibited(f: Facts) -> Said:
    return (
        f"network {f['network']} was made without an address for its bridge (inhibit_ipv4), and nobody else has it",
        f"{f['link']} is not to have it; a router on that network was meant to, and is not there.",
        f"Attach the router to {f['link']}; or make network {f['network']} again without that option.",
    )


def _published(f: Facts) -> Said:
    port, asked = str(f["port"]), f["asked"]
    free = port.partition("->")[0].rpartition(":")[2]
    return (
        f"{f['container']} is published on it ({port}), and no interface of this host has it",
        (
            "Docker listens on an address that the host does not have where net.ipv4.ip_nonlocal_bind is 1, or had it "
            "when the container was started. Nobody hears then what is for it."
        ),
        (
            f"Give the host {asked}, and see that it stays (keepalived, netplan, the network's own settings); or "
            f"publish on an address that it has: -p {free}:{port.partition('->')[2].partition('/')[0]}."
        ),
    )


def _nobody(f: Facts) -> Said:
    stopped, there = several(texts(f, "stopped")), ", ".join(texts(f, "members"))
    members = f" On that network are: {there}." if there else ""
    if f.get("far"):
        return (
            f"network {f['network']} has taken {f['subnet']}, in which it lies, and no container has it",
            (
                "Docker gives out the lowest addresses first, so this one is hardly a container's: more likely a "
                "machine elsewhere has it, in a company's network or a VPN, and is not asked, for the container "
                "takes it for a "
                "neighbour."
            ),
            (
                f"Give network {f['network']} addresses that nobody else uses: docker network create --subnet, or "
                "default-address-pools in daemon.json, and make it again."
            ),
        )
    return (
        f"no container of network {f['network']} has it",
        "No container that runs has this address, nor has the host."
        + (f" On that network, but not running: {stopped}." if stopped else ""),
        (
            f"{f'Start {stopped}, or ask' if stopped else 'Ask'} by its name: addresses change when containers are "
            "made again. A program that looks a name up but once, as nginx does with upstreams, has to be reloaded "
            f"then.{members}"
        ),
    )


WHY = {
    "own-down": _own_down,
    "arp-ignore": _arp_ignore,
    "unheard": _unheard,
    "inhibited": _inhibited,
    "published": _published,
    "filtered": _filtered,
    "nobody": _nobody,
}
