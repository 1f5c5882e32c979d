"""What routes and settings of the host stop."""

from analyzer.model.words import plural
from analyzer.report.words.filtered import stopped
from analyzer.report.words.sentence import Facts, Words, affected, number, offered, packets, several, texts


def forwarding_disabled(f: Facts) -> Words:
    """Forwarding is off where packets came in."""
    names = texts(f, "settings")
    if "packets" not in f:
        if number(f, "version") == 6:
            return Words(
                f"IPv6 forwarding is off, network {f['network']} needs it",
                "Containers have IPv6 addresses, but the kernel forwards no IPv6 packet.",
                remedy=f"sysctl -w {names[0]}=1; on an uplink that gets its address by router advertisement also "
                "net.ipv6.conf.UPLINK.accept_ra=2.",
            )
        if f.get("bridge"):
            return Words(
                f"IPv4 forwarding is off on {f['bridge']}, network {f['network']} needs it",
                f"The kernel drops every packet that comes in by {f['bridge']} and is not for the host itself, so "
                "containers of that network reach nothing but the host and each other.",
                remedy=f"sysctl -w {names[0]}=1, and set it in /etc/sysctl.d so that it stays.",
            )
        return Words(
            "IPv4 forwarding is off",
            "The kernel drops every packet that is not for the host itself, so containers reach nothing but the host "
            "and each other. Docker turns forwarding on when it starts; something turned it off again.",
            remedy=f"sysctl -w {names[0]}=1, and set it in /etc/sysctl.d so that it stays.",
        )
    said = "They are for somebody else than this host, and where they came in it does not pass packets on."
    cause = f"{names[0]} is 0" if names else str(f["cause"])
    return stopped(f, said, cause, offered(f, "Switch it on, and in /etc/sysctl.d as well, so that it stays."))


def loopback_not_routed(f: Facts) -> Words:
    """127.0.0.1 from elsewhere."""
    name, rules = texts(f, "settings")[0], texts(f, "rules")
    by = f"Rule “{rules[0]}” sends them to 127.0.0.1. " if rules else ""
    there = f.get("address") or "the address that is asked"
    return stopped(
        f,
        f"{by}The kernel drops what comes from another interface for 127.0.0.0/8 where {name} is 0.",
        f"it is sent on to 127.0.0.1, and {name} is 0",
        f"Let the service listen on {there}, too, and delete the rule. {name}=1 would let it pass, and open whatever "
        f"listens on 127.0.0.1 to all who come by {f.get('iif') or 'that interface'}: then restrict it by rules.",
    )


def container_routed_elsewhere(f: Facts) -> Words:
    """A table that comes first."""
    name, way = f["container"], f["way"]
    where = f"table {f['table']}" if f["table"] else "a rule"
    if f.get("source"):
        name = f"{name} from {f['source']}, this host,"
    if str(way).startswith("to "):
        said = f"what is for {name} goes {way} by {where}, not to {f['bridge']}"
    else:
        said = f"what is for {name} ends at “{way}” of {where}, and does not get to {f['bridge']}"
    return Words(
        said,
        f"Rule “{f['rule']}” comes before the main table, whose route to the container's network is never asked: "
        "answers "
        f"to it, too, go that way. Clients of VPNs add such rules. {affected(f)}",
        said,
        remedy="Let the network's own route come first:",
    )


