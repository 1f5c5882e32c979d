"""Why an address does not answer ARP or NDP: what the host and the engine know of it."""

from analyzer.report.words.sentence import Facts, several, texts

Said = tuple[str, str, str]
"""The end of the first sentence, an explanation, and what helps."""


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


def _wide(f: Facts) -> Said:
    return (
        f"the host takes it for a neighbour, for {f['dev']} has the netmask /{f['prefix']}",
        (
            f"By the route “{f['route']}” the host, {f['own']}, asks its own segment for it. If it is behind the "
            f"router {f['router']}, the netmask of {f['dev']} is too short."
        ),
        f"Give {f['dev']} the netmask of its segment (often /24); or, for this address alone:",
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


def _inhibited(f: Facts) -> Said:
    return (
        f"network {f['network']} was made without an address for its bridge (inhibit_ipv4), and nobody else has it",
        f"{f['link']} is not to have it; a router on that network was meant to, and is not there.",
        f"Attach the router to {f['link']}; or make network {f['network']} again without that option.",
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


def _gateway_silent(f: Facts) -> Said:
    if f.get("prefix"):
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
    "answers-lost": _answers_lost,
    "dnat": _dnat,
    "rule": _rule, "no-interface": _no_interface, "down-inside": _down_inside, "lost-address": _lost_address,
    "port-down": _port_down, "no-port": _no_port, "blocked": _blocked, "isolated": _isolated, "vlans": _vlans,
    "own-down": _own_down, "arp-ignore": _arp_ignore,
    "unheard": _unheard, "inhibited": _inhibited, "published": _published, "wide": _wide,
    "network-gateway": _network_gateway, "wrong-gateway": _wrong_gateway, "gateway-silent": _gateway_silent,
    "on-link": _on_link, "world": _world, "nobody": _nobody,
}  # fmt: skip
