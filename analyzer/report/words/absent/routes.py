"""Routes by which the asker looks for it: the way out, a gateway, or a neighbour that is none."""

from analyzer.report.words.absent.said import Said
from analyzer.report.words.sentence import Facts, texts


def _no_carrier(f: Facts) -> Said:
    dev = f["dev"]
    return (
        f"{dev}, by which the host asks, is down or has no carrier",
        f"Nothing gets out by {dev}, not even the question.",
        (
            f"Look at what {dev} is connected to: cable, plug, the switch's port, Wi-Fi, the other end of a veth; "
            f"ip link set {dev} up, if it was set down."
        ),
    )


def _flaps(f: Facts) -> Said:
    dev = f["dev"]
    return (
        f"the carrier of {dev}, by which the host asks, went and came {f['flaps']} times meanwhile",
        f"While {dev} has no carrier, nothing gets out or in by it.",
        f"Look at what {dev} is connected to: cable, plug, the switch's port, Wi-Fi reception, the driver (dmesg).",
    )


def _wide(f: Facts) -> Said:
    return (
        f"the host takes it for a neighbour, for {f['dev']} has the netmask /{f['prefix']}",
        (
            f"By the route “{f['route']}” the host, {f['own']}, asks its own segment for it. If it is behind the "
            f"router {f['router']}, the netmask of {f['dev']} is too short."
        ),
        f"Give {f['dev']} the netmask of its segment (often /24); or, for this address alone:",
    )


def _wrong_gateway(f: Facts) -> Said:
    return (
        f"it is the default gateway of {f['asker_name']}, and its network's is {f['right']}",
        f"{f['asker_name']} has the route “{f['route']}”.",
        "In the container's namespace:",
    )


def _network_gateway(f: Facts) -> Said:
    router, network = f.get("router"), f["network"]
    instead = f"; the host's own router there is {router}" if router else ""
    return (
        f"it is the gateway that network {network} was made with, and nobody on that segment has it{instead}",
        f"Containers of a {f['driver']} network need the segment's own router for a gateway; Docker does not make one.",
        f"Make network {network} again with --gateway {router or 'ROUTER'}, the address of the segment's router.",
    )


def _next_hop(f: Facts) -> Said:
    of = f"the route for {f['prefix']}" if f.get("prefix") else "the default route"
    return (
        f"{f['asked']}, one of {f['hops']} next hops of {of}, does not answer",
        (
            "The kernel shares connections out among next hops, and goes on to use one that does not answer: what "
            "falls to it is lost, and the rest gets through."
        ),
        f"Bring {f['asked']} back, or take it out of the route until it is:",
    )


def _gateway_silent(f: Facts) -> Said:
    if f.get("prefix"):
        if f.get("instead"):
            instead = f["instead"]
            return (
                f"the route for {f['prefix']} leads to {f['asked']}, which does not answer; its router is {instead}",
                f"The host has the route “{f['route']}”; packets from {f['prefix']} come in from {instead}.",
                f"Let the route lead to {instead}; what a daemon made (BGP, flannel) has to be mended there:",
            )
        rest = f" The default route is another one, “{f['default']}”." if f.get("default") else ""
        return (
            f"the route for {f['prefix']} leads to {f['asked']}, which does not answer",
            f"The host has the route “{f['route']}”: that router is down, or gone, or its address is wrong.{rest}",
            f"Bring {f['asked']} back; or, if the route is left over, of a VPN or of another router, delete it:",
        )
    return (
        "the host's gateway does not answer",
        f"The host has the route “{f['route']}”: the address is wrong, or the router is down, or not on this segment.",
        "Compare with the router's address; ip route replace default via ROUTER. Is the cable in, the VLAN right?",
    )


def _on_link(f: Facts) -> Said:
    who = f.get("asker_name") or "the host"
    subnets = f" {', '.join(texts(f, 'subnets'))}" if f.get("subnets") else ""
    return (
        f"{who} takes it for a neighbour by the route “{f['route']}”",
        f"That route has no gateway, so {who} asks its own segment{subnets} for the address, and it is not there.",
        f"Correct the route or the netmask of {who}: only its own subnet is without a gateway.",
    )


def _world(f: Facts) -> Said:
    dev, own = f["dev"], f" by itself ({f['own']})" if str(f.get("own", "")).startswith("169.254.") else ""
    end = ", the host's end of a container's interface" if f.get("veth") else ""
    left = f" “{f['default']}” is left then." if f.get("default") else ""
    return (
        f"the host's default route “{f['route']}” has no gateway",
        (
            f"So it asks at {dev}{end}, by ARP for every address there is. Something that manages interfaces has given "
            f"{dev} an address{own} and that route: dhcpcd, NetworkManager."
        ),
        (
            "Take it away, and keep that program off Docker's interfaces: denyinterfaces veth* in dhcpcd.conf, "
            f"unmanaged-devices=interface-name:veth* in NetworkManager.{left}"
        ),
    )


WHY = {
    "wide": _wide,
    "network-gateway": _network_gateway,
    "wrong-gateway": _wrong_gateway,
    "gateway-silent": _gateway_silent,
    "no-carrier": _no_carrier,
    "flaps": _flaps,
    "next-hop": _next_hop,
    "on-link": _on_link,
    "world": _world,
}