def reverse_path_filtered(f: Facts) -> Words:
    """Source validation."""
    names = texts(f, "settings")
    if f.get("counted"):
        return Words(
            f"rp_filter dropped {plural(number(f, 'counted'), 'packet')} that no capture shows",
            f"It is strict on {', '.join(texts(f, 'strict'))}: what comes in there is dropped if answers would leave "
            "by "
            "another interface. Such packets are for this host or its containers, by a second way in.",
            remedy="Capture at all interfaces that lead in (-i IF): which packets are it? If they should pass, give "
            "the host "
            "a route back by the same interface (ip rule, connmark), or set rp_filter to 2 there.",
        )
    if "packets" not in f:
        return Words(
            f"strict reverse path filtering on {', '.join(texts(f, 'strict'))}, with {f['uplinks']} uplinks",
            "With several uplinks, an answer may come in by another one than the route back to its sender uses. Strict "
            "reverse path filtering (RFC 3704) drops such packets, and counts them in IPReversePathFilter only.",
            remedy="sysctl -w net.ipv4.conf.all.rp_filter=2 (loose), and the same for each uplink.",
        )
    said = "Strict source validation drops what comes in by another interface than answers would leave by."
    if f.get("on_network"):
        sender, source, there, out = (f[name] for name in ("sender", "as_address", "on_network", "by_network"))
        own_way = (
            f"Let {sender} leave by {there}: its default route is {out}'s (docker network connect --gw-priority, from "
            f"Docker 28 on; the compose file's gw_priority; or a route for {source} in the container). Or set source "
            "validation to loose there:"
        )
        return stopped(
            f,
            f"{said} {source} is {sender}'s address on network {there}, and its answers leave by network {out}.",
            f"{sender} is asked on network {there} and answers by {out}, and {str(f['cause']).partition(':')[0]} drops "
            "that",
            offered(f, own_way) if f.get("outcome") != "not-enough" else own_way.partition(" Or set")[0],
        )
    if f.get("sender"):
        sender, source = f["sender"], f["as_address"]
        own = ", ".join(texts(f, "own"))
        return stopped(
            f,
            f"{said} {sender} has {own}, and sends as {source}, to which the host has no way there.",
            f"it sends as {source}, which is not its address, and rp_filter drops that",
            f"Let {sender} send with its own address: ip addr and ip route in it show why it does not.",
        )
    what = "loose" if f.get("value") == "2" else "off"
    loosen = f"Set source validation to {what}, or give the host a route back by the same interface."
    remedy = offered(f, loosen) if names else None
    if f.get("outcome") == "not-enough":
        remedy = None
    return stopped(f, said, str(f["cause"]).replace(": ", " drops it, ", 1), remedy)


def network_isolation(f: Facts) -> Words:
    """Docker's networks."""
    src, dst = f.get("from_container"), f.get("to_container")
    if f.get("internal"):
        said = f"Network {f['internal']} is internal: Docker lets nothing out of it, on purpose."
        cause = f"network {f['internal']} is internal, nothing gets out"
        remedy = "docker network connect a network with a way out, or create it without --internal."
        return stopped(f, said, cause, remedy)
    if not src and dst:
        said = (
            f"Docker lets nobody outside a network, here {f['outside']}, reach the address in it of container {dst}, "
            f"{f['address']}, on purpose."
        )
        published, port = f.get("published"), f["port"]
        way = f"it is published as {published}: use the host's address" if published else f"docker run -p {port}:{port}"
        remedy = f"From outside, use a published port of {dst}: {way}."
        return stopped(f, said, "from outside Docker lets nobody reach a container's own address", remedy)
    said = "Docker drops what goes from one of its bridge networks to another, on purpose."
    cause = "they share no network, and Docker keeps networks apart"
    if not dst:
        return stopped(f, said, cause, f"{src or 'The sender'} is on another network: docker network connect.")
    if f.get("both_on"):
        both, there = f["both_on"], f["there"]
        cause = f"it asks the address that {dst} has on {f['network']}, where {src} is not; both are on {both}"
        remedy = (
            f"Ask {dst} at {there}, its address on {both}, by its name there; a proxy that finds containers by itself "
            f"has to be told that network (traefik: label traefik.docker.network={both})."
        )
        return stopped(f, said, cause, remedy)
    remedy = f"docker network connect {f['network']} {src}, and use {dst}'s name or its address there."
    if f.get("network") == "bridge":  # whose containers have no names
        remedy = (
            f"Put both on one network of their own, where they have names: docker network create NET, docker network "
            f"connect NET {src}, docker network connect NET {dst}."
        )
    return stopped(f, said, cause, remedy)


