"""Ports and interfaces: those behind which the owner and the asker are."""

from analyzer.report.words.absent.said import Said
from analyzer.report.words.sentence import Facts, texts


def _no_interface(f: Facts) -> Said:
    owner = f["owner"]
    return (
        f"{owner} has lost its interface",
        f"Docker says that {owner} has this address, and in its namespace there is no such interface.",
        f"docker network disconnect and connect {owner}, or restart it.",
    )


def _down_inside(f: Facts) -> Said:
    return (
        f"{f['link']} is down in {f['owner']}",
        "An interface that is down answers nothing.",
        "Set it up in the container's namespace.",
    )


def _lost_address(f: Facts) -> Said:
    has = ", ".join(texts(f, "has")) or "none"
    return (
        f"{f['owner']} has not that address, it has {has}",
        "Docker gave it this address, and somebody took it away in the container, or gave it another.",
        f"Restart {f['owner']}, or add the address in its namespace.",
    )


def _port_down(f: Facts) -> Said:
    return (
        f"{f['link']}, which leads to {f['owner']}, is down",
        "It is the host's end of the container's veth; nothing gets through it.",
        "Set it up.",
    )


def _no_port(f: Facts) -> Said:
    master = f"is a port of {f['master']}, not" if f.get("master") else "is no port"
    return (
        f"{f['link']}, which leads to {f['owner']}, {master} of {f['bridge']}",
        (
            "What is sent to the network's bridge does not get to it. Some other program took it out: NetworkManager, "
            "systemd-networkd, or a hand."
        ),
        "Put it back, and tell whoever manages interfaces to leave Docker's alone.",
    )


def _blocked(f: Facts) -> Said:
    return (
        f"{f['link']}, which leads to {f['owner']}, is {f['state']}",
        (
            "A bridge passes nothing to ports that are not forwarding: spanning tree is listening or learning for a "
            "while after a port comes up (twice forward_delay), or blocks it because of a loop."
        ),
        "Wait, or look at bridge link and ip -d link show type bridge: stp_state, forward_delay.",
    )


def _locked(f: Facts) -> Said:
    return (
        f"the bridge takes nothing from {f['owner']}, for its port {f['link']} is locked",
        (
            "A locked port passes only what comes from a MAC that somebody has allowed there, as 802.1X does; "
            f"{f['owner']}'s is not among them, and so nobody hears what it asks."
        ),
        "Allow its MAC there; or, if nobody means to lock the port, bridge link set dev PORT locked off.",
    )


def _no_copy(f: Facts) -> Said:
    asks = ("ARP asks by broadcast", "broadcasts") if f["setting"] == "bcast_flood" else (
        "NDP asks by multicast", "multicasts that nobody is known to want")  # fmt: skip
    return (
        f"{f['link']}, which leads to {f['owner']}, is given no {asks[1].split()[0]}",
        f"{asks[0]}, and the bridge keeps {asks[1]} from that port ({f['setting']} off).",
        "Set it back, and see who set it:",
    )


def _isolated(f: Facts) -> Said:
    return (
        f"{' and '.join(texts(f, 'isolated_ports'))} are isolated ports",
        f"It is container {f['owner']}; isolated ports of a bridge do not exchange frames.",
        (
            "Switch isolation off at one of them, if they shall talk; docker network create --opt "
            "com.docker.network.bridge.enable_icc=false asks for something alike."
        ),
    )


def _vlans(f: Facts) -> Said:
    other = f["other_vlan"] or "none"
    return (
        f"the ports are in VLANs {f['vlan']} and {other}",
        f"The bridge filters VLANs, and {f['link']}, which leads to {f['owner']}, is in another one.",
        "bridge vlan add, so that both ports have one VLAN untagged.",
    )


def _on_parent(f: Facts) -> Said:
    over, parent, kind = f["link"], f["parent"], f["kind"]
    return (
        f"{over} is a {kind} on {parent}, and what is behind it and this host do not reach each other, by design",
        f"Others on the segment of {parent} reach both. It is the kernel's drivers/net/macvlan.c.",
        (
            f"Give the host a macvlan of its own (ip link add NAME link {parent} type macvlan mode bridge), with "
            f"an address, and a route to the other end by it; or take a bridge, with {parent} as its port."
        ),
    )


def _not_proxied(f: Facts) -> Said:
    owner, link = f["owner"], f["link"]
    return (
        f"{link}, the host's end, does not answer for it: proxy_arp is 0 there",
        (
            f"{owner} is routed, not bridged: nobody has its gateway's address, and the host's end of its veth has to "
            "answer for it. Whatever makes the container's interface sets that (Calico: felix)."
        ),
        "Set it, and see what has turned it off:",
    )


WHY = {
    "no-interface": _no_interface,
    "down-inside": _down_inside,
    "lost-address": _lost_address,
    "port-down": _port_down,
    "no-port": _no_port,
    "blocked": _blocked,
    "locked": _locked,
    "no-copy": _no_copy,
    "isolated": _isolated,
    "vlans": _vlans,
    "on-parent": _on_parent,
    "not-proxied": _not_proxied,
}