def host_unreachable(f: Facts) -> Words:
    """A route, or what a router says."""
    if "cause" in f:
        said = "The recorded routes lead nowhere for this destination."
        if f.get("no_default"):
            return _no_default(f)
        if " in table " in str(f["cause"]) and not f.get("commands"):
            return stopped(
                f,
                f"{said} A table of its own whose last way is none keeps traffic from leaving beside a tunnel that is "
                "down.",
                str(f["cause"]),
                "Bring up what that table is for (ip rule, ip route show table, wg show): the route that forbids is a "
                "kill switch. Only if that is not meant: ip route del, or another rule.",
            )
        return stopped(f, said, str(f["cause"]), offered(f, "Remove what leads nowhere, or add the right route."))
    remedy = "Look at the routes there (ip route get ADDRESS), and whether the destination's segment is up."
    told = f"It said so of {packets(f)}. {affected(f)}"
    if "target" not in f:
        return Words(f"{f['destinations']:,} destinations cannot be reached", told, "no way leads there", remedy=remedy)
    if f.get("link_local"):
        sender = f["link_local"]
        return Words(
            f"{sender} sends to {f['target']} from its link-local address, which nobody may route",
            f"It has no other IPv6 address that it may use: none was given, or duplicate address detection failed "
            f"(dadfailed in ip addr), for somebody else has it. {told}",
            f"{sender} has no usable IPv6 address but its link-local one",
            remedy=f"See ip -6 addr in {sender}: tentative or dadfailed means that the address is somebody's already. "
            "Give "
            "it another one, then restart it.",
        )
    if f.get("carrier"):
        return _no_carrier(f, told)
    who = f["said_by"] or "this host"
    return Words(f"{who} has no way to {f['target']}", told, f"{who} has no way to {f['target']}", remedy=remedy)


def _no_carrier(f: Facts, told: str) -> Words:
    dev, flaps = f["carrier"], number(f, "flaps")
    what = f"the carrier of {dev} went and came {flaps} times" if flaps else f"{dev} is down or has no carrier"
    return Words(
        f"this host has no way to {f['target']}: {what}",
        f"The routes lead by {dev}, and its neighbours cannot be asked for without a carrier. {told}",
        what + (" meanwhile" if flaps else ""),
        remedy=f"Look at what {dev} is connected to: cable, plug, the switch's port, Wi-Fi reception, the driver "
        "(dmesg).",
    )


def _no_default(f: Facts) -> Words:
    version, uplink = number(f, "no_default"), str(f.get("uplink") or "UPLINK")
    flag = " -6" if version == 6 else ""
    said = f"No route of IPv{version} leads beyond this host's own segments."
    remedy = f"Add one: ip{flag} route add default via ROUTER dev {uplink}, and in the network's configuration."
    if down := several(texts(f, "down")):
        said += f" {down} is down: a route by it goes when it does."
        remedy = (
            f"Bring {down} up again, if the default route was by it (ip link set, or the VPN that made it). {remedy}"
        )
    if f.get("ignores"):
        said += (
            f" It probably had one by router advertisement: {f['ignores']} is 1, which means none while the host "
            "forwards, and Docker switched forwarding on."
        )
        remedy = (
            f"Let {uplink} take router advertisements though it forwards, and set it in /etc/sysctl.d as well; or add "
            f"a default route by hand."
        )
    return stopped(f, said, f"the host has no default route for IPv{version}", remedy)


SAYS = {
    "forwarding-disabled": forwarding_disabled,
    "container-routed-elsewhere": container_routed_elsewhere,
    "loopback-not-routed": loopback_not_routed,
    "reverse-path-filtered": reverse_path_filtered,
    "network-isolation": network_isolation,
    "host-unreachable": host_unreachable,
}
